//! What a demo came to: what the lanes, head office and the baskets' file say was sold.

use std::collections::BTreeMap;

use anyhow::bail;
use ledger::{DayTotal, LaneId};
use money::Money;
use serde::Deserialize;
use serde_json::{Value, json};

use super::board::{grouped, grouped_amount};
use super::fleet::Fleet;
use super::folder::DemoFolder;
use super::watch::{Counted, Watch, client_of};
use crate::cli::{Exit, Report};
use crate::commands::status::mode_text;
use crate::robots::{Begin, RobotReport};

/// What was to be done, and how far it came.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    /// What the baskets of the file come to; none without a file.
    pub expected: Option<Money>,
    pub baskets: usize,
    pub lines: usize,
    /// A line that its pieces do not divide is scanned in two parts.
    pub scans: usize,
    pub begin: Begin,
    /// Baskets of the file that are not finished.
    pub left: Option<usize>,
    pub robots: RobotReport,
    /// The demo was asked to stop.
    pub stopped: bool,
    pub seconds: f64,
}

struct LaneOutcome {
    number: u32,
    lane: String,
    mode: String,
    counted: Counted,
}

/// Everything that was counted at the end.
pub struct Outcome {
    store: String,
    lanes: Vec<LaneOutcome>,
    all_lanes: Counted,
    hq: Counted,
    settled: bool,
    outlook: Outlook,
}

/// What every lane of the store has sold, as the first lane that answers has applied it.
pub async fn lanes_counted(fleet: &Fleet) -> anyhow::Result<BTreeMap<LaneId, Counted>> {
    #[derive(Deserialize)]
    struct Row {
        lane: LaneId,
        total: DayTotal,
    }
    for lane in &fleet.lanes {
        let client = lane.process.pid().and_then(|pid| client_of(lane, pid));
        let Some(client) = client else {
            continue;
        };
        let Ok(totals) = client.totals().await else {
            continue;
        };
        let rows: Vec<Row> = serde_json::from_value(totals)?;
        let mut counted: BTreeMap<LaneId, Counted> = BTreeMap::new();
        for row in rows {
            counted.entry(row.lane).or_default().add(&row.total);
        }
        return Ok(counted);
    }
    bail!("no lane answers")
}

impl Outcome {
    /// Reads what the running fleet has counted.
    pub async fn read(fleet: &Fleet, watch: &Watch, outlook: Outlook) -> anyhow::Result<Outcome> {
        let totals = lanes_counted(fleet).await?;
        let mut lanes = Vec::with_capacity(fleet.lanes.len());
        let mut store = String::new();
        for (place, member) in fleet.lanes.iter().enumerate() {
            let client = member.process.pid().and_then(|pid| client_of(member, pid));
            let view = match client {
                Some(client) => client.view().await.ok(),
                None => None,
            };
            let Some(view) = view else {
                continue;
            };
            store = view.store.to_string();
            lanes.push(LaneOutcome {
                number: member.number,
                lane: view.lane.to_string(),
                mode: watch
                    .status(place)
                    .map_or("down".to_owned(), |status| mode_text(&status.mode)),
                counted: totals.get(&view.lane).copied().unwrap_or_default(),
            });
        }
        let mut all_lanes = Counted::default();
        totals.values().for_each(|counted| all_lanes.plus(counted));
        Ok(Outcome {
            store,
            lanes,
            all_lanes,
            hq: watch.hq().counted().await.unwrap_or_default(),
            settled: watch.is_settled(),
            outlook,
        })
    }

    /// A demo that was stopped before its store was up.
    pub fn stopped_early() -> Report {
        let text = "Stopped. The next run goes on with the set-up.";
        Report::done(text, json!({ "ok": true, "stopped": true, "lanes": [] }))
    }

    /// What is wrong with the sums; nothing where they hold, or cannot be told yet.
    fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let (lanes, hq) = (self.all_lanes.gross_minor, self.hq.gross_minor);
        if self.settled && lanes != hq {
            let (lanes, hq) = (self.all_lanes.gross(), self.hq.gross());
            wrong.push(format!("The lanes counted {lanes}, head office {hq}."));
        }
        let Some(expected) = self.outlook.expected else {
            return wrong;
        };
        match self.outlook.left {
            Some(left) if left > 0 => {
                if !self.outlook.stopped {
                    wrong.push(format!("{left} baskets were not rung up."));
                }
                return wrong;
            }
            _ => {}
        }
        if !self.settled {
            wrong.push("Not everything has reached head office yet.".to_owned());
        }
        let begin = self.outlook.begin;
        let sold = [
            ("the lanes", lanes - begin.lanes_gross),
            ("head office", hq - begin.hq_gross),
        ];
        for (who, minor) in sold {
            if minor != expected.minor() {
                let sold = Money::from_minor(minor, expected.currency());
                wrong.push(format!("By {who} it is {sold}, by the file {expected}."));
            }
        }
        wrong
    }

    pub fn report(&self, folder: &DemoFolder) -> Report {
        let wrong = self.wrong();
        Report {
            text: self.text(folder, &wrong),
            json: self.json(folder, &wrong),
            exit: match wrong.is_empty() {
                true => Exit::Done,
                false => Exit::Failed,
            },
        }
    }

    fn text(&self, folder: &DemoFolder, wrong: &[String]) -> String {
        let outlook = &self.outlook;
        let mut lines = Vec::new();
        for lane in &self.lanes {
            let title = format!("Lane {}", lane.number);
            lines.push(count_line(&title, &lane.counted));
        }
        lines.push(count_line("All lanes", &self.all_lanes));
        lines.push(count_line("Head office", &self.hq));
        if let Some(expected) = outlook.expected {
            let rung = outlook.baskets - outlook.left.unwrap_or(0);
            lines.push(format!(
                "{:<12} {:>16}  {} lines in {} baskets, {} of them rung up in {} scans",
                "The file",
                grouped_amount(&expected.to_string()),
                grouped(outlook.lines as u64),
                grouped(outlook.baskets as u64),
                grouped(rung as u64),
                grouped(outlook.scans as u64),
            ));
        }
        if outlook.robots.baskets > 0 {
            lines.push(format!(
                "Robots rang up {} baskets in {:.0} s; {} times a lane had to be asked again.",
                grouped(outlook.robots.baskets),
                outlook.seconds,
                grouped(outlook.robots.retries),
            ));
        }
        let problems = outlook.robots.problems.iter();
        lines.extend(problems.map(|problem| format!("  note: {problem}")));
        match (wrong.is_empty(), self.settled) {
            (true, true) => lines.push("The sums are equal, to the cent.".to_owned()),
            (true, false) => {
                lines.push("What is not shared yet is shared in the next run.".to_owned())
            }
            (false, _) => lines.extend_from_slice(wrong),
        }
        lines.push(format!(
            "Check every entry: {}",
            verify_command(folder, self.lanes.len())
        ));
        lines.join("\n")
    }

    fn json(&self, folder: &DemoFolder, wrong: &[String]) -> Value {
        let outlook = &self.outlook;
        let lanes = self.lanes.iter().map(|lane| {
            let mut value = counted_json(&lane.counted);
            value["folder"] = json!(folder.lane(lane.number));
            value["lane"] = json!(lane.lane);
            value["number"] = json!(lane.number);
            value["mode"] = json!(lane.mode);
            value
        });
        let mut hq = counted_json(&self.hq);
        hq["folder"] = json!(folder.hq());
        let mut value = json!({
            "ok": wrong.is_empty(),
            "problems": wrong,
            "store": self.store,
            "lanes": lanes.collect::<Vec<_>>(),
            "all_lanes": counted_json(&self.all_lanes),
            "hq": hq,
            "settled": self.settled,
            "baskets": outlook.robots.baskets,
            "robots": {
                "baskets": outlook.robots.baskets,
                "lines": outlook.robots.lines,
                "gross_minor": outlook.robots.gross_minor,
                "retries": outlook.robots.retries,
                "problem_count": outlook.robots.problem_count,
                "problems": outlook.robots.problems,
            },
            "stopped": outlook.stopped,
            "seconds": outlook.seconds,
        });
        if let Some(expected) = outlook.expected {
            value["file"] = json!({
                "baskets": outlook.baskets,
                "lines": outlook.lines,
                "gross": expected.to_string(),
                "gross_minor": expected.minor(),
                "left": outlook.left,
                "before": outlook.begin,
            });
        }
        value
    }
}

fn counted_json(counted: &Counted) -> Value {
    json!({
        "receipts": counted.receipts,
        "lines": counted.lines,
        "gross": counted.gross(),
        "gross_minor": counted.gross_minor,
    })
}

fn count_line(title: &str, counted: &Counted) -> String {
    let (receipts, lines) = (grouped(counted.receipts), grouped(counted.lines));
    format!(
        "{title:<12} {:>16}  {lines} lines in {receipts} receipts",
        counted.gross_grouped()
    )
}

fn verify_command(folder: &DemoFolder, lanes: usize) -> String {
    let dir = folder.shown().display();
    let lanes: Vec<String> = (1..=lanes).map(|n| format!("{dir}/lane-{n}")).collect();
    format!("lanemesh verify {} --hq {dir}/hq", lanes.join(" "))
}
