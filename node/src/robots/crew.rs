//! All robots together, and what they have done.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::cashier::Cashier;
use super::work::Work;

/// Problems kept for the report; more are only counted.
const PROBLEMS_MAX: usize = 20;

/// What robots have done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RobotReport {
    pub baskets: u64,
    pub lines: u64,
    /// Σ gross of the receipts, in minor units.
    pub gross_minor: i64,
    /// Times that something had to be asked again, because the lane was away.
    pub retries: u64,
    pub problems: Vec<String>,
    pub problem_count: u64,
}

impl RobotReport {
    pub fn problem(&mut self, text: String) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(text);
        }
    }

    fn add(&mut self, other: RobotReport) {
        self.baskets += other.baskets;
        self.lines += other.lines;
        self.gross_minor += other.gross_minor;
        self.retries += other.retries;
        let untold = other.problem_count - other.problems.len() as u64;
        for problem in other.problems {
            self.problem(problem);
        }
        self.problem_count += untold;
    }
}

/// All robots of a demo.
pub struct Crew {
    stop: watch::Sender<bool>,
    robots: JoinSet<RobotReport>,
}

impl Crew {
    /// Sets robots to work.
    pub fn start(cashiers: Vec<Cashier>, work: &Arc<Work>) -> Crew {
        let (stop, stopping) = watch::channel(false);
        let mut robots = JoinSet::new();
        for cashier in cashiers {
            robots.spawn(cashier.work(work.clone(), stopping.clone()));
        }
        Crew { stop, robots }
    }

    /// Whether every robot has gone home.
    pub fn is_idle(&mut self) -> bool {
        self.robots.is_empty()
    }

    /// Adds the reports of the robots that have ended by now.
    pub fn collect(&mut self, report: &mut RobotReport) {
        while let Some(ended) = self.robots.try_join_next() {
            add(report, ended);
        }
    }

    /// Asks the robots to finish the baskets they are at. One that cannot within `limit` is stopped
    /// in the middle, and its basket is finished by the next robot on its lane.
    pub async fn finish(mut self, limit: Duration, report: &mut RobotReport) {
        self.stop.send_replace(true);
        let all = async {
            while let Some(ended) = self.robots.join_next().await {
                add(report, ended);
            }
        };
        if tokio::time::timeout(limit, all).await.is_err() {
            self.robots.shutdown().await;
        }
    }
}

fn add(report: &mut RobotReport, ended: Result<RobotReport, tokio::task::JoinError>) {
    match ended {
        Ok(one) => report.add(one),
        Err(error) => report.problem(format!("a robot failed: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_add_up() {
        let mut one = RobotReport {
            baskets: 1,
            lines: 4,
            gross_minor: 1000,
            retries: 2,
            ..RobotReport::default()
        };
        (0..25).for_each(|n| one.problem(n.to_string()));
        let mut sum = one.clone();
        sum.add(one);
        assert_eq!(
            (sum.baskets, sum.lines, sum.gross_minor, sum.retries),
            (2, 8, 2000, 4)
        );
        assert_eq!((sum.problems.len(), sum.problem_count), (PROBLEMS_MAX, 50));
    }
}
