//! Joining a store: a lane that is no member finds one that is, and shows that it knows the code.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ledger::ENTRY_FORMAT;
use providers::{Discovery, PeerId, Providers, StreamClass, timeout};
use sale::LaneId;
use wire::{Answer, Ask, JoinRequest, LaneContact, Welcome};

use super::contacts::Contacts;
use super::invitation::{Code, Side, proof, proof_matches};
use super::links::Links;
use super::{Identity, IdentityError};

/// The id of a join that has begun.
const JOINING_FILE: &str = "joining.json";
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
