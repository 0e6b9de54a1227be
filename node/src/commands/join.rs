//! `lanemesh join`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use providers::{Discovery, SharedDisk};
use serde_json::json;
use storage::FileDisk;
use wire::LaneContact;

use crate::cli::{JoinArgs, Report};
use crate::lane::{Code, Identity, JoinParts, LANE_FILE, join, leave_behind};
use crate::production::{PLACE_FILE, Place, Site, keep_hq_token, parse_peer};

pub fn run(args: JoinArgs) -> anyhow::Result<Report> {
    let identity = super::runtime()?.block_on(join_store(&args))?;
    let text = format!(
        "Joined the store '{}' as lane {} ({}).\nStart it with: lanemesh lane {}",
        identity.store_name,
        identity.number,
        identity.lane_name,
        args.dir.display(),
    );
    let json = json!({
        "ok": true,
        "store": identity.store,
        "store_name": identity.store_name,
        "lane": identity.lane,
        "number": identity.number,
    });
    Ok(Report::done(text, json))
}

/// Joins, and leaves the folder ready to run.
pub async fn join_store(args: &JoinArgs) -> anyhow::Result<Identity> {
    let code = Code::parse(&args.code)?;
    prepare(args)?;
    let known = args.network.options().peers;
    let known = known
        .iter()
        .map(|text| {
            let (peer, addresses) = parse_peer(text)?;
            Ok(LaneContact {
                peer: peer.0,
                addresses,
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let site = Site::open(&args.dir, Place::AsMade, &args.network.options()).await?;
    let joined = join(JoinParts {
        providers: site.providers.clone(),
        discovery: site.discovery.clone() as Arc<dyn Discovery>,
        code,
        lane_name: args.lane_name.clone(),
        known,
        limit: Duration::from_secs(args.wait),
    })
    .await;
    site.mesh.shutdown().await;
    let joined = joined?;
    if let Some(token) = &joined.hq_token {
        keep_hq_token(&site.providers.disk, token)?;
    }
    Ok(joined.identity)
}

/// Makes sure that the folder can take a new lane.
fn prepare(args: &JoinArgs) -> anyhow::Result<()> {
    let disk: SharedDisk = Arc::new(FileDisk::new(&args.dir)?);
    if disk.read(LANE_FILE)?.is_none() {
        return Ok(());
    }
    if !args.again {
        bail!(
            "{} holds a lane already: choose another folder, or add --again to let a damaged lane \
             join as a new one",
            args.dir.display()
        );
    }
    disk.remove(PLACE_FILE)?;
    Ok(leave_behind(&disk)?)
}
