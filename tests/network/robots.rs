//! Cashiers that ring up all the time, one on each lane, and remember every receipt they were given.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use api::{CommandRequest, Done};
use catalog::{EmployeeId, Role};
use node::client::LaneClient;
use node::sample;
use sale::{Command, Event, Pin};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::store::{LIMIT, Lane, Store};

/// Lines of a sale.
const SALE_LINES: usize = 3;
/// Between two commands: far faster than a person, and yet leaving the machine to the lanes.
const REST: Duration = Duration::from_millis(40);
/// As a good cashier works.
pub const HUMAN_REST: Duration = Duration::from_millis(400);
const ITEMS: usize = 20;

/// What a robot was told by its lane.
#[derive(Default)]
struct Told {
    receipts: Vec<String>,
    longest_wait: Duration,
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Robot {
    told: Arc<Mutex<Told>>,
    task: JoinHandle<()>,
}

impl Robot {
    fn sold(&self) -> usize {
        lock(&self.told).receipts.len()
    }
}

/// A robot on every lane, in the order of the lanes.
pub struct Robots {
    robots: Vec<Robot>,
    stop: watch::Sender<bool>,
}

impl Robots {
    pub fn start(store: &Store) -> Robots {
        Robots::start_resting(store, REST)
    }

    /// Robots that rest for this long between two commands.
    pub fn start_resting(store: &Store, rest: Duration) -> Robots {
        let (stop, stopping) = watch::channel(false);
        let start = |lane: &Lane| {
            let told = Arc::<Mutex<Told>>::default();
            let work = ring(lane.client.clone(), told.clone(), rest, stopping.clone());
            let task = lane.host.spawn(work);
            Robot { told, task }
        };
        let robots = store.lanes.iter().map(start).collect();
        Robots { robots, stop }
    }

    /// Waits until each of these lanes has sold `count` more: they go on selling as things are.
    pub async fn wait_sold(&self, indexes: &[usize], count: usize) {
        let wanted: Vec<(usize, usize)> = indexes
            .iter()
            .map(|index| (*index, self.robots[*index].sold() + count))
            .collect();
        let started = Instant::now();
        for (index, wanted) in wanted {
            let robot = &self.robots[index];
            while robot.sold() < wanted {
                assert!(
                    started.elapsed() < LIMIT && !robot.task.is_finished(),
                    "the robot on lane {} does not sell",
                    index + 1
                );
                tokio::time::sleep(REST).await;
            }
        }
    }

    /// How much the robot on each lane has sold.
    pub fn sold(&self) -> Vec<usize> {
        self.robots.iter().map(Robot::sold).collect()
    }

    /// Lets every robot finish its sale; gives all receipts.
    pub async fn finish(self) -> Vec<String> {
        self.stop.send_replace(true);
        let mut receipts = Vec::new();
        for (index, robot) in self.robots.into_iter().enumerate() {
            robot.task.await.expect("the robot does not fail");
            let mut told = lock(&robot.told);
            println!(
                "lane {}: {} receipts, the longest wait for an answer {:?}",
                index + 1,
                told.receipts.len(),
                told.longest_wait
            );
            receipts.append(&mut told.receipts);
        }
        receipts
    }
}

/// Signs in and rings up until it is told to stop, which it does between two sales.
async fn ring(
    client: LaneClient,
    told: Arc<Mutex<Told>>,
    rest: Duration,
    stop: watch::Receiver<bool>,
) {
    let robot = AtLane { client, told };
    robot.sign_in().await;
    let items = plain_items();
    let mut codes = items.iter().cycle();
    while !*stop.borrow() {
        for code in codes.by_ref().take(SALE_LINES) {
            robot.command(scan(code)).await;
            tokio::time::sleep(rest).await;
        }
        let paid = robot.command(Command::TenderCash { amount: None }).await;
        for event in paid.events {
            if let Event::Completed { receipt, .. } = event {
                lock(&robot.told).receipts.push(receipt.id);
            }
        }
        tokio::time::sleep(rest).await;
    }
}

struct AtLane {
    client: LaneClient,
    told: Arc<Mutex<Told>>,
}

impl AtLane {
    async fn sign_in(&self) {
        let people = sample::people();
        let person = people.iter().find(|p| p.role == Role::Supervisor);
        let person = person.expect("the sample store has a supervisor");
        let view = self.client.view().await.expect("the lane answers");
        if view.register.cashier.is_none() {
            self.command(Command::SignIn {
                employee: EmployeeId(person.number.clone()),
                pin: Pin(person.pin.clone()),
            })
            .await;
        }
    }

    async fn command(&self, command: Command) -> Done {
        let shown = format!("{command:?}");
        let request = CommandRequest { id: None, command };
        let started = Instant::now();
        let answer = self.client.command(&request).await;
        let waited = started.elapsed();
        let mut told = lock(&self.told);
        told.longest_wait = told.longest_wait.max(waited);
        let answer = answer.unwrap_or_else(|error| panic!("{shown}: {error}"));
        answer.unwrap_or_else(|problem| panic!("{shown}: {problem:?}"))
    }
}

fn scan(code: &str) -> Command {
    Command::Scan {
        code: code.to_owned(),
        quantity: None,
    }
}

/// Items of the sample store that can be scanned without a question.
fn plain_items() -> Vec<String> {
    let items = sample::items(sample::text_of("items").as_bytes()).into_iter();
    let plain = items.filter(|i| i.sold_by == money::Unit::Each && i.age_min.is_none());
    plain.take(ITEMS).map(|item| item.id.0).collect()
}
