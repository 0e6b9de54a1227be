//! The production set of providers, and a lane wired to them.
//!
//! The one place of this crate that names tokio's clock, the system's randomness, libp2p, SQLite
//! files and mDNS.

mod discovery;
mod logs;
mod place;
mod printer;
mod terminal;

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use devices::printer::PrinterAt;
use futures::future::BoxFuture;
use mesh::{LaneKey, ListenOn, Mesh, MeshConfig, MeshError};
use providers::{
    Clock, Discovery, DiskError, PeerId, Providers, Random, SharedDisk, SharedNetwork,
};
use storage::FileDisk;
use sync::{HqError, HqLink, HttpHqLink};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::client::{API_FILE, ApiAddress, TOKEN_FILE};
use crate::http;
use crate::lane::{CardTerminal, Identity, Lane, LaneError, LaneParts, LogLimits, ReceiptPrinter};
use crate::pins;

pub use discovery::Discoveries;
pub use logs::to_files as log_to_files;
pub use place::{PLACE_FILE, Place, PlaceError};
pub use printer::EscposPrinter;
pub use terminal::{NexoTerminal, TerminalAt};

/// This software's version.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

const KEY_FILE: &str = "lane.key";
const HQ_TOKEN_FILE: &str = "hq-token";
/// The port of the last start, so that a lane keeps its address.
const PORT_FILE: &str = "port";

/// The machine's clock.
pub struct SystemClock {
    started: Instant,
    /// Whose timer wakes a sleeper: workers sleep on threads of their own.
    runtime: Handle,
}

impl SystemClock {
    /// A clock that sleeps by the timer of the runtime that this is called in.
    pub fn new() -> SystemClock {
        SystemClock {
            started: Instant::now(),
            runtime: Handle::current(),
        }
    }
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let _entered = self.runtime.enter();
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The system's generator.
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system's random generator works");
    }
}

/// How a lane takes part in the network.
#[derive(Clone, Debug, Default)]
pub struct NetworkOptions {
    /// Port for lanes to talk on, UDP and TCP; none: the last one used, or any.
    pub port: Option<u16>,
    /// Addresses to listen on; empty: every IPv4 address of this machine.
    pub listen: Vec<IpAddr>,
    /// Addresses of other lanes, `<multiaddr>/p2p/<peer>`, for networks without multicast.
    pub peers: Vec<String>,
    /// Neither announce nor look for lanes over multicast.
    pub no_mdns: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Mesh(#[from] MeshError),
    #[error(transparent)]
    Lane(#[from] LaneError),
    #[error(transparent)]
    Hq(#[from] HqError),
    #[error("'{0}' is not a lane's address: write it as `lanemesh invite` prints it")]
    NotAnAddress(String),
    #[error(
        "port {port} for the local API cannot be used ({reason}): choose another with --api-port, \
         or stop what uses it"
    )]
    ApiPort { port: u16, reason: String },
}

/// A lane's folder with its key and network, running or about to join.
pub struct Site {
    pub providers: Providers,
    pub mesh: Arc<Mesh>,
    pub discovery: Arc<Discoveries>,
}

impl Site {
    /// Opens a folder (made where there is none), its key (likewise) and the network. A copy of a
    /// lane's folder is refused before anything of it is used.
    pub async fn open(
        folder: &Path,
        place: Place,
        options: &NetworkOptions,
    ) -> Result<Site, StartError> {
        let disk: SharedDisk = Arc::new(FileDisk::new(folder)?);
        let random = Arc::new(SystemRandom);
        let key = match disk.read(KEY_FILE)? {
            Some(bytes) => LaneKey::from_bytes(&bytes)?,
            None => {
                let key = LaneKey::generate(random.as_ref());
                disk.write(KEY_FILE, &key.to_bytes())?;
                key
            }
        };
        place::check(folder, &disk, place)?;
        let peer = key.peer_id();
        let mesh = start_mesh(&key, &disk, options).await?;
        let known = options
            .peers
            .iter()
            .map(|text| parse_peer(text))
            .collect::<Result<Vec<_>, _>>()?;
        let discovery = Arc::new(Discoveries::start(&peer, known, !options.no_mdns));
        let network: SharedNetwork = mesh.clone();
        Ok(Site {
            providers: Providers {
                clock: Arc::new(SystemClock::new()),
                random,
                network,
                disk,
            },
            mesh,
            discovery,
        })
    }
}

/// Listens on the port asked for; without one, on that of the last start or else any.
async fn start_mesh(
    key: &LaneKey,
    disk: &SharedDisk,
    options: &NetworkOptions,
) -> Result<Arc<Mesh>, StartError> {
    let config = |port: u16| {
        let ips = match options.listen.is_empty() {
            true => vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED)],
            false => options.listen.clone(),
        };
        MeshConfig::new(ListenOn { ips, port })
    };
    if let Some(port) = options.port {
        return Ok(Mesh::start(key.clone(), config(port)).await?);
    }
    let last = disk.read(PORT_FILE)?;
    let last = last.and_then(|bytes| String::from_utf8(bytes).ok()?.trim().parse().ok());
    let mesh = match Mesh::start(key.clone(), config(last.unwrap_or(0))).await {
        Err(MeshError::PortInUse { .. } | MeshError::Listen { .. }) if last.is_some() => {
            tracing::warn!(
                port = last,
                "the port of the last start is taken; another is used"
            );
            Mesh::start(key.clone(), config(0)).await?
        }
        started => started?,
    };
    disk.write(PORT_FILE, mesh.port().to_string().as_bytes())?;
    Ok(mesh)
}

/// Reads `<multiaddr>/p2p/<peer>`.
pub fn parse_peer(text: &str) -> Result<(PeerId, Vec<String>), StartError> {
    match text.rsplit_once("/p2p/") {
        Some((address, peer)) if address.starts_with('/') && !peer.is_empty() => {
            Ok((PeerId(peer.to_owned()), vec![address.to_owned()]))
        }
        _ => Err(StartError::NotAnAddress(text.to_owned())),
    }
}

/// How a lane is run.
#[derive(Clone, Debug, Default)]
pub struct LaneOptions {
    pub network: NetworkOptions,
    /// Port of the local API; none for any.
    pub api_port: Option<u16>,
    pub place: Place,
    pub terminal: Option<TerminalAt>,
    pub printer: Option<PrinterAt>,
}

/// A lane wired to this machine, with its local API.
pub struct RunningLane {
    pub lane: Lane,
    pub folder: PathBuf,
    pub api_url: String,
    mesh: Arc<Mesh>,
    api: AbortHandle,
}

/// Starts the lane of a folder.
pub async fn start_lane(folder: &Path, options: &LaneOptions) -> Result<RunningLane, StartError> {
    let site = Site::open(folder, options.place, &options.network).await?;
    let disk = site.providers.disk.clone();
    let hq_token = read_hq_token(&disk)?;
    let identity = Identity::read(&disk).map_err(LaneError::from)?;
    let hq: Option<Arc<dyn HqLink>> = match (&identity.hq_url, &hq_token) {
        (Some(url), Some(token)) => Some(Arc::new(HttpHqLink::new(url, token)?)),
        _ => None,
    };
    let port = options.api_port.unwrap_or(0);
    let api_port = |error: std::io::Error| StartError::ApiPort {
        port,
        reason: error.to_string(),
    };
    let listener: TcpListener = http::bind(port).await.map_err(api_port)?;
    let address = listener.local_addr().map_err(api_port)?;

    let terminal = options.terminal.as_ref();
    let terminal =
        terminal.map(|at| Arc::new(NexoTerminal::new(at, &identity)) as Arc<dyn CardTerminal>);
    let printer = options.printer.as_ref();
    let printer = printer.map(|at| Arc::new(EscposPrinter::new(at)) as Arc<dyn ReceiptPrinter>);
    let lane = Lane::start(LaneParts {
        providers: site.providers,
        discovery: site.discovery as Arc<dyn Discovery>,
        hq,
        hq_token,
        pin_check: Arc::new(pins::matches),
        release: RELEASE.to_owned(),
        log_limits: LogLimits::default(),
        reads: ledger::ENTRY_FORMAT,
        terminal,
        printer,
    })
    .await?;

    let token = api_token(&disk)?;
    let api_url = format!("http://{address}");
    let serving = http::serve(listener, lane.clone(), token);
    let api = tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "the local API ended");
        }
    })
    .abort_handle();
    let said = ApiAddress {
        url: api_url.clone(),
        pid: std::process::id(),
    };
    let said = serde_json::to_vec(&said).expect("plain data always encodes");
    disk.write(API_FILE, &said)?;
    Ok(RunningLane {
        lane,
        folder: folder.to_owned(),
        api_url,
        mesh: site.mesh,
        api,
    })
}

impl RunningLane {
    /// Closes the lane in good order.
    pub async fn close(self) {
        self.lane.close().await;
        self.api.abort();
        if let Err(error) = self.lane.providers().disk.remove(API_FILE) {
            tracing::warn!(%error, "the API's address was left behind");
        }
        self.mesh.shutdown().await;
    }
}

/// Returns once no lane works in `folder`; a lane that was closed gives it back when the last of its
/// tasks is gone.
pub async fn released(folder: &Path) {
    const LOOK_EVERY: Duration = Duration::from_millis(10);
    while FileDisk::new(folder).is_err() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn api_token(disk: &SharedDisk) -> Result<String, DiskError> {
    if let Some(bytes) = disk.read(TOKEN_FILE)?
        && let Ok(token) = String::from_utf8(bytes)
    {
        return Ok(token.trim().to_owned());
    }
    let token: String = [SystemRandom.id(), SystemRandom.id()]
        .concat()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    disk.write(TOKEN_FILE, token.as_bytes())?;
    Ok(token)
}

fn read_hq_token(disk: &SharedDisk) -> Result<Option<String>, DiskError> {
    let bytes = disk.read(HQ_TOKEN_FILE)?;
    Ok(bytes.and_then(|bytes| Some(String::from_utf8(bytes).ok()?.trim().to_owned())))
}

/// Keeps the key to head office in a lane's folder.
pub fn keep_hq_token(disk: &SharedDisk, token: &str) -> Result<(), DiskError> {
    disk.write(HQ_TOKEN_FILE, token.as_bytes())
}
