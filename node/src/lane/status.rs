//! How this lane stands, composed from what its parts say, and the view that its window shows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use api::{HqStatus, LaneStatus, LaneView, Mode, PeerStatus, PrinterStatus};
use catalog::{Language, Reference};
use consensus::{Member, RaftStatus};
use ledger::{LaneId, LaneRecord, Seq, StoreView, stored_hash};
use providers::{PeerId, SharedClock, SharedNetwork};
use sale::LocalTime;
use storage::StateReader;
use sync::ShipStatus;
use tokio::sync::{mpsc, watch};

use super::Identity;
use super::register::{ReceiptMark, RegisterState};
use super::standing::Trouble;
use super::store_time::StoreTime;

/// The longest that a change of connections may stay unnoticed. Without one, and without any other
/// news, nothing is composed: a lane at rest costs next to nothing.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The shortest time between two looks, so that a busy lane is not kept busier by its status bar.
const REST: Duration = Duration::from_millis(100);

const MINUTE_MS: u64 = 60_000;
/// What a person is told at a lane that hears the others agree and does not get what they agreed on.
const BEHIND: &str = "This register hears the others but gets little from them: stock, totals and \
                      prices may be some seconds old. Selling goes on. Look at its network cable or \
                      Wi-Fi if this stays.";

pub struct StatusParts {
    pub identity: Arc<Identity>,
    pub state: StateReader,
    pub network: SharedNetwork,
    pub clock: SharedClock,
    pub register: watch::Receiver<Arc<RegisterState>>,
    pub raft: watch::Receiver<RaftStatus>,
    pub held: watch::Receiver<BTreeMap<LaneId, Seq>>,
    pub shipping: Option<watch::Receiver<ShipStatus>>,
    pub receipts: mpsc::UnboundedReceiver<ReceiptMark>,
    pub unapplied: Vec<ReceiptMark>,
    pub warnings: watch::Receiver<Vec<String>>,
    pub printer: watch::Receiver<Option<PrinterStatus>>,
    pub trouble: watch::Receiver<Option<Trouble>>,
}

/// What the state says, read at once.
#[derive(Clone)]
struct Applied {
    /// The index up to which the log had been applied at least.
    index: u64,
    lanes: Vec<LaneRecord>,
    state_hash: String,
    book_version: u64,
    items: u64,
    exceptions: u64,
    entries: u64,
    hq_cursor: u64,
    published: u64,
    store_name: String,
    address: Vec<String>,
    receipt_footer: String,
    language: Language,
    currency: money::Currency,
    time_zone: String,
}

struct Composer {
    parts: StatusParts,
    /// Receipts that neither a sibling nor the store's log holds, oldest first.
    unshared: VecDeque<ReceiptMark>,
    alone_since: Option<LocalTime>,
    raft_ended: bool,
    time: StoreTime,
    /// Kept until more is applied, so that a scan does not have the whole state read again.
    applied: Option<Applied>,
    /// With whom, and at which minute, the view was last composed.
    connected: BTreeSet<PeerId>,
    minute: u64,
}

/// What woke the composer.
enum Woken {
    News,
    /// It is time to look whether there are any.
    Time,
    /// The lane has closed.
    End,
}

/// Starts composing. The view changes with the register at once and with all else within
/// [`LOOK_EVERY`].
pub fn start(parts: StatusParts) -> watch::Receiver<Arc<LaneView>> {
    let mut composer = Composer {
        unshared: parts.unapplied.iter().copied().collect(),
        alone_since: None,
        raft_ended: false,
        time: StoreTime::default(),
        applied: None,
        connected: BTreeSet::new(),
        minute: 0,
        parts,
    };
    let (sender, view) = watch::channel(Arc::new(composer.view()));
    providers::spawn(async move {
        loop {
            let is_news = match composer.select().await {
                Woken::End => return,
                Woken::News => true,
                Woken::Time => composer.finds_news(),
            };
            if sender.is_closed() {
                return;
            }
            if !is_news {
                continue;
            }
            let fresh = composer.view();
            sender.send_if_modified(|view| {
                let changed = **view != fresh;
                if changed {
                    *view = Arc::new(fresh);
                }
                changed
            });
        }
    });
    view
}

impl Woken {
    fn by(register: Result<(), watch::error::RecvError>) -> Woken {
        register.map_or(Woken::End, |()| Woken::News)
    }
}

fn minute_of(unix_ms: u64) -> u64 {
    unix_ms / MINUTE_MS
}

impl Composer {
    /// Waits until something may have changed.
    async fn select(&mut self) -> Woken {
        let clock = self.parts.clock.clone();
        tokio::select! {
            biased;
            changed = self.parts.register.changed() => return Woken::by(changed),
            // A lane whose part in the store has ended still shows how it stands.
            changed = self.parts.raft.changed(), if !self.raft_ended => {
                self.raft_ended = changed.is_err();
            }
            _ = self.parts.held.changed() => {}
            () = clock.sleep(LOOK_EVERY) => return Woken::Time,
        }
        // The register is never made to wait for the rest of the lane's news.
        tokio::select! {
            biased;
            changed = self.parts.register.changed() => Woken::by(changed),
            () = clock.sleep(REST) => Woken::News,
        }
    }

    /// Whether anything has changed that wakes nobody.
    fn finds_news(&self) -> bool {
        let parts = &self.parts;
        let is_new = |changed: Result<bool, watch::error::RecvError>| changed.unwrap_or(false);
        self.applied.is_none()
            || !parts.receipts.is_empty()
            || is_new(parts.warnings.has_changed())
            || is_new(parts.printer.has_changed())
            || is_new(parts.trouble.has_changed())
            || (parts.shipping.as_ref()).is_some_and(|shipping| is_new(shipping.has_changed()))
            || self.minute != minute_of(parts.clock.wall_ms())
            || self.connected != parts.network.connected()
    }

    fn view(&mut self) -> LaneView {
        let register = self.parts.register.borrow_and_update().clone();
        let applied = self.applied();
        let now = self.time.at(self.parts.clock.wall_ms(), &applied.time_zone);
        self.minute = minute_of(now.unix_ms);
        let status = self.status(&register, &applied, now);
        let identity = &self.parts.identity;
        LaneView {
            store: identity.store,
            store_name: applied.store_name,
            address: applied.address,
            receipt_footer: applied.receipt_footer,
            language: applied.language,
            lane: identity.lane,
            lane_number: identity.number,
            lane_name: identity.lane_name.clone(),
            currency: applied.currency,
            // To the minute, so that a lane at rest shows the same view.
            now: LocalTime {
                unix_ms: self.minute * MINUTE_MS,
                ..now
            },
            register: register.register.shown(),
            totals: register.totals.clone(),
            hints: register.hints.clone(),
            used_up: register.used_up.clone(),
            newest_total: register.newest_total,
            status,
        }
    }

    fn applied(&mut self) -> Applied {
        // Looked at before the state is read: what is applied in between is read again next time.
        let index = self.parts.raft.borrow().applied;
        if let Some(applied) = self.applied.as_ref().filter(|a| a.index == index) {
            return applied.clone();
        }
        let applied = self.read_state(index);
        self.applied = applied.clone();
        applied.unwrap_or_else(|| Applied {
            index,
            lanes: Vec::new(),
            state_hash: String::new(),
            book_version: 0,
            items: 0,
            exceptions: 0,
            entries: 0,
            hq_cursor: 0,
            published: 0,
            store_name: self.parts.identity.store_name.clone(),
            address: Vec::new(),
            receipt_footer: String::new(),
            language: Language::default(),
            currency: money::Currency::USD,
            time_zone: "UTC".to_owned(),
        })
    }

    fn read_state(&self, index: u64) -> Option<Applied> {
        let parts = &self.parts;
        let read = parts.state.read(|tables| {
            let store = StoreView::new(tables);
            let settings = store.settings();
            Ok::<_, ledger::TableError>(Applied {
                index,
                lanes: store.lanes()?,
                state_hash: stored_hash(tables)?.to_string(),
                book_version: store.version().0,
                items: store.items()?,
                exceptions: store.exceptions()?,
                entries: store.entries()?,
                hq_cursor: store.hq_cursor()?,
                published: store.published()?.last,
                store_name: settings.store_name,
                address: settings.address,
                receipt_footer: settings.receipt_footer,
                language: settings.language,
                currency: settings.currency,
                time_zone: settings.time_zone,
            })
        });
        match read {
            Ok(Ok(applied)) => Some(applied),
            failed => {
                let error = failed.err().map(|e| e.to_string()).unwrap_or_default();
                tracing::error!(error, "the store's state cannot be read");
                None
            }
        }
    }

    fn status(
        &mut self,
        register: &RegisterState,
        applied: &Applied,
        now: LocalTime,
    ) -> LaneStatus {
        let raft = self.parts.raft.borrow_and_update().clone();
        let me = self.parts.identity.lane;
        let leader = leader_of(&raft);
        let own = applied.lanes.iter().find(|lane| lane.lane == me);
        let applied_next = own.map_or(1, |lane| lane.head.next_seq);
        self.forget_shared(applied_next);
        self.connected = self.parts.network.connected();
        let lanes: Vec<PeerStatus> = applied
            .lanes
            .iter()
            .filter(|lane| lane.is_member() || lane.lane == me)
            .map(|lane| PeerStatus {
                lane: lane.lane,
                number: lane.number,
                name: lane.name.clone(),
                this_lane: lane.lane == me,
                reachable: lane.lane == me || self.connected.contains(&PeerId(lane.peer.clone())),
                leader: leader.is_some_and(|leader| leader.lane == lane.lane),
                voter: raft.voters.contains(&lane.node),
            })
            .collect();
        let mode = self.mode(register, &raft, &lanes, now);
        let shipping = self.parts.shipping.as_mut();
        let hq = HqStatus {
            configured: shipping.is_some(),
            lag_entries: applied.entries.saturating_sub(applied.hq_cursor),
            published: applied.published,
            problem: shipping.and_then(|status| status.borrow_and_update().problem.clone()),
        };
        let printer = self.parts.printer.borrow_and_update().clone();
        LaneStatus {
            mode,
            term: raft.term,
            leader: leader.map(|leader| leader.name.clone()),
            is_leader: leader.is_some_and(|leader| leader.lane == me),
            applied_index: raft.applied,
            committed_index: raft.committed,
            state_hash: applied.state_hash.clone(),
            journal_seq: register.seq,
            unshared_entries: (register.seq + 1).saturating_sub(applied_next),
            unshared_sales: self.unshared.len() as u64,
            receipts: register.register.receipts,
            book_version: applied.book_version,
            items: applied.items,
            exceptions: applied.exceptions,
            lanes,
            hq,
            printer,
            warnings: self.warnings(),
        }
    }

    fn warnings(&mut self) -> Vec<String> {
        let trouble = self.parts.trouble.borrow_and_update().clone();
        let trouble = trouble.map(|trouble| trouble.in_words());
        let others = self.parts.warnings.borrow_and_update().clone();
        let behind = self.parts.raft.borrow().is_behind;
        let behind = behind.then(|| BEHIND.to_owned());
        behind.into_iter().chain(trouble).chain(others).collect()
    }

    /// Receipts that a sibling holds durably, or that the store has applied, are shared.
    fn forget_shared(&mut self, applied_next: Seq) {
        while let Ok(mark) = self.parts.receipts.try_recv() {
            self.unshared.push_back(mark);
        }
        let copied_next = self.parts.held.borrow_and_update().values().copied().max();
        let shared_next = applied_next.max(copied_next.unwrap_or(1));
        while self.unshared.front().is_some_and(|m| m.seq < shared_next) {
            self.unshared.pop_front();
        }
    }

    fn mode(
        &mut self,
        register: &RegisterState,
        raft: &RaftStatus,
        lanes: &[PeerStatus],
        now: LocalTime,
    ) -> Mode {
        let reachable = lanes.iter().filter(|lane| lane.reachable).count();
        let alone = lanes.len() > 1 && reachable <= 1;
        match alone {
            true => self.alone_since = self.alone_since.or(Some(now)),
            false => self.alone_since = None,
        }
        if let Some(reason) = &register.stopped {
            return Mode::Stop {
                reason: reason.clone(),
            };
        }
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        match (alone, raft.has_quorum && !raft.is_behind) {
            (true, _) => Mode::Alone {
                unshared: self.unshared.len() as u64,
                since: self.unshared.front().map(|m| m.at).or(self.alone_since),
            },
            (false, true) => Mode::Together,
            (false, false) => Mode::Partial {
                reachable: count(reachable),
                lanes: count(lanes.len()),
            },
        }
    }
}

/// Who leads, as far as this lane can say. One that takes itself for the leader and has not heard
/// from a quorum for 0.4 to 0.6 s leads nobody: another one may lead by now.
fn leader_of(raft: &RaftStatus) -> Option<&Member> {
    let cut_off = raft.is_leader && !raft.has_quorum;
    raft.leader.as_ref().filter(|_| !cut_off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_that_is_cut_off_is_not_shown_as_one() {
        let check = |is_leader, has_quorum, expected| {
            let raft = RaftStatus {
                leader: Some(Member {
                    lane: LaneId([1; 16]),
                    peer: "peer".to_owned(),
                    name: "Till 1".to_owned(),
                }),
                is_leader,
                has_quorum,
                ..RaftStatus::default()
            };
            assert_eq!(leader_of(&raft).is_some(), expected);
        };
        check(true, true, true);
        check(true, false, false);
        // One that follows shows whom it followed last.
        check(false, true, true);
        check(false, false, true);
    }
}
