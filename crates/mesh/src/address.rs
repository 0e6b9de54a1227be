//! Addresses of lanes: reading them, and the book of those to try.
//!
//! Invariant: the book holds at most `PEERS_MAX` peers with `ADDRESSES_MAX` addresses each, and a
//! hint never pushes out an address that has worked. No I/O.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};

/// The most addresses remembered for one peer.
const ADDRESSES_MAX: usize = 16;
/// The most peers in the book. A store has a few dozen lanes; the rest is room for old ones.
const PEERS_MAX: usize = 256;

/// How a lane's address is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Carrier {
    Quic,
    Tcp,
}

impl Carrier {
    /// The carrier of an address of a connection, whatever else is in it.
    pub fn of(address: &Multiaddr) -> Carrier {
        let quic = address.iter().any(|part| matches!(part, Protocol::QuicV1));
        if quic { Carrier::Quic } else { Carrier::Tcp }
    }
}

/// An address split into what the mesh needs of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub ip: IpAddr,
    pub port: u16,
    pub carrier: Carrier,
}

impl Endpoint {
    /// Reads `/ip4/…/udp/…/quic-v1` and `/ip4/…/tcp/…` (or `ip6`), with or without a peer at the
    /// end. `None` for every other form, and where nothing can be dialled (port 0, no certain IP).
    pub fn of(address: &Multiaddr) -> Option<Endpoint> {
        let mut parts = address.iter();
        let ip = match parts.next()? {
            Protocol::Ip4(ip) => IpAddr::V4(ip),
            Protocol::Ip6(ip) => IpAddr::V6(ip),
            _ => return None,
        };
        let (port, carrier) = match (parts.next()?, parts.next()) {
            (Protocol::Udp(port), Some(Protocol::QuicV1)) => (port, Carrier::Quic),
            (Protocol::Tcp(port), None | Some(Protocol::P2p(_))) => (port, Carrier::Tcp),
            _ => return None,
        };
        let rest_is_peer = parts.all(|part| matches!(part, Protocol::P2p(_)));
        let dialable = port != 0 && !ip.is_unspecified() && !ip.is_multicast();
        (rest_is_peer && dialable).then_some(Endpoint { ip, port, carrier })
    }

    pub fn parse(text: &str) -> Option<Endpoint> {
        Endpoint::of(&text.parse().ok()?)
    }

    /// As a multiaddr without the peer part.
    pub fn address(&self) -> Multiaddr {
        let address = Multiaddr::from(self.ip);
        match self.carrier {
            Carrier::Quic => address
                .with(Protocol::Udp(self.port))
                .with(Protocol::QuicV1),
            Carrier::Tcp => address.with(Protocol::Tcp(self.port)),
        }
    }

    /// The same port on this machine itself.
    pub fn on_loopback(self) -> Endpoint {
        let ip = match self.ip {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        Endpoint { ip, ..self }
    }

    /// Whether the address only means something together with the interface it was seen on.
    fn needs_a_scope(&self) -> bool {
        matches!(self.ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
    }
}

/// What of `listening` others can be told: no link-local IPv6, and loopback only if it was asked
/// for or if there is nothing else. QUIC first.
pub(crate) fn to_tell<'a>(
    listening: impl Iterator<Item = &'a Multiaddr>,
    loopback_wanted: bool,
) -> Vec<String> {
    let mut endpoints: Vec<Endpoint> = listening
        .filter_map(Endpoint::of)
        .filter(|endpoint| !endpoint.needs_a_scope())
        .collect();
    if !loopback_wanted && endpoints.iter().any(|endpoint| !endpoint.ip.is_loopback()) {
        endpoints.retain(|endpoint| !endpoint.ip.is_loopback());
    }
    endpoints.sort_by_key(|endpoint| (endpoint.ip.is_loopback(), endpoint.carrier, endpoint.ip));
    let text = |endpoint: &Endpoint| endpoint.address().to_string();
    endpoints.iter().map(text).collect()
}

#[derive(Debug)]
struct Entry {
    endpoint: Endpoint,
    /// When a connection to it last succeeded, by the book's own count; 0 for never.
    worked: u64,
    /// When it was last heard of, by the same count.
    heard: u64,
}

/// The addresses of each peer, best first.
#[derive(Debug, Default)]
pub(crate) struct AddressBook {
    peers: BTreeMap<PeerId, Vec<Entry>>,
    /// Counts what happens to the book: an order without a clock.
    count: u64,
}

impl AddressBook {
    /// Remembers a hint. It is tried after the addresses that have worked, the newest hint first.
    pub fn add(&mut self, peer: PeerId, endpoint: Endpoint) {
        self.note(peer, endpoint, false);
    }

    /// Notes that a connection to `peer` was made there.
    pub fn worked(&mut self, peer: PeerId, endpoint: Endpoint) {
        self.note(peer, endpoint, true);
    }

    /// Drops an address that turned out to be somebody else's.
    pub fn forget(&mut self, peer: PeerId, endpoint: Endpoint) {
        if let Some(entries) = self.peers.get_mut(&peer) {
            entries.retain(|entry| entry.endpoint != endpoint);
        }
    }

    /// The addresses of `peer`, the most recently successful first.
    pub fn of(&self, peer: &PeerId) -> Vec<Endpoint> {
        let entries = self.peers.get(peer).map_or(&[][..], Vec::as_slice);
        entries.iter().map(|entry| entry.endpoint).collect()
    }

    fn note(&mut self, peer: PeerId, endpoint: Endpoint, worked: bool) {
        self.count += 1;
        let now = self.count;
        let entries = self.peers.entry(peer).or_default();
        match entries.iter_mut().find(|entry| entry.endpoint == endpoint) {
            Some(entry) => {
                entry.heard = now;
                entry.worked = if worked { now } else { entry.worked };
            }
            None => entries.push(Entry {
                endpoint,
                worked: if worked { now } else { 0 },
                heard: now,
            }),
        }
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.worked, entry.heard)));
        entries.truncate(ADDRESSES_MAX);
        if self.peers.len() > PEERS_MAX {
            self.drop_the_least_useful(peer);
        }
    }

    fn drop_the_least_useful(&mut self, newest: PeerId) {
        let use_of = |entries: &Vec<Entry>| entries.first().map(|best| (best.worked, best.heard));
        let others = self.peers.iter().filter(|(peer, _)| **peer != newest);
        let least = others.min_by_key(|(_, entries)| use_of(entries));
        if let Some(peer) = least.map(|(peer, _)| *peer) {
            self.peers.remove(&peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5";

    fn peer(number: u8) -> PeerId {
        let key = libp2p::identity::Keypair::ed25519_from_bytes([number; 32]);
        key.expect("any 32 bytes").public().to_peer_id()
    }

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text).expect(text)
    }

    #[test]
    fn addresses_are_read_strictly() {
        let check = |text: &str, expected: Option<&str>| {
            let read = Endpoint::parse(text).map(|endpoint| endpoint.address().to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        };
        check("/ip4/10.0.0.7/tcp/4001", Some("/ip4/10.0.0.7/tcp/4001"));
        check(
            "/ip4/10.0.0.7/udp/4001/quic-v1",
            Some("/ip4/10.0.0.7/udp/4001/quic-v1"),
        );
        check("/ip6/fd00::2/tcp/4001", Some("/ip6/fd00::2/tcp/4001"));
        check(
            &format!("/ip4/10.0.0.7/tcp/4001/p2p/{PEER}"),
            Some("/ip4/10.0.0.7/tcp/4001"),
        );
        check(
            &format!("/ip4/10.0.0.7/udp/4001/quic-v1/p2p/{PEER}"),
            Some("/ip4/10.0.0.7/udp/4001/quic-v1"),
        );
        for refused in [
            "",
            "10.0.0.7:4001",
            "/ip4/10.0.0.7",
            "/ip4/10.0.0.7/tcp/0",
            "/ip4/0.0.0.0/tcp/4001",
            "/ip4/224.0.0.251/udp/5353/quic-v1",
            "/ip4/10.0.0.7/udp/4001",
            "/ip4/10.0.0.7/tcp/4001/ws",
            "/dns4/lane.example/tcp/4001",
            "/ip4/10.0.0.7/tcp/4001/p2p-circuit",
        ] {
            check(refused, None);
        }
    }

    #[test]
    fn others_are_told_what_they_can_dial() {
        let check = |listening: &[&str], loopback_wanted: bool, expected: &[&str]| {
            let listening: Vec<Multiaddr> = listening
                .iter()
                .map(|text| text.parse().expect(text))
                .collect();
            assert_eq!(to_tell(listening.iter(), loopback_wanted), expected);
        };
        let all = [
            "/ip4/127.0.0.1/tcp/1",
            "/ip4/10.0.0.7/tcp/1",
            "/ip6/fe80::1/tcp/1",
            "/ip4/10.0.0.7/udp/1/quic-v1",
        ];
        let outside = ["/ip4/10.0.0.7/udp/1/quic-v1", "/ip4/10.0.0.7/tcp/1"];
        check(&all, false, &outside);
        check(&all, true, &[outside[0], outside[1], all[0]]);
        check(&all[..1], false, &all[..1]);
        check(&[], false, &[]);
    }

    #[test]
    fn what_worked_last_is_tried_first() {
        let mut book = AddressBook::default();
        let check = |book: &AddressBook, expected: &[&str]| {
            let expected: Vec<Endpoint> = expected.iter().map(|text| endpoint(text)).collect();
            assert_eq!(book.of(&peer(1)), expected);
        };
        let [a, b, c] = [1, 2, 3].map(|n| format!("/ip4/10.0.0.{n}/tcp/1"));
        check(&book, &[]);
        book.add(peer(1), endpoint(&a));
        book.add(peer(1), endpoint(&b));
        check(&book, &[&b, &a]);
        book.worked(peer(1), endpoint(&a));
        check(&book, &[&a, &b]);
        book.add(peer(1), endpoint(&c));
        check(&book, &[&a, &c, &b]);
        book.worked(peer(1), endpoint(&b));
        check(&book, &[&b, &a, &c]);
        book.forget(peer(1), endpoint(&a));
        check(&book, &[&b, &c]);
    }

    #[test]
    fn the_book_is_bounded_and_keeps_what_worked() {
        let mut book = AddressBook::default();
        let good = endpoint("/ip4/10.0.0.1/tcp/1");
        book.worked(peer(0), good);
        for port in 2..100 {
            let hint = endpoint(&format!("/ip4/10.0.0.9/tcp/{port}"));
            book.add(peer(0), hint);
        }
        assert_eq!(book.of(&peer(0)).len(), ADDRESSES_MAX);
        assert_eq!(book.of(&peer(0))[0], good);

        for number in 0..300u32 {
            let key = libp2p::identity::Keypair::ed25519_from_bytes({
                let mut secret = [9; 32];
                secret[..4].copy_from_slice(&number.to_le_bytes());
                secret
            });
            let stranger = key.expect("any 32 bytes").public().to_peer_id();
            book.add(stranger, endpoint("/ip4/10.0.0.2/tcp/1"));
        }
        assert_eq!(book.peers.len(), PEERS_MAX);
        assert_eq!(book.of(&peer(0))[0], good);
    }
}
