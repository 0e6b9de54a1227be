//! Joining a store: a lane that is no member finds one that is, and shows that it knows the code.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use ledger::ENTRY_FORMAT;
use providers::{Discovery, DiskError, PeerId, Providers, SharedDisk, StreamClass, timeout};
use sale::LaneId;
use wire::{Answer, Ask, JoinRequest, LaneContact, Welcome};

use super::contacts::Contacts;
use super::invitation::{Code, Side, proof, proof_matches};
use super::links::Links;
use super::{Identity, IdentityError, LANE_FILE};

/// The id of a join that has begun.
const JOINING_FILE: &str = "joining.json";
/// What a lane that joins again leaves behind, moved aside. Its journal stays: under the old lane's
/// id it is a copy now, which the new lane shares.
const LEFT_BEHIND: [&str; 9] = [
    "lane.key",
    "raft.db",
    "store.db",
    "register.checkpoint",
    "contacts.json",
    "snapshot-0.db",
    "snapshot-1.db",
    "snapshot-2.db",
    "snapshot-3.db",
];
/// What says that those files were there, and would make the new lane miss them.
const FORGOTTEN: [&str; 4] = [
    "raft.db.status",
    "store.db.status",
    "raft.lost",
    JOINING_FILE,
];
/// How long one lane may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(12);
/// How long discovery is listened to between two rounds of asking.
const LISTEN_FOR: Duration = Duration::from_millis(500);
/// How often a lane that refused is asked again: its copy of the store may lag behind the lane
/// that showed the code.
const TRIES_PER_LANE: u32 = 3;

pub struct JoinParts {
    pub providers: Providers,
    pub discovery: Arc<dyn Discovery>,
    pub code: Code,
    pub lane_name: String,
    /// Lanes to ask besides those that discovery finds.
    pub known: Vec<LaneContact>,
    /// How long to look for a lane of the store.
    pub limit: Duration,
}

/// What a lane that joined has to keep besides its identity.
pub struct Joined {
    pub identity: Identity,
    pub hq_token: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error(
        "no lane of any store was found on this network. Check that a lane is running and on the \
         same network; where multicast is blocked, give its address with --peer, as `lanemesh \
         invite` prints it{0}"
    )]
    NoneFound(String),
    #[error("{0}")]
    Refused(String),
    #[error(
        "a lane was found but could not be reached ({0}). Check the cable and the firewall: lanes \
         talk on the UDP and TCP port that `lanemesh status` shows"
    )]
    Unreachable(String),
    #[error(
        "a lane answered without knowing the code. It was not believed: somebody may be posing as your store"
    )]
    Impostor,
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Looks for a lane of the store that the code is for, and joins. The identity is written last:
/// until then the folder holds no lane.
pub async fn join(parts: JoinParts) -> Result<Joined, JoinError> {
    let clock = parts.providers.clock.clone();
    let links = Links::new(parts.providers.network.clone(), clock.clone());
    let lane = begun(&parts.providers)?;
    let deadline = clock.monotonic() + parts.limit;
    let mut candidates: BTreeMap<PeerId, u32> = BTreeMap::new();
    for contact in &parts.known {
        note(&parts, &mut candidates, contact);
    }
    let mut last = None;
    loop {
        while let Some(Some(found)) =
            timeout(clock.as_ref(), LISTEN_FOR, parts.discovery.next()).await
        {
            let contact = LaneContact {
                peer: found.peer.0,
                addresses: found.addresses,
            };
            note(&parts, &mut candidates, &contact);
        }
        for (peer, tries) in candidates.iter_mut().filter(|(_, t)| **t < TRIES_PER_LANE) {
            *tries += 1;
            match ask(&parts, &links, peer, lane).await {
                Ok(welcome) => return finish(&parts, lane, welcome),
                Err(error) => last = Some(error),
            }
        }
        let all_asked = !candidates.is_empty() && candidates.values().all(|t| *t >= TRIES_PER_LANE);
        let out_of_time = clock.monotonic() >= deadline;
        // A refusal is final once every lane has had its tries; an unreachable one may come back.
        match last {
            Some(JoinError::Refused(_) | JoinError::Impostor) if all_asked => {}
            _ if out_of_time => {}
            _ => {
                if all_asked {
                    candidates.values_mut().for_each(|tries| *tries = 0);
                }
                clock.sleep(LISTEN_FOR).await;
                continue;
            }
        }
        return Err(last.unwrap_or_else(|| {
            let why = parts.discovery.unavailable();
            JoinError::NoneFound(why.map_or(String::new(), |why| format!(" ({why})")))
        }));
    }
}

fn note(parts: &JoinParts, candidates: &mut BTreeMap<PeerId, u32>, contact: &LaneContact) {
    const CANDIDATES_MAX: usize = 64;
    let peer = PeerId(contact.peer.clone());
    for address in &contact.addresses {
        parts.providers.network.add_address(&peer, address);
    }
    if candidates.len() < CANDIDATES_MAX {
        candidates.entry(peer).or_insert(0);
    }
}

async fn ask(
    parts: &JoinParts,
    links: &Links,
    peer: &PeerId,
    lane: LaneId,
) -> Result<Welcome, JoinError> {
    let key = parts.code.key();
    let me = parts.providers.network.local_peer();
    let request = JoinRequest {
        invitation: parts.code.id(),
        proof: proof(&key, Side::Joining, &me, peer, lane),
        lane,
        lane_name: parts.lane_name.clone(),
        reads: ENTRY_FORMAT,
    };
    let asked = links.ask(peer, StreamClass::Join, Ask::Join(request), ANSWER_LIMIT);
    match asked.await {
        Ok(Answer::Welcome(welcome)) => {
            let expected = proof(&key, Side::Store, &me, peer, lane);
            match proof_matches(&expected, &welcome.proof) {
                true => Ok(welcome),
                false => Err(JoinError::Impostor),
            }
        }
        Ok(Answer::JoinRefused(refusal)) => Err(JoinError::Refused(refusal.reason)),
        Ok(other) => Err(JoinError::Refused(format!(
            "the lane answered oddly: {other:?}"
        ))),
        Err(error) => Err(JoinError::Unreachable(error.to_string())),
    }
}

fn finish(parts: &JoinParts, lane: LaneId, welcome: Welcome) -> Result<Joined, JoinError> {
    let (hq_url, hq_token) = welcome.hq.unzip();
    let identity = Identity {
        format: 1,
        store: welcome.store,
        store_name: welcome.store_name,
        lane,
        lane_name: parts.lane_name.clone(),
        number: welcome.number,
        node: welcome.node,
        hq_url,
        founding: false,
        epoch: welcome.epoch,
        recovering: None,
    };
    Contacts::begin(&parts.providers.disk, &welcome.members);
    identity.write(&parts.providers.disk)?;
    if let Err(error) = parts.providers.disk.remove(JOINING_FILE) {
        tracing::warn!(%error, "the note of this join was left behind");
    }
    Ok(Joined { identity, hq_token })
}

/// Makes the folder of a lane that was one that can join as a new lane: what it was is moved aside.
/// The lane must not run.
pub fn leave_behind(disk: &SharedDisk) -> Result<(), DiskError> {
    let set_aside = |file: &str| match disk.set_aside(file) {
        Err(error) if error.source.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    for file in LEFT_BEHIND {
        set_aside(file)?;
        for suffix in ["-wal", "-shm"] {
            disk.remove(&format!("{file}{suffix}"))?;
        }
    }
    for file in FORGOTTEN {
        disk.remove(file)?;
    }
    // What makes the folder a lane's goes last, so that whoever is interrupted begins again.
    set_aside(LANE_FILE)
}

/// The id under which this folder joins: that of an earlier try whose answer was lost, so that it
/// gets the seat which that one may have been given.
fn begun(providers: &Providers) -> Result<LaneId, JoinError> {
    let disk = &providers.disk;
    let kept = disk.read(JOINING_FILE).map_err(IdentityError::from)?;
    if let Some(lane) = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Ok(lane);
    }
    let lane = LaneId(providers.random.id());
    let bytes = serde_json::to_vec(&lane).unwrap_or_default();
    disk.write(JOINING_FILE, &bytes)
        .map_err(IdentityError::from)?;
    Ok(lane)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::BoxFuture;
    use providers::{Disk, SqliteLocation, WorkerEnd};
    use storage::FileDisk;

    use super::*;

    /// A disk that fails once so many files have been moved or removed.
    struct Breaks {
        disk: FileDisk,
        left: AtomicUsize,
    }

    impl Breaks {
        fn step(&self, file: &str) -> Result<(), DiskError> {
            let taken = |left: usize| left.checked_sub(1);
            let left = self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
            left.map(|_| ()).map_err(|_| DiskError {
                action: "move",
                file: file.to_owned(),
                source: std::io::Error::other("the machine was switched off"),
            })
        }
    }

    impl Disk for Breaks {
        fn sqlite(&self, file: &str) -> SqliteLocation {
            self.disk.sqlite(file)
        }

        fn read(&self, file: &str) -> Result<Option<Vec<u8>>, DiskError> {
            self.disk.read(file)
        }

        fn write(&self, file: &str, bytes: &[u8]) -> Result<(), DiskError> {
            self.disk.write(file, bytes)
        }

        fn set_aside(&self, file: &str) -> Result<String, DiskError> {
            self.step(file)?;
            self.disk.set_aside(file)
        }

        fn remove(&self, file: &str) -> Result<(), DiskError> {
            self.step(file)?;
            self.disk.remove(file)
        }

        fn spawn_worker(&self, name: &str, worker: BoxFuture<'static, ()>) -> WorkerEnd {
            self.disk.spawn_worker(name, worker)
        }
    }

    #[test]
    fn a_folder_that_was_left_behind_half_way_is_left_behind_when_asked_again() {
        let files = || LEFT_BEHIND.iter().chain(&FORGOTTEN).chain([&LANE_FILE]);
        for steps in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let breaks = Arc::new(Breaks {
                disk: FileDisk::new(folder.path()).unwrap(),
                left: AtomicUsize::new(steps),
            });
            files().for_each(|file| breaks.write(file, b"x").unwrap());
            breaks.write("journal.db", b"sales").unwrap();
            let disk: SharedDisk = breaks.clone();
            let was_interrupted = leave_behind(&disk).is_err();
            let is_lane = breaks.read(LANE_FILE).unwrap().is_some();
            assert_eq!(is_lane, was_interrupted, "after {steps} steps");
            breaks.left.store(usize::MAX, Ordering::Relaxed);
            leave_behind(&disk).unwrap();
            for file in files() {
                assert_eq!(breaks.read(file).unwrap(), None, "{file} after {steps}");
            }
            let journal = breaks.read("journal.db").unwrap();
            assert_eq!(journal.as_deref(), Some(b"sales".as_slice()));
            if !was_interrupted {
                return;
            }
        }
    }
}
