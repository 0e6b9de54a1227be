//! What the mesh listens on: configuration, the choice of a port, the transports.
//!
//! Invariant: QUIC (UDP) and TCP have the same port number, so that one number is all a person has
//! to open in a firewall or to read out.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use libp2p::core::Transport;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, identity, noise, quic, tcp, yamux};

use crate::MeshError;
use crate::address::{Carrier, Endpoint};

/// How often a free port is looked for that is free for both QUIC and TCP.
const PORT_ATTEMPTS_MAX: usize = 16;
/// How long a handshake may take.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(3);
/// After this long without a packet QUIC takes a connection for dead. The gate is faster; this is
/// for the side that only waits.
const QUIC_IDLE_MS_MAX: u32 = 5_000;
const QUIC_KEEP_ALIVE: Duration = Duration::from_secs(2);

/// Which transports are used. Both, unless a network or a test is at odds with one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transports {
    /// QUIC, and TCP where QUIC does not get through.
    #[default]
    QuicThenTcp,
    QuicOnly,
    TcpOnly,
}

impl Transports {
    pub(crate) fn carriers(self) -> &'static [Carrier] {
        match self {
            Transports::QuicThenTcp => &[Carrier::Quic, Carrier::Tcp],
            Transports::QuicOnly => &[Carrier::Quic],
            Transports::TcpOnly => &[Carrier::Tcp],
        }
    }
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenOn {
    /// Addresses of this machine; `0.0.0.0` for all IPv4 addresses, `::` for all IPv6 addresses.
    pub ips: Vec<IpAddr>,
    /// The port, the same for QUIC (UDP) and TCP; 0 for any free one.
    pub port: u16,
}

impl ListenOn {
    /// All IPv4 addresses of this machine.
    pub fn every_interface(port: u16) -> ListenOn {
        ListenOn {
            ips: vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED)],
            port,
        }
    }

    /// This machine alone.
    pub fn loopback(port: u16) -> ListenOn {
        ListenOn {
            ips: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            port,
        }
    }

    pub(crate) fn loopback_wanted(&self) -> bool {
        self.ips.iter().any(IpAddr::is_loopback)
    }

    /// The same with a port that is free now.
    ///
    /// libp2p shares TCP ports between sockets, so a second process on the same port would not
    /// fail but take some of the first one's connections. Asking for the port alone finds that out.
    pub(crate) fn with_free_port(&self, transports: Transports) -> Result<ListenOn, MeshError> {
        let first = *self.ips.first().ok_or(MeshError::NoAddress)?;
        if self.port != 0 {
            self.check_free(transports)?;
            return Ok(self.clone());
        }
        let mut taken = 0;
        for _ in 0..PORT_ATTEMPTS_MAX {
            let found = UdpSocket::bind((first, 0)).and_then(|socket| socket.local_addr());
            let port = found.map_err(|error| cannot_listen(first, &error))?.port();
            let candidate = ListenOn {
                ips: self.ips.clone(),
                port,
            };
            match candidate.check_free(transports) {
                Err(MeshError::PortInUse { port }) => taken = port,
                outcome => return outcome.map(|()| candidate),
            }
        }
        Err(MeshError::PortInUse { port: taken })
    }

    pub(crate) fn check_free(&self, transports: Transports) -> Result<(), MeshError> {
        for ip in &self.ips {
            let at = SocketAddr::new(*ip, self.port);
            for carrier in transports.carriers() {
                let bound = match carrier {
                    Carrier::Quic => UdpSocket::bind(at).map(drop),
                    Carrier::Tcp => TcpListener::bind(at).map(drop),
                };
                match bound {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::AddrInUse => {
                        return Err(MeshError::PortInUse { port: self.port });
                    }
                    Err(error) => return Err(cannot_listen(at, &error)),
                }
            }
        }
        Ok(())
    }

    /// As libp2p wants them, QUIC first.
    pub(crate) fn addresses(&self, transports: Transports) -> Vec<Multiaddr> {
        let carriers = transports.carriers().iter();
        let all = carriers.flat_map(|carrier| {
            self.ips.iter().map(|ip| Endpoint {
                ip: *ip,
                port: self.port,
                carrier: *carrier,
            })
        });
        all.map(|endpoint| endpoint.address()).collect()
    }
}

/// The addresses that listening on `address` amounts to: itself, or that of every interface.
pub(crate) fn on_interfaces(address: &Multiaddr) -> Vec<Multiaddr> {
    let mut parts: Vec<Protocol<'_>> = address.iter().collect();
    let is_v4 = match parts.first() {
        Some(Protocol::Ip4(ip)) if ip.is_unspecified() => true,
        Some(Protocol::Ip6(ip)) if ip.is_unspecified() => false,
        _ => return vec![address.clone()],
    };
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let up = interfaces.iter().filter(|interface| interface.is_oper_up());
    let ips = up.map(if_addrs::Interface::ip);
    let wanted = ips.filter(|ip| ip.is_ipv4() == is_v4 && !is_link_local(ip));
    let mut addresses = Vec::new();
    for ip in wanted {
        parts[0] = ip.into();
        addresses.push(parts.iter().cloned().collect());
    }
    addresses
}

fn is_link_local(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

fn cannot_listen(address: impl ToString, error: &io::Error) -> MeshError {
    MeshError::Listen {
        address: address.to_string(),
        reason: error.to_string(),
    }
}

/// How the mesh is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeshConfig {
    pub listen: ListenOn,
    pub transports: Transports,
}

impl MeshConfig {
    /// `listen` with both transports.
    pub fn new(listen: ListenOn) -> MeshConfig {
        MeshConfig {
            listen,
            transports: Transports::default(),
        }
    }
}

/// QUIC, and TCP with Noise and Yamux: both prove the peer's key before anything else.
pub(crate) fn transport(
    key: &identity::Keypair,
    transports: Transports,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, MeshError> {
    let noise = noise::Config::new(key).map_err(|error| MeshError::Transport(error.to_string()))?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::new().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux::Config::default())
        .timeout(HANDSHAKE_TIME_MAX)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));

    let mut config = quic::Config::new(key);
    config.handshake_timeout = HANDSHAKE_TIME_MAX;
    config.max_idle_timeout = QUIC_IDLE_MS_MAX;
    config.keep_alive_interval = QUIC_KEEP_ALIVE;
    let quic = quic::tokio::Transport::new(config)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));

    Ok(match transports {
        Transports::QuicThenTcp => quic
            .or_transport(tcp)
            .map(|either, _| either.into_inner())
            .boxed(),
        Transports::QuicOnly => quic.boxed(),
        Transports::TcpOnly => tcp.boxed(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_somebody_has_is_refused_with_what_to_do() {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let check = |port: u16, transports: Transports, expected: Result<(), MeshError>| {
            let listen = ListenOn::loopback(port);
            assert_eq!(listen.with_free_port(transports).map(drop), expected);
        };
        let udp = udp.local_addr().expect("bound").port();
        let tcp = tcp.local_addr().expect("bound").port();
        let in_use = |port| Err(MeshError::PortInUse { port });
        check(udp, Transports::QuicThenTcp, in_use(udp));
        check(tcp, Transports::QuicThenTcp, in_use(tcp));
        check(udp, Transports::QuicOnly, in_use(udp));
        check(tcp, Transports::TcpOnly, in_use(tcp));
        assert_eq!(
            MeshError::PortInUse { port: 4001 }.to_string(),
            "port 4001 is in use by another process: choose another with --port, or stop the \
             process that has it"
        );
    }

    #[test]
    fn any_port_is_one_port_for_both() {
        let listen = ListenOn::loopback(0);
        let listen = listen
            .with_free_port(Transports::QuicThenTcp)
            .expect("a free port");
        assert_ne!(listen.port, 0);
        let port = listen.port;
        let addresses: Vec<String> = listen
            .addresses(Transports::QuicThenTcp)
            .iter()
            .map(Multiaddr::to_string)
            .collect();
        assert_eq!(
            addresses,
            [
                format!("/ip4/127.0.0.1/udp/{port}/quic-v1"),
                format!("/ip4/127.0.0.1/tcp/{port}")
            ]
        );
    }

    #[test]
    fn an_address_of_another_machine_is_refused() {
        let listen = ListenOn {
            ips: vec![IpAddr::from([198, 51, 100, 7])],
            port: 0,
        };
        let error = listen
            .with_free_port(Transports::TcpOnly)
            .expect_err("not ours");
        assert!(
            error
                .to_string()
                .starts_with("cannot listen on 198.51.100.7"),
            "{error}"
        );
        let nowhere = ListenOn {
            ips: Vec::new(),
            port: 0,
        };
        assert_eq!(
            nowhere.with_free_port(Transports::TcpOnly),
            Err(MeshError::NoAddress)
        );
    }
}
