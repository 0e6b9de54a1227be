//! A lane at work: everything a register does, written against the provider traits.
//!
//! Nothing in here names tokio's clock, libp2p, SQLite or mDNS; `production` wires those in, and a
//! simulator can wire in others.

mod answers;
mod applier;
mod authority;
mod batch;
mod books;
mod branches;
mod cards;
mod contacts;
mod copies;
mod haste;
mod head_office;
mod identity;
mod invitation;
mod join;
mod known;
mod links;
mod members;
mod offers;
mod papers;
mod prices;
mod print;
mod propose;
mod recover;
mod register;
mod rights;
mod roll;
mod search;
mod serve;
mod stamps;
mod standing;
mod status;
mod store_time;
mod transport;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::{Answer, CommandRequest, ItemFound, LaneView};
use catalog::Customer;
use consensus::{Consensus, ConsensusConfig, ConsensusError, Member, RaftStatus};
use ledger::{Command, LaneId, LeftWhy, Outcome, Run, Seq, StoreView, TableError, Tables};
use providers::{AbortHandle, Discovery, DiskError, Providers, Random, SharedNetwork, timeout};
use storage::{Journal, SetAside, StateDb, StateReader, StorageError};
use sync::{HqLink, Shipper, ShipperParts, Taker, TakerParts};
use tokio::sync::{broadcast, watch};
use wire::Hello;

pub use authority::NoAuthority;
pub use cards::{CardTerminal, Heard};
pub use consensus::LogLimits;
pub use identity::{Identity, IdentityError, LANE_FILE, Recovering};
pub use invitation::{Code, VALID_FOR_MINUTES as INVITATION_MINUTES};
pub use join::{JoinParts, join, leave_behind};
pub use print::{CameOut, NotKept, NotPrinted, PrintHandle, ReceiptPrinter};
pub use print::{receipt_on_paper, title_of, title_of_slip, title_of_z, z_on_paper};
pub use propose::ProposeFailure;
pub use recover::{RecoverError, Survey, Surveyed, confirm, survey};
pub use register::{LaneEvent, PinCheck, RegisterError};

use answers::Answers;
use authority::Authority;
use branches::Branches;
use cards::CardDesk;
use contacts::Contacts;
use copies::Copies;
use haste::Haste;
use head_office::CommittedHere;
use known::Known;
use links::{Introduction, Links};
use members::Members;
use offers::Offers;
use print::{PrintDesk, PrintParts};
use propose::Proposer;
use register::{RegisterHandle, RegisterParts};
use roll::Roll;
use stamps::Stamps;
pub use standing::Trouble;
use standing::{Greeter, Inquirer, Reception};

/// How long a manager's command may wait for the other lanes to agree.
const MANAGER_LIMIT: Duration = Duration::from_secs(15);
/// How long an answer waits for what is shown to catch up with the register.
const SHOWN_LIMIT: Duration = Duration::from_secs(2);
/// How long closing waits for the last entries to be shared.
const LAST_SHARE_LIMIT: Duration = Duration::from_secs(2);
/// How long nothing more may have come in before a closing lane goes.
const LAST_SHARE_QUIET: Duration = Duration::from_millis(300);
/// Between two looks at whether they are.
const LAST_SHARE_LOOK: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Consensus(#[from] ConsensusError),
    #[error(transparent)]
    Register(#[from] RegisterError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(
        "this lane cannot go on under its old identity: {reason}. What it had shared is safe on the \
         other lanes. Let it join again as a new lane: run `lanemesh invite` on another lane and \
         `lanemesh join DIR --again --code CODE` here; what its journal still holds is then shared, \
         too"
    )]
    Damaged { reason: String },
    #[error(
        "this lane runs an older release than its store: it reads entries up to format {reads}, and the \
         store uses format {level}. Nothing was changed. Install the release of the other lanes here \
         and start it again; what it sold is kept"
    )]
    Outdated { reads: u16, level: u16 },
}

/// Why a lane was not taken out of the store.
#[derive(Debug, thiserror::Error)]
pub enum RetireError {
    #[error(transparent)]
    NoAuthority(#[from] NoAuthority),
    #[error(transparent)]
    Propose(#[from] ProposeFailure),
    #[error("{0}")]
    Refused(String),
}

/// What a lane is started with.
pub struct LaneParts {
    pub providers: Providers,
    pub discovery: Arc<dyn Discovery>,
    pub hq: Option<Arc<dyn HqLink>>,
    /// Handed to lanes that join.
    pub hq_token: Option<String>,
    pub pin_check: PinCheck,
    /// This software's version, kept in the journal.
    pub release: String,
    pub log_limits: LogLimits,
    /// The newest entry format that it reads and writes: [`ledger::ENTRY_FORMAT`], or less where an
    /// older release is simulated.
    pub reads: u16,
    /// The card terminal at the lane, where there is one.
    pub terminal: Option<Arc<dyn CardTerminal>>,
    /// The receipt printer at the lane, where there is one.
    pub printer: Option<Arc<dyn ReceiptPrinter>>,
}

/// A running lane. Clones share it.
#[derive(Clone)]
pub struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    identity: Arc<Identity>,
    run: Run,
    providers: Providers,
    register: RegisterHandle,
    prices: prices::PriceDesk,
    papers: Arc<papers::Papers>,
    print: PrintHandle,
    view: watch::Receiver<Arc<LaneView>>,
    state: StateReader,
    journal: Journal,
    pin_check: PinCheck,
    proposer: Proposer,
    consensus: Consensus,
    copies: Arc<Copies>,
    haste: Haste,
    agreed: watch::Receiver<Seq>,
    contacts: Arc<Contacts>,
    closing: watch::Sender<bool>,
    trouble: watch::Sender<Option<Trouble>>,
    tasks: Vec<AbortHandle>,
}

impl Lane {
    /// Starts the lane whose data folder the disk is.
    pub async fn start(parts: LaneParts) -> Result<Lane, LaneError> {
        let providers = parts.providers.clone();
        let (network, clock, disk) = (
            providers.network.clone(),
            providers.clock.clone(),
            providers.disk.clone(),
        );
        let mut identity = Identity::read(&disk)?;
        let (journal, damaged) = Journal::open(disk.clone(), identity.store)?;
        let (state, state_damaged) = StateDb::open(disk.clone())?;
        let reader = state.reader();
        refuse_lost_journal(&identity, &journal, damaged, &reader)?;
        refuse_older_release(parts.reads, &reader)?;

        let stamps = Stamps::of(identity.lane, &journal, clock.clone())?;
        let this_run = run_id(providers.random.as_ref());
        let judge = Box::new(branches::judge(journal.clone(), reader.clone()));
        let (roll, questions) = Roll::new(clock.clone(), this_run, judge);
        let (start, started) = watch::channel(None);
        let introduction = Introduction {
            hello: Hello {
                lane: identity.lane,
                epoch: identity.epoch,
                run: this_run,
                ticket: 0,
                stamp: stamps.newest(),
                started: None,
            },
            started,
            roll: roll.clone(),
        };
        let links = Links::introduced(network.clone(), clock.clone(), introduction);
        let contacts = Arc::new(Contacts::open(disk.clone(), network.clone()));
        let transport = Arc::new(transport::RaftOverLinks(links.clone()));
        let mut config = ConsensusConfig::new(identity.group(), identity.node);
        config.limits = parts.log_limits;
        config.alone = identity
            .recovering
            .as_ref()
            .map(|_| member(&identity, &network));
        let voters = consensus::voters(&state)?;
        let decides_alone = voters.len() == 1 && voters.contains(&identity.node);
        let has_siblings = !contacts.members().is_empty();
        config.waits_to_stand = decides_alone && has_siblings && config.alone.is_none();
        let waits_to_stand = config.waits_to_stand;
        let applier = Box::new(applier::Rules {
            stamps: stamps.clone(),
        });
        let started = Consensus::start(
            config,
            disk.clone(),
            clock.clone(),
            state,
            applier,
            transport,
        );
        let consensus = started.await.map_err(|error| match error {
            lost @ (ConsensusError::LogLost { .. } | ConsensusError::StateLost) => {
                let reason = lost.to_string();
                LaneError::Damaged { reason }
            }
            other => LaneError::Consensus(other),
        })?;
        let proposer = Proposer::new(consensus.clone(), links.clone(), clock.clone());
        if identity.founding {
            found(&identity, parts.reads, &network, &consensus, &proposer).await?;
            identity.founding = false;
            identity.write(&disk)?;
        }
        if let Some(recovering) = identity.recovering.take() {
            begin_epoch(&identity, recovering, &proposer).await?;
            identity.write(&disk)?;
        }
        let identity = Arc::new(identity);

        let haste = Haste::new(clock.clone());
        let copies = Copies::new(
            identity.lane,
            journal.clone(),
            links.clone(),
            clock.clone(),
            haste.clone(),
        );
        let (closing, closing_seen) = watch::channel(false);
        let (trouble, trouble_seen) = watch::channel(None);
        let (reception, received) = watch::channel(Reception::Silence);
        let register_parts = RegisterParts {
            identity: identity.clone(),
            journal: journal.clone(),
            state: reader.clone(),
            clock: clock.clone(),
            stamps: stamps.clone(),
            disk,
            pin_check: parts.pin_check.clone(),
            closing: closing_seen,
            haste: haste.clone(),
            trouble: trouble_seen.clone(),
            terminal: parts.terminal.as_ref().map(|t| t.name().to_owned()),
            raft: consensus.status(),
        };
        let register::Started {
            handle: register,
            head: started,
            unapplied,
            receipts,
        } = register::start(register_parts, &parts.release, parts.reads).await?;

        let last_papers = {
            let state = register.state.borrow();
            let last = state.register.last_receipt.as_ref();
            papers::Papers::after(state.register.reports_z, last.map(|last| last.id.clone()))
        };
        start.send_replace(Some(started));
        let mut tasks = Vec::new();
        let mut run = |task: futures::future::BoxFuture<'static, ()>| {
            tasks.push(providers::spawn(task).abort_handle());
        };
        let answers = Arc::new(Answers {
            identity: identity.clone(),
            journal: journal.clone(),
            state: reader.clone(),
            consensus: consensus.clone(),
            proposer: proposer.clone(),
            contacts: contacts.clone(),
            network: network.clone(),
            clock: clock.clone(),
            hq_token: parts.hq_token.clone(),
            stamps: stamps.clone(),
            roll: roll.clone(),
            run: this_run,
            started,
        });
        run(Box::pin(serve::serve(network.clone(), answers)));
        run(Box::pin(
            Members {
                state: reader.clone(),
                network: network.clone(),
                consensus: consensus.clone(),
                copies: copies.clone(),
                links: links.clone(),
                contacts: contacts.clone(),
                clock: clock.clone(),
                proposer: proposer.clone(),
                lane: identity.lane,
                journal: journal.clone(),
                run: this_run,
                roll: roll.clone(),
                trouble: trouble.clone(),
            }
            .follow(),
        ));
        run(Box::pin(
            Greeter {
                lane: identity.lane,
                epoch: identity.epoch,
                run: this_run,
                started,
                network: network.clone(),
                contacts: contacts.clone(),
                links: links.clone(),
                roll: roll.clone(),
                clock: clock.clone(),
                stamps: stamps.clone(),
                trouble: trouble.clone(),
                reception,
            }
            .run(),
        ));
        let inquirer = Inquirer {
            roll,
            links: links.clone(),
            network: network.clone(),
            consensus: consensus.clone(),
            since: clock.monotonic(),
            clock: clock.clone(),
        };
        run(Box::pin(inquirer.run(questions)));
        if waits_to_stand {
            run(Box::pin(standing::lead_when_received(
                received,
                consensus.clone(),
                clock.clone(),
            )));
        }
        run(Box::pin(step_back(
            trouble_seen.clone(),
            consensus.clone(),
            copies.clone(),
            network.clone(),
        )));
        run(Box::pin(members::announce(
            identity.clone(),
            network.clone(),
            parts.discovery.clone(),
            clock.clone(),
        )));
        run(Box::pin(members::listen(
            identity.clone(),
            parts.discovery.clone(),
            contacts.clone(),
        )));
        let (agreed, agreed_seen) = watch::channel(0);
        let offers = || Offers {
            lane: identity.lane,
            journal: journal.clone(),
            state: reader.clone(),
            proposer: proposer.clone(),
            network: network.clone(),
            links: links.clone(),
            clock: clock.clone(),
            haste: haste.clone(),
            agreed: agreed.clone(),
        };
        run(Box::pin(offers().offer_own(journal.subscribe())));
        run(Box::pin(offers().offer_held()));
        let branches = Branches {
            lane: identity.lane,
            journal: journal.clone(),
            state: reader.clone(),
            clock: clock.clone(),
            register: register.clone(),
        };
        run(Box::pin(branches.follow()));
        if let Some(terminal) = parts.terminal.clone() {
            let desk = CardDesk::new(terminal, register.clone(), clock.clone());
            run(Box::pin(desk.run()));
        }
        let papers = Arc::new(last_papers);
        let (desk, print) = PrintDesk::new(PrintParts {
            printer: parts.printer.clone(),
            lane: identity.lane,
            lane_name: identity.lane_name.clone(),
            register: register.clone(),
            journal: journal.clone(),
            state: reader.clone(),
            papers: papers.clone(),
            clock: clock.clone(),
            disk: providers.disk.clone(),
        });
        run(Box::pin(desk.run()));
        let shipping = parts.hq.clone().map(|link| {
            let (is_leader, applied) = leadership(&consensus);
            let committed = Arc::new(CommittedHere {
                state: reader.clone(),
                proposer: proposer.clone(),
            });
            let (shipper, status) = Shipper::new(ShipperParts {
                committed: committed.clone(),
                link: link.clone(),
                clock: clock.clone(),
                random: providers.random.clone(),
                is_leader: is_leader.clone(),
                applied,
            });
            run(Box::pin(shipper.run()));
            let taker = Taker::new(TakerParts {
                published: committed,
                link,
                clock: clock.clone(),
                random: providers.random.clone(),
                is_leader,
                shipping: status.clone(),
            });
            run(Box::pin(taker.run()));
            status
        });
        let (warn, warnings) = watch::channel(Vec::new());
        run(Box::pin(watch_discovery(
            parts.discovery.clone(),
            clock.clone(),
            warn,
            state_damaged.map(|note| note.to_string()),
            Databases {
                journal: journal.clone(),
                state: reader.clone(),
                consensus: consensus.clone(),
            },
        )));
        run(Box::pin(check_state(reader.clone(), clock.clone())));
        let view = status::start(status::StatusParts {
            identity: identity.clone(),
            state: reader.clone(),
            network: network.clone(),
            clock: clock.clone(),
            register: register.state.clone(),
            raft: consensus.status(),
            held: copies.held(),
            shipping,
            receipts,
            unapplied,
            warnings,
            printer: print.status.clone(),
            trouble: trouble_seen,
        });
        Ok(Lane {
            shared: Arc::new(Shared {
                identity,
                run: this_run,
                providers,
                register,
                prices: prices::PriceDesk::default(),
                papers,
                print,
                view,
                state: reader,
                journal,
                pin_check: parts.pin_check,
                proposer,
                consensus,
                copies,
                haste,
                agreed: agreed_seen,
                contacts,
                closing,
                trouble,
                tasks,
            }),
        })
    }

    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// This process, as its siblings know it: another one with a copy of its disk has another number.
    pub fn run(&self) -> Run {
        self.shared.run
    }

    pub fn providers(&self) -> &Providers {
        &self.shared.providers
    }

    /// The papers that wait for this lane's printer.
    pub fn print(&self) -> &PrintHandle {
        &self.shared.print
    }

    /// Carries out a register command; returns once it is durable, or refused.
    pub async fn command(&self, request: CommandRequest) -> Answer {
        if planted::is("sale-waits-for-quorum") {
            let mut view = self.view();
            let together = view.wait_for(|view| view.status.mode == api::Mode::Together);
            drop(
                providers::timeout(
                    self.shared.providers.clock.as_ref(),
                    MANAGER_LIMIT,
                    together,
                )
                .await,
            );
        }
        self.shared.register.command(request).await
    }

    /// What the window shows, whenever it changes.
    pub fn view(&self) -> watch::Receiver<Arc<LaneView>> {
        self.shared.view.clone()
    }

    /// What is shown once it shows all that was durable here when this was asked, so that who has the
    /// answer to a command sees what it did. Where showing takes longer than [`SHOWN_LIMIT`], what is
    /// shown by then.
    pub async fn shown(&self) -> Arc<LaneView> {
        let seq = self.shared.register.state.borrow().seq;
        let mut view = self.view();
        let shown = view.wait_for(|view| view.status.journal_seq >= seq);
        let clock = self.shared.providers.clock.as_ref();
        drop(providers::timeout(clock, SHOWN_LIMIT, shown).await);
        view.borrow().clone()
    }

    /// Every event that becomes durable on this lane from now on.
    pub fn events(&self) -> broadcast::Receiver<Arc<LaneEvent>> {
        self.shared.register.events()
    }

    /// Reads the store as this lane has applied it.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&dyn Tables) -> Result<T, TableError>,
    ) -> Result<T, LaneError> {
        Ok(self.shared.state.read(read)??)
    }

    /// Looks at what this lane knows of all lanes, beyond what was applied.
    pub fn known<T>(&self, look: impl FnOnce(&Known<'_>) -> T) -> Result<T, LaneError> {
        let (journal, own) = (&self.shared.journal, self.shared.identity.lane);
        self.read(|tables| {
            let store = StoreView::new(tables);
            let known = Known::new(journal, &store, own);
            let found = look(&known);
            known.check().map_err(|reason| TableError {
                action: "read",
                reason,
            })?;
            Ok(found)
        })
    }

    /// The register where things are rung up as it stands now, durable: in training, that of the
    /// training. What is shown may be a moment behind.
    pub fn working(&self) -> sale::Register {
        let state = self.shared.register.state.borrow();
        state.register.working().clone()
    }

    /// Looks for items whose description has all the words.
    pub async fn search(&self, words: &str) -> Result<Vec<ItemFound>, LaneError> {
        search::search(&self.shared.state, words).await
    }

    /// Looks for customers by number, telephone number, e-mail address or name.
    pub async fn customers(&self, words: &str) -> Result<Vec<Customer>, LaneError> {
        let among = search::customers(&self.shared.state, words).await?;
        self.known(|known| known.customers_found(words, among))
    }

    /// Has the store agree on a change.
    pub async fn propose(&self, command: &Command) -> Result<Outcome, ProposeFailure> {
        self.shared.proposer.propose(command, MANAGER_LIMIT).await
    }

    /// Opens an invitation for one lane.
    pub async fn invite(&self) -> Result<Code, ProposeFailure> {
        let code = Code::new(self.shared.providers.random.as_ref());
        let now_ms = self.shared.providers.clock.wall_ms();
        let command = Command::Invite {
            invitation: code.id(),
            code_hash: code.key(),
            expires_ms: now_ms + invitation::VALID_FOR_MS,
            by: self.shared.identity.lane,
        };
        self.propose(&command).await?;
        self.shared.providers.network.set_joining(true);
        Ok(code)
    }

    /// Takes a lane out of the store for good, on a manager's word.
    pub async fn retire(
        &self,
        lane: LaneId,
        manager: &str,
        pin: &sale::Pin,
    ) -> Result<(), RetireError> {
        let shared = &self.shared;
        let by = shared
            .state
            .read(|tables| Authority::new(tables).manager(Some((manager, pin)), &shared.pin_check));
        let by = by.map_err(|error| NoAuthority::Unreadable(error.to_string()))??;
        let command = Command::Retire {
            lane,
            why: LeftWhy::Retired,
            by,
            now_ms: shared.providers.clock.wall_ms(),
        };
        match self.propose(&command).await? {
            Outcome::Refused { reason } => Err(RetireError::Refused(reason)),
            _ => Ok(()),
        }
    }

    /// This lane's part in the store's agreement, as it is now.
    pub fn raft(&self) -> RaftStatus {
        self.shared.consensus.status().borrow().clone()
    }

    /// This lane's own entries from `from` on, for reports.
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// Waits until the store has agreed on this lane's journal up to `seq`, at most `limit`. Answers
    /// how far it has. This lane may apply it a moment later.
    pub async fn wait_shared(&self, seq: Seq, limit: Duration) -> Result<Seq, LaneError> {
        let shared = &self.shared;
        let lane = shared.identity.lane;
        shared
            .haste
            .hurry(seq.min(shared.journal.head(lane).next_seq - 1));
        let mut agreed = shared.agreed.clone();
        let mut status = shared.consensus.status();
        let reached = async {
            loop {
                agreed.mark_unchanged();
                status.mark_unchanged();
                let taken = self.taken()?;
                if taken >= seq {
                    return Ok(taken);
                }
                let changed = tokio::select! {
                    biased;
                    changed = agreed.changed() => changed,
                    changed = status.changed() => changed,
                };
                if changed.is_err() {
                    return Ok(taken);
                }
            }
        };
        match timeout(shared.providers.clock.as_ref(), limit, reached).await {
            Some(taken) => taken,
            None => self.taken(),
        }
    }

    /// How far the store has taken this lane's journal: what the store's leader said, or what this
    /// lane has applied, if that is more.
    fn taken(&self) -> Result<Seq, LaneError> {
        let lane = self.shared.identity.lane;
        let agreed = *self.shared.agreed.borrow();
        let applied = self.read(|tables| StoreView::new(tables).lane(lane))?;
        Ok(agreed.max(applied.map_or(0, |record| record.head.next_seq - 1)))
    }

    /// Closes in good order: answers what was asked, shares what it can, hands leadership over.
    pub async fn close(&self) {
        let shared = &self.shared;
        shared.closing.send_replace(true);
        if shared.trouble.borrow().is_none() {
            self.share_the_rest().await;
            shared.contacts.keep();
            if !planted::is("leadership-not-handed-over") {
                shared.consensus.hand_over_leadership().await;
            }
        }
        for task in &shared.tasks {
            task.abort();
        }
        shared.copies.close();
        shared.consensus.shutdown().await;
    }

    /// Waits a little until the store has applied this lane's last entries and head office has all
    /// that the store has. Stays a moment longer while anything comes in: lanes that are closed
    /// together, as for the night, need each other for their farewells.
    async fn share_the_rest(&self) {
        let shared = &self.shared;
        let clock = &shared.providers.clock;
        let deadline = clock.monotonic() + LAST_SHARE_LIMIT;
        let mut register = shared.register.state.clone();
        let ended = async { while register.changed().await.is_ok() {} };
        timeout(clock.as_ref(), LAST_SHARE_LIMIT, ended).await;
        let mut quiet: Option<(u64, Duration)> = None;
        while clock.monotonic() < deadline && shared.consensus.status().borrow().has_quorum {
            let now = clock.monotonic();
            quiet = match (self.shared_by_all(), quiet) {
                (Some(entries), Some((before, since))) if entries == before => {
                    if now - since >= LAST_SHARE_QUIET {
                        return;
                    }
                    quiet
                }
                (entries, _) => entries.map(|entries| (entries, now)),
            };
            clock.sleep(LAST_SHARE_LOOK).await;
        }
    }

    /// The number of entries that the store has applied, once all of this lane's are among them and
    /// head office, where there is one, has them.
    fn shared_by_all(&self) -> Option<u64> {
        let lane = self.shared.identity.lane;
        let journalled = self.shared.journal.head(lane).next_seq;
        let applied = self.read(|tables| {
            let store = StoreView::new(tables);
            let own = store.lane(lane)?.map_or(1, |record| record.head.next_seq);
            Ok((own, store.entries()?, store.hq_cursor()?))
        });
        let (own, entries, at_hq) = applied.ok()?;
        let hq_has_it = self.shared.identity.hq_url.is_none() || at_hq == entries;
        (own >= journalled && hq_has_it).then_some(entries)
    }
}

/// A lane never writes a sequence number twice, so it does not go on with less than it has shared.
fn refuse_lost_journal(
    identity: &Identity,
    journal: &Journal,
    damaged: Option<SetAside>,
    state: &StateReader,
) -> Result<(), LaneError> {
    if let Some(note) = damaged {
        let reason = note.to_string();
        return Err(LaneError::Damaged { reason });
    }
    let applied = state.read(|tables| StoreView::new(tables).lane(identity.lane))??;
    let applied_next = applied.as_ref().map_or(1, |record| record.head.next_seq);
    let held_next = journal.head(identity.lane).next_seq;
    if held_next < applied_next {
        let reason = format!(
            "its journal ends at entry {}, but the store has its entries up to {}",
            held_next - 1,
            applied_next - 1
        );
        return Err(LaneError::Damaged { reason });
    }
    if let Some(applied) = applied
        && branches::is_foreign(journal, identity.lane, applied.head)?
    {
        let reason = format!(
            "the store has another entry {} of this lane than its journal: another machine worked \
             with a copy of this disk",
            applied.head.next_seq - 1
        );
        return Err(LaneError::Damaged { reason });
    }
    Ok(())
}

/// An older release would count less than the others do.
fn refuse_older_release(reads: u16, state: &StateReader) -> Result<(), LaneError> {
    let level = state.read(|tables| StoreView::new(tables).level())??;
    match reads < level {
        true => Err(LaneError::Outdated { reads, level }),
        false => Ok(()),
    }
}

/// Writes the first entries of a new store's log. Repeated where it was interrupted.
async fn found(
    identity: &Identity,
    reads: u16,
    network: &SharedNetwork,
    consensus: &Consensus,
    proposer: &Proposer,
) -> Result<(), LaneError> {
    let me = member(identity, network);
    let peer = me.peer.clone();
    consensus.create(me).await?;
    let command = Command::CreateStore {
        store: identity.store,
        name: identity.store_name.clone(),
        lane: identity.lane,
        lane_name: identity.lane_name.clone(),
        peer,
        reads,
    };
    let outcome = proposer.propose(&command, MANAGER_LIMIT).await;
    outcome.map_err(|failure| ConsensusError::Other(failure.to_string()))?;
    Ok(())
}

fn member(identity: &Identity, network: &SharedNetwork) -> Member {
    Member {
        lane: identity.lane,
        peer: network.local_peer().0,
        name: identity.lane_name.clone(),
    }
}

/// Has the store's books begin the epoch into which this lane was recovered. Repeated where it was
/// interrupted.
async fn begin_epoch(
    identity: &Identity,
    recovering: Recovering,
    proposer: &Proposer,
) -> Result<(), LaneError> {
    let command = Command::Recover {
        epoch: identity.epoch,
        keeper: identity.lane,
        by: recovering.by,
        now_ms: recovering.at_ms,
    };
    let failed = |reason: String| LaneError::from(ConsensusError::Other(reason));
    match proposer.propose(&command, MANAGER_LIMIT).await {
        Ok(Outcome::Refused { reason }) => Err(failed(reason)),
        Ok(_) => Ok(()),
        Err(failure) => Err(failed(failure.to_string())),
    }
}

/// One process of this lane: another one, with a copy of its disk, has another number.
fn run_id(random: &dyn Random) -> Run {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    Run(u64::from_be_bytes(bytes))
}

/// Ends this lane's part in the store's decisions once it is out of them: what a copy or a lane of
/// an earlier epoch says must count nowhere. A copy falls silent altogether.
async fn step_back(
    mut trouble: watch::Receiver<Option<Trouble>>,
    consensus: Consensus,
    copies: Arc<Copies>,
    network: SharedNetwork,
) {
    let out = trouble.wait_for(|trouble| {
        let trouble = trouble.as_ref();
        trouble.is_some_and(|t| t.silences() || matches!(t, Trouble::Superseded(_)))
    });
    if out.await.is_err() {
        return;
    }
    consensus.shutdown().await;
    let silent = trouble.wait_for(|trouble| trouble.as_ref().is_some_and(Trouble::silences));
    if silent.await.is_ok() {
        copies.close();
        network.set_members(BTreeSet::new());
    }
}

/// The parts of the Raft status that the shipper follows.
fn leadership(consensus: &Consensus) -> (watch::Receiver<bool>, watch::Receiver<u64>) {
    let (lead_out, lead) = watch::channel(false);
    let (applied_out, applied) = watch::channel(0);
    let mut status = consensus.status();
    providers::spawn(async move {
        loop {
            {
                let now = status.borrow_and_update();
                lead_out.send_if_modified(|l| std::mem::replace(l, now.is_leader) != *l);
                applied_out.send_if_modified(|a| std::mem::replace(a, now.applied) != *a);
            }
            if status.changed().await.is_err() {
                return;
            }
        }
    });
    (lead, applied)
}

/// What a lane keeps on its disk.
struct Databases {
    journal: Journal,
    state: StateReader,
    consensus: Consensus,
}

impl Databases {
    /// The damage that was met in each, in words.
    fn damage(&self) -> impl Iterator<Item = String> {
        let met = [
            self.journal.damage(),
            self.state.damage(),
            self.consensus.damage(),
        ];
        met.into_iter().flatten().map(|damage| damage.to_string())
    }
}

/// Looks through the whole state for damage, over and over: one in a row that nobody reads, or that hides
/// a row from whoever looks for it. What is found is among the lane's warnings, and the next start sets
/// the state aside.
async fn check_state(state: StateReader, clock: providers::SharedClock) {
    /// Between two groups of rows. A state of 100,000 rows is looked through in about an hour.
    const NEXT_ROWS_AFTER: Duration = Duration::from_secs(5);
    let mut place = None;
    loop {
        clock.sleep(NEXT_ROWS_AFTER).await;
        match state.check_some(place.as_ref()) {
            Ok(next) => place = next,
            Err(StorageError::Damaged { .. }) => return,
            // A disk that fails now and then is looked at again.
            Err(error) => tracing::warn!("the state is not checked for damage: {error}"),
        }
    }
}

/// Keeps the list of what does not work on this machine.
async fn watch_discovery(
    discovery: Arc<dyn Discovery>,
    clock: providers::SharedClock,
    warnings: watch::Sender<Vec<String>>,
    first: Option<String>,
    databases: Databases,
) {
    const LOOK_EVERY: Duration = Duration::from_secs(5);
    loop {
        let now: Vec<String> = first
            .clone()
            .into_iter()
            .chain(databases.damage())
            .chain(discovery.unavailable())
            .collect();
        warnings.send_if_modified(|old| {
            let changed = *old != now;
            old.clone_from(&now);
            changed
        });
        clock.sleep(LOOK_EVERY).await;
    }
}
