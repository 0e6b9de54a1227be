//! `lanemesh demo`: a whole store on this machine, for a person to look at and to break.
//!
//! Head office and every lane are processes of their own. The demo starts them, starts them again
//! when they die, shows how they stand, and may let robots ring up baskets. It touches the lanes
//! only through their folders before they start, and through their API.

mod board;
mod fleet;
mod folder;
mod process;
mod result;
mod setup;
mod talk;
mod watch;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use catalog::Role;
use tokio::sync::watch as channel;
use tokio::time::Instant;

use crate::cli::{DemoArgs, Report};
use crate::robots::{
    BasketFile, Begin, Cashier, Crew, Pace, Progress, RobotReport, Shoppers, Source, Work,
    read_baskets,
};
use crate::sample;

use board::grouped;
use fleet::Fleet;
use folder::DemoFolder;
use result::{Outcome, Outlook};
use setup::{SetUp, set_up};
use talk::{BY_ADDRESS, LINE_EVERY, Talk, introduction};
use watch::Watch;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long robots may take to finish the baskets they are at.
const ROBOTS_LIMIT: Duration = Duration::from_secs(5);
/// How long everything may take to reach head office once the last basket is rung up.
const SETTLE_LIMIT: Duration = Duration::from_secs(300);
/// The same where a person waits for the demo to end.
const SETTLE_SHORT: Duration = Duration::from_secs(10);
/// The seed of the sample store's shoppers.
const SEED: u64 = 1;

/// How often the demo was asked to stop.
type Stop = channel::Receiver<u32>;

pub fn run(args: &DemoArgs, json: bool) -> anyhow::Result<Report> {
    let talk = Talk::new(json);
    let given = args.baskets.as_deref().map(given_baskets).transpose()?;
    if let Some(catalog) = &args.catalog {
        std::fs::metadata(catalog)
            .with_context(|| format!("the catalog {} cannot be read", catalog.display()))?;
    }
    let (folder, moved) = DemoFolder::open(&args.dir, args.fresh)?;
    talk.say(&format!("Lanemesh demo in {}", folder.shown().display()));
    if let Some(moved) = moved {
        talk.say(&format!("The old folder is now {}.", moved.display()));
    }
    super::runtime()?.block_on(demo(args, folder, given, &talk))
}

/// Baskets of a file, and a name for them that goes with their content.
struct Given {
    file: BasketFile,
    name: String,
}

fn given_baskets(path: &Path) -> anyhow::Result<Given> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("the baskets {} cannot be read", path.display()))?;
    match read_baskets(&bytes, sample::CURRENCY) {
        Ok(file) => Ok(Given {
            file,
            name: blake3::hash(&bytes).to_hex()[..16].to_owned(),
        }),
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(|p| format!("\n  {p}")).collect();
            bail!("{} cannot be rung up:{}", path.display(), lines.concat())
        }
    }
}

async fn demo(
    args: &DemoArgs,
    mut folder: DemoFolder,
    given: Option<Given>,
    talk: &Talk,
) -> anyhow::Result<Report> {
    let mut stop = listen_for_stop();
    let window = window(args);
    let mut fleet = Fleet::new(&folder, args.lanes, window.is_ok());
    let catalog = args.catalog.as_deref();
    let set_up = tokio::select! {
        set_up = set_up(&mut folder, &mut fleet, catalog, talk) => set_up.map(Some),
        _ = stop.wait_for(|asked| *asked > 0) => Ok(None),
    };
    let done = match set_up {
        Ok(Some(SetUp {
            hq,
            lane_1,
            found_by,
        })) => {
            let window = match &window {
                Ok(()) => "The checkout window of lane 1 opens.",
                Err(why) => why,
            };
            talk.say(&introduction(&folder, args.lanes, found_by, window));
            if fleet.lanes[0].is_unseen() && args.robots == 0 && args.baskets.is_none() {
                talk.say("Nobody sells anything yet: --robots 3 sets robot cashiers to work.\n");
            }
            let watch = Watch::new(lane_1.store_name, fleet.lanes.len(), hq);
            let mut show = Show {
                args,
                folder: &folder,
                fleet: &mut fleet,
                watch,
                talk,
                stop: stop.clone(),
                warned: BTreeSet::new(),
            };
            show.run(given).await.map(Some)
        }
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    talk.progress_ends();
    talk.say("Closing …");
    tokio::select! {
        () = fleet.close() => {}
        _ = stop.wait_for(|asked| *asked > 1) => fleet.kill(),
    }
    Ok(match done? {
        Some(outcome) => outcome.report(&folder),
        None => Outcome::stopped_early(),
    })
}

/// Whether the checkout window can be opened; otherwise why there is none.
fn window(args: &DemoArgs) -> Result<(), &'static str> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let needs_display = cfg!(all(unix, not(target_os = "macos")));
    if args.headless {
        return Err("None, as asked with --headless.");
    }
    if needs_display && !set("DISPLAY") && !set("WAYLAND_DISPLAY") {
        return Err("None: there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set).");
    }
    Ok(())
}

/// Counts Ctrl-C and polite requests to end.
fn listen_for_stop() -> Stop {
    let (asked, stop) = channel::channel(0);
    tokio::spawn(async move {
        loop {
            super::asked_to_stop().await;
            asked.send_modify(|count| *count += 1);
        }
    });
    stop
}

/// A store that is up.
struct Show<'a> {
    args: &'a DemoArgs,
    folder: &'a DemoFolder,
    fleet: &'a mut Fleet,
    watch: Watch,
    talk: &'a Talk,
    stop: Stop,
    /// What lanes warned of and was told.
    warned: BTreeSet<String>,
}

impl Show<'_> {
    async fn run(&mut self, given: Option<Given>) -> anyhow::Result<Outcome> {
        let began = Instant::now();
        let mut outlook = Outlook::default();
        let work = self.work(given, &mut outlook).await?.map(Arc::new);
        let robots = work.as_deref().map_or(Vec::new(), |work| self.robots(work));
        let mut report = RobotReport::default();
        let mut crew = work.as_ref().map(|work| {
            let cashiers = robots.iter().map(|number| self.cashier(*number));
            Crew::start(cashiers.collect(), work)
        });
        self.show(&work, &mut crew, &robots, &mut report).await;
        if let Some(crew) = crew {
            crew.finish(ROBOTS_LIMIT, &mut report).await;
        }
        let left = work.as_ref().and_then(|work| work.left());
        self.settle(left).await;
        self.talk.board_ends();
        outlook.left = left;
        outlook.robots = report;
        outlook.stopped = *self.stop.borrow() > 0;
        outlook.seconds = began.elapsed().as_secs_f64();
        Outcome::read(self.fleet, &self.watch, outlook).await
    }

    /// What robots are to ring up; nothing where there are none.
    async fn work(
        &self,
        given: Option<Given>,
        outlook: &mut Outlook,
    ) -> anyhow::Result<Option<Work>> {
        let open = |name: &str| {
            let path = self.folder.progress(name);
            Progress::open(&path).with_context(|| format!("{} cannot be used", path.display()))
        };
        if let Some(Given { file, name }) = given {
            let mut progress = open(&name)?;
            if progress.begin().is_none() {
                progress.note_begin(self.sold_so_far().await?)?;
            }
            outlook.begin = progress.begin().unwrap_or_default();
            outlook.expected = Some(file.expected);
            outlook.baskets = file.baskets.len();
            outlook.lines = file.lines;
            outlook.scans = file.baskets.iter().map(|b| b.rings().len()).sum();
            return Ok(Some(Work::new(Source::Given(file.baskets), progress)));
        }
        if self.args.robots == 0 {
            return Ok(None);
        }
        let items = match self.folder.has_own_catalog() {
            true => sample::items_of_file(&self.folder.catalog()?),
            false => sample::items(sample::text_of("items").as_bytes()),
        };
        let shoppers = Shoppers::new(items, sample::customers(), SEED)
            .context("the catalog has no item that robots could buy")?;
        Ok(Some(Work::new(Source::MadeUp(shoppers), open("made-up")?)))
    }

    async fn sold_so_far(&self) -> anyhow::Result<Begin> {
        let lanes = result::lanes_counted(self.fleet).await?;
        Ok(Begin {
            lanes_gross: lanes.values().map(|counted| counted.gross_minor).sum(),
            hq_gross: self.watch.hq().counted().await?.gross_minor,
        })
    }

    /// Lanes with a robot: where one was stopped in the middle of a basket first, then from the last
    /// lane on, so that lane 1 is the last one whose window a robot takes.
    fn robots(&self, work: &Work) -> Vec<u32> {
        let wanted = match (self.args.robots, &self.args.baskets) {
            (0, Some(_)) => self.args.lanes,
            (robots, _) => robots.min(self.args.lanes),
        };
        let pending = work.pending_lanes();
        let mut lanes: Vec<u32> = (1..=self.args.lanes).rev().collect();
        lanes.sort_by_key(|number| !pending.contains(&DemoFolder::lane_name(*number)));
        lanes.truncate(wanted as usize);
        lanes
    }

    fn cashier(&self, number: u32) -> Cashier {
        let supervisors = sample::people().into_iter();
        let mut supervisors: Vec<_> = supervisors.filter(|p| p.role == Role::Supervisor).collect();
        let place = number as usize % supervisors.len().max(1);
        Cashier {
            folder: self.folder.lane(number),
            lane: DemoFolder::lane_name(number),
            person: supervisors.swap_remove(place),
            pace: match self.args.baskets {
                Some(_) => Pace::fastest(),
                None => Pace::human(),
            },
        }
    }

    /// Shows the board until the time is up, the work is done or the demo is asked to stop.
    async fn show(
        &mut self,
        work: &Option<Arc<Work>>,
        crew: &mut Option<Crew>,
        robots: &[u32],
        report: &mut RobotReport,
    ) {
        let limit = self.args.seconds.map(Duration::from_secs);
        let deadline = limit.map(|limit| Instant::now() + limit);
        let mut lines = Lines::default();
        loop {
            self.tend();
            self.watch.look(self.fleet).await;
            let left = work.as_ref().and_then(|work| work.left());
            self.draw(&mut lines, robots, left);
            if let Some(crew) = crew {
                let told = report.problems.len();
                crew.collect(report);
                for problem in &report.problems[told..] {
                    self.fleet.note(problem.clone());
                }
                if crew.is_idle() && left.is_some() {
                    return;
                }
            }
            let now = Instant::now();
            let next = deadline.unwrap_or(now + LOOK_EVERY).min(now + LOOK_EVERY);
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                _ = self.stop.wait_for(|asked| *asked > 0) => return,
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return;
            }
        }
    }

    fn tend(&mut self) {
        let mut news = self.fleet.tend();
        for warning in self.watch.warnings() {
            if self.warned.insert(warning.to_owned()) {
                let note = match warning.contains("multicast") {
                    true => BY_ADDRESS,
                    false => warning,
                };
                self.fleet.note(note.to_owned());
                news.push(note.to_owned());
            }
        }
        if !self.talk.is_terminal() {
            news.iter().for_each(|note| self.talk.say(note));
        }
    }

    fn draw(&self, lines: &mut Lines, robots: &[u32], left: Option<usize>) {
        let work = match left {
            Some(0) => Some("all baskets are rung up".to_owned()),
            Some(1) => Some("1 basket to go".to_owned()),
            Some(left) => Some(format!("{} baskets to go", grouped(left as u64))),
            None => None,
        };
        if self.talk.is_terminal() || lines.is_due() {
            self.talk.board(&self.watch.board(self.fleet, robots, work));
        }
    }

    /// Waits until every lane has shared everything and head office has it.
    async fn settle(&mut self, left: Option<usize>) {
        let limit = match left {
            Some(0) => SETTLE_LIMIT,
            _ => SETTLE_SHORT,
        };
        let deadline = Instant::now() + limit;
        let patience = *self.stop.borrow();
        let mut lines = Lines::default();
        loop {
            self.watch.look(self.fleet).await;
            self.draw(&mut lines, &[], left);
            let impatient = *self.stop.borrow() > patience;
            if self.watch.is_settled() || impatient || Instant::now() >= deadline {
                return;
            }
            tokio::time::sleep(LOOK_EVERY / 4).await;
            self.tend();
        }
    }
}

/// When the next line is due where the board cannot be drawn over.
#[derive(Default)]
struct Lines {
    last: Option<Instant>,
}

impl Lines {
    fn is_due(&mut self) -> bool {
        let due = self.last.is_none_or(|last| last.elapsed() >= LINE_EVERY);
        if due {
            self.last = Some(Instant::now());
        }
        due
    }
}
