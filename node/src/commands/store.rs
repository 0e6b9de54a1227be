//! `lanemesh store create`.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use ledger::Epoch;
use providers::{Random, SharedDisk};
use sale::{LaneId, StoreId};
use serde_json::json;
use storage::FileDisk;

use crate::cli::{Report, StoreCommand};
use crate::lane::{Identity, LANE_FILE};
use crate::production::{SystemRandom, keep_hq_token};

/// The Raft node id of the lane that creates a store.
const FOUNDER_NODE: u64 = 1;

pub fn run(command: StoreCommand) -> anyhow::Result<Report> {
    let StoreCommand::Create {
        dir,
        name,
        lane_name,
        hq,
        hq_token_file,
    } = command;
    let token = match hq_token_file {
        Some(file) => Some(std::fs::read_to_string(&file).with_context(|| {
            format!("head office's token in {} cannot be read", file.display())
        })?),
        None => None,
    };
    let identity = create(&dir, name, lane_name, hq, token)?;
    let text = format!(
        "Created the store '{}' ({}). Its first lane is in {}.\nStart it with: lanemesh lane {}",
        identity.store_name,
        identity.store.short(),
        dir.display(),
        dir.display(),
    );
    let json = json!({
        "ok": true,
        "store": identity.store,
        "store_name": identity.store_name,
        "lane": identity.lane,
    });
    Ok(Report::done(text, json))
}

/// Mints a store and its first lane.
pub fn create(
    dir: &Path,
    name: String,
    lane_name: String,
    hq_url: Option<String>,
    hq_token: Option<String>,
) -> anyhow::Result<Identity> {
    let disk: SharedDisk = Arc::new(FileDisk::new(dir)?);
    if disk.read(LANE_FILE)?.is_some() {
        bail!(
            "{} holds a lane already: choose another folder",
            dir.display()
        );
    }
    if let Some(token) = hq_token {
        keep_hq_token(&disk, token.trim())?;
    }
    let identity = Identity {
        format: 1,
        store: StoreId(SystemRandom.id()),
        store_name: name,
        lane: LaneId(SystemRandom.id()),
        lane_name,
        number: 1,
        node: FOUNDER_NODE,
        hq_url,
        founding: true,
        epoch: Epoch::FIRST,
        recovering: None,
    };
    identity.write(&disk)?;
    Ok(identity)
}
