//! Nodes of one group in one process: real databases, and a network whose links can be cut.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use consensus::{
    Applier, Consensus, ConsensusConfig, ConsensusError, Member, NodeId, Transport, TransportError,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use ledger::{LaneId, Table, TableError, Tables};
use providers::{Clock, SharedDisk, StreamClass};
use storage::{FileDisk, StateDb, StateReader};
use tokio::runtime::Handle;

/// The machine's clock. Workers sleep on threads of their own, by the timer of the test's runtime.
pub struct MachineClock {
    started: Instant,
    runtime: Handle,
}

impl MachineClock {
    /// To be called in the test's runtime.
    pub fn new() -> MachineClock {
        MachineClock {
            started: Instant::now(),
            runtime: Handle::current(),
        }
    }
}

impl Clock for MachineClock {
    fn wall_ms(&self) -> u64 {
        self.monotonic().as_millis() as u64
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let _entered = self.runtime.enter();
        tokio::time::sleep(duration).boxed()
    }
}

/// The nodes that run, by peer, and which of them reach nobody.
#[derive(Clone, Default)]
pub struct Links(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    nodes: BTreeMap<String, Consensus>,
    cut_off: BTreeSet<String>,
}

impl Links {
    /// Separates each of `nodes` from all others, and no other node any more.
    pub fn cut_off(&self, nodes: &[NodeId]) {
        self.0.lock().unwrap().cut_off = nodes.iter().map(|node| peer(*node)).collect();
    }

    fn find(&self, from: &str, to: &str) -> Option<Consensus> {
        let state = self.0.lock().unwrap();
        let is_cut = state.cut_off.contains(from) || state.cut_off.contains(to);
        state.nodes.get(to).filter(|_| !is_cut).cloned()
    }
}

struct LinkTransport {
    links: Links,
    from: String,
}

#[async_trait]
impl Transport for LinkTransport {
    async fn call(
        &self,
        to: &Member,
        class: StreamClass,
        request: Bytes,
        limit: Duration,
    ) -> Result<Bytes, TransportError> {
        let unreachable = || TransportError::Unreachable(to.peer.clone());
        let node = self.links.find(&self.from, &to.peer);
        let node = node.ok_or_else(unreachable)?;
        let answer = tokio::time::timeout(limit, node.handle(class, request)).await;
        let answer = answer.map_err(|_| TransportError::Timeout)?;
        // No answer comes from a node that was killed or cut off meanwhile.
        self.links
            .find(&self.from, &to.peer)
            .ok_or_else(unreachable)?;
        Ok(answer)
    }
}

/// Writes `key=value` into the item table, counts it, and answers with the index.
struct KeyValue {
    proposals: Arc<AtomicU64>,
}

impl Applier for KeyValue {
    fn apply(
        &mut self,
        tables: &mut dyn Tables,
        index: u64,
        payload: &[u8],
    ) -> Result<Vec<u8>, TableError> {
        self.proposals.fetch_add(1, Ordering::Relaxed);
        if let Some(at) = payload.iter().position(|byte| *byte == b'=') {
            tables.set(Table::Item, &payload[..at], Some(&payload[at + 1..]))?;
        }
        Ok(index.to_be_bytes().to_vec())
    }
}

pub fn peer(node: NodeId) -> String {
    format!("peer-{node}")
}

pub fn member(node: NodeId) -> Member {
    Member {
        lane: LaneId([node as u8; 16]),
        peer: peer(node),
        name: format!("Lane {node}"),
    }
}

/// A store's folders, and the settings its nodes start with.
pub struct Store {
    pub links: Links,
    folder: PathBuf,
    configure: fn(&mut ConsensusConfig),
    /// Nodes of the group that goes on after the majority was lost.
    pub recovered: Mutex<BTreeSet<NodeId>>,
    /// Who begins that group at its next start.
    pub alone: Mutex<Option<Member>>,
}

/// A running node.
pub struct Node {
    pub id: NodeId,
    pub consensus: Consensus,
    pub state: StateReader,
    /// How many proposals this node has applied since it was started.
    pub proposals: Arc<AtomicU64>,
    links: Links,
}

impl Store {
    pub fn new(folder: &Path, configure: fn(&mut ConsensusConfig)) -> Store {
        Store {
            links: Links::default(),
            folder: folder.to_owned(),
            configure,
            recovered: Mutex::default(),
            alone: Mutex::default(),
        }
    }

    pub fn folder(&self, node: NodeId) -> PathBuf {
        self.folder.join(format!("lane-{node}"))
    }

    /// Starts a node on its folder, once whoever had the folder before has let go of it.
    pub async fn start(&self, id: NodeId) -> Result<Node, ConsensusError> {
        let disk = self.disk(id).await;
        let mut config = ConsensusConfig::new("a store".to_owned(), id);
        (self.configure)(&mut config);
        if self.recovered.lock().unwrap().contains(&id) {
            config.group = "a store, recovered".to_owned();
        }
        config.alone = self
            .alone
            .lock()
            .unwrap()
            .take()
            .filter(|member| member.peer == peer(id));
        let (state, _) = StateDb::open(disk.clone())?;
        let reader = state.reader();
        let proposals = Arc::new(AtomicU64::new(0));
        let transport = LinkTransport {
            links: self.links.clone(),
            from: peer(id),
        };
        let consensus = Consensus::start(
            config,
            disk,
            Arc::new(MachineClock::new()),
            state,
            Box::new(KeyValue {
                proposals: proposals.clone(),
            }),
            Arc::new(transport),
        )
        .await?;
        let mut links = self.links.0.lock().unwrap();
        links.nodes.insert(peer(id), consensus.clone());
        Ok(Node {
            id,
            consensus,
            state: reader,
            proposals,
            links: self.links.clone(),
        })
    }

    async fn disk(&self, id: NodeId) -> SharedDisk {
        loop {
            match FileDisk::new(self.folder(id)) {
                Ok(disk) => return Arc::new(disk),
                Err(error) if error.source.kind() == std::io::ErrorKind::ResourceBusy => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

impl Node {
    /// The node is gone from one moment to the next; nothing is handed over or told to anyone.
    pub fn kill(self) {
        self.links.0.lock().unwrap().nodes.remove(&peer(self.id));
    }

    pub fn value(&self, key: &str) -> Option<String> {
        let value = self
            .state
            .read(|tables| tables.get(Table::Item, key.as_bytes()))
            .unwrap()
            .unwrap();
        value.map(|bytes| String::from_utf8(bytes).unwrap())
    }
}
