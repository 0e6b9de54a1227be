//! The task that owns the libp2p swarm: `loop { apply(select().await) }`.
//!
//! Only `select` waits; `apply` owns all state. It dials when a stream is wanted and there is no
//! connection, keeps the shared view (`View`) up to date, and winds everything up at the end.
//!
//! A dial tries the QUIC addresses first and adds the TCP ones after `QUIC_HEAD_START`: QUIC takes
//! longer to connect than TCP, so a plain race would always end with TCP.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, ping};
use providers::StreamClass;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::address::{AddressBook, Carrier, Endpoint, to_tell};
use crate::gate::{Arrival, Gate, OpenError, OpenReply, Policy, Request};

/// How long QUIC is tried alone.
const QUIC_HEAD_START: Duration = Duration::from_millis(300);
/// How long a dial may take. What has not answered by then goes on in the background, but the next
/// `open` starts anew: a handshake with a lane that was just restarted is tried ever less often.
const DIAL_TIME_MAX: Duration = Duration::from_secs(2);
/// The most streams that may wait for one dial.
const WAITING_MAX: usize = 64;
/// How often connections are checked for silence and guests for overstaying.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// How long the connections may take to close at shutdown.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(1);
/// When there is nothing to wait for.
const IDLE: Duration = Duration::from_secs(3600);
/// How many failed addresses an error names.
const REASONS_MAX: usize = 3;

/// What the handle and the driver share. Locked for moments only, never across an await.
pub(crate) struct View {
    pub book: AddressBook,
    pub addresses: Vec<String>,
    pub connected: BTreeSet<PeerId>,
}

pub(crate) type SharedView = Arc<Mutex<View>>;

pub(crate) fn lock(view: &SharedView) -> MutexGuard<'_, View> {
    // Nothing panics while it is held; the view is whole even so.
    view.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From the handle to the driver.
pub(crate) enum Command {
    Open {
        peer: PeerId,
        class: StreamClass,
        reply: OpenReply,
    },
    /// Closes everything and ends the driver.
    Shutdown,
}

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    // First, so that a stranger is refused before any other protocol sees it. There is no
    // `identify`: it would tell whoever asks which addresses and protocols this lane has.
    pub gate: Gate,
    pub ping: ping::Behaviour,
}

enum Event {
    Swarm(Box<SwarmEvent<BehaviourEvent>>),
    Command(Command),
    Policy,
    /// Every handle is gone.
    Abandoned,
    Tick,
}

/// One peer that is being dialled.
struct Dial {
    until: Instant,
    waiting: Vec<Request>,
    attempts: BTreeSet<ConnectionId>,
    /// Addresses to add to the attempt, and when.
    later: Option<(Instant, Vec<Multiaddr>)>,
    failures: Vec<String>,
}

impl Dial {
    /// When something is to be done about it.
    fn wake(&self) -> Instant {
        let later = self.later.as_ref().map(|(at, _)| *at);
        later.map_or(self.until, |at| at.min(self.until))
    }

    fn is_exhausted(&self) -> bool {
        self.attempts.is_empty() && self.later.is_none()
    }
}

pub(crate) struct Driver {
    swarm: Swarm<Behaviour>,
    carriers: &'static [Carrier],
    loopback_wanted: bool,
    commands: mpsc::Receiver<Command>,
    policy: watch::Receiver<Policy>,
    arrivals: mpsc::Sender<Arrival>,
    view: SharedView,
    dials: BTreeMap<PeerId, Dial>,
    next_check: Instant,
    /// When set, the driver is winding up and ends at this moment at the latest.
    ends: Option<Instant>,
}

/// The driver's ends of what connects it to its handle.
pub(crate) struct Ends {
    pub commands: mpsc::Receiver<Command>,
    pub policy: watch::Receiver<Policy>,
    pub arrivals: mpsc::Sender<Arrival>,
    pub view: SharedView,
}

impl Driver {
    pub fn new(
        swarm: Swarm<Behaviour>,
        carriers: &'static [Carrier],
        loopback_wanted: bool,
        ends: Ends,
    ) -> Driver {
        let driver = Driver {
            swarm,
            carriers,
            loopback_wanted,
            commands: ends.commands,
            policy: ends.policy,
            arrivals: ends.arrivals,
            view: ends.view,
            dials: BTreeMap::new(),
            next_check: Instant::now(),
            ends: None,
        };
        driver.publish_addresses();
        driver
    }

    /// Runs until shutdown. The listeners are closed when it returns.
    pub async fn run(mut self) {
        while !self.done() {
            let event = self.select().await;
            self.apply(event);
        }
    }

    async fn select(&mut self) -> Event {
        let wake = self.next_wake();
        let open = self.ends.is_none();
        tokio::select! {
            event = self.swarm.select_next_some() => Event::Swarm(Box::new(event)),
            command = self.commands.recv(), if open => {
                command.map_or(Event::Abandoned, Event::Command)
            }
            changed = self.policy.changed(), if open => {
                changed.map_or(Event::Abandoned, |()| Event::Policy)
            }
            () = sleep_until(wake) => Event::Tick,
        }
    }

    fn apply(&mut self, event: Event) {
        // Before anything else, so that whatever is asked after `set_members` sees its effect.
        // An error means that every handle is gone, and with them the need for a policy.
        let news = self.policy.has_changed().unwrap_or(false);
        if news || matches!(event, Event::Policy) {
            let policy = self.policy.borrow_and_update().clone();
            self.gate().set_policy(policy);
        }
        match event {
            Event::Swarm(event) => self.on_swarm_event(*event),
            Event::Command(Command::Open { peer, class, reply }) => {
                self.open(peer, Request { class, reply });
            }
            Event::Command(Command::Shutdown) | Event::Abandoned => {
                self.ends = Some(Instant::now() + SHUTDOWN_TIME_MAX);
                self.dials.clear();
                self.gate().close_all();
            }
            Event::Policy => {}
            Event::Tick => self.on_tick(Instant::now()),
        }
        let connected = self.swarm.behaviour().gate.members_connected();
        lock(&self.view).connected = connected;
        let sound = |dial: &Dial| dial.waiting.len() <= WAITING_MAX && !dial.is_exhausted();
        debug_assert!(self.dials.values().all(sound));
    }

    fn done(&self) -> bool {
        self.ends.is_some_and(|ends| {
            !self.swarm.behaviour().gate.has_connections() || Instant::now() >= ends
        })
    }

    fn next_wake(&self) -> Instant {
        let dials = self.dials.values().map(Dial::wake);
        let busy = self.swarm.behaviour().gate.has_connections();
        let check = busy.then_some(self.next_check);
        let soonest = dials.chain(check).chain(self.ends).min();
        soonest.unwrap_or_else(|| Instant::now() + IDLE)
    }

    fn gate(&mut self) -> &mut Gate {
        &mut self.swarm.behaviour_mut().gate
    }

    fn on_tick(&mut self, now: Instant) {
        if now >= self.next_check {
            self.next_check = now + CHECK_INTERVAL;
            self.gate().check(now.into_std());
        }
        let all = self.dials.iter();
        let due: Vec<PeerId> = all
            .filter(|(_, dial)| dial.wake() <= now)
            .map(|(peer, _)| *peer)
            .collect();
        for peer in due {
            if self.dials[&peer].until <= now {
                self.give_up(peer, format!("no answer within {DIAL_TIME_MAX:?}"));
            } else {
                self.dial_the_rest(peer);
            }
        }
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gate(arrival)) => self.pass_on(arrival),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                connection,
                result: Ok(_),
                ..
            })) => self.gate().heard(connection),
            SwarmEvent::ConnectionEstablished {
                peer_id, endpoint, ..
            } => self.connected(peer_id, &endpoint),
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                peer_id: Some(peer),
                error,
            } => self.not_connected(peer, connection_id, &error),
            SwarmEvent::NewListenAddr { .. }
            | SwarmEvent::ExpiredListenAddr { .. }
            | SwarmEvent::ListenerClosed { .. } => self.publish_addresses(),
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "the mesh has trouble accepting connections");
            }
            _ => {}
        }
    }

    fn publish_addresses(&self) {
        lock(&self.view).addresses = to_tell(self.swarm.listeners(), self.loopback_wanted);
    }

    fn pass_on(&self, arrival: Arrival) {
        if let Err(error) = self.arrivals.try_send(arrival) {
            // Dropping it resets the stream, and the peer tries again.
            tracing::warn!(%error, "an incoming stream is dropped: too many wait to be accepted");
        }
    }

    fn open(&mut self, peer: PeerId, request: Request) {
        let policy = self.swarm.behaviour().gate.policy();
        let refusal = if request.class != StreamClass::Join && !policy.members.contains(&peer) {
            OpenError::NotAMember
        } else if self.swarm.behaviour().gate.is_connected(&peer) {
            return self.gate().open(&peer, request);
        } else if let Some(dial) = self.dials.get_mut(&peer) {
            dial.waiting.retain(|waiting| !waiting.reply.is_closed());
            if dial.waiting.len() < WAITING_MAX {
                return dial.waiting.push(request);
            }
            OpenError::Unreachable("too many streams wait for the same connection".to_owned())
        } else {
            return self.begin_dial(peer, request);
        };
        // Whoever asked may have given up.
        let _ = request.reply.send(Err(refusal));
    }

    fn begin_dial(&mut self, peer: PeerId, request: Request) {
        let known = lock(&self.view).book.of(&peer);
        let usable = known
            .into_iter()
            .filter(|endpoint| self.carriers.contains(&endpoint.carrier));
        let (quic, tcp): (Vec<Endpoint>, Vec<Endpoint>) =
            usable.partition(|endpoint| endpoint.carrier == Carrier::Quic);
        let head_start = if quic.is_empty() {
            Duration::ZERO
        } else {
            QUIC_HEAD_START
        };
        let mut dial = Dial {
            until: Instant::now() + DIAL_TIME_MAX,
            waiting: vec![request],
            attempts: BTreeSet::new(),
            later: None,
            failures: Vec::new(),
        };
        if !tcp.is_empty() {
            dial.later = Some((Instant::now() + head_start, addresses(&tcp)));
        }
        if quic.is_empty() && tcp.is_empty() {
            dial.failures
                .push("no address of it is known yet".to_owned());
        }
        self.dials.insert(peer, dial);
        if quic.is_empty() {
            self.dial_the_rest(peer);
        } else {
            self.attempt(peer, addresses(&quic));
        }
    }

    /// Adds the addresses that were kept for later, and gives up when there is nothing left.
    fn dial_the_rest(&mut self, peer: PeerId) {
        let Some(dial) = self.dials.get_mut(&peer) else {
            return;
        };
        if let Some((_, addresses)) = dial.later.take() {
            self.attempt(peer, addresses);
        } else if dial.is_exhausted() {
            let reason = dial.failures.join("; ");
            self.give_up(peer, reason);
        }
    }

    fn attempt(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        // A port of its own for each dial: a listener bound to loopback cannot reach further, and
        // a TCP connection from the listening port blocks the next one to the same address.
        let options = DialOpts::peer_id(peer)
            .addresses(addresses)
            .condition(PeerCondition::Always)
            .allocate_new_port()
            .build();
        let id = options.connection_id();
        let outcome = self.swarm.dial(options);
        let Some(dial) = self.dials.get_mut(&peer) else {
            return;
        };
        match outcome {
            Ok(()) => {
                dial.attempts.insert(id);
            }
            Err(error) => {
                dial.failures.extend(reasons(&error));
                self.dial_the_rest(peer);
            }
        }
    }

    fn connected(&mut self, peer: PeerId, endpoint: &ConnectedPoint) {
        if let ConnectedPoint::Dialer { address, .. } = endpoint
            && let Some(endpoint) = Endpoint::of(address)
        {
            lock(&self.view).book.worked(peer, endpoint);
        }
        // What is still being tried goes on, and ends as a second connection or not at all.
        let waiting = self.dials.remove(&peer).map(|dial| dial.waiting);
        for request in waiting.into_iter().flatten() {
            self.gate().open(&peer, request);
        }
    }

    fn not_connected(&mut self, peer: PeerId, id: ConnectionId, error: &DialError) {
        if let DialError::WrongPeerId { address, .. } = error
            && let Some(endpoint) = Endpoint::of(address)
        {
            lock(&self.view).book.forget(peer, endpoint);
        }
        if let Some(dial) = self.dials.get_mut(&peer)
            && dial.attempts.remove(&id)
        {
            dial.failures.extend(reasons(error));
            // No head start for what has failed already.
            self.dial_the_rest(peer);
        }
    }

    fn give_up(&mut self, peer: PeerId, reason: String) {
        let waiting = self.dials.remove(&peer).map(|dial| dial.waiting);
        for request in waiting.into_iter().flatten() {
            let refusal = OpenError::Unreachable(reason.clone());
            // Whoever asked may have given up.
            let _ = request.reply.send(Err(refusal));
        }
    }
}

fn addresses(endpoints: &[Endpoint]) -> Vec<Multiaddr> {
    endpoints.iter().map(Endpoint::address).collect()
}

/// A failed dial in words, an address each.
fn reasons(error: &DialError) -> Vec<String> {
    match error {
        DialError::Transport(failed) => {
            let named = failed.iter().take(REASONS_MAX).map(|(address, error)| {
                let address = Endpoint::of(address)
                    .map_or_else(|| address.clone(), |endpoint| endpoint.address());
                format!("{address}: {}", root_cause(error))
            });
            named.collect()
        }
        DialError::WrongPeerId { address, obtained } => {
            vec![format!("{address} is another lane, {obtained}")]
        }
        other => vec![root_cause(other)],
    }
}

/// The innermost error: libp2p wraps the one that says something in several that do not.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
