//! The lane folders that were named: whose they are, and whether their files are whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger::StoreId;
use storage::check_databases;

use super::findings::{Check, Findings};
use crate::client::API_FILE;
use crate::lane::{Identity, LANE_FILE};

/// The file that is there once a lane has been started, even if its databases are gone since.
const STARTED_FILE: &str = "journal.db.status";
const JOURNAL_FILE: &str = "journal.db";
const STATE_FILE: &str = "store.db";

/// A lane's folder.
pub struct LaneFolder {
    pub path: PathBuf,
    pub identity: Identity,
    pub journal_is_whole: bool,
    pub state_is_whole: bool,
}

impl LaneFolder {
    pub fn journal_place(&self) -> String {
        self.path.join(JOURNAL_FILE).display().to_string()
    }

    pub fn state_place(&self) -> String {
        self.path.join(STATE_FILE).display().to_string()
    }

    /// Whether a process serves this folder, or was killed while it did.
    pub fn may_be_running(&self) -> bool {
        self.path.join(API_FILE).exists()
    }
}

/// The folders that belong to one store, and that store: the one of most of them.
pub fn of_one_store(
    dirs: &[PathBuf],
    findings: &mut Findings,
) -> (Option<StoreId>, Vec<(PathBuf, Identity)>) {
    let mut identities = Vec::new();
    for dir in dirs {
        findings.checked(Check::Folders, 1);
        match identity(dir) {
            Ok(identity) => identities.push((dir.clone(), identity)),
            Err(reason) => findings.problem(Check::Folders, &dir.display().to_string(), reason),
        }
    }
    let store = most_named(&identities);
    let mut kept: Vec<(PathBuf, Identity)> = Vec::new();
    for (path, identity) in identities {
        let place = path.display().to_string();
        let twin = kept.iter().find(|(_, known)| known.lane == identity.lane);
        if Some(identity.store) != store {
            let message = format!(
                "This lane belongs to store {} ({}), not to the others' store. It was left out: \
                 verify one store at a time.",
                identity.store, identity.store_name
            );
            findings.problem(Check::Folders, &place, message);
        } else if let Some((twin, _)) = twin {
            let message = format!(
                "This is the same lane as in {}. It was left out: name each lane once, and never \
                 run a copied folder.",
                twin.display()
            );
            findings.problem(Check::Folders, &place, message);
        } else {
            kept.push((path, identity));
        }
    }
    (store, kept)
}

fn identity(dir: &Path) -> Result<Identity, String> {
    let path = dir.join(LANE_FILE);
    let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "This folder holds no lane: name a lane's folder.".into(),
        _ => format!("{} cannot be read: {error}.", path.display()),
    })?;
    Identity::parse(bytes).map_err(|error| format!("{error}."))
}

/// The store that most folders name; the smaller id where two are named as often.
fn most_named(identities: &[(PathBuf, Identity)]) -> Option<StoreId> {
    let mut named: BTreeMap<StoreId, usize> = BTreeMap::new();
    for (_, identity) in identities {
        *named.entry(identity.store).or_default() += 1;
    }
    let most = named.values().max().copied();
    let mut named = named.into_iter();
    named
        .find(|(_, n)| Some(*n) == most)
        .map(|(store, _)| store)
}

/// Checks a folder's database files. `None` for a lane that was never started.
pub fn check_files(
    path: PathBuf,
    identity: Identity,
    findings: &mut Findings,
) -> Option<LaneFolder> {
    if !path.join(JOURNAL_FILE).exists() && !path.join(STARTED_FILE).exists() {
        findings.note(format!("{} was never started.", path.display()));
        return None;
    }
    let mut folder = LaneFolder {
        path,
        identity,
        journal_is_whole: true,
        state_is_whole: true,
    };
    for (file, checked) in check_databases(&folder.path) {
        findings.checked(Check::Files, 1);
        let Err(error) = checked else {
            continue;
        };
        let place = folder.path.join(file).display().to_string();
        let message = format!("{error}. What it holds was not checked.");
        findings.problem(Check::Files, &place, message);
        match file {
            JOURNAL_FILE => folder.journal_is_whole = false,
            STATE_FILE => folder.state_is_whole = false,
            _ => {}
        }
    }
    Some(folder)
}
