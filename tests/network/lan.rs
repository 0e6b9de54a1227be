//! A local network made of namespaces: a switch, and hosts plugged into it.
//!
//! Invariant: nothing of it is outside its namespaces, and they are deleted with it, also after a
//! panic. What a test run that was killed left behind is cleared by the next run.

use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sched::{CloneFlags, setns};
use tokio::runtime::{Builder, Runtime};

/// How every namespace of these tests begins; the number of the test process follows.
const PREFIX: &str = "lanemesh";
const NAMESPACES: &str = "/run/netns";
/// The programs without which there is no such network, and the packages that have them.
const TOOLS: [(&str, &str); 3] = [
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("iptables", "iptables"),
];

/// Runs a program to its end and gives what it said, as an error when it failed.
fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    let Output { status, .. } = output;
    let said = String::from_utf8_lossy(&output.stderr);
    match status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{program} {}: {said}", arguments.join(" "))),
    }
}

fn done(program: &str, arguments: &[&str]) -> String {
    run(program, arguments).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs `ip` with words that are separated by single spaces.
fn ip(line: &str) {
    done("ip", &line.split(' ').collect::<Vec<_>>());
}

/// A network namespace with a name.
struct Namespace {
    name: String,
}

impl Namespace {
    fn add() -> Result<Namespace, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}-{}-{count}", std::process::id());
        run("ip", &["netns", "add", &name])?;
        Ok(Namespace { name })
    }

    fn path(&self) -> PathBuf {
        Path::new(NAMESPACES).join(&self.name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Ends what runs in a namespace and deletes it.
fn remove(name: &str) {
    let pids = run("ip", &["netns", "pids", name]).unwrap_or_default();
    for pid in pids.split_whitespace() {
        let _ = run("kill", &["-KILL", pid]);
    }
    if let Err(error) = run("ip", &["netns", "delete", name]) {
        eprintln!("a network namespace is left behind: {error}");
    }
}

/// Deletes the namespaces of test processes that are no more.
fn clear_the_dead() {
    let names = std::fs::read_dir(NAMESPACES)
        .into_iter()
        .flatten()
        .flatten();
    for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
        let mut parts = name.split('-');
        let (prefix, pid) = (parts.next(), parts.next().map(str::to_owned));
        let pid = pid.filter(|pid| prefix == Some(PREFIX) && pid.parse::<u32>().is_ok());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(&name);
        }
    }
}

/// A network for a test; `None`, with a word why, where this machine can have none.
///
/// # Panics
/// Where the variable `CI` is set and this machine can have none.
pub fn lan() -> Option<Lan> {
    let why_not = match Lan::new() {
        Ok(lan) => return Some(lan),
        Err(error) => error,
    };
    let why_not = format!("no network of namespaces can be made: {why_not}");
    assert!(std::env::var_os("CI").is_none(), "{why_not}");
    eprintln!("skipped: {why_not}");
    None
}

/// A switch, and what is plugged into it.
pub struct Lan {
    switch: Namespace,
    hosts: u8,
}

impl Lan {
    fn new() -> Result<Lan, String> {
        static CLEARED: Once = Once::new();
        for (tool, package) in TOOLS {
            run(tool, &["-V"]).map_err(|error| format!("{error} (package {package})"))?;
        }
        CLEARED.call_once(clear_the_dead);
        let switch = Namespace::add()?;
        let name = &switch.name;
        // Without snooping the switch passes multicast on to everybody, as a plain one does.
        let bridge = "link add lan type bridge mcast_snooping 0 forward_delay 0";
        let bridge = format!("-n {name} {bridge}");
        run("ip", &bridge.split(' ').collect::<Vec<_>>())?;
        ip(&format!("-n {name} link set lan up"));
        let lan = Lan { switch, hosts: 0 };
        lan.nft("add table bridge lan")?;
        lan.nft("add set bridge lan cuts { type ifname . ifname; }")?;
        lan.nft("add chain bridge lan passing { type filter hook forward priority 0; }")?;
        lan.nft("add rule bridge lan passing iifname . oifname @cuts drop")?;
        Ok(lan)
    }

    fn nft(&self, command: &str) -> Result<String, String> {
        run("ip", &["netns", "exec", &self.switch.name, "nft", command])
    }

    /// A host more, with an address of its own.
    pub fn plug_in(&mut self) -> Host {
        self.hosts += 1;
        let number = self.hosts;
        let namespace = Namespace::add().unwrap_or_else(|error| panic!("{error}"));
        let (switch, name) = (&self.switch.name, &namespace.name);
        let port = format!("port{number}");
        ip(&format!(
            "-n {switch} link add {port} type veth peer name eth0 netns {name}"
        ));
        ip(&format!("-n {switch} link set {port} master lan up"));
        ip(&format!("-n {name} link set lo up"));
        ip(&format!("-n {name} link set eth0 up"));
        let host = Host {
            runtime: Some(runtime_in(&namespace)),
            switch: switch.clone(),
            namespace,
            number,
            port,
        };
        host.set_network(FIRST_NETWORK);
        host
    }

    /// Nothing gets from `from` to `to` any more; the other way stays open.
    pub fn cut_one_way(&self, from: &Host, to: &Host) {
        let pair = format!("{{ {} . {} }}", from.port, to.port);
        let added = self.nft(&format!("add element bridge lan cuts {pair}"));
        added.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Nothing gets from one group to the other any more, either way.
    pub fn split(&self, one: &[&Host], other: &[&Host]) {
        for (a, b) in one.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
            self.cut_one_way(a, b);
            self.cut_one_way(b, a);
        }
    }

    /// Takes every cut back.
    pub fn heal(&self) {
        let flushed = self.nft("flush set bridge lan cuts");
        flushed.unwrap_or_else(|error| panic!("{error}"));
    }
}

/// The first three numbers of every address at the beginning.
pub const FIRST_NETWORK: &str = "10.77.0";

/// A machine on the network.
pub struct Host {
    /// Its threads are in the namespace, and so are the sockets they open.
    runtime: Option<Runtime>,
    namespace: Namespace,
    switch: String,
    number: u8,
    port: String,
}

fn runtime_in(namespace: &Namespace) -> Runtime {
    let path = namespace.path();
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .on_thread_start(move || enter(&path))
        .build()
        .expect("a runtime")
}

/// Moves the calling thread into a namespace.
fn enter(path: &Path) {
    let namespace = File::open(path).expect("the namespace is there");
    setns(namespace, CloneFlags::CLONE_NEWNET).expect("root may change its namespace");
}

impl Host {
    /// Its address in the network with these first three numbers.
    pub fn address_in(&self, network: &str) -> String {
        format!("{network}.{}", self.number)
    }

    /// A command that is run on this host.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace.name, program]);
        command
    }

    /// Does something on this host.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        self.spawn(work).await.expect("no panic on the host")
    }

    /// Begins something on this host.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        let runtime = self.runtime.as_ref().expect("there until it is dropped");
        runtime.spawn(work)
    }

    /// A thread of its own on this host.
    pub fn thread(&self, work: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()> {
        let namespace = self.namespace.path();
        std::thread::spawn(move || {
            enter(&namespace);
            work();
        })
    }

    /// Gives it an address in another network, and takes the old one away, as a new router would.
    pub fn set_network(&self, network: &str) {
        ip(&format!(
            "-n {} address flush dev eth0",
            self.namespace.name
        ));
        self.also_in_network(network);
    }

    /// Gives it one more address.
    pub fn also_in_network(&self, network: &str) {
        let (name, address) = (&self.namespace.name, self.address_in(network));
        ip(&format!("-n {name} address add {address}/24 dev eth0"));
    }

    /// Lets it reach the first address of another host from whatever network it is in.
    pub fn route_to(&self, other: &Host) {
        let (name, address) = (&self.namespace.name, other.address_in(FIRST_NETWORK));
        ip(&format!("-n {name} route add {address}/32 dev eth0"));
    }

    /// Changes its packet filter, as `iptables` with these words would.
    pub fn filter(&self, words: &str) {
        let exec = format!("netns exec {} iptables {words}", self.namespace.name);
        ip(&exec);
    }

    /// Switches its interface off.
    pub fn interface_down(&self) {
        ip(&format!("-n {} link set eth0 down", self.namespace.name));
    }

    pub fn interface_up(&self) {
        ip(&format!("-n {} link set eth0 up", self.namespace.name));
    }

    /// Pulls the cable at the switch: the interface stays up, without a carrier.
    pub fn unplug(&self) {
        ip(&format!("-n {} link set {} down", self.switch, self.port));
    }

    pub fn plug_in_again(&self) {
        ip(&format!("-n {} link set {} up", self.switch, self.port));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
