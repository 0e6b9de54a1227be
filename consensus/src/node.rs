//! A node of the group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ClientWriteError, InitializeError, RaftError};
use openraft::type_config::TypeConfigExt;
use openraft::{ChangeMembers, Raft};
use providers::{SharedClock, SharedDisk, StreamClass, timeout};
use storage::{DamageMet, Room, Snapshots, StateDb, StorageError};
use tokio::sync::watch;

use crate::autopilot_task::silent_for;
use crate::codec::{decode, encode};
use crate::liveness::Liveness;
use crate::log_store::LogStore;
use crate::network::Connections;
use crate::rpc::{Answer, Ask, Request};
use crate::snapshots::{APPLIED, SnapshotDesk, to_openraft};
use crate::state_machine::StateMachine;
use crate::status::{self, RaftStatus};
use crate::types::{Payload, Types};
use crate::{
    Applier, ConsensusConfig, Member, NodeId, Timing, Transport, autopilot_task, recovery,
};

/// Says, once the Raft log was lost, that this node must not take part again.
const LOST_FILE: &str = "raft.lost";
/// How often a membership change is tried again while another one is under way.
const CHANGE_RETRY_AFTER: Duration = Duration::from_millis(50);
/// How often a lane to hand leadership over to is looked for.
const HEIR_LOOK_EVERY: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, thiserror::Error)]
pub enum ConsensusError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A node without its log and vote could vote twice in one term, so it never goes on: its lane
    /// must join the store again as a new one.
    #[error("what it had promised the other lanes was lost ({reason})")]
    LogLost { reason: String },
    #[error(
        "its copy of the store was lost, and neither its log nor a snapshot reaches back to the \
         beginning"
    )]
    StateLost,
    #[error("the settings of consensus are wrong: {reason}")]
    Config { reason: String },
    #[error("this lane belongs to a store already")]
    AlreadyCreated,
    #[error("only the leader can do this{}", leader_hint(.leader.as_ref()))]
    NotLeader { leader: Option<Member> },
    #[error("the lanes cannot agree now: too few of them can be reached")]
    NoQuorum,
    #[error(
        "the last voting lane cannot be removed: no other lane can be reached to vote in its place"
    )]
    LastVoter,
    #[error("consensus has stopped: {reason}")]
    Stopped { reason: String },
    #[error("{0}")]
    Other(String),
}

fn leader_hint(leader: Option<&Member>) -> String {
    leader.map_or_else(String::new, |leader| {
        format!("; that is {} now", leader.name)
    })
}

/// Why a proposal was not answered. After `NoQuorum`, and when leadership changed on the way, it may
/// be committed all the same: proposals must do no harm when they are made twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// Ask the leader; with `None` ask again soon, an election is under way.
    #[error("this lane does not lead the store{}", leader_hint(.leader.as_ref()))]
    NotLeader { leader: Option<Member> },
    #[error("the lanes did not agree in time: too few of them can be reached")]
    NoQuorum,
    #[error("consensus has stopped: {reason}")]
    Stopped { reason: String },
}

pub type RaftNode = Raft<Types, StateMachine>;

/// This lane's part in the group. Clones share it; it ends with [`Consensus::shutdown`] or the last
/// clone.
#[derive(Clone)]
pub struct Consensus {
    inner: Arc<Inner>,
}

struct Inner {
    raft: RaftNode,
    group: String,
    me: NodeId,
    timing: Timing,
    clock: SharedClock,
    liveness: Arc<Liveness>,
    desk: SnapshotDesk,
    closed: Arc<Mutex<BTreeSet<NodeId>>>,
    /// Held while this node changes the group: one change at a time.
    changing: Arc<tokio::sync::Mutex<()>>,
    status: watch::Receiver<RaftStatus>,
    applied: watch::Receiver<u64>,
    room: Room,
    damage_met: DamageMet,
    stop: watch::Sender<()>,
}

impl Consensus {
    /// Starts this lane's node on what is on its disk. A node that was never in a group waits until
    /// it creates one or a leader adds it.
    pub async fn start(
        config: ConsensusConfig,
        disk: SharedDisk,
        clock: SharedClock,
        state: StateDb,
        applier: Box<dyn Applier>,
        transport: Arc<dyn Transport>,
    ) -> Result<Consensus, ConsensusError> {
        let openraft_config = config.to_openraft()?;
        let snapshots = Snapshots::open(disk.clone())?;
        let room = Room::new(clock.clone());
        let mut log = open_log(&disk, &room, &state, &snapshots)?;
        let alone = config.alone.as_ref();
        if let Some(member) = alone.filter(|_| !planted::is("recovery-keeps-the-voters")) {
            recovery::go_on_alone(&mut log, config.me, member.clone()).await?;
        }
        let damage_met = log.damage_met();
        let StateDb { writer, reader } = state;
        let desk = SnapshotDesk::start(&disk, snapshots.clone(), reader, room.clone());
        let (machine, applied) = StateMachine::start(
            &disk,
            writer,
            applier,
            snapshots,
            desk.clone(),
            room.clone(),
        )?;
        let liveness = Arc::new(Liveness::new(clock.clone()));
        let ConsensusConfig {
            group, me, timing, ..
        } = config;
        let connections = Connections {
            group: group.clone(),
            me,
            timing: timing.clone(),
            transport,
            liveness: liveness.clone(),
            desk: desk.clone(),
        };
        let raft = RaftNode::new(me, Arc::new(openraft_config), connections, log, machine)
            .await
            .map_err(stopped)?;
        let (stop, stopping) = watch::channel(());
        let first = status::status_of(&raft.metrics().borrow_watched(), &liveness, &timing);
        let (status_sender, status) = watch::channel(first);
        Types::spawn(status::follow(
            raft.metrics(),
            liveness.clone(),
            timing.clone(),
            clock.clone(),
            status_sender,
            stopping.clone(),
        ));
        let closed = Arc::new(Mutex::new(BTreeSet::new()));
        let changing = Arc::default();
        let autopilot = autopilot_task::Autopilot {
            raft: raft.clone(),
            timing: timing.clone(),
            clock: clock.clone(),
            closed: closed.clone(),
            changing: Arc::clone(&changing),
        };
        Types::spawn(autopilot.run(stopping));
        let inner = Inner {
            raft,
            group,
            me,
            timing,
            clock,
            liveness,
            desk,
            closed,
            changing,
            status,
            applied,
            room,
            damage_met,
            stop,
        };
        Ok(Consensus {
            inner: Arc::new(inner),
        })
    }

    /// Creates a group whose only voter is this node.
    pub async fn create(&self, me: Member) -> Result<(), ConsensusError> {
        let members = BTreeMap::from([(self.inner.me, me)]);
        match self.inner.raft.initialize(members).await {
            Ok(()) => Ok(()),
            Err(RaftError::APIError(InitializeError::NotAllowed(_))) => {
                Err(ConsensusError::AlreadyCreated)
            }
            Err(error) => Err(stopped(error)),
        }
    }

    /// The first damage that was met in the log since the start.
    pub fn damage(&self) -> Option<StorageError> {
        self.inner.damage_met.first()
    }

    /// Stands for election from now on, for a node that was started with `waits_to_stand`.
    pub fn stand_for_election(&self) {
        self.inner.raft.runtime_config().elect(true);
    }

    /// Adds a lane, which does not vote before it is caught up. Adding it again changes nothing.
    pub async fn add_lane(&self, node: NodeId, member: Member) -> Result<(), ConsensusError> {
        if self.status().borrow().members.get(&node) == Some(&member) {
            return Ok(());
        }
        self.change([ChangeMembers::AddNodes(BTreeMap::from([(node, member)]))])
            .await
    }

    /// Removes a lane for good; its number is never used again. Removing it again changes nothing.
    /// Where it is the only voter, the lane that follows it most closely votes in its place first;
    /// a leader that removes itself is done once another one leads.
    pub async fn remove_lane(&self, node: NodeId) -> Result<(), ConsensusError> {
        let status = self.status().borrow().clone();
        if !status.members.contains_key(&node) {
            return Ok(());
        }
        let nodes = BTreeSet::from([node]);
        if status.voters == nodes {
            let heir = self.inner.heir_in_time(&status.learners).await;
            let heir = BTreeSet::from([heir.ok_or(ConsensusError::LastVoter)?]);
            let changes = [
                ChangeMembers::ReplaceAllVoters(heir),
                ChangeMembers::RemoveNodes(nodes),
            ];
            return self.change(changes).await;
        }
        if !status.voters.contains(&node) {
            return self.change([ChangeMembers::RemoveNodes(nodes)]).await;
        }
        let demoted = ChangeMembers::RemoveVoters(nodes.clone());
        let removed = ChangeMembers::RemoveNodes(nodes);
        self.change([demoted, removed]).await
    }

    /// Carries out changes one after the other, with none of the autopilot's in between: it would
    /// promote a lane again that was demoted to be removed. Each leaves lanes which no longer vote
    /// in the group, so that a change which another one interrupted never removes a lane.
    async fn change(
        &self,
        changes: impl IntoIterator<Item = ChangeMembers<NodeId, Member>>,
    ) -> Result<(), ConsensusError> {
        let Inner { clock, timing, .. } = self.inner.as_ref();
        let carried_out = async {
            let _one_at_a_time = self.inner.changing.lock().await;
            for change in changes {
                self.change_until_done(change).await?;
            }
            Ok(())
        };
        let outcome = timeout(clock.as_ref(), timing.propose_limit, carried_out).await;
        outcome.unwrap_or(Err(ConsensusError::NoQuorum))
    }

    async fn change_until_done(
        &self,
        change: ChangeMembers<NodeId, Member>,
    ) -> Result<(), ConsensusError> {
        loop {
            let changed = self.inner.raft.change_membership(change.clone(), true);
            match changed.await {
                Ok(_) => return Ok(()),
                // One change at a time: the one under way ends soon, or there is no quorum.
                Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(_))) => {
                    self.inner.clock.sleep(CHANGE_RETRY_AFTER).await;
                }
                Err(error) => return Err(change_error(error)),
            }
        }
    }

    /// Tells the autopilot which lanes are shut down on purpose: they are silent, but not dead.
    pub fn set_closed(&self, closed: BTreeSet<NodeId>) {
        *self
            .inner
            .closed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = closed;
    }

    /// Proposes `payload` and answers what the applier did once it is committed and applied here.
    /// Many proposals at once share their commits.
    pub async fn propose(&self, payload: Vec<u8>) -> Result<Vec<u8>, ProposeError> {
        let Inner {
            raft,
            clock,
            timing,
            ..
        } = self.inner.as_ref();
        let write = Box::pin(raft.client_write(Payload(Bytes::from(payload))));
        let written = timeout(clock.as_ref(), timing.propose_limit, write).await;
        match written {
            Some(Ok(response)) => Ok(response.data.0),
            Some(Err(RaftError::APIError(
                ClientWriteError::ForwardToLeader(forward)
                | ClientWriteError::LogEntryDiscarded(forward),
            ))) => Err(ProposeError::NotLeader {
                leader: forward.leader_node,
            }),
            Some(Err(error)) => Err(ProposeError::Stopped {
                reason: error.to_string(),
            }),
            None => Err(ProposeError::NoQuorum),
        }
    }

    /// Answers what another node's [`Transport::call`] asked. Requests of one stream are to be
    /// handled one after the other.
    pub async fn handle(&self, _class: StreamClass, request: Bytes) -> Bytes {
        let answer = match decode::<Request>(&request) {
            Ok(request) => self.answer(request).await,
            Err(error) => Answer::Refused(error.to_string()),
        };
        Bytes::from(encode(&answer))
    }

    async fn answer(&self, request: Request) -> Answer {
        let inner = self.inner.as_ref();
        if request.group != inner.group {
            return Answer::Refused("this is another store".to_owned());
        }
        if request.to != inner.me {
            return Answer::Refused(format!("this is node {}", inner.me));
        }
        let leads_quorum = request.leads_quorum;
        let answered = match request.ask {
            Ask::Append(append) => inner.append(append, leads_quorum).await,
            Ask::Vote(vote) => inner
                .raft
                .vote(vote)
                .await
                .map(Answer::Vote)
                .map_err(refused),
            Ask::PreVote(vote) => inner
                .raft
                .pre_vote(vote)
                .await
                .map(Answer::Vote)
                .map_err(refused),
            Ask::TransferLeader(transfer) => inner
                .raft
                .handle_transfer_leader(transfer)
                .await
                .map(Answer::TransferLeader)
                .map_err(refused),
            Ask::SnapshotBegin(seal) => inner
                .desk
                .begin(seal)
                .await
                .map(Answer::SnapshotProgress)
                .map_err(refused),
            Ask::SnapshotRows { seal, after, rows } => inner
                .desk
                .take(seal, after, rows.into())
                .await
                .map(Answer::SnapshotProgress)
                .map_err(refused),
            Ask::SnapshotEnd { seal, vote } => {
                Box::pin(inner.install(seal, vote)).await.map_err(refused)
            }
        };
        answered.unwrap_or_else(|refusal| refusal)
    }

    /// What this node sees of the group, whenever it changes.
    pub fn status(&self) -> watch::Receiver<RaftStatus> {
        self.inner.status.clone()
    }

    /// The index up to which this lane's state is applied, whenever it grows.
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.inner.applied.clone()
    }

    /// If this node leads, has another voter lead. Returns whether another one does, or none need.
    /// A change of voters that is under way is finished first: half-way through it, the store may
    /// need this node for every commit.
    pub async fn hand_over_leadership(&self) -> bool {
        let Inner {
            raft,
            clock,
            timing,
            ..
        } = self.inner.as_ref();
        let limit = 2 * timing.election_max;
        let mut status = self.status();
        if !status.borrow().is_leader {
            return true;
        }
        let change_limit = timing.propose_limit;
        let no_change = timeout(clock.as_ref(), change_limit, self.inner.changing.lock()).await;
        let settled = status.wait_for(|status| !status.is_changing || !status.is_leader);
        drop(timeout(clock.as_ref(), change_limit, settled).await);
        let voters = status.borrow().voters.clone();
        let Some(heir) = self.inner.heir_in_time(&voters).await else {
            return !status.borrow().is_leader;
        };
        if raft.trigger().transfer_leader(heir).await.is_err() {
            return false;
        }
        let handed_over = status.wait_for(|status| !status.is_leader);
        let handed_over = timeout(clock.as_ref(), limit, handed_over).await;
        drop(no_change);
        matches!(handed_over, Some(Ok(_)))
    }

    /// Takes no part any more. What is on disk stays for the next start.
    pub async fn shutdown(&self) {
        self.inner.stop.send_replace(());
        self.inner.room.give_up();
        if let Err(error) = self.inner.raft.shutdown().await {
            tracing::warn!("consensus did not end in good order: {error}");
        }
    }
}

impl Inner {
    async fn append(
        &self,
        append: openraft::raft::AppendEntriesRequest<Types>,
        leads_quorum: bool,
    ) -> Result<Answer, Answer> {
        let committed = crate::status::index(append.leader_commit.as_ref());
        let response = self.raft.append_entries(append).await.map_err(refused)?;
        let is_from_leader = !matches!(
            response,
            openraft::raft::AppendEntriesResponse::HigherVote(_)
        );
        if is_from_leader {
            self.liveness.heard_leader(leads_quorum, committed);
        }
        Ok(Answer::Append(response))
    }

    async fn install(
        &self,
        seal: storage::SnapshotSeal,
        vote: crate::types::Vote,
    ) -> Result<Answer, String> {
        let file = self.desk.finish(seal).await.map_err(|e| e.to_string())?;
        let snapshot = to_openraft(file).map_err(|error| error.to_string())?;
        let installed = self.raft.install_full_snapshot(vote, snapshot).await;
        installed
            .map(Answer::SnapshotInstalled)
            .map_err(|error| error.to_string())
    }

    /// [`Inner::heir`], waiting a little: right after the group changed, its leader has heard from
    /// nobody.
    async fn heir_in_time(&self, nodes: &BTreeSet<NodeId>) -> Option<NodeId> {
        if nodes.iter().all(|node| *node == self.me) {
            return None;
        }
        let found = async {
            loop {
                match self.heir(nodes) {
                    Some(heir) => return heir,
                    None => self.clock.sleep(HEIR_LOOK_EVERY).await,
                }
            }
        };
        timeout(self.clock.as_ref(), self.timing.election_max, found).await
    }

    /// Of `nodes`, the one that follows this leader's log most closely and was heard from lately.
    fn heir(&self, nodes: &BTreeSet<NodeId>) -> Option<NodeId> {
        let metrics = self.raft.metrics().borrow_watched().clone();
        let replication = metrics.replication.as_ref()?;
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = 2 * self.timing.election_max;
        let is_heard =
            |node: &NodeId| silent_for(&metrics, *node).is_some_and(|silent| silent <= lately);
        nodes
            .iter()
            .copied()
            .filter(|node| *node != self.me && !closed.contains(node) && is_heard(node))
            .max_by_key(|node| replication.get(node).cloned().flatten())
    }
}

fn refused(reason: impl ToString) -> Answer {
    Answer::Refused(reason.to_string())
}

fn stopped(error: impl ToString) -> ConsensusError {
    ConsensusError::Stopped {
        reason: error.to_string(),
    }
}

pub fn change_error(error: RaftError<Types, ClientWriteError<Types>>) -> ConsensusError {
    match error {
        RaftError::APIError(
            ClientWriteError::ForwardToLeader(forward)
            | ClientWriteError::LogEntryDiscarded(forward),
        ) => ConsensusError::NotLeader {
            leader: forward.leader_node,
        },
        RaftError::APIError(error) => ConsensusError::Other(error.to_string()),
        RaftError::Fatal(error) => stopped(error),
    }
}

/// Opens the log, and makes sure that this node still knows what it promised and applied.
fn open_log(
    disk: &SharedDisk,
    room: &Room,
    state: &StateDb,
    snapshots: &Snapshots,
) -> Result<LogStore, ConsensusError> {
    let lost = |reason: String| {
        // Remembered, because the next start finds a log that looks like a new one.
        disk.write(LOST_FILE, reason.as_bytes())
            .map_err(StorageError::from)?;
        Err(ConsensusError::LogLost { reason })
    };
    if let Some(reason) = disk.read(LOST_FILE).map_err(StorageError::from)? {
        let reason = String::from_utf8_lossy(&reason).into_owned();
        return Err(ConsensusError::LogLost { reason });
    }
    let (log, set_aside) = LogStore::open(disk.clone(), room.clone())?;
    if let Some(set_aside) = set_aside {
        return lost(set_aside.to_string());
    }
    let has_applied = state.writer.private(APPLIED)?.is_some();
    if log.is_pristine() && has_applied {
        return lost("raft.db is empty".to_owned());
    }
    if log.is_purged() && !has_applied && snapshots.current().is_none() {
        return Err(ConsensusError::StateLost);
    }
    // After a sync that failed the log may lack what was applied. openraft then forgets all of it up to
    // there, so that the state is the only one that has it, and must not be taken back by a power cut.
    if state.writer.applied_index()? > log.last_index() {
        state.writer.make_durable()?;
    }
    Ok(log)
}
