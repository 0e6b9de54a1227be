//! The command line: what can be asked, how answers and errors are printed, what the exit codes
//! mean.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use devices::printer::PrinterAt;
use money::Currency;
use serde_json::{Value, json};

use crate::client::ClientError;
use crate::commands;
use crate::production::{LaneOptions, NetworkOptions, Place, TerminalAt};

/// Meaning of the exit codes, shown by `--help`.
const EXIT_CODES: &str = "Exit codes:
  0  done
  1  it could not be done; what was found wrong is printed
  2  the command line was not understood
  3  no lane is running there, or it does not answer
  4  rows were left out, of an import or of past baskets; the good rows took effect

Without a command, `lanemesh demo` is run.";

#[derive(Debug, Parser)]
#[command(name = "lanemesh", version, about = "A point of sale in which every register is a peer", after_help = EXIT_CODES)]
struct Cli {
    /// Print one JSON object on standard output; everything else goes to standard error.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a whole store on this machine: lanes, head office, a checkout window, a live board.
    Demo(DemoArgs),
    /// Create a store.
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Show a one-time code with which one more lane can join the store of a running lane.
    Invite {
        /// The running lane's folder.
        dir: PathBuf,
    },
    /// Make this machine a lane of a store, with a code shown by `lanemesh invite`.
    Join(JoinArgs),
    /// Run a lane.
    Lane(LaneArgs),
    /// Take a lane that will not come back out of the store.
    Retire(RetireArgs),
    /// Go on with one lane after most of the lanes were lost for good. Shows what is missing first.
    Recover(RecoverArgs),
    /// Run a head office, or publish at one.
    Hq(HqArgs),
    /// Bring items, people, taxes, promotions or settings into a running store.
    Import(ImportArgs),
    /// Show how a running lane stands.
    Status {
        /// The running lane's folder.
        dir: PathBuf,
    },
    /// Show how a running lane's receipt printer stands, and have papers printed or taken back.
    Printer(PrinterArgs),
    /// Run a card terminal that charges no card, to try out declined payments and lost answers.
    Terminal(TerminalArgs),
    /// Check that nothing is lost, doubled or changed: hash chains, state hashes, head office.
    Verify(VerifyArgs),
    /// Write a lane's journal as JSON lines.
    Export(ExportArgs),
    /// Price a basket from files, and say why; no lane need run.
    Price(PriceArgs),
    /// Try promotions out before they go live.
    Promotions(PromotionsArgs),
    /// Measure this machine.
    Bench {
        #[command(subcommand)]
        command: BenchCommand,
    },
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder to keep the demo's store in; the next run goes on from it.
    #[arg(long, default_value = "lanemesh-demo")]
    pub dir: PathBuf,
    /// Begin with a new store; the old folder is moved aside.
    #[arg(long)]
    pub fresh: bool,
    /// Lanes to run.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub lanes: u32,
    /// Robot cashiers that ring up baskets, at most one per lane.
    #[arg(long, default_value_t = 0)]
    pub robots: u32,
    /// Items to import instead of the sample store's (CSV, gzip or plain).
    #[arg(long)]
    pub catalog: Option<PathBuf>,
    /// Baskets for the robots to ring up once each (CSV, gzip or plain).
    #[arg(long)]
    pub baskets: Option<PathBuf>,
    /// Stop after this many seconds; with baskets, when they are all rung up.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// Open no window.
    #[arg(long)]
    pub headless: bool,
}

#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Create a new store whose first lane lives in DIR.
    Create {
        /// A folder that holds no lane yet.
        dir: PathBuf,
        /// The store's name.
        #[arg(long, default_value = "My store")]
        name: String,
        /// The first lane's name.
        #[arg(long, default_value = "Lane 1")]
        lane_name: String,
        /// Address of head office, such as http://hq.example:7800.
        #[arg(long, requires = "hq_token_file")]
        hq: Option<String>,
        /// File with head office's token, as `lanemesh hq` wrote it.
        #[arg(long)]
        hq_token_file: Option<PathBuf>,
    },
}

#[derive(Clone, Debug, Args)]
pub struct NetworkArgs {
    /// Port for lanes to talk on, UDP and TCP [default: the last one used, or any].
    #[arg(long)]
    port: Option<u16>,
    /// Address of this machine to listen on; may be repeated [default: every IPv4 address].
    #[arg(long)]
    listen: Vec<IpAddr>,
    /// Address of another lane, as `lanemesh invite` prints it, for networks without multicast.
    #[arg(long)]
    peer: Vec<String>,
    /// Neither announce nor look for lanes over multicast.
    #[arg(long)]
    no_mdns: bool,
}

impl NetworkArgs {
    /// With nothing but the addresses of other lanes.
    pub fn to_peers(peer: Vec<String>) -> NetworkArgs {
        NetworkArgs {
            port: None,
            listen: Vec::new(),
            peer,
            no_mdns: false,
        }
    }

    pub fn options(&self) -> NetworkOptions {
        NetworkOptions {
            port: self.port,
            listen: self.listen.clone(),
            peers: self.peer.clone(),
            no_mdns: self.no_mdns,
        }
    }
}

#[derive(Debug, Args)]
pub struct JoinArgs {
    /// A folder for the new lane.
    pub dir: PathBuf,
    /// The code, as `lanemesh invite` shows it.
    #[arg(long)]
    pub code: String,
    /// The lane's name.
    #[arg(long, default_value = "Lane")]
    pub lane_name: String,
    /// The folder holds a lane that was damaged: join as a new lane and share what its journal
    /// still has. The old databases are moved aside.
    #[arg(long)]
    pub again: bool,
    /// How long to look for a lane of the store, in seconds.
    #[arg(long, default_value_t = 30)]
    pub wait: u64,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
pub struct LaneArgs {
    /// The lane's folder.
    pub dir: PathBuf,
    /// Open the checkout window.
    #[arg(long)]
    pub window: bool,
    /// Port of the local API [default: any].
    #[arg(long)]
    pub api_port: Option<u16>,
    /// The card terminal at the lane, which speaks nexo: its own name and where it listens, such as
    /// POI-1@192.168.1.20:10000.
    #[arg(long, value_name = "NAME@ADDRESS:PORT")]
    pub terminal: Option<TerminalAt>,
    /// The receipt printer at the lane, which understands ESC/POS: 192.168.1.50 on the network,
    /// /dev/usb/lp0 on USB, serial:/dev/ttyS0:9600 on a serial line; or a file such as ./papers.txt.
    #[arg(long, value_name = "WHERE")]
    pub printer: Option<PrinterAt>,
    /// Close when standard input ends, for whoever runs lanes as child processes.
    #[arg(long, hide = true)]
    pub until_stdin_closes: bool,
    #[command(flatten)]
    pub moved: MovedArg,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
pub struct PrinterArgs {
    /// The running lane's folder.
    pub dir: PathBuf,
    /// Print a receipt of any lane, by its number.
    #[arg(long, value_name = "NUMBER")]
    pub receipt: Option<String>,
    /// Print what was sold on a receipt, without prices.
    #[arg(long, value_name = "NUMBER")]
    pub gift_receipt: Option<String>,
    /// Print what cards paid on a receipt.
    #[arg(long, value_name = "NUMBER")]
    pub card_slip: Option<String>,
    /// Print the credit note that a receipt made, as a reprint.
    #[arg(long, value_name = "NUMBER")]
    pub credit_note: Option<String>,
    /// Print the slip of a sale that is put aside.
    #[arg(long, value_name = "NUMBER")]
    pub slip: Option<String>,
    /// Print a Z report of this lane.
    #[arg(long, value_name = "NUMBER")]
    pub report_z: Option<u64>,
    /// Take back a paper that waits.
    #[arg(long, value_name = "PAPER")]
    pub cancel: Option<u64>,
}

#[derive(Debug, Args)]
pub struct TerminalArgs {
    /// Where it listens on this machine; 0 takes any free port.
    #[arg(long, default_value_t = 10_000)]
    pub port: u16,
}

#[derive(Clone, Debug, Args)]
pub struct PinArg {
    /// File whose first line is the manager's PIN, `-` for standard input [default: it is asked for].
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Args)]
pub struct MovedArg {
    /// The folder was moved here from another disk, and its old place is never used again. To be
    /// said once.
    #[arg(long)]
    moved: bool,
}

impl From<MovedArg> for Place {
    fn from(arg: MovedArg) -> Place {
        match arg.moved {
            true => Place::Moved,
            false => Place::AsMade,
        }
    }
}

#[derive(Debug, Args)]
pub struct RetireArgs {
    /// The folder of a running lane of the store.
    pub dir: PathBuf,
    /// The lane to take out: its number or its id, as `lanemesh status` shows them.
    pub lane: String,
    /// A manager's number.
    #[arg(long)]
    pub manager: String,
    #[command(flatten)]
    pub pin: PinArg,
}

#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// The folder of the lane to go on with; it must not be running.
    pub dir: PathBuf,
    /// Do not ask for confirmation.
    #[arg(long)]
    pub yes: bool,
    /// A manager's number; asked for where it is missing and the store has a manager.
    #[arg(long)]
    pub manager: Option<String>,
    #[command(flatten)]
    pub pin: PinArg,
    /// How long to look for the other lanes, in seconds.
    #[arg(long, default_value_t = 10)]
    pub wait: u64,
    #[command(flatten)]
    pub moved: MovedArg,
    #[command(flatten)]
    pub network: NetworkArgs,
}

impl LaneArgs {
    pub fn options(&self) -> LaneOptions {
        LaneOptions {
            network: self.network.options(),
            api_port: self.api_port,
            place: self.moved.into(),
            terminal: self.terminal.clone(),
            printer: self.printer.clone(),
        }
    }
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct HqArgs {
    #[command(subcommand)]
    pub command: Option<HqCommand>,
    /// Folder for head office's books.
    #[arg(required = true)]
    pub dir: Option<PathBuf>,
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:7800")]
    pub listen: SocketAddr,
    /// Close when standard input ends, for whoever runs head office as a child process.
    #[arg(long, hide = true)]
    pub until_stdin_closes: bool,
}

#[derive(Debug, Subcommand)]
pub enum HqCommand {
    /// Publish items, prices, people, taxes, promotions or settings to the stores.
    Publish(PublishArgs),
    /// List what was published, and how far each store has come.
    Publications(HeadOfficeArgs),
}

/// Which head office.
#[derive(Debug, Args)]
pub struct HeadOfficeArgs {
    /// Its address, such as http://hq.example:7800.
    #[arg(long = "to", value_name = "URL")]
    pub url: String,
    /// File with its token, `hq-token` in its folder.
    #[arg(long)]
    pub token_file: PathBuf,
}

#[derive(Debug, Args)]
pub struct PublishArgs {
    /// Files as `lanemesh import` takes them; they take effect in this order.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub office: HeadOfficeArgs,
    /// A store's id, as `lanemesh status --json` shows it; may be repeated [default: every store, also
    /// those that are created later].
    #[arg(long, value_name = "ID")]
    pub store: Vec<String>,
    /// What every file holds, as for `lanemesh import` [default: by header or name].
    #[arg(long)]
    pub kind: Option<String>,
    /// The currency of prices [default: that of a settings file before them, or USD].
    #[arg(long)]
    pub currency: Option<Currency>,
    /// Who publishes, for people.
    #[arg(long, default_value = "head office")]
    pub author: String,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The folder of a running lane.
    pub dir: PathBuf,
    /// CSV with a header (gzip or plain), or a promotions or settings file (TOML).
    pub file: PathBuf,
    /// items, departments, taxes, employees, customers, recalls, promotions or settings [default: by the
    /// file's header or name].
    #[arg(long)]
    pub kind: Option<String>,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Folders of the store's lanes, running or not.
    #[arg(required = true)]
    pub dirs: Vec<PathBuf>,
    /// Head office: its folder, or its address.
    #[arg(long)]
    pub hq: Option<String>,
    /// File with head office's token, where --hq is an address.
    #[arg(long)]
    pub hq_token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The lane's folder, running or not.
    pub dir: PathBuf,
    /// File to write; standard output without it.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Only this lane's journal (its id or number); without it, every journal held.
    #[arg(long)]
    pub lane: Option<String>,
    /// What to write: every entry as JSON lines; receipts as CSV, a row for each line and tender; or
    /// receipts and movements of cash as ARTS POSLog 6 (XML).
    #[arg(long, value_enum, default_value = "json-lines")]
    pub format: ExportFormat,
    /// Only this business day, such as 2026-11-27; for receipts alone.
    #[arg(long)]
    pub day: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    JsonLines,
    Csv,
    Poslog,
}

#[derive(Debug, Args)]
pub struct PriceArgs {
    /// Items (CSV, gzip or plain).
    #[arg(long)]
    pub catalog: PathBuf,
    /// Promotions (TOML or JSON).
    #[arg(long)]
    pub promotions: PathBuf,
    /// The basket: CSV with the columns item and quantity.
    #[arg(long)]
    pub basket: PathBuf,
    /// The customer's number.
    #[arg(long)]
    pub customer: Option<String>,
    /// The customer's loyalty tier: basic, silver or gold.
    #[arg(long)]
    pub tier: Option<String>,
    /// A coupon that is handed over; may be repeated.
    #[arg(long)]
    pub coupon: Vec<String>,
    /// How it is paid, such as store-card; may be repeated.
    #[arg(long)]
    pub tender: Vec<String>,
    /// How often a promotion that is limited in the store or by the day may still be given, such as
    /// door-buster=2; may be repeated. One that is not named is not given.
    #[arg(long, value_name = "PROMOTION=TIMES")]
    pub rights: Vec<String>,
    /// The store's time, such as 2026-11-27T09:00 [default: now].
    #[arg(long)]
    pub at: Option<String>,
    /// Say of every promotion in play what became of it.
    #[arg(long)]
    pub explain: bool,
    /// The currency of all amounts.
    #[arg(long, default_value = "USD")]
    pub currency: Currency,
}

#[derive(Debug, Args)]
pub struct PromotionsArgs {
    #[command(subcommand)]
    pub command: PromotionsCommand,
}

#[derive(Debug, Subcommand)]
pub enum PromotionsCommand {
    /// Find promotions that are wrong, impossible, shadowed or loss-making.
    Check(PromotionsCheckArgs),
    /// Price past baskets and say what each promotion would have cost and moved.
    Try(PromotionsTryArgs),
}

#[derive(Debug, Args)]
pub struct PromotionsCheckArgs {
    /// Promotions (TOML or JSON).
    pub file: PathBuf,
    /// Items to check them with (CSV, gzip or plain).
    #[arg(long)]
    pub catalog: Option<PathBuf>,
    /// What the store pays for its items (CSV with the columns `item` and `cost`), to find what is
    /// sold for less.
    #[arg(long, requires = "catalog")]
    pub costs: Option<PathBuf>,
    /// The currency of all amounts.
    #[arg(long, default_value = "USD")]
    pub currency: Currency,
}

#[derive(Debug, Args)]
pub struct PromotionsTryArgs {
    /// Promotions (TOML or JSON).
    pub file: PathBuf,
    /// Items (CSV, gzip or plain).
    #[arg(long)]
    pub catalog: PathBuf,
    /// Past baskets (CSV, gzip or plain), priced at the catalog's prices: a row for each line, with the
    /// columns `item` and `quantity`, and where there are several baskets `basket`; `time` and
    /// `household` where they are known. (`product_id`, `basket_id`, `transaction_timestamp` and
    /// `household_id` are understood as well.)
    #[arg(long)]
    pub baskets: PathBuf,
    /// The store's time at which all are priced [default: each basket's own, or now].
    #[arg(long)]
    pub at: Option<String>,
    /// The currency of all amounts.
    #[arg(long, default_value = "USD")]
    pub currency: Currency,
}

#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// The time from the leader's death to the next committed fact, again and again.
    Failover(BenchFailoverArgs),
    /// How long baskets of real size take to price, against books of 10 to 10,000 promotions.
    Promotions(BenchPromotionsArgs),
    /// The pure core of a register: from a scan to the priced basket, and commands a second.
    Sale(BenchSaleArgs),
    /// A store of three lane processes: scans, commits, failover, start, memory.
    Store(BenchStoreArgs),
}

#[derive(Debug, Args)]
pub struct BenchFailoverArgs {
    /// Folder on the disk to measure [default: a temporary one].
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Times the leader is killed.
    #[arg(long, default_value_t = 200)]
    pub trials: u32,
}

#[derive(Debug, Args)]
pub struct BenchPromotionsArgs {
    /// Folder with catalog.csv.gz and baskets-week20.csv.gz [default: the one that LANEMESH_DATA
    /// names, or else a store that is made up].
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Baskets of each size.
    #[arg(long, default_value_t = 200)]
    pub baskets: usize,
}

#[derive(Debug, Args)]
pub struct BenchSaleArgs {
    /// Folder with catalog.csv.gz and baskets-week20.csv.gz [default: the one that LANEMESH_DATA
    /// names, or else a store that is made up].
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Items of the store; what the folder has less is made up.
    #[arg(long, default_value_t = 100_000)]
    pub items: usize,
    /// Promotions that are in force.
    #[arg(long, default_value_t = 1_000)]
    pub promotions: usize,
    /// Sales of 160 lines.
    #[arg(long, default_value_t = 200)]
    pub sales: usize,
    /// Commands of each sample of commands a second.
    #[arg(long, default_value_t = 20_000)]
    pub commands: usize,
}

#[derive(Debug, Args)]
pub struct BenchStoreArgs {
    /// Folder on the disk to measure [default: a temporary one].
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Items to import first (CSV, gzip or plain) [default: the sample store's].
    #[arg(long)]
    pub catalog: Option<PathBuf>,
    /// Scans to time for each figure.
    #[arg(long, default_value_t = 2000)]
    pub scans: u32,
    /// Times the leader is killed.
    #[arg(long, default_value_t = 5)]
    pub kills: u32,
}

/// What a command prints: lines for a person, one object for a program.
pub struct Report {
    pub text: String,
    pub json: Value,
    pub exit: Exit,
}

impl Report {
    pub fn done(text: impl Into<String>, json: Value) -> Report {
        Report {
            text: text.into(),
            json,
            exit: Exit::Done,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Failed = 1,
    NotRunning = 3,
    RowsLeftOut = 4,
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or_else(|| {
        Command::Demo(DemoArgs {
            dir: PathBuf::from("lanemesh-demo"),
            fresh: false,
            lanes: 3,
            robots: 0,
            catalog: None,
            baskets: None,
            seconds: None,
            headless: false,
        })
    });
    let json = cli.json;
    let done = match command {
        Command::Demo(args) => commands::demo::run(&args, json),
        Command::Store { command } => commands::store::run(command),
        Command::Invite { dir } => commands::invite::run(&dir),
        Command::Join(args) => commands::join::run(args),
        Command::Lane(args) => commands::lane::run(&args, json),
        Command::Retire(args) => commands::retire::run(&args),
        Command::Recover(args) => commands::recover::run(&args, json),
        Command::Hq(args) => commands::hq::run(&args, json),
        Command::Import(args) => commands::import::run(&args),
        Command::Status { dir } => commands::status::run(&dir),
        Command::Printer(args) => commands::printer::run(&args),
        Command::Terminal(args) => commands::terminal::run(&args, json),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Price(args) => commands::promotions::price(&args),
        Command::Promotions(args) => commands::promotions::run(&args),
        Command::Bench { command } => commands::bench::run(command),
    };
    let report = done.unwrap_or_else(|error| failure(&error));
    print(&report, json);
    ExitCode::from(report.exit as u8)
}

/// An error as a report: what happened and what to do, in one sentence chain.
fn failure(error: &anyhow::Error) -> Report {
    let message = format!("{error:#}");
    let exit = match error.downcast_ref::<ClientError>() {
        Some(ClientError::Import(_)) | None => Exit::Failed,
        Some(_) => Exit::NotRunning,
    };
    Report {
        text: format!("error: {message}"),
        json: json!({ "ok": false, "error": message }),
        exit,
    }
}

fn print(report: &Report, json: bool) {
    // Whoever closed our output does not want the rest.
    let _ = match (json, report.exit) {
        // The command wrote to standard output itself.
        (true, _) if report.json.is_null() => Ok(()),
        (true, _) => writeln!(std::io::stdout(), "{}", report.json),
        (false, Exit::Done) if report.text.is_empty() => Ok(()),
        (false, Exit::Done | Exit::RowsLeftOut) => writeln!(std::io::stdout(), "{}", report.text),
        (false, _) => writeln!(std::io::stderr(), "{}", report.text),
    };
}
