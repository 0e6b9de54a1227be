//! What this lane answers its siblings, and a stranger with an invitation.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use consensus::{Consensus, ProposeError};
use ledger::{Command, Entry, Head, LaneRecord, Outcome, Run, StoreView};
use providers::{PeerId, SharedClock, SharedNetwork, StreamClass};
use serde_bytes::ByteBuf;
use storage::{Journal, StateReader};
use wire::{Answer, Ask, Hello, JoinRefusal, JoinRequest, Standing, Verdict, Welcome};

use super::Identity;
use super::contacts::Contacts;
use super::invitation::{Side, proof, proof_matches};
use super::propose::Proposer;
use super::roll::{Conflict, Pass, Roll};
use super::serve::Answerer;
use super::stamps::Stamps;

/// How long an admission may wait for the other lanes to agree.
const ADMIT_LIMIT: Duration = Duration::from_secs(10);

/// How long barring a copied lane may wait for the other lanes; the next hello tries again.
const BAR_LIMIT: Duration = Duration::from_secs(1);

/// Why a join was refused, the same for a wrong, a used and an expired code: a stranger learns
/// nothing from it.
const JOIN_REFUSED: &str = "This store has no open invitation with that code. Check the code, or show a new one on a lane \
     of the store with `lanemesh invite`.";
const OLDER_RELEASE: &str = "This machine runs an older release than the store. Install the release of the store's lanes on \
     it, and join then.";

pub struct Answers {
    pub identity: Arc<Identity>,
    pub journal: Journal,
    pub state: StateReader,
    pub consensus: Consensus,
    pub proposer: Proposer,
    pub contacts: Arc<Contacts>,
    pub network: SharedNetwork,
    pub clock: SharedClock,
    /// Opens head office for a new member.
    pub hq_token: Option<String>,
    pub stamps: Arc<Stamps>,
    pub roll: Arc<Roll>,
    /// This process, and where its journal stood when it had noted its start.
    pub run: Run,
    pub started: Head,
}

fn refused(reason: impl ToString) -> Answer {
    Answer::Refused {
        reason: reason.to_string(),
    }
}

fn verdict(hello: &Hello, record: Option<&LaneRecord>) -> Verdict {
    match record {
        // Known to whoever let it in, and soon to this lane.
        None => Verdict::Member,
        Some(record) if record.barred.contains(&hello.run) => Verdict::Copied,
        Some(LaneRecord {
            left: Some(left), ..
        }) => Verdict::Left {
            why: left.why.in_words().to_owned(),
        },
        Some(_) => Verdict::Member,
    }
}

impl Answerer for Answers {
    type Caller = Pass;

    fn greet(&self, peer: &PeerId, hello: &Hello) -> (Answer, Option<Pass>) {
        let record = self
            .state
            .read(|tables| StoreView::new(tables).lane(hello.lane));
        let record = match record {
            Ok(Ok(record)) => record,
            Ok(Err(error)) => return (refused(error), None),
            Err(error) => return (refused(error), None),
        };
        // A lane speaks for itself alone, or it might have another one barred.
        if record.as_ref().is_some_and(|record| record.peer != peer.0) {
            return (refused("this is not your lane"), None);
        }
        if let Some(record) = &record {
            self.roll.set_barred(record.lane, &record.barred);
        }
        self.stamps.hear(hello.stamp);
        let heard = self.roll.hear(hello);
        if let Some(conflict) = heard.conflict {
            self.settle(hello, conflict, record.as_ref());
        }
        let standing = Standing {
            lane: self.identity.lane,
            epoch: self.identity.epoch,
            verdict: match self.roll.is_parted(hello.lane, hello.run) {
                true => Verdict::Parted,
                false => verdict(hello, record.as_ref()),
            },
            ticket: heard.ticket,
            applied: *self.consensus.applied().borrow(),
            stamp: self.stamps.newest(),
            run: Some(self.run),
            seated: heard.seated,
            started: Some(self.started),
        };
        let pass = Pass::new(&self.roll, hello.lane, hello.run);
        (Answer::Standing(standing), Some(pass))
    }

    async fn answer(
        self: Arc<Self>,
        peer: PeerId,
        caller: Option<Arc<Pass>>,
        class: StreamClass,
        ask: Ask,
    ) -> Answer {
        // Whoever has left the store learns that, and nothing else.
        if self.contacts.has_left(&peer) && !matches!(ask, Ask::Join(_)) {
            return refused("this lane has left the store");
        }
        match (class, ask) {
            (StreamClass::Join, Ask::Join(request)) => self.join(&peer, request).await,
            (StreamClass::Join, _) | (_, Ask::Join(_) | Ask::Standing(_)) => {
                refused("not on this stream")
            }
            (_, Ask::WhichRun { lane }) => Answer::Run(self.roll.seen(lane)),
            (class, ask) => {
                let Some(caller) = caller else {
                    return refused("whoever asks says first which process it is");
                };
                match self.roll.admits_in_time(caller.lane, caller.run).await {
                    true => self.answer_sibling(class, ask).await,
                    false => refused("another process of your lane is dealt with"),
                }
            }
        }
    }
}

impl Answers {
    async fn answer_sibling(&self, class: StreamClass, ask: Ask) -> Answer {
        match ask {
            Ask::Raft(request) => {
                let request = Bytes::from(request.into_vec());
                let answer = self.consensus.handle(class, request).await;
                Answer::Raft(ByteBuf::from(answer.to_vec()))
            }
            Ask::Heads => Answer::Heads(self.journal.heads()),
            Ask::Copy { entries } => self.copy(entries).await,
            Ask::Propose(payload) => self.propose(payload.into_vec()).await,
            Ask::Contacts { known } => {
                self.contacts.merge(&known);
                Answer::Contacts {
                    known: self.contacts.all(),
                }
            }
            Ask::Join(_) | Ask::Standing(_) | Ask::WhichRun { .. } => refused("not on this stream"),
        }
    }

    /// Has the store decide which of two runs of a lane goes on.
    fn settle(&self, hello: &Hello, conflict: Conflict, record: Option<&LaneRecord>) {
        let Conflict { keeps, bars } = conflict;
        if record.is_none_or(|record| record.barred.contains(&bars)) {
            return;
        }
        let (proposer, lane) = (self.proposer.clone(), hello.lane);
        providers::spawn(async move {
            let command = Command::Bar { lane, keeps, bars };
            match proposer.propose(&command, BAR_LIMIT).await {
                Ok(outcome) => {
                    tracing::warn!(?outcome, "lane {} runs twice", lane.short());
                }
                Err(error) => tracing::warn!(%error, "lane {} runs twice", lane.short()),
            }
        });
    }

    async fn copy(&self, entries: Vec<Entry>) -> Answer {
        // Only this lane writes its own journal, whatever anybody claims to hold of it.
        if entries.iter().any(|e| e.lane == self.identity.lane) {
            return refused("a lane takes no copies of its own journal");
        }
        if planted::every(5, "copy-acknowledged-unwritten") {
            let next = entries.iter().map(|entry| (entry.lane, entry.seq + 1));
            return Answer::Copied {
                next: next.collect(),
            };
        }
        self.stamps.see(&entries);
        match self.journal.store_copies(entries).await {
            Ok(next) => Answer::Copied { next },
            Err(error) => {
                tracing::warn!(%error, "copies were not stored");
                refused(error)
            }
        }
    }

    async fn propose(&self, payload: Vec<u8>) -> Answer {
        if let Err(error) = Command::decode(&payload) {
            return refused(error);
        }
        match self.consensus.propose(payload).await {
            Ok(outcome) => Answer::Proposed(ByteBuf::from(outcome)),
            Err(ProposeError::NotLeader { leader }) => Answer::NotLeader {
                leader: leader.map(|member| member.peer),
            },
            Err(error) => refused(error),
        }
    }

    async fn join(&self, peer: &PeerId, request: JoinRequest) -> Answer {
        match self.admit(peer, &request).await {
            Ok(welcome) => {
                tracing::info!(lane = %request.lane.short(), name = request.lane_name, "a lane joined");
                Answer::Welcome(welcome)
            }
            Err(reason) => {
                tracing::warn!(%peer, reason, "a join was refused");
                Answer::JoinRefused(JoinRefusal { reason })
            }
        }
    }

    async fn admit(&self, peer: &PeerId, request: &JoinRequest) -> Result<Welcome, String> {
        let invitation = self
            .state
            .read(|tables| StoreView::new(tables).invitation(request.invitation));
        let invitation = invitation
            .map_err(|e| e.to_string())?
            .map_err(|e| e.to_string())?
            .ok_or(JOIN_REFUSED)?;
        let key = &invitation.code_hash;
        let me = self.network.local_peer();
        let expected = proof(key, Side::Joining, peer, &me, request.lane);
        if !proof_matches(&expected, &request.proof) {
            return Err(JOIN_REFUSED.to_owned());
        }
        let level = self.state.read(|tables| StoreView::new(tables).level());
        let level = level
            .map_err(|e| e.to_string())?
            .map_err(|e| e.to_string())?;
        if request.reads < level {
            return Err(OLDER_RELEASE.to_owned());
        }
        let command = Command::Admit {
            invitation: request.invitation,
            lane: request.lane,
            lane_name: request.lane_name.clone(),
            peer: peer.0.clone(),
            now_ms: self.clock.wall_ms(),
        };
        let outcome = self.proposer.propose(&command, ADMIT_LIMIT).await;
        match outcome.map_err(|e| e.to_string())? {
            Outcome::Admitted { node, number } => Ok(Welcome {
                store: self.identity.store,
                store_name: self.identity.store_name.clone(),
                epoch: self.identity.epoch,
                node,
                number,
                members: self.contacts.all(),
                hq: self.identity.hq_url.clone().zip(self.hq_token.clone()),
                proof: proof(key, Side::Store, peer, &me, request.lane),
            }),
            Outcome::Refused { reason } => Err(reason),
            other => Err(format!("The store answered {other:?}.")),
        }
    }
}
