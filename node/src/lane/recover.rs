//! Going on with one lane after the majority of the voting lanes was lost for good.
//!
//! A survey shows what is missing and what that means; a confirmed one is written into the lane's
//! identity as one step. The next start of the lane begins the new epoch from there, and begins it
//! again where it was interrupted. Nothing here touches the journal, the log or the state.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use consensus::ConsensusError;
use futures::future::join_all;
use ledger::{Epoch, Head, Hlc, LaneId, LaneRecord, StoreView, TableError};
use providers::{DiskError, PeerId, Providers, StreamClass, timeout};
use serde::Serialize;
use storage::{Journal, StateDb, StorageError};
use wire::{Answer, Ask, Hello, Standing};

use super::authority::{Authority, NoAuthority};
use super::contacts::Contacts;
use super::links::Links;
use super::register::PinCheck;
use super::{Identity, IdentityError, Recovering, run_id};

const ASK_LIMIT: Duration = Duration::from_secs(1);
const ASK_EVERY: Duration = Duration::from_millis(300);

#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Consensus(#[from] ConsensusError),
    #[error(
        "this folder's copy of the store is not whole ({0}). Nothing was changed: recover the store \
         on another lane, and let this one join again"
    )]
    NotWhole(String),
    #[error(
        "the store is not lost: {reachable} of {voters} voting lanes are here, which is enough for \
         the lanes to agree. Nothing was changed: start this lane with `lanemesh lane`"
    )]
    MajorityLives { reachable: usize, voters: usize },
    #[error(
        "the store was recovered before, on {lane} (epoch {}). Nothing was changed: let this lane \
         join again, with a code from there and `lanemesh join DIR --again --code CODE`", .epoch.number
    )]
    RecoveredElsewhere { lane: String, epoch: Epoch },
    #[error("this lane was told to recover the store already: start it with `lanemesh lane`")]
    AlreadyConfirmed,
    #[error(transparent)]
    NoAuthority(#[from] NoAuthority),
}

/// A lane of the store as the survey found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Surveyed {
    pub lane: LaneId,
    pub number: u32,
    pub name: String,
    /// Whether it answered; a lane that does not is missing.
    pub reachable: bool,
    pub voter: bool,
    /// Its last entry that this lane holds or has applied; what it sold after that is known to it
    /// alone.
    pub known_up_to: u64,
    /// It has applied more of the store's log than this lane: recover there instead.
    pub knows_more: bool,
}

/// What a recovery would mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Survey {
    pub store_name: String,
    pub lane_number: u32,
    pub lane_name: String,
    /// The epoch that ends.
    pub epoch: Epoch,
    /// Every other lane that belongs to the store.
    pub others: Vec<Surveyed>,
    /// Whether a manager's PIN is asked for; a store without a manager has none.
    pub needs_manager: bool,
}

/// Looks at the folder of a lane that does not run, and for the other lanes, `limit` long.
pub async fn survey(providers: &Providers, limit: Duration) -> Result<Survey, RecoverError> {
    let disk = &providers.disk;
    let identity = Identity::read(disk)?;
    if identity.recovering.is_some() {
        return Err(RecoverError::AlreadyConfirmed);
    }
    let (state, damaged) = StateDb::open(disk.clone())?;
    if let Some(note) = damaged {
        return Err(RecoverError::NotWhole(note.to_string()));
    }
    let (journal, damaged) = Journal::open(disk.clone(), identity.store)?;
    if let Some(note) = damaged {
        return Err(RecoverError::NotWhole(note.to_string()));
    }
    let (store, lanes, needs_manager) = state.reader().read(|tables| {
        let store = StoreView::new(tables);
        let authority = Authority::new(tables);
        Ok::<_, TableError>((store.store()?, store.lanes()?, authority.has_managers()?))
    })??;
    let store = store.ok_or_else(|| RecoverError::NotWhole("it is empty".to_owned()))?;
    let applied = state.reader().applied_index()?;
    let voters = consensus::voters(&state)?;
    let members: Vec<LaneRecord> = lanes.into_iter().filter(LaneRecord::is_member).collect();
    let found = look_for(providers, &identity, &members, limit).await;
    for (lane, standing) in &found {
        if standing.epoch.number > identity.epoch.number {
            let record = members.iter().find(|record| record.lane == *lane);
            return Err(RecoverError::RecoveredElsewhere {
                lane: record.map_or_else(|| lane.short(), |record| record.name.clone()),
                epoch: standing.epoch,
            });
        }
    }
    let here =
        |record: &LaneRecord| record.lane == identity.lane || found.contains_key(&record.lane);
    let voters_here = members
        .iter()
        .filter(|record| voters.contains(&record.node) && here(record))
        .count();
    if voters_here > voters.len() / 2 {
        return Err(RecoverError::MajorityLives {
            reachable: voters_here,
            voters: voters.len(),
        });
    }
    let heads = journal.heads();
    let surveyed = |record: &LaneRecord| {
        let held = heads.get(&record.lane).copied().unwrap_or_default();
        Surveyed {
            lane: record.lane,
            number: record.number,
            name: record.name.clone(),
            reachable: found.contains_key(&record.lane),
            voter: voters.contains(&record.node),
            known_up_to: last(held).max(last(record.head)),
            knows_more: found.get(&record.lane).is_some_and(|s| s.applied > applied),
        }
    };
    let others = members.iter().filter(|record| record.lane != identity.lane);
    Ok(Survey {
        store_name: store.name,
        lane_number: identity.number,
        lane_name: identity.lane_name,
        epoch: identity.epoch,
        others: others.map(surveyed).collect(),
        needs_manager,
    })
}

fn last(head: Head) -> u64 {
    head.next_seq - 1
}

/// Asks every other lane for its standing until all have answered or `limit` has gone by.
async fn look_for(
    providers: &Providers,
    identity: &Identity,
    members: &[LaneRecord],
    limit: Duration,
) -> BTreeMap<LaneId, Standing> {
    let (network, clock) = (&providers.network, &providers.clock);
    let others = members.iter().filter(|record| record.lane != identity.lane);
    let peers: BTreeSet<PeerId> = others.map(|record| PeerId(record.peer.clone())).collect();
    network.set_members(peers.clone());
    // Notes the addresses at which they were last reached.
    let _contacts = Contacts::open(providers.disk.clone(), network.clone());
    let links = Links::new(network.clone(), clock.clone());
    let hello = Hello {
        lane: identity.lane,
        epoch: identity.epoch,
        run: run_id(providers.random.as_ref()),
        ticket: 0,
        stamp: Hlc::default(),
        started: None,
    };
    let mut found = BTreeMap::new();
    let mut missing = peers;
    let asking = async {
        while !missing.is_empty() {
            let asks = missing.iter().map(|peer| {
                let asked = links.ask(peer, StreamClass::Control, Ask::Standing(hello), ASK_LIMIT);
                async move { (peer.clone(), asked.await) }
            });
            for (peer, answer) in join_all(asks).await {
                if let Ok(Answer::Standing(standing)) = answer {
                    missing.remove(&peer);
                    found.insert(standing.lane, standing);
                }
            }
            clock.sleep(ASK_EVERY).await;
        }
    };
    timeout(clock.as_ref(), limit, asking).await;
    found
}

/// Writes down that the lane is to go on alone. `by` is the manager's number and PIN, where the
/// store has a manager.
pub fn confirm(
    providers: &Providers,
    pin_check: &PinCheck,
    by: Option<(&str, &sale::Pin)>,
) -> Result<Identity, RecoverError> {
    let disk = &providers.disk;
    let mut identity = Identity::read(disk)?;
    let (state, _) = StateDb::open(disk.clone())?;
    let by = state
        .reader()
        .read(|tables| Authority::new(tables).manager(by, pin_check))??;
    let mut mark = [0; 4];
    providers.random.fill(&mut mark);
    let next = Epoch {
        number: identity.epoch.number + 1,
        mark: u32::from_be_bytes(mark),
    };
    identity.epoch = planted::instead("recovery-keeps-the-epoch", identity.epoch, next);
    identity.recovering = Some(Recovering {
        by,
        at_ms: providers.clock.wall_ms(),
    });
    identity.write(disk)?;
    Ok(identity)
}
