//! Sets the store up, step by step: head office, lanes, what they sell, more lanes.
//!
//! Every step looks whether it is done already, so a set-up that was interrupted is finished by the
//! next run, and one that was finished costs nothing.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use api::{LaneView, Mode};
use providers::SharedDisk;
use serde_json::Value;
use storage::FileDisk;
use tokio::time::Instant;

use super::fleet::{Fleet, Member};
use super::folder::{self, DemoFolder};
use super::process::program;
use super::talk::Talk;
use super::watch::{HqClient, client_of, hq_url};
use crate::client::{Invitation, LaneClient};
use crate::commands::store;
use crate::lane::Identity;
use crate::sample;

/// How long a process may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long what an interrupted demo left running may take to close.
const LEFTOVER_LIMIT: Duration = Duration::from_secs(15);
/// How long a lane that looks for the others, or takes over what they have, may stand still.
const TOGETHER_LIMIT: Duration = Duration::from_secs(60);
/// How long one look for the store over multicast may take before its addresses are used.
const MULTICAST_LIMIT_S: u64 = 8;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What sample files a store needs that sells from a catalog of its own.
const BESIDES_A_CATALOG: [&str; 4] = ["settings", "taxes", "employees", "customers"];

/// How the lanes found each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    Multicast,
    /// Multicast does not work here.
    Addresses,
    /// All were members before, and know each other.
    Earlier,
}

/// What the set-up came to.
pub struct SetUp {
    pub hq: HqClient,
    pub lane_1: LaneView,
    pub found_by: FoundBy,
}

/// Brings the fleet up. `catalog` is imported instead of the sample store's items.
pub async fn set_up(
    folder: &mut DemoFolder,
    fleet: &mut Fleet,
    catalog: Option<&Path>,
    talk: &Talk,
) -> anyhow::Result<SetUp> {
    wait_for_leftovers(fleet).await?;
    let hq = start_hq(folder, fleet, talk).await?;
    if !folder.has_lane(1) {
        create_store(folder)?;
        talk.say(&format!("Created the store '{}'.", store_name()));
    }
    for member in fleet.lanes.iter_mut().filter(|m| folder.has_lane(m.number)) {
        member.start()?;
    }
    for member in fleet.lanes.iter_mut().filter(|m| folder.has_lane(m.number)) {
        answering(member).await?;
    }
    let client = client(&fleet.lanes[0])?;
    import_all(folder, &client, catalog, talk).await?;

    let mut found_by = FoundBy::Earlier;
    for member in &mut fleet.lanes {
        if !folder.has_lane(member.number) {
            join(member, &client, &mut found_by, talk).await?;
            member.start()?;
            answering(member).await?;
        }
    }
    together(fleet, talk).await?;
    Ok(SetUp {
        hq,
        lane_1: client.view().await?,
        found_by,
    })
}

/// The lanes of a demo that was killed close by themselves; one that somebody else runs does not.
async fn wait_for_leftovers(fleet: &Fleet) -> anyhow::Result<()> {
    for member in &fleet.lanes {
        let Ok(client) = LaneClient::of_folder(&member.folder) else {
            continue;
        };
        let gone = async {
            while client.status().await.is_ok() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        if tokio::time::timeout(LEFTOVER_LIMIT, gone).await.is_err() {
            bail!(
                "a lane is running on {} already: close it first",
                member.folder.display()
            );
        }
    }
    Ok(())
}

async fn start_hq(
    folder: &mut DemoFolder,
    fleet: &mut Fleet,
    talk: &Talk,
) -> anyhow::Result<HqClient> {
    if !folder::is_free(folder.hq_port()) {
        let taken = folder.hq_port();
        folder.change_hq_port()?;
        let port = folder.hq_port();
        talk.say(&format!(
            "Port {taken} is taken; head office moves to port {port}."
        ));
        fleet.hq = Fleet::head_office(folder);
        tell_lanes(folder)?;
    }
    fleet.hq.start()?;
    let up = async {
        loop {
            if fleet.hq.process.look().is_some() {
                bail!(
                    "head office did not start: {}",
                    fleet.hq.process.last_words()
                );
            }
            if let Ok(client) = HqClient::of_folder(folder)
                && client.counted().await.is_ok()
            {
                return Ok(client);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let started = tokio::time::timeout(START_LIMIT, up).await;
    started.context("head office does not answer")?
}

/// Writes head office's new address into lanes that are not running.
fn tell_lanes(folder: &DemoFolder) -> anyhow::Result<()> {
    for number in 1..=folder.lanes() {
        let disk: SharedDisk = Arc::new(FileDisk::new(folder.lane(number))?);
        let mut identity = Identity::read(&disk)?;
        identity.hq_url = Some(hq_url(folder));
        identity.write(&disk)?;
    }
    Ok(())
}

fn store_name() -> String {
    let settings = toml::from_str::<catalog::Settings>(sample::text_of("settings"));
    settings.unwrap_or_default().store_name
}

fn create_store(folder: &DemoFolder) -> anyhow::Result<()> {
    let token = std::fs::read_to_string(folder.hq().join(hq::TOKEN_FILE))?;
    let (dir, name) = (folder.lane(1), "Lane 1".to_owned());
    store::create(&dir, store_name(), name, Some(hq_url(folder)), Some(token))?;
    Ok(())
}

/// Waits until the lane's API answers.
async fn answering(member: &mut Member) -> anyhow::Result<()> {
    let up = async {
        loop {
            if member.process.look().is_some() {
                let (title, words) = (&member.process.title, member.process.last_words());
                bail!("{title} did not start: {words}");
            }
            if let Ok(client) = client(member)
                && client.status().await.is_ok()
            {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let started = tokio::time::timeout(START_LIMIT, up).await;
    let log = member.process.log().display().to_string();
    started.with_context(|| format!("{} does not answer; see {log}", member.folder.display()))?
}

/// A client for the process that runs on the lane now.
fn client(member: &Member) -> anyhow::Result<LaneClient> {
    let client = member.process.pid().and_then(|pid| client_of(member, pid));
    client.with_context(|| format!("{} is not running", member.process.title))
}

async fn import_all(
    folder: &mut DemoFolder,
    client: &LaneClient,
    catalog: Option<&Path>,
    talk: &Talk,
) -> anyhow::Result<()> {
    let own = catalog.is_some() || folder.has_own_catalog();
    for file in sample::FILES {
        let wanted = !own || BESIDES_A_CATALOG.contains(&file.kind);
        if wanted && !folder.is_imported(file.kind) {
            let bytes = file.text.as_bytes().to_vec();
            let what = format!("{} of the sample store", file.kind);
            import(client, Some(file.kind), bytes, &what, talk).await?;
            folder.note_imported(file.kind)?;
        }
    }
    if let Some(path) = catalog {
        let bytes = std::fs::read(path)
            .with_context(|| format!("the catalog {} cannot be read", path.display()))?;
        let noted = format!("items:{}", blake3::hash(&bytes).to_hex());
        if !folder.is_imported(&noted) {
            folder.keep_catalog(&bytes)?;
            let what = format!("items of {}", path.display());
            import(client, Some("items"), bytes, &what, talk).await?;
            folder.note_imported(&noted)?;
        }
    }
    Ok(())
}

async fn import(
    client: &LaneClient,
    kind: Option<&str>,
    bytes: Vec<u8>,
    what: &str,
    talk: &Talk,
) -> anyhow::Result<()> {
    let mut progress = |done: u64| talk.progress(&format!("Importing {what}: {done} …"));
    progress(0);
    let report = client.import(kind, bytes, &mut progress).await;
    talk.progress_ends();
    let report = report.with_context(|| format!("{what} could not be imported"))?;
    // Promotions and settings take effect as one file.
    talk.say(&match report["imported"].as_u64() {
        Some(1) => format!("Imported the {what}."),
        _ => format!("Imported {} {what}.", report["imported"]),
    });
    let left_out = report["rows_left_out"].as_u64().unwrap_or(0);
    if left_out > 0 {
        let first = report["problems"][0]["message"]
            .as_str()
            .unwrap_or_default();
        let row = &report["problems"][0]["row"];
        talk.say(&format!(
            "  {left_out} rows were left out; the first, line {row}: {first}"
        ));
    }
    Ok(())
}

/// Lets a new lane join: over multicast, and where that is blocked by the addresses of lane 1.
async fn join(
    member: &Member,
    client: &LaneClient,
    found_by: &mut FoundBy,
    talk: &Talk,
) -> anyhow::Result<()> {
    let title = &member.process.title;
    talk.progress(&format!("{title} joins …"));
    let invitation = client.invite().await?;
    let multicast = *found_by != FoundBy::Addresses && client.status().await?.warnings.is_empty();
    if multicast && ask_to_join(member, &invitation, &[]).await?.is_ok() {
        *found_by = FoundBy::Multicast;
        talk.progress_ends();
        talk.say(&format!("{title} found the store over mDNS and joined."));
        return Ok(());
    }
    *found_by = FoundBy::Addresses;
    let joined = ask_to_join(member, &invitation, &invitation.addresses).await?;
    talk.progress_ends();
    match joined {
        Ok(()) => {
            talk.say(&format!("{title} joined by the address of Lane 1."));
            Ok(())
        }
        Err(why) => bail!("{title} could not join: {why}"),
    }
}

/// Runs `lanemesh join`; the inner error is its own.
async fn ask_to_join(
    member: &Member,
    invitation: &Invitation,
    peers: &[String],
) -> anyhow::Result<Result<(), String>> {
    let mut command = tokio::process::Command::from(program()?);
    command
        .args(["join", "--json", "--code", invitation.code.as_str()])
        .args(["--lane-name", member.process.title.as_str()])
        .args(["--wait", MULTICAST_LIMIT_S.to_string().as_str()])
        .args(peers.iter().flat_map(|peer| ["--peer", peer.as_str()]))
        .arg(&member.folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let why = said["error"].as_str().unwrap_or("it ended without a word");
    Ok(Err(why.to_owned()))
}

/// Waits until the lanes agree and each has applied what the first has: until then a lane lacks items.
/// A slow machine may take as long as it needs; where nothing moves any more, the user is told.
async fn together(fleet: &Fleet, talk: &Talk) -> anyhow::Result<()> {
    let first = client(&fleet.lanes[0])?.status().await?;
    for member in &fleet.lanes {
        if !caught_up(member, first.committed_index, talk).await? {
            talk.progress_ends();
            talk.say("The lanes have not all found each other yet; they sell and go on looking.");
            return Ok(());
        }
    }
    talk.progress_ends();
    Ok(())
}

/// Waits until a lane is with its siblings and has applied the store's log up to `target`, for as
/// long as it gets on; whether it is.
async fn caught_up(member: &Member, target: u64, talk: &Talk) -> anyhow::Result<bool> {
    let client = client(member)?;
    let mut moved = (None, Instant::now());
    loop {
        let status = client.status().await?;
        if status.mode == Mode::Together && status.applied_index >= target {
            return Ok(true);
        }
        let now = (status.mode.clone(), status.applied_index);
        if moved.0.as_ref() != Some(&now) {
            moved = (Some(now), Instant::now());
        } else if moved.1.elapsed() >= TOGETHER_LIMIT {
            return Ok(false);
        }
        let title = &member.process.title;
        talk.progress(&match status.mode {
            Mode::Together => format!("{title} takes over what the store has …"),
            _ => format!("{title} looks for the others …"),
        });
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
