//! The gate: who may connect, and who may open which stream. A libp2p behaviour.
//!
//! Invariant: every connection it keeps is of one of three kinds (`Access`), every stream it hands
//! over is allowed by the kind its connection has at that moment, and when a connection loses its
//! kind its streams end at once, before the connection itself is wound up.
//!
//! A stranger gets no further than the handshake that proves its key: its connection is refused
//! before any protocol of ours is offered on it. While joining is open, a bounded number of
//! strangers is let in as guests, who are offered `Join` and nothing else, for a bounded time.
//!
//! Two lanes that dial each other at once have two connections. Streams are opened on the newest
//! (the older may be half dead); one of them, the same on both sides, is kept while idle, and the
//! other ends once nothing uses it, so no stream is broken by tidying up.
//!
//! How bulk and heartbeats share a connection: on QUIC each stream has its own flow control and
//! order, and the connection sends a little of each stream in turn. On TCP all streams of a
//! connection are one byte stream: Yamux interleaves them in pieces of 16 KiB and bounds what one
//! stream has in flight by its window, so a heartbeat waits for what is in the socket's buffer
//! (milliseconds on a shop's network), and a lost segment stalls all of them. TCP is the second
//! choice for that reason.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::core::{ConnectedPoint, Endpoint as Role};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished, ListenFailure};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId,
    FromSwarm, NetworkBehaviour, NotifyHandler, StreamProtocol, StreamUpgradeError,
    SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Stream};
use providers::StreamClass;
use tokio::sync::oneshot;

use crate::address::Carrier;
use crate::frame::Line;
use crate::heard::Heard;

/// The most connections of guests at a time; further strangers are refused.
const GUESTS_MAX: usize = 8;
/// The most streams a guest may have open at a time.
const STREAMS_PER_GUEST_MAX: usize = 2;
/// After this long a guest's connection is closed, whatever it is doing.
const GUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// The most connections of one member at a time: two from dialling at once, and some that are
/// not known to be dead yet.
const CONNECTIONS_PER_MEMBER_MAX: usize = 8;
/// The most streams one connection of a member may have open at a time.
const STREAMS_PER_MEMBER_MAX: usize = 64;
/// The most handshakes of incoming connections at a time.
const HANDSHAKES_MAX: usize = 128;
/// Of these, the most with one address, so that a single stranger who begins handshakes and never
/// ends them leaves room for lanes. Lanes of one machine share an address.
const HANDSHAKES_PER_ADDRESS_MAX: usize = 32;
/// The most streams one connection may have waiting, each way; more are dropped.
const WAITING_STREAMS_MAX: usize = 64;
/// A connection that brings nothing for this long, not even the answer to a ping, is taken for dead.
const SILENCE_MS_MAX: u64 = 3_000;
/// How long agreeing on the class of a new stream may take.
const AGREEMENT_TIME_MAX: Duration = Duration::from_secs(3);

/// Who may talk to this lane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    pub members: BTreeSet<PeerId>,
    /// Whether strangers may come in as guests.
    pub joining: bool,
}

impl Policy {
    /// Whether `peer` may have a stream of `class` with this lane that it opened.
    pub fn allows(&self, peer: &PeerId, class: StreamClass) -> bool {
        self.members.contains(peer) || (self.joining && class == StreamClass::Join)
    }
}

/// What the peer of a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// A member of the store: every class, both ways.
    Member,
    /// A stranger that dialled us while joining is open: it may open `Join`.
    Guest,
    /// A lane we dialled in order to join its store: we may open `Join`, it may open nothing.
    Host,
}

impl Access {
    /// The classes the peer may open.
    fn offered(self) -> &'static [StreamClass] {
        match self {
            Access::Member => &StreamClass::ALL,
            Access::Guest => &[StreamClass::Join],
            Access::Host => &[],
        }
    }

    fn may_be_asked_for(self, class: StreamClass) -> bool {
        match self {
            Access::Member => true,
            Access::Guest => false,
            Access::Host => class == StreamClass::Join,
        }
    }

    fn streams_max(self) -> usize {
        match self {
            Access::Member | Access::Host => STREAMS_PER_MEMBER_MAX,
            Access::Guest => STREAMS_PER_GUEST_MAX,
        }
    }
}

/// Why a stream could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    NotAMember,
    /// Another connection may do: this one ended.
    Gone(String),
    Unreachable(String),
}

pub(crate) type OpenReply = oneshot::Sender<Result<Arc<Line>, OpenError>>;

/// A stream that is wanted from a peer.
#[derive(Debug)]
pub(crate) struct Request {
    pub class: StreamClass,
    pub reply: OpenReply,
}

/// A stream that a peer opened, as the gate lets it in.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub peer: PeerId,
    pub class: StreamClass,
    pub line: Arc<Line>,
}

#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Refused;

fn refused() -> ConnectionDenied {
    ConnectionDenied::new(Refused)
}

fn protocol(class: StreamClass) -> StreamProtocol {
    StreamProtocol::new(match class {
        StreamClass::Control => "/lanemesh/control/1",
        StreamClass::Append => "/lanemesh/append/1",
        StreamClass::Copies => "/lanemesh/copies/1",
        StreamClass::Snapshot => "/lanemesh/snapshot/1",
        StreamClass::Join => "/lanemesh/join/1",
    })
}

struct Connection {
    peer: PeerId,
    access: Access,
    dialled_by: PeerId,
    carrier: Carrier,
    since: Instant,
    /// When it last brought anything.
    heard: Arc<Heard>,
    /// Told to stay open while idle.
    kept: bool,
    /// Being closed: neither used nor counted any more.
    ending: bool,
    lines: Vec<Weak<Line>>,
}

impl Connection {
    /// Takes a new stream in, or drops it when there are too many.
    fn take_in(&mut self, stream: Stream) -> Option<Arc<Line>> {
        self.lines.retain(|line| line.strong_count() > 0);
        if self.lines.len() >= self.access.streams_max() {
            return None;
        }
        let line = Line::new(stream, Arc::clone(&self.heard));
        self.lines.push(Arc::downgrade(&line));
        Some(line)
    }

    fn end_lines(&mut self, reason: &str) {
        let lines = self.lines.drain(..).filter_map(|line| line.upgrade());
        lines.for_each(|line| line.end(reason));
    }
}

/// The behaviour. `driver` calls it, the swarm polls it.
pub(crate) struct Gate {
    local: PeerId,
    policy: Policy,
    connections: BTreeMap<ConnectionId, Connection>,
    /// The incoming connections that have not proved their key yet, and where they come from.
    handshakes: BTreeMap<ConnectionId, Option<IpAddr>>,
    /// Emptied by the swarm, which polls after every call.
    events: VecDeque<ToSwarm<Arrival, ToHandler>>,
}

impl Gate {
    pub fn new(local: PeerId) -> Gate {
        Gate {
            local,
            policy: Policy::default(),
            connections: BTreeMap::new(),
            handshakes: BTreeMap::new(),
            events: VecDeque::new(),
        }
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Replaces the policy. Who loses access by it is cut off at once.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
        let mut lost = Vec::new();
        for (id, connection) in &mut self.connections {
            let access = if self.policy.members.contains(&connection.peer) {
                Access::Member
            } else {
                match connection.access {
                    Access::Guest if self.policy.joining => Access::Guest,
                    Access::Host => Access::Host,
                    Access::Guest | Access::Member => {
                        lost.push(*id);
                        continue;
                    }
                }
            };
            if access != connection.access {
                connection.access = access;
                let notice = ToHandler::Access(access);
                self.events.push_back(notify(connection.peer, *id, notice));
            }
        }
        for id in lost {
            self.close(id, "its peer may not talk to this lane any more");
        }
        let peers: BTreeSet<PeerId> = self.live().map(|(_, live)| live.peer).collect();
        peers.into_iter().for_each(|peer| self.choose_kept(peer));
    }

    /// Whether a stream to `peer` can be asked for without dialling.
    pub fn is_connected(&self, peer: &PeerId) -> bool {
        self.newest(peer).is_some()
    }

    /// Asks for a stream on the newest connection of `peer`. The answer goes to the request; when
    /// the connection ends first, its sender is dropped.
    pub fn open(&mut self, peer: &PeerId, request: Request) {
        let refusal = match self.newest(peer) {
            None => OpenError::Gone("the connection ended".to_owned()),
            Some(id) if !self.connections[&id].access.may_be_asked_for(request.class) => {
                OpenError::NotAMember
            }
            Some(id) => {
                let notice = ToHandler::Open(request);
                self.events.push_back(notify(*peer, id, notice));
                return;
            }
        };
        // Whoever asked may have given up.
        let _ = request.reply.send(Err(refusal));
    }

    /// Notes that the peer answered a ping.
    pub fn heard(&self, id: ConnectionId) {
        if let Some(connection) = self.connections.get(&id) {
            connection.heard.note(Instant::now());
        }
    }

    /// Closes what does not answer any more, and guests who have stayed too long.
    pub fn check(&mut self, now: Instant) {
        let overdue = |live: &Connection| {
            if live.heard.silent_ms(now) > SILENCE_MS_MAX {
                Some("its peer does not answer")
            } else if live.access == Access::Guest
                && now.saturating_duration_since(live.since) > GUEST_TIME_MAX
            {
                Some("joining took too long")
            } else {
                None
            }
        };
        let all = self.live();
        let due: Vec<_> = all
            .filter_map(|(id, live)| overdue(live).map(|reason| (id, reason)))
            .collect();
        for (id, reason) in due {
            tracing::debug!(connection = %id, reason, "closing a connection");
            self.close(id, reason);
        }
    }

    /// Closes every connection.
    pub fn close_all(&mut self) {
        let all: Vec<ConnectionId> = self.live().map(|(id, _)| id).collect();
        for id in all {
            self.close(id, "this lane is shutting down");
        }
    }

    /// Members with a live connection.
    pub fn members_connected(&self) -> BTreeSet<PeerId> {
        let members = self
            .live()
            .filter(|(_, live)| live.access == Access::Member);
        members.map(|(_, live)| live.peer).collect()
    }

    /// Whether there is a connection to watch.
    pub fn has_connections(&self) -> bool {
        !self.connections.is_empty()
    }

    fn live(&self) -> impl Iterator<Item = (ConnectionId, &Connection)> {
        let all = self.connections.iter().map(|(id, all)| (*id, all));
        all.filter(|(_, connection)| !connection.ending)
    }

    fn live_of(&self, peer: &PeerId) -> impl Iterator<Item = (ConnectionId, &Connection)> {
        self.live().filter(move |(_, live)| live.peer == *peer)
    }

    fn newest(&self, peer: &PeerId) -> Option<ConnectionId> {
        let of_peer = self.live_of(peer);
        of_peer
            .max_by_key(|(id, live)| (live.since, *id))
            .map(|(id, _)| id)
    }

    /// Ends the streams of a connection now and the connection as soon as the peer allows.
    fn close(&mut self, id: ConnectionId, reason: &str) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.ending = true;
        connection.end_lines(reason);
        let peer_id = connection.peer;
        self.events.push_back(ToSwarm::CloseConnection {
            peer_id,
            connection: CloseConnection::One(id),
        });
        self.choose_kept(peer_id);
    }

    /// Picks the one connection of a member that stays open while idle. Both lanes pick the same:
    /// they agree on who dialled and on the carrier.
    fn choose_kept(&mut self, peer: PeerId) {
        let of_peer = self.live_of(&peer);
        let members = of_peer.filter(|(_, live)| live.access == Access::Member);
        let chosen = members
            .min_by_key(|(id, live)| (live.dialled_by, live.carrier, std::cmp::Reverse(*id)))
            .map(|(id, _)| id);
        for (id, connection) in &mut self.connections {
            let kept = Some(*id) == chosen;
            if connection.peer == peer && connection.kept != kept {
                connection.kept = kept;
                self.events
                    .push_back(notify(peer, *id, ToHandler::Keep(kept)));
            }
        }
    }

    /// What a new connection with `peer` may do; `None` when it is refused.
    fn access_of(&self, peer: &PeerId, dialled_by_us: bool) -> Option<Access> {
        if self.policy.members.contains(peer) {
            (self.live_of(peer).count() < CONNECTIONS_PER_MEMBER_MAX).then_some(Access::Member)
        } else if dialled_by_us {
            // The driver dials a stranger only to join its store.
            Some(Access::Host)
        } else if self.policy.joining {
            let guests = self.live().filter(|(_, live)| live.access == Access::Guest);
            (guests.count() < GUESTS_MAX).then_some(Access::Guest)
        } else {
            None
        }
    }

    fn admit(&self, peer: PeerId, dialled_by_us: bool) -> Result<Handler, ConnectionDenied> {
        let access = self.access_of(&peer, dialled_by_us).ok_or_else(refused)?;
        Ok(Handler::new(access))
    }

    fn established(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        let dialled_by_us = endpoint.is_dialer();
        // The same answer as `admit` gave a moment ago: nothing can have happened in between.
        let Some(access) = self.access_of(&peer, dialled_by_us) else {
            return;
        };
        let local = match endpoint {
            ConnectedPoint::Dialer { address, .. } => address,
            ConnectedPoint::Listener { local_addr, .. } => local_addr,
        };
        let now = Instant::now();
        let connection = Connection {
            peer,
            access,
            dialled_by: if dialled_by_us { self.local } else { peer },
            carrier: Carrier::of(local),
            since: now,
            heard: Arc::new(Heard::new(now)),
            kept: false,
            ending: false,
            lines: Vec::new(),
        };
        self.connections.insert(id, connection);
        self.choose_kept(peer);
    }

    fn closed(&mut self, id: ConnectionId) {
        if let Some(mut connection) = self.connections.remove(&id) {
            connection.end_lines("the connection was lost");
            self.choose_kept(connection.peer);
        }
    }

    fn arrived(&mut self, id: ConnectionId, class: StreamClass, stream: Stream) {
        let live = self.connections.get_mut(&id).filter(|all| !all.ending);
        let Some(connection) = live.filter(|live| live.access.offered().contains(&class)) else {
            return;
        };
        let peer = connection.peer;
        match connection.take_in(stream) {
            Some(line) => {
                self.events
                    .push_back(ToSwarm::GenerateEvent(Arrival { peer, class, line }))
            }
            None => tracing::warn!(%peer, ?class, "too many streams: one is dropped"),
        }
    }

    fn opened(&mut self, id: ConnectionId, request: Request, stream: Stream) {
        let live = self.connections.get_mut(&id).filter(|all| !all.ending);
        let allowed = live.filter(|live| live.access.may_be_asked_for(request.class));
        let outcome = match allowed.map(|connection| connection.take_in(stream)) {
            Some(Some(line)) => Ok(line),
            Some(None) => Err(OpenError::Unreachable(
                "there are too many streams on the connection already".to_owned(),
            )),
            None => Err(OpenError::Gone("the connection ended".to_owned())),
        };
        // Whoever asked may have given up; the stream is then dropped.
        let _ = request.reply.send(outcome);
    }
}

/// Where a connection comes from.
fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip)),
        _ => None,
    })
}

fn notify(peer_id: PeerId, id: ConnectionId, event: ToHandler) -> ToSwarm<Arrival, ToHandler> {
    ToSwarm::NotifyHandler {
        peer_id,
        handler: NotifyHandler::One(id),
        event,
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = Handler;
    type ToSwarm = Arrival;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let from = ip_of(remote);
        let of_same = self.handshakes.values().filter(|other| **other == from);
        if self.handshakes.len() >= HANDSHAKES_MAX || of_same.count() >= HANDSHAKES_PER_ADDRESS_MAX
        {
            return Err(refused());
        }
        self.handshakes.insert(id, from);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _local: &Multiaddr,
        _remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handshakes.remove(&id);
        self.admit(peer, false)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _id: ConnectionId,
        peer: PeerId,
        _address: &Multiaddr,
        _role: Role,
        _port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(peer, true)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            }) => self.established(peer_id, connection_id, endpoint),
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.closed(connection_id);
            }
            FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.handshakes.remove(&connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _peer: PeerId,
        id: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            FromHandler::Arrived(class, stream) => self.arrived(id, class, stream),
            FromHandler::Opened(request, stream) => self.opened(id, request, stream),
        }
    }

    fn poll(
        &mut self,
        _context: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        // No waker: events come only from calls after which the swarm polls again.
        self.events.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// From the gate to one connection.
#[derive(Debug)]
pub(crate) enum ToHandler {
    Open(Request),
    Access(Access),
    Keep(bool),
}

/// From one connection to the gate.
#[derive(Debug)]
pub(crate) enum FromHandler {
    Arrived(StreamClass, Stream),
    Opened(Request, Stream),
}

/// The gate's part of one connection.
pub(crate) struct Handler {
    access: Access,
    kept: bool,
    requests: VecDeque<Request>,
    outbox: VecDeque<FromHandler>,
}

impl Handler {
    fn new(access: Access) -> Handler {
        Handler {
            access,
            kept: false,
            requests: VecDeque::new(),
            outbox: VecDeque::new(),
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = ToHandler;
    type ToBehaviour = FromHandler;
    type InboundProtocol = Classes;
    type OutboundProtocol = Classes;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Request;

    fn listen_protocol(&self) -> SubstreamProtocol<Classes> {
        let classes = Classes(self.access.offered().to_vec());
        SubstreamProtocol::new(classes, ()).with_timeout(AGREEMENT_TIME_MAX)
    }

    fn connection_keep_alive(&self) -> bool {
        self.kept
    }

    fn poll(
        &mut self,
        _context: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Classes, Request, FromHandler>> {
        // No waker: both queues are filled only by calls after which the connection polls again.
        if let Some(event) = self.outbox.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
        }
        let Some(request) = self.requests.pop_front() else {
            return Poll::Pending;
        };
        let protocol = SubstreamProtocol::new(Classes(vec![request.class]), request)
            .with_timeout(AGREEMENT_TIME_MAX);
        Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
    }

    fn on_behaviour_event(&mut self, event: ToHandler) {
        match event {
            ToHandler::Open(request) if self.requests.len() < WAITING_STREAMS_MAX => {
                self.requests.push_back(request);
            }
            // Dropped, which answers it.
            ToHandler::Open(_) => {}
            ToHandler::Access(access) => self.access = access,
            ToHandler::Keep(kept) => self.kept = kept,
        }
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Classes, Classes, (), Request>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (stream, class),
                ..
            }) if self.outbox.len() < WAITING_STREAMS_MAX => {
                self.outbox.push_back(FromHandler::Arrived(class, stream));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (stream, _),
                info,
            }) => self.outbox.push_back(FromHandler::Opened(info, stream)),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => {
                // Whoever asked may have given up.
                let _ = info.reply.send(Err(not_opened(error)));
            }
            _ => {}
        }
    }
}

fn not_opened(error: StreamUpgradeError<Infallible>) -> OpenError {
    match error {
        StreamUpgradeError::NegotiationFailed => OpenError::Unreachable(
            "it does not offer this lane such a stream: it may not know this lane as a member \
             yet, or run another version"
                .to_owned(),
        ),
        StreamUpgradeError::Timeout => OpenError::Gone("it does not answer".to_owned()),
        StreamUpgradeError::Io(error) => OpenError::Gone(error.to_string()),
        StreamUpgradeError::Apply(never) => match never {},
    }
}

/// Agreeing on the class of a stream, by protocol name.
#[derive(Debug)]
pub(crate) struct Classes(Vec<StreamClass>);

impl UpgradeInfo for Classes {
    type Info = NamedClass;
    type InfoIter = std::vec::IntoIter<NamedClass>;

    fn protocol_info(&self) -> Self::InfoIter {
        let named = self.0.iter().map(|class| NamedClass {
            class: *class,
            protocol: protocol(*class),
        });
        named.collect::<Vec<_>>().into_iter()
    }
}

/// A class with its protocol name, so that nothing has to be looked up from the name.
#[derive(Clone, Debug)]
pub(crate) struct NamedClass {
    class: StreamClass,
    protocol: StreamProtocol,
}

impl AsRef<str> for NamedClass {
    fn as_ref(&self) -> &str {
        self.protocol.as_ref()
    }
}

impl InboundUpgrade<Stream> for Classes {
    type Output = (Stream, StreamClass);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, agreed: NamedClass) -> Self::Future {
        ready(Ok((stream, agreed.class)))
    }
}

impl OutboundUpgrade<Stream> for Classes {
    type Output = (Stream, StreamClass);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, agreed: NamedClass) -> Self::Future {
        ready(Ok((stream, agreed.class)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_take_every_handshake() {
        let mut gate = Gate::new(PeerId::random());
        let local: Multiaddr = "/ip4/10.0.0.1/tcp/4001".parse().expect("an address");
        let mut next = 0;
        let mut begin = |gate: &mut Gate, from: &str| {
            next += 1;
            let remote: Multiaddr = from.parse().expect("an address");
            let id = ConnectionId::new_unchecked(next);
            let begun = gate.handle_pending_inbound_connection(id, &local, &remote);
            begun.is_ok()
        };
        for n in 0..2 * HANDSHAKES_PER_ADDRESS_MAX {
            let from = format!("/ip4/10.0.0.66/tcp/{}", 5000 + n);
            let room = n < HANDSHAKES_PER_ADDRESS_MAX;
            assert_eq!(begin(&mut gate, &from), room, "handshake {n}");
        }
        assert!(begin(&mut gate, "/ip4/10.0.0.2/tcp/5000"));
        assert!(begin(&mut gate, "/ip4/10.0.0.3/udp/5000/quic-v1"));
        for n in 0..HANDSHAKES_MAX {
            begin(&mut gate, &format!("/ip4/10.0.1.{n}/tcp/5000"));
        }
        assert_eq!(gate.handshakes.len(), HANDSHAKES_MAX);
    }
}
