//! Scenarios: what a store is like, what goes wrong in it and when, and what must hold besides the
//! promises that always hold. Each is a readable file, see `scenarios/README.md`; a seed draws the
//! moments, the lanes and the lengths from the ranges it gives.
//!
//! A file is read strictly: what is not known is an error that names the line and, where a known
//! word is near, that word.

mod error;
mod fault;
mod span;

use std::fmt;
use std::path::Path;

use node::lane::LogLimits;
use serde::Deserialize;
use toml::Spanned;

use crate::office::Wan;
pub use error::ScenarioError;
pub use fault::{FaultPart, Link, What, Who};
use span::minutes_of_day;
pub use span::{Count, Span, SpanRange, When};

macro_rules! scenario {
    ($file:literal) => {
        (
            $file,
            include_str!(concat!("../../scenarios/", $file, ".toml")),
        )
    };
}

/// The scenarios that ship with the simulator: name and text.
const FILES: &[(&str, &str)] = &[
    scenario!("calm"),
    scenario!("split-in-two"),
    scenario!("leader-flaps"),
    scenario!("leader-killed"),
    scenario!("one-way-link"),
    scenario!("lane-crash"),
    scenario!("crash-midway"),
    scenario!("power-cut-all"),
    scenario!("frozen-leader"),
    scenario!("slow-disk"),
    scenario!("rolling-restart"),
    scenario!("rolling-update"),
    scenario!("alone-all"),
    scenario!("two-lane-store"),
    scenario!("clock-jump"),
    scenario!("late-join"),
    scenario!("short-logs"),
    scenario!("cloned-disk"),
    scenario!("copy-joins"),
    scenario!("copy-alone"),
    scenario!("spare-machine"),
    scenario!("wiped-disk"),
    scenario!("voters-change"),
    scenario!("night-shutdown"),
    scenario!("recover"),
    scenario!("wan-flap-sync"),
    scenario!("bad-disks"),
    scenario!("bit-rot"),
    scenario!("bad-lines"),
    scenario!("big-day"),
    scenario!("sleepers"),
    scenario!("hq-restarts"),
    scenario!("hq-catalog"),
    scenario!("black-friday"),
    scenario!("mixed"),
    scenario!("twelve-lanes"),
    scenario!("thirty-lanes"),
    scenario!("fifty-lanes"),
];

/// From the first to the second, both included.
pub type Range = (u64, u64);

/// The most lanes that a store may have.
const LANES_MAX: u64 = 50;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    pub about: String,
    /// Lanes at the beginning; more may join.
    pub lanes: Spanned<Count>,
    /// It takes long: run only when named, and not among `all`.
    #[serde(default)]
    pub only_when_named: bool,
    /// When the store of the story opens, such as `9:40`; `at` may then name hours.
    pub opens: Option<Spanned<String>>,
    /// How many times faster than in the story time goes by: an hour of it, at 20, is simulated in
    /// three minutes. Delays of networks and the pace of cashiers stay as they are.
    pub faster: Option<Spanned<u64>>,
    /// Whether every lane begins with an old release, and has the newest from its next start on.
    #[serde(default)]
    pub older_release: bool,
    /// How long cashiers sell and faults happen.
    pub sells_for: Span,
    /// Entries of the log after which a lane builds a snapshot, instead of a store's; half as many stay
    /// in the log behind it.
    pub snapshot_after: Option<u64>,
    pub expect: ExpectPart,
    #[serde(default)]
    pub network: NetworkPart,
    #[serde(default)]
    pub clocks: ClocksPart,
    #[serde(default)]
    pub wan: WanPart,
    #[serde(default)]
    pub work: WorkPart,
    #[serde(default, rename = "fault")]
    faults_at: Vec<Spanned<FaultPart>>,
    /// The faults without their places in the file.
    #[serde(skip)]
    pub faults: Vec<FaultPart>,
}

/// What must hold besides the promises.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectPart {
    /// How long after the last fault anything may still wait.
    pub settles_within: Span,
    /// The longest that a cashier's command may be held.
    #[serde(default = "held_max")]
    pub held_max: Span,
    /// The longest from the loss of a leader to the next committed fact, where the lanes that are left
    /// can form a quorum.
    pub failover_max: Option<Span>,
    /// The fewest sales that the cashiers must get done.
    #[serde(default)]
    pub sales_min: u64,
    /// The fewest sales at machines with a copy of a lane's disk that became lanes of their own.
    #[serde(default)]
    pub sales_at_copies_min: u64,
}

fn held_max() -> Span {
    Span(100)
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkPart {
    /// One way between lanes, in milliseconds.
    pub delay_ms: Range,
}

impl Default for NetworkPart {
    fn default() -> NetworkPart {
        NetworkPart { delay_ms: (1, 4) }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClocksPart {
    /// The most a lane's wall clock is off at the beginning, either way, in milliseconds.
    pub offset_ms_max: u64,
    /// The most it runs too fast or too slow, in millionths.
    pub drift_ppm_max: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WanPart {
    pub delay_ms: Range,
    pub lost_questions_permille: u64,
    pub lost_answers_permille: u64,
}

impl Default for WanPart {
    fn default() -> WanPart {
        WanPart {
            delay_ms: (20, 80),
            lost_questions_permille: 0,
            lost_answers_permille: 0,
        }
    }
}

impl From<&WanPart> for Wan {
    fn from(part: &WanPart) -> Wan {
        Wan {
            delay_ms: part.delay_ms,
            lost_questions_permille: part.lost_questions_permille,
            lost_answers_permille: part.lost_answers_permille,
        }
    }
}

/// How cashiers work.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkPart {
    /// How many times the pace of a normal day, on which a lane has a customer every 45 seconds.
    pub rate: f64,
    /// Scans of a basket.
    pub scans: Count,
    /// Customers that leave their basket at the lane.
    pub walk_aways_permille: u64,
    /// Scans after which the cashier corrects a quantity or takes a line back.
    pub corrections_permille: u64,
    /// Answers that get lost between a lane and its window, so that the window asks again.
    pub lost_answers_permille: u64,
    /// Baskets that are put aside, of those not yet paid and of those half paid, to be taken up at
    /// any lane.
    pub suspends_permille: u64,
    /// Customers who bring goods back, bought at any lane.
    pub returns_permille: u64,
    /// Slips and goods that are presented at another lane at the same moment.
    pub twice_permille: u64,
    /// Customers after whom something is done at the drawer: it is counted, cash is moved.
    pub drawer_permille: u64,
    /// Customers after whom another cashier takes over.
    pub sign_offs_permille: u64,
}

impl Default for WorkPart {
    fn default() -> WorkPart {
        WorkPart {
            rate: 12.0,
            scans: Count(1, 12),
            walk_aways_permille: 40,
            corrections_permille: 100,
            lost_answers_permille: 20,
            suspends_permille: 60,
            returns_permille: 80,
            twice_permille: 250,
            drawer_permille: 100,
            sign_offs_permille: 40,
        }
    }
}

impl Scenario {
    /// Lanes at the beginning.
    pub fn lanes(&self) -> Range {
        let Count(low, high) = *self.lanes.get_ref();
        (low, high)
    }

    /// How long a lane's Raft log grows.
    pub fn log_limits(&self) -> LogLimits {
        match self.snapshot_after {
            None => LogLimits::default(),
            Some(entries) => LogLimits {
                snapshot_after_entries: entries,
                entries_kept: entries / 2,
            },
        }
    }

    /// Cuts the selling down, in virtual milliseconds.
    pub fn shorten(&mut self, sells_ms: u64) {
        self.sells_for = Span(self.sells_for.0.min(sells_ms * self.faster()));
        self.expect.sales_min = 0;
    }

    pub fn set_lanes(&mut self, (low, high): Range) {
        *self.lanes.get_mut() = Count(low, high);
    }

    /// The same store with these faults instead, at times that are not those of a story.
    pub fn with_faults(&self, lanes: u64, faults: Vec<FaultPart>) -> Scenario {
        let mut scenario = self.clone();
        scenario.sells_for = Span(self.virtual_ms(self.sells_for));
        scenario.opens = None;
        scenario.faster = None;
        scenario.set_lanes((lanes, lanes));
        scenario.faults = faults;
        scenario
    }

    /// A time of the story, in virtual milliseconds.
    pub fn virtual_ms(&self, story: Span) -> u64 {
        story.0 / self.faster()
    }

    pub fn faster(&self) -> u64 {
        self.faster.as_ref().map_or(1, |faster| *faster.get_ref())
    }

    /// Minutes since midnight at which the store of the story opens.
    pub fn opens_at(&self) -> Option<u64> {
        self.opens
            .as_ref()
            .and_then(|text| minutes_of_day(text.get_ref()))
    }

    /// When a fault first begins, in virtual milliseconds after opening.
    pub fn first_ms(&self, part: &FaultPart) -> Range {
        match (part.at, self.opens_at()) {
            (When::After(SpanRange(low, high)), _) => {
                (self.virtual_ms(Span(low)), self.virtual_ms(Span(high)))
            }
            (When::At(minutes), opens) => {
                let after = minutes.saturating_sub(opens.unwrap_or(minutes));
                let ms = self.virtual_ms(Span(after * 60_000));
                (ms, ms)
            }
        }
    }

    /// A range of times of the story, in virtual milliseconds.
    pub fn range_ms(&self, SpanRange(low, high): SpanRange) -> Range {
        (self.virtual_ms(Span(low)), self.virtual_ms(Span(high)))
    }

    /// What serde cannot see is wrong: the place in the file, and why.
    fn senseless(&self) -> Option<(usize, String)> {
        let wrong = |at: usize, reason: &str| Some((at, reason.to_owned()));
        let Count(fewest, most) = *self.lanes.get_ref();
        if fewest == 0 || most > LANES_MAX {
            return wrong(self.lanes.span().start, "a store has 1 to 50 lanes");
        }
        if let Some(opens) = &self.opens
            && self.opens_at().is_none()
        {
            return wrong(opens.span().start, "an hour is written like 9:40");
        }
        if let Some(faster) = &self.faster
            && !(1..=1000).contains(faster.get_ref())
        {
            return wrong(faster.span().start, "time goes by 1 to 1000 times faster");
        }
        for fault in &self.faults_at {
            if let Some(reason) = fault.get_ref().senseless(self) {
                return Some((fault.span().start, reason));
            }
        }
        let (low, high) = self.network.delay_ms;
        let (wan_low, wan_high) = self.wan.delay_ms;
        if low > high || wan_low > wan_high {
            return wrong(0, "a delay's range ends before it begins");
        }
        if !(0.01..=1000.0).contains(&self.work.rate) || self.work.scans.0 == 0 {
            return wrong(
                0,
                "cashiers work at 0.01 to 1000 times the normal pace, and scan at all",
            );
        }
        None
    }
}

/// Writes the scenario as its file has it.
impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        writeln!(f, "name = {}", quoted(&self.name))?;
        writeln!(f, "about = {}", quoted(&self.about))?;
        match self.lanes() {
            (low, high) if low == high => writeln!(f, "lanes = {low}")?,
            (low, high) => writeln!(f, "lanes = [{low}, {high}]")?,
        }
        if self.only_when_named {
            writeln!(f, "only_when_named = true")?;
        }
        if let Some(opens) = &self.opens {
            writeln!(f, "opens = {}", quoted(opens.get_ref()))?;
        }
        if let Some(faster) = &self.faster {
            writeln!(f, "faster = {}", faster.get_ref())?;
        }
        if self.older_release {
            writeln!(f, "older_release = true")?;
        }
        writeln!(f, "sells_for = \"{}\"", self.sells_for)?;
        if let Some(entries) = self.snapshot_after {
            writeln!(f, "snapshot_after = {entries}")?;
        }
        let ExpectPart {
            settles_within,
            held_max,
            failover_max,
            sales_min,
            sales_at_copies_min,
        } = &self.expect;
        writeln!(f, "\n[expect]\nsettles_within = \"{settles_within}\"")?;
        writeln!(f, "held_max = \"{held_max}\"\nsales_min = {sales_min}")?;
        writeln!(f, "sales_at_copies_min = {sales_at_copies_min}")?;
        if let Some(failover_max) = failover_max {
            writeln!(f, "failover_max = \"{failover_max}\"")?;
        }
        let WorkPart {
            rate,
            scans,
            walk_aways_permille,
            corrections_permille,
            lost_answers_permille,
            suspends_permille,
            returns_permille,
            twice_permille,
            drawer_permille,
            sign_offs_permille,
        } = &self.work;
        writeln!(
            f,
            "\n[work]\nrate = {rate:?}\nscans = [{}, {}]",
            scans.0, scans.1
        )?;
        writeln!(f, "walk_aways_permille = {walk_aways_permille}")?;
        writeln!(f, "corrections_permille = {corrections_permille}")?;
        writeln!(f, "lost_answers_permille = {lost_answers_permille}")?;
        writeln!(f, "suspends_permille = {suspends_permille}")?;
        writeln!(f, "returns_permille = {returns_permille}")?;
        writeln!(f, "twice_permille = {twice_permille}")?;
        writeln!(f, "drawer_permille = {drawer_permille}")?;
        writeln!(f, "sign_offs_permille = {sign_offs_permille}")?;
        let (low, high) = self.network.delay_ms;
        writeln!(f, "\n[network]\ndelay_ms = [{low}, {high}]")?;
        let (low, high) = self.wan.delay_ms;
        writeln!(f, "\n[wan]\ndelay_ms = [{low}, {high}]")?;
        writeln!(
            f,
            "lost_questions_permille = {}",
            self.wan.lost_questions_permille
        )?;
        writeln!(
            f,
            "lost_answers_permille = {}",
            self.wan.lost_answers_permille
        )?;
        let (offset, drift) = (self.clocks.offset_ms_max, self.clocks.drift_ppm_max);
        writeln!(
            f,
            "\n[clocks]\noffset_ms_max = {offset}\ndrift_ppm_max = {drift}"
        )?;
        self.faults
            .iter()
            .try_for_each(|fault| write!(f, "\n{fault}"))
    }
}

/// Every scenario that ships, in the order of the list.
pub fn all() -> Result<Vec<Scenario>, ScenarioError> {
    let parsed = FILES.iter().map(|(name, text)| parse(name, text));
    parsed.collect()
}

/// The scenarios of that name; `all` for every one that ships but those that are run only when named,
/// `everything` for those, too, a path that ends in `.toml` for a file.
pub fn named(name: &str) -> Result<Vec<Scenario>, ScenarioError> {
    if name.ends_with(".toml") {
        return read(Path::new(name)).map(|scenario| vec![scenario]);
    }
    let mut scenarios = all()?;
    if name == "all" {
        scenarios.retain(|scenario| !scenario.only_when_named);
    }
    if matches!(name, "all" | "everything") {
        return Ok(scenarios);
    }
    let names: Vec<&str> = scenarios.iter().map(|s| s.name.as_str()).collect();
    let unknown = ScenarioError::unknown(name, &names);
    scenarios.retain(|scenario| scenario.name == name);
    match scenarios.is_empty() {
        true => Err(unknown),
        false => Ok(scenarios),
    }
}

fn read(path: &Path) -> Result<Scenario, ScenarioError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| ScenarioError::NotRead {
        file: file.clone(),
        reason: error.to_string(),
    })?;
    parse(&file, &text)
}

/// Reads a scenario's text; `file` is what errors call it.
pub fn parse(file: &str, text: &str) -> Result<Scenario, ScenarioError> {
    let parsed: Result<Scenario, _> = toml::from_str(text);
    let mut scenario = parsed.map_err(|error| ScenarioError::from_toml(file, text, &error))?;
    if let Some((at, reason)) = scenario.senseless() {
        return Err(ScenarioError::at(file, text, at, reason));
    }
    let faults = std::mem::take(&mut scenario.faults_at).into_iter();
    scenario.faults = faults.map(Spanned::into_inner).collect();
    Ok(scenario)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> &'static str {
        FILES
            .iter()
            .find(|(name, _)| *name == "split-in-two")
            .unwrap()
            .1
    }

    #[test]
    fn every_scenario_that_ships_is_sound_and_is_called_like_its_file() {
        for (scenario, (name, _)) in all().unwrap().iter().zip(FILES) {
            assert_eq!(scenario.name, *name);
        }
    }

    #[test]
    fn a_wrong_scenario_is_refused_with_its_line_and_a_hint() {
        let check = |change: &str, with: &str, expected: &[&str]| {
            let text = sample().replacen(change, with, 1);
            assert_ne!(text, sample(), "{change}");
            let line = 1 + text
                .lines()
                .position(|line| line.contains(with.trim()))
                .unwrap();
            let error = parse("mine.toml", &text).unwrap_err().to_string();
            for part in expected {
                assert!(error.contains(part), "{part}: {error}");
            }
            assert!(
                error.contains(&format!("mine.toml, line {line}")),
                "{error}"
            );
        };
        check("lanes = [2, 5]", "lanes = 0", &["1 to 50 lanes"]);
        check(
            "lanes = [2, 5]",
            "lanes = [5, 2]",
            &["ends before it begins"],
        );
        check("lanes = [2, 5]", "lanes = \"two\"", &["no whole number"]);
        check(
            "sells_for",
            "sell_for",
            &["unknown field", "did you mean `sells_for`?"],
        );
        check("\"60s\"", "\"60\"", &["'60' is no time", "3s, 5min or 4h"]);
        check(
            "\"split\"",
            "\"spilt\"",
            &["unknown variant", "did you mean `split`?"],
        );
        check("lasts", "last", &["did you mean `lasts`?"]);
    }

    #[test]
    fn a_senseless_fault_is_refused_where_it_stands() {
        let check = |fault: &str, expected: &str| {
            let text = format!("{}\n[[fault]]\n{fault}\n", sample());
            let error = parse("mine.toml", &text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("what = \"crash\"\nat = \"9:47\"", "opens = ");
        check(
            "what = \"crash\"\nat = \"1s\"\nagain = \"0s\"",
            "some time in between",
        );
        check(
            "what = \"crash\"\nat = \"1s\"\nlinks = [\"1>2\"]",
            "takes no links",
        );
        check(
            "what = \"split\"\nat = \"1s\"\nlinks = [\"1-2\"]",
            "like 1>2",
        );
        check("what = \"crash\"\nat = \"1s\"\nlane = \"last\"", "`leader`");
        check(
            "what = \"wan-down\"\nat = \"1s\"\nlane = 2",
            "takes no lane",
        );
    }

    #[test]
    fn a_scenario_is_written_as_it_is_read() {
        for scenario in all().unwrap() {
            let text = scenario.to_string();
            let back = parse("written.toml", &text).unwrap();
            assert_eq!(back.to_string(), text);
            assert_eq!(back.faults.len(), scenario.faults.len());
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = named("split-in-too").unwrap_err().to_string();
        assert!(error.contains("did you mean `split-in-two`?"), "{error}");
    }
}
