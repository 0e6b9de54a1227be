//! Discovery by multicast DNS (RFC 6762, 6763): `_lanemesh._udp.local.`.
//!
//! What a lane announces is in the TXT record: `store`, `peer`, `name`, and its addresses as
//! `address0`, `address1`, … (one each, because a TXT string holds 255 bytes).
//!
//! Invariant: nothing read from the network is passed on unless it has the right form, and at most
//! `FOUND_MAX` findings wait. It proves nothing about a peer; only the mesh's handshake does.
//!
//! Loopback addresses mean something only on the machine that announces them. They are passed on
//! when the announcement comes from this machine, and then also added, so that the lanes of one
//! machine find each other when its network is unplugged.
//!
//! The mDNS daemon does not recover from an interface that goes down and up, so the interfaces are
//! watched, and it is started anew when they change or when it does not hear itself any more.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mdns_sd::{DaemonEvent, Receiver, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};
use providers::{Announcement, Discovery, Found, PeerId};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::address::Endpoint;

const SERVICE: &str = "_lanemesh._udp.local.";
/// The most findings that wait to be asked for; more are dropped, they come again.
const FOUND_MAX: usize = 64;
/// The most addresses announced, and taken from an announcement.
const ADDRESSES_MAX: usize = 8;
/// The most bytes of a store or lane name. With its key it must fit into 255 bytes.
const NAME_BYTES_MAX: usize = 120;
/// How often the interfaces are compared.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);
/// How often the network is asked anew. The daemon itself asks ever less often.
const ASK_INTERVAL: Duration = Duration::from_secs(30);
/// How long this lane's own announcement may take to come back.
const ECHO_TIME_MAX: Duration = Duration::from_secs(5);
/// How often a daemon that does not work is started anew.
const RESTART_INTERVAL: Duration = Duration::from_secs(30);
/// How long a stopped daemon may take to say goodbye.
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(1);

/// Announces this lane and finds others by multicast.
pub struct MdnsDiscovery {
    announcement: watch::Sender<Option<Announcement>>,
    found: AsyncMutex<mpsc::Receiver<Found>>,
    trouble: Trouble,
}

/// Why discovery does not work, shared between the task and the handle.
#[derive(Clone, Default)]
struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, reason: Option<String>) {
        let mut now = self.lock();
        if *now != reason {
            match &reason {
                Some(reason) => tracing::warn!(reason, "lanes cannot be found by multicast"),
                None => tracing::info!("lanes can be found by multicast"),
            }
            *now = reason;
        }
    }
}

impl MdnsDiscovery {
    /// Starts looking for other lanes, on the current tokio runtime. `peer` is this lane, whose own
    /// announcements are left out. Ends when it is dropped.
    pub fn start(peer: PeerId) -> MdnsDiscovery {
        let (announcement, announcements) = watch::channel(None);
        let (found_sender, found) = mpsc::channel(FOUND_MAX);
        let trouble = Trouble::default();
        let watcher = Watcher {
            peer,
            announcements,
            found: found_sender,
            trouble: trouble.clone(),
            daemon: None,
            interfaces: interfaces(),
            started: Instant::now(),
        };
        tokio::spawn(watcher.run());
        MdnsDiscovery {
            announcement,
            found: AsyncMutex::new(found),
            trouble,
        }
    }
}

#[async_trait]
impl Discovery for MdnsDiscovery {
    fn announce(&self, announcement: Announcement) {
        self.announcement.send_replace(Some(announcement));
    }

    async fn next(&self) -> Option<Found> {
        self.found.lock().await.recv().await
    }

    fn unavailable(&self) -> Option<String> {
        self.trouble.lock().clone()
    }
}

/// A running daemon and what it tells.
struct Daemon {
    handle: ServiceDaemon,
    events: Receiver<ServiceEvent>,
    monitor: Receiver<DaemonEvent>,
    asked: Instant,
    /// The name it announces, and since when it announces anything.
    announced: Option<(String, Instant)>,
    /// Whether it has heard its own announcement.
    echoed: bool,
}

impl Daemon {
    fn start() -> Result<Daemon, mdns_sd::Error> {
        let handle = ServiceDaemon::new()?;
        Ok(Daemon {
            events: handle.browse(SERVICE)?,
            monitor: handle.monitor()?,
            asked: Instant::now(),
            announced: None,
            echoed: false,
            handle,
        })
    }

    fn announce(&mut self, announcement: &Announcement) -> Result<(), mdns_sd::Error> {
        let service = service(announcement)?;
        let name = service.get_fullname().to_owned();
        self.handle.register(service)?;
        // The time of the first one: a later one that says the same has no echo of its own.
        let since = self.announced.take().map(|(_, since)| since);
        self.announced = Some((name, since.unwrap_or_else(Instant::now)));
        Ok(())
    }

    fn ask_again(&mut self) -> Result<(), mdns_sd::Error> {
        self.events = self.handle.browse(SERVICE)?;
        self.asked = Instant::now();
        Ok(())
    }

    fn is_deaf(&self, now: Instant) -> bool {
        let since = self.announced.as_ref().map(|(_, since)| *since);
        !self.echoed && since.is_some_and(|since| now - since > ECHO_TIME_MAX)
    }

    /// Ends the daemon's thread; the others are told that this lane is gone if `goodbye`.
    async fn stop(self, goodbye: bool) {
        if let Some((name, _)) = self.announced.filter(|_| goodbye)
            && let Ok(done) = self.handle.unregister(&name)
        {
            // Late or not at all: the others notice in their own time.
            let _ = tokio::time::timeout(GOODBYE_TIME_MAX, done.recv_async()).await;
        }
        if let Err(error) = self.handle.shutdown() {
            tracing::debug!(%error, "the mDNS daemon did not stop");
        }
    }
}

enum Event {
    Service(ServiceEvent),
    Daemon(DaemonEvent),
    Announcement,
    Tick,
    /// The daemon's thread is gone.
    DaemonEnded,
    /// The handle is gone.
    Abandoned,
}

/// The task behind `MdnsDiscovery`.
struct Watcher {
    peer: PeerId,
    announcements: watch::Receiver<Option<Announcement>>,
    found: mpsc::Sender<Found>,
    trouble: Trouble,
    daemon: Option<Daemon>,
    interfaces: BTreeSet<(String, IpAddr)>,
    /// When a daemon was last started, or failed to.
    started: Instant,
}

impl Watcher {
    async fn run(mut self) {
        let mut ticks = interval(WATCH_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.restart().await;
        loop {
            let event = self.select(&mut ticks).await;
            match event {
                Event::Abandoned => break,
                Event::Tick => {
                    if self.needs_restart() {
                        self.restart().await;
                    }
                }
                event => self.apply(event),
            }
        }
        if let Some(daemon) = self.daemon.take() {
            daemon.stop(true).await;
        }
    }

    async fn select(&mut self, ticks: &mut tokio::time::Interval) -> Event {
        let daemon = self.daemon.as_ref();
        let heard = async {
            match daemon {
                None => std::future::pending().await,
                Some(daemon) => tokio::select! {
                    event = daemon.events.recv_async() => event.ok().map(Event::Service),
                    event = daemon.monitor.recv_async() => event.ok().map(Event::Daemon),
                },
            }
        };
        tokio::select! {
            event = heard => event.unwrap_or(Event::DaemonEnded),
            changed = self.announcements.changed() => {
                changed.map_or(Event::Abandoned, |()| Event::Announcement)
            }
            _ = ticks.tick() => Event::Tick,
        }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Service(ServiceEvent::ServiceResolved(service)) => self.on_resolved(&service),
            Event::Daemon(DaemonEvent::Error(error)) => {
                tracing::debug!(%error, "the mDNS daemon has trouble");
            }
            Event::Announcement => self.announce(),
            Event::DaemonEnded => self.daemon = None,
            Event::Service(_) | Event::Daemon(_) | Event::Tick | Event::Abandoned => {}
        }
    }

    /// Looks after the daemon; true when it has to be started anew.
    fn needs_restart(&mut self) -> bool {
        let now = Instant::now();
        let interfaces = interfaces();
        let changed = interfaces != self.interfaces;
        self.interfaces = interfaces;
        let Some(daemon) = &mut self.daemon else {
            return changed || now - self.started > RESTART_INTERVAL;
        };
        let deaf = daemon.is_deaf(now);
        if !deaf && now - daemon.asked > ASK_INTERVAL && daemon.ask_again().is_err() {
            // Its queue is full or its thread is gone: it is no use any more.
            return true;
        }
        if deaf {
            self.trouble.set(Some(format!(
                "this lane's own multicast announcement did not come back within {} s: a \
                 firewall may block UDP port 5353, or no network interface carries multicast. \
                 Lanes can be listed by address instead",
                ECHO_TIME_MAX.as_secs()
            )));
        }
        changed || (deaf && now - self.started > RESTART_INTERVAL)
    }

    async fn restart(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop(false).await;
        }
        self.started = Instant::now();
        match Daemon::start() {
            Ok(daemon) => {
                self.daemon = Some(daemon);
                self.announce();
            }
            Err(error) => self.trouble.set(Some(format!(
                "the multicast service could not be started: {error}. Lanes can be listed by \
                 address instead"
            ))),
        }
    }

    fn announce(&mut self) {
        let announcement = self.announcements.borrow_and_update().clone();
        if let (Some(daemon), Some(announcement)) = (&mut self.daemon, announcement)
            && let Err(error) = daemon.announce(&announcement)
        {
            self.trouble.set(Some(format!(
                "this lane could not be announced: {error}. Lanes can be listed by address instead"
            )));
        }
    }

    fn on_resolved(&mut self, service: &ResolvedService) {
        let sender: Vec<IpAddr> = service
            .get_addresses()
            .iter()
            .map(|address| address.to_ip_addr())
            .collect();
        let own = self.interfaces.iter().map(|(_, ip)| *ip).collect();
        let property = |key: &str| service.get_property_val_str(key);
        let Some(found) = read(property, from_this_machine(&sender, &own)) else {
            tracing::debug!(name = service.get_fullname(), "an unreadable announcement");
            return;
        };
        if found.peer == self.peer {
            if let Some(daemon) = &mut self.daemon {
                daemon.echoed = true;
            }
            self.trouble.set(None);
        } else if self.found.try_send(found).is_err() {
            tracing::debug!("too many findings wait; one is dropped and will come again");
        }
    }
}

/// The interfaces that are up, with their addresses.
fn interfaces() -> BTreeSet<(String, IpAddr)> {
    let all = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::debug!(%error, "the network interfaces cannot be listed");
        Vec::new()
    });
    let up = all.into_iter().filter(|interface| interface.is_oper_up());
    up.map(|interface| (interface.name.clone(), interface.ip()))
        .collect()
}

/// Whether an announcement with these host addresses was made on this machine. Every machine has
/// loopback, so it counts only when there is nothing else.
fn from_this_machine(sender: &[IpAddr], own: &BTreeSet<IpAddr>) -> bool {
    let mut outside = sender.iter().filter(|ip| !ip.is_loopback()).peekable();
    if outside.peek().is_none() {
        return !sender.is_empty();
    }
    outside.any(|ip| own.contains(ip))
}

fn address_key(index: usize) -> String {
    format!("address{index}")
}

fn service(announcement: &Announcement) -> Result<ServiceInfo, mdns_sd::Error> {
    let peer = &announcement.peer.0;
    let endpoints: Vec<Endpoint> = announcement
        .addresses
        .iter()
        .filter_map(|text| Endpoint::parse(text))
        .take(ADDRESSES_MAX)
        .collect();
    let mut properties = vec![
        ("store".to_owned(), readable(&announcement.store)),
        ("peer".to_owned(), peer.clone()),
        ("name".to_owned(), readable(&announcement.lane_name)),
    ];
    for (index, endpoint) in endpoints.iter().enumerate() {
        properties.push((address_key(index), endpoint.address().to_string()));
    }
    // The end of the peer id differs between lanes; its start is the kind of key.
    let tail: String = peer.chars().rev().take(12).collect();
    let host = format!("lanemesh-{}.local.", tail.to_lowercase());
    let port = endpoints.first().map_or(0, |endpoint| endpoint.port);
    let service = ServiceInfo::new(SERVICE, peer, &host, "", port, &properties[..])?;
    Ok(service.enable_addr_auto())
}

/// Text from a stranger or a person, cut to what a record holds and a screen can show.
fn readable(text: &str) -> String {
    let mut kept = String::new();
    for character in text.chars().filter(|character| !character.is_control()) {
        if kept.len() + character.len_utf8() > NAME_BYTES_MAX {
            break;
        }
        kept.push(character);
    }
    kept
}

/// An announcement from its TXT record; `None` when it is not from a lane.
fn read<'a>(property: impl Fn(&str) -> Option<&'a str>, from_here: bool) -> Option<Found> {
    let peer = property("peer")?;
    let _: libp2p::PeerId = peer.parse().ok()?;
    let announced = (0..ADDRESSES_MAX).map_while(|index| property(&address_key(index)));
    let mut endpoints: Vec<Endpoint> = announced.filter_map(Endpoint::parse).collect();
    if from_here {
        let here: Vec<Endpoint> = endpoints.iter().map(|all| all.on_loopback()).collect();
        endpoints.extend(here);
    } else {
        endpoints.retain(|endpoint| !endpoint.ip.is_loopback());
    }
    let mut addresses = Vec::new();
    for endpoint in endpoints {
        let address = endpoint.address().to_string();
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Some(Found {
        store: readable(property("store")?),
        peer: PeerId(peer.to_owned()),
        lane_name: readable(property("name").unwrap_or_default()),
        addresses,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5";

    fn announcement(lane_name: &str, addresses: &[&str]) -> Announcement {
        Announcement {
            store: "7f3a".to_owned(),
            peer: PeerId(PEER.to_owned()),
            lane_name: lane_name.to_owned(),
            addresses: addresses.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    #[test]
    fn an_announcement_comes_back_as_it_was_made() {
        let check = |addresses: &[&str], from_here: bool, expected: &[&str]| {
            let service = service(&announcement("Lane 1", addresses)).expect("a service");
            let found = read(|key| service.get_property_val_str(key), from_here);
            let Announcement {
                store,
                peer,
                lane_name,
                addresses,
            } = announcement("Lane 1", expected);
            let expected = Found {
                store,
                peer,
                lane_name,
                addresses,
            };
            assert_eq!(found, Some(expected));
        };
        let (lan, here) = ("/ip4/10.0.0.7/udp/4001/quic-v1", "/ip4/127.0.0.1/tcp/4001");
        check(&[], false, &[]);
        check(&[lan], false, &[lan]);
        check(&[lan, here], false, &[lan]);
        let lan_here = "/ip4/127.0.0.1/udp/4001/quic-v1";
        check(&[lan, here], true, &[lan, here, lan_here]);
        check(&["nonsense", lan], false, &[lan]);
        check(&[lan; 20], false, &[lan]);
    }

    #[test]
    fn names_are_cut_and_cleaned() {
        let check = |text: &str, expected: &str| assert_eq!(readable(text), expected);
        check("Lane 1", "Lane 1");
        check("Kasse\u{1b}[2J\n", "Kasse[2J");
        check(&"ü".repeat(200), &"ü".repeat(60));
        let long = announcement(&"ü".repeat(200), &[]);
        assert!(service(&long).is_ok());
    }

    #[test]
    fn what_is_not_from_a_lane_is_left_out() {
        let check = |properties: &[(&str, &str)], expected: bool| {
            let property = |key: &str| {
                let all = properties.iter();
                all.clone()
                    .find(|(name, _)| *name == key)
                    .map(|(_, value)| *value)
            };
            assert_eq!(read(property, false).is_some(), expected, "{properties:?}");
        };
        check(&[("store", "7f3a"), ("peer", PEER)], true);
        check(&[("store", "7f3a"), ("peer", "somebody")], false);
        check(&[("store", "7f3a")], false);
        check(&[("peer", PEER)], false);
        check(&[], false);
    }

    #[test]
    fn loopback_tells_a_machine_only_when_it_has_nothing_else() {
        let own: BTreeSet<IpAddr> = ["127.0.0.1", "10.0.0.7"].map(ip).into();
        let check = |sender: &[&str], expected: bool| {
            let sender: Vec<IpAddr> = sender.iter().copied().map(ip).collect();
            assert_eq!(from_this_machine(&sender, &own), expected, "{sender:?}");
        };
        check(&["127.0.0.1"], true);
        check(&["127.0.0.1", "10.0.0.7"], true);
        check(&["127.0.0.1", "10.0.0.8"], false);
        check(&["10.0.0.8"], false);
        check(&[], false);
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect(text)
    }
}
