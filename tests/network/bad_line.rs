//! A network that loses one packet in five and delays every other by 30 ms, as an overloaded radio
//! link does.
//!
//! Every packet that a host sends is handed to a thread of this process (NFQUEUE), which drops it
//! or lets it go later.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nfq::{Message, Queue, Verdict};

use crate::dice::Dice;
use crate::lan::Host;
use crate::robots::{HUMAN_REST, Robots};
use crate::store::{LIMIT, LOOK_EVERY, Store, runtime};

const LOSS_PERCENT: u64 = 20;
const DELAY: Duration = Duration::from_millis(30);
/// How often the thread looks for packets, well under the delay.
const LOOK_FOR_PACKETS_EVERY: Duration = Duration::from_millis(1);
const QUEUE: u16 = 7;
const SALES: usize = 10;

/// Makes what a host sends late and incomplete until it is dropped.
struct BadLine<'a> {
    host: &'a Host,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl BadLine<'_> {
    fn of(host: &Host, dice: Dice) -> BadLine<'_> {
        let stop = Arc::<AtomicBool>::default();
        let stopping = stop.clone();
        let (opened, open) = mpsc::channel();
        let thread = host.thread(move || {
            let mut queue = Queue::open().expect("root may open a queue");
            queue.bind(QUEUE).expect("the kernel has queues");
            queue.set_nonblocking(true);
            opened.send(()).expect("the test waits for it");
            hold_back(&mut queue, dice, &stopping);
        });
        open.recv().expect("the queue opens");
        host.filter(&format!(
            "-A OUTPUT -o eth0 -j NFQUEUE --queue-num {QUEUE} --queue-bypass"
        ));
        BadLine {
            host,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for BadLine<'_> {
    fn drop(&mut self) {
        self.host.filter("-F OUTPUT");
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the bad line ended badly");
        }
    }
}

/// Drops packets or lets them go later. What is still held at the end goes at once.
fn hold_back(queue: &mut Queue, mut dice: Dice, stop: &AtomicBool) {
    let mut held: VecDeque<(Instant, Message)> = VecDeque::new();
    let pass = |queue: &mut Queue, mut packet: Message, verdict: Verdict| {
        packet.set_verdict(verdict);
        queue.verdict(packet).expect("the kernel takes a verdict");
    };
    while !stop.load(Ordering::Relaxed) {
        match queue.recv() {
            Ok(packet) if dice.below(100) < LOSS_PERCENT => pass(queue, packet, Verdict::Drop),
            Ok(packet) => held.push_back((Instant::now() + DELAY, packet)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(LOOK_FOR_PACKETS_EVERY);
            }
            Err(error) => panic!("the queue cannot be read: {error}"),
        }
        let now = Instant::now();
        while held.front().is_some_and(|(due, _)| *due <= now) {
            let (_, packet) = held.pop_front().expect("there is one");
            pass(queue, packet, Verdict::Accept);
        }
    }
    for (_, packet) in held {
        pass(queue, packet, Verdict::Accept);
    }
}

#[test]
fn a_line_that_loses_and_delays_slows_the_store_and_stops_nothing() {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = since.expect("after 1970").as_nanos() as u64;
    println!("seed {seed}");
    runtime().block_on(async {
        let Some(store) = Store::start(3).await else {
            return;
        };
        let robots = Robots::start_resting(&store, HUMAN_REST);
        let lines: Vec<BadLine> = store
            .lanes
            .iter()
            .map(|lane| BadLine::of(&lane.host, Dice::new(seed + lane.number)))
            .collect();
        robots.wait_sold(&[0, 1, 2], SALES).await;
        // What was sold so far is agreed on while the line is bad, whoever leads meanwhile.
        let sold = robots.sold();
        let started = Instant::now();
        loop {
            let applied = store.lanes[0].receipts_applied().await;
            let all = (1_u64..).zip(&sold);
            let counted = |number| applied.get(&number).copied().unwrap_or(0);
            if all.into_iter().all(|(n, sold)| counted(n) >= *sold as u64) {
                break;
            }
            assert!(started.elapsed() < LIMIT, "{sold:?} sold, {applied:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        println!("agreed on after {:?}", started.elapsed());
        drop(lines);
        store.assert_all_counted(robots).await;
    });
}
