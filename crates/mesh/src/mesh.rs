//! The handle to the mesh: `providers::Network` on libp2p.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use libp2p::swarm::{self, SwarmEvent};
use libp2p::{Multiaddr, PeerId as Key, Swarm, ping};
use providers::{FrameStream, Incoming, Network, NetworkError, PeerId, StreamClass};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::address::{AddressBook, Endpoint};
use crate::driver::{Behaviour, Command, Driver, Ends, SharedView, View, lock};
use crate::frame::{Line, halves};
use crate::gate::{Arrival, Gate, OpenError, Policy};
use crate::{LaneKey, MeshConfig, MeshError, listen};

/// How long `open` takes at most; the contract says 5 s.
const OPEN_TIME_MAX: Duration = Duration::from_millis(4_500);
/// How often `open` starts over when the connection it was promised ends.
const OPEN_ATTEMPTS_MAX: usize = 2;
/// The most incoming streams that wait to be accepted.
const ARRIVALS_MAX: usize = 256;
/// The most commands that wait for the driver.
const COMMANDS_MAX: usize = 256;
/// How long the listeners may take to come up.
const LISTEN_TIME_MAX: Duration = Duration::from_secs(5);
/// How long `shutdown` waits for the port. QUIC holds its socket until late packets of the closed
/// connections can no longer arrive: three times its estimate of a slow round trip, which is long
/// on a busy machine. (A process that exits gives the port back at once.)
const PORT_FREE_TIME_MAX: Duration = Duration::from_secs(10);
const PORT_FREE_INTERVAL: Duration = Duration::from_millis(10);
/// The heartbeat of every connection: an answer is expected within `PING_TIME_MAX`.
const PING_INTERVAL: Duration = Duration::from_secs(1);
const PING_TIME_MAX: Duration = Duration::from_secs(2);
/// How long a connection stays open that nothing uses and that is not to be kept.
const IDLE_TIME_MAX: Duration = Duration::from_secs(5);

/// How often a free port is looked for that nobody takes before it is listened on.
const LISTEN_TRIES: u32 = 4;

/// A lane's connections to the other lanes.
///
/// Connections are made when a stream is wanted and kept from then on; when one is lost, its
/// streams end and the next `open` connects again. Dropping the last handle closes everything,
/// without waiting for it; `shutdown` waits.
pub struct Mesh {
    local: PeerId,
    config: MeshConfig,
    commands: mpsc::Sender<Command>,
    policy: watch::Sender<Policy>,
    arrivals: AsyncMutex<mpsc::Receiver<Arrival>>,
    view: SharedView,
    driver: AsyncMutex<Option<JoinHandle<()>>>,
}

impl Mesh {
    /// Listens and returns once every address is up. Runs on the current tokio runtime.
    ///
    /// # Errors
    /// `PortInUse` when another process has the port, `Listen` when an address is not one of this
    /// machine's or needs rights this process does not have.
    pub async fn start(key: LaneKey, config: MeshConfig) -> Result<Arc<Mesh>, MeshError> {
        let transports = config.transports;
        let (swarm, config) = listening(&key, &config).await?;

        let view = Arc::new(Mutex::new(View {
            book: AddressBook::default(),
            addresses: Vec::new(),
            connected: BTreeSet::new(),
        }));
        let (command_sender, commands) = mpsc::channel(COMMANDS_MAX);
        let (policy_sender, policy) = watch::channel(Policy::default());
        let (arrival_sender, arrivals) = mpsc::channel(ARRIVALS_MAX);
        let ends = Ends {
            commands,
            policy,
            arrivals: arrival_sender,
            view: Arc::clone(&view),
        };
        let loopback_wanted = config.listen.loopback_wanted();
        let driver = Driver::new(swarm, transports.carriers(), loopback_wanted, ends);
        Ok(Arc::new(Mesh {
            local: key.peer_id(),
            config,
            commands: command_sender,
            policy: policy_sender,
            arrivals: AsyncMutex::new(arrivals),
            view,
            driver: AsyncMutex::new(Some(tokio::spawn(driver.run()))),
        }))
    }

    /// The port it listens on, for QUIC (UDP) and TCP alike.
    pub fn port(&self) -> u16 {
        self.config.listen.port
    }

    /// Closes every connection and stops listening; `accept` then yields `None` and `open` fails.
    /// Returns once the port can be listened on again: a fraction of a second as a rule, 11 s at
    /// most. Whoever exits anyway need not wait for it longer than for the goodbyes, 1 s.
    pub async fn shutdown(&self) {
        let Some(driver) = self.driver.lock().await.take() else {
            return;
        };
        // Fails only when the driver has ended already.
        let _ = self.commands.send(Command::Shutdown).await;
        if let Err(error) = driver.await {
            tracing::error!(%error, "the mesh ended badly");
        }
        let until = Instant::now() + PORT_FREE_TIME_MAX;
        let config = &self.config;
        while config.listen.check_free(config.transports).is_err() && Instant::now() < until {
            sleep(PORT_FREE_INTERVAL).await;
        }
    }

    async fn open_line(&self, peer: Key, class: StreamClass) -> Result<Arc<Line>, OpenError> {
        let mut last = String::new();
        for _ in 0..OPEN_ATTEMPTS_MAX {
            let (reply, answer) = oneshot::channel();
            let command = Command::Open { peer, class, reply };
            if self.commands.send(command).await.is_err() {
                return Err(OpenError::Unreachable("the mesh was shut down".to_owned()));
            }
            match answer.await {
                Ok(Err(OpenError::Gone(reason))) => last = reason,
                Ok(outcome) => return outcome,
                Err(_) => last = "it closed the connection".to_owned(),
            }
        }
        Err(OpenError::Unreachable(format!(
            "{last}; it may not know this lane as a member"
        )))
    }
}

fn build_swarm(key: &LaneKey, config: &MeshConfig) -> Result<Swarm<Behaviour>, MeshError> {
    let keypair = key.keypair();
    let local = keypair.public().to_peer_id();
    let heartbeat = ping::Config::new()
        .with_interval(PING_INTERVAL)
        .with_timeout(PING_TIME_MAX);
    let behaviour = Behaviour {
        gate: Gate::new(local),
        ping: ping::Behaviour::new(heartbeat),
    };
    let transport = listen::transport(&keypair, config.transports)?;
    let options = swarm::Config::with_tokio_executor().with_idle_connection_timeout(IDLE_TIME_MAX);
    Ok(Swarm::new(transport, behaviour, local, options))
}

/// Listens as asked. Where any port does, somebody who is faster at a free one is made way for.
async fn listening(
    key: &LaneKey,
    wanted: &MeshConfig,
) -> Result<(Swarm<Behaviour>, MeshConfig), MeshError> {
    let mut tries_left = LISTEN_TRIES;
    loop {
        tries_left -= 1;
        let config = MeshConfig {
            listen: wanted.listen.with_free_port(wanted.transports)?,
            transports: wanted.transports,
        };
        let mut swarm = build_swarm(key, &config)?;
        match start_listening(&mut swarm, &config).await {
            Err(MeshError::Listen { .. }) if wanted.listen.port == 0 && tries_left > 0 => {}
            started => return started.map(|()| (swarm, config)),
        }
    }
}

/// Starts every listener and waits until it has the addresses it should have, so that the first
/// announcement of this lane is complete.
async fn start_listening(
    swarm: &mut Swarm<Behaviour>,
    config: &MeshConfig,
) -> Result<(), MeshError> {
    let failed = |address: &Multiaddr, reason: String| MeshError::Listen {
        address: address.to_string(),
        reason,
    };
    let mut expected = BTreeSet::new();
    for address in config.listen.addresses(config.transports) {
        // The port was free a moment ago, so an error is rare: somebody was faster.
        let started = swarm.listen_on(address.clone());
        started.map_err(|error| failed(&address, format!("{error:?}")))?;
        expected.extend(listen::on_interfaces(&address));
    }
    let up = async {
        while !expected.is_empty() {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                expected.remove(&address);
            }
        }
    };
    // An interface may have gone away meanwhile; without any address there is no point.
    if timeout(LISTEN_TIME_MAX, up).await.is_err() && swarm.listeners().next().is_none() {
        let missing = expected.first().cloned().unwrap_or_else(Multiaddr::empty);
        return Err(failed(&missing, "the address did not come up".to_owned()));
    }
    Ok(())
}

/// The key in a peer id; `None` for text that is none.
fn key_of(peer: &PeerId) -> Option<Key> {
    peer.0.parse().ok()
}

#[async_trait]
impl Network for Mesh {
    fn local_peer(&self) -> PeerId {
        self.local.clone()
    }

    fn local_addresses(&self) -> Vec<String> {
        lock(&self.view).addresses.clone()
    }

    fn set_members(&self, members: BTreeSet<PeerId>) {
        let members: BTreeSet<Key> = members.iter().filter_map(key_of).collect();
        self.policy.send_modify(|policy| policy.members = members);
    }

    fn set_joining(&self, open: bool) {
        self.policy.send_modify(|policy| policy.joining = open);
    }

    fn add_address(&self, peer: &PeerId, address: &str) {
        match (key_of(peer), Endpoint::parse(address)) {
            (Some(key), Some(endpoint)) => lock(&self.view).book.add(key, endpoint),
            _ => tracing::debug!(%peer, address, "not an address this mesh can dial"),
        }
    }

    async fn open(&self, peer: &PeerId, class: StreamClass) -> Result<FrameStream, NetworkError> {
        let unreachable = |reason: String| NetworkError::Unreachable {
            peer: peer.clone(),
            reason,
        };
        let not_a_member = || NetworkError::NotAMember(peer.clone());
        let Some(key) = key_of(peer) else {
            return Err(unreachable("this is not the id of a lane".to_owned()));
        };
        if class != StreamClass::Join && !self.policy.borrow().members.contains(&key) {
            return Err(not_a_member());
        }
        match timeout(OPEN_TIME_MAX, self.open_line(key, class)).await {
            Ok(Ok(line)) => Ok(halves(line)),
            Ok(Err(OpenError::NotAMember)) => Err(not_a_member()),
            Ok(Err(OpenError::Gone(reason) | OpenError::Unreachable(reason))) => {
                Err(unreachable(reason))
            }
            Err(_) => Err(unreachable(format!("no answer within {OPEN_TIME_MAX:?}"))),
        }
    }

    async fn accept(&self) -> Option<Incoming> {
        let mut arrivals = self.arrivals.lock().await;
        loop {
            let Arrival { peer, class, line } = arrivals.recv().await?;
            // It may have lost its access while it waited here.
            if self.policy.borrow().allows(&peer, class) {
                return Some(Incoming {
                    peer: PeerId(peer.to_string()),
                    class,
                    stream: halves(line),
                });
            }
        }
    }

    fn connected(&self) -> BTreeSet<PeerId> {
        let connected = &lock(&self.view).connected;
        connected
            .iter()
            .map(|key| PeerId(key.to_string()))
            .collect()
    }
}
