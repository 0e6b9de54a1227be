//! Tests of what can happen to a lane's process, on a store of three real lanes.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ledger::{Command, Outcome};
use tokio::time::{Instant, sleep};

use crate::executor::Executor;
use crate::goods;
use crate::random::Dice;
use crate::scenario;
use crate::store::{Death, Process, Slot, Store};
use crate::timeline::Timeline;

/// Long enough for three lanes to become voters.
const SETTLING: Duration = Duration::from_secs(12);

fn with_three_lanes<F>(seed: u64, test: impl FnOnce(Arc<Store>) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let dice = Dice::new(seed);
    let executor = Executor::new(&dice);
    let scenario = scenario::named("calm").unwrap().remove(0);
    executor.clone().run(&runtime, async move {
        let timeline = Arc::new(Timeline::begin());
        let store = Store::new(&scenario, dice, executor, timeline.clone(), None).unwrap();
        let first = store.create().await.unwrap();
        for _ in 1..3 {
            let process = first.process().unwrap();
            store.join(&(first.clone(), process)).await.unwrap();
        }
        sleep(SETTLING).await;
        test(store).await;
        let violations = timeline.violations();
        assert!(violations.is_empty(), "seed {seed}: {violations:?}");
    });
}

fn leader(store: &Store) -> (Arc<Slot>, Process) {
    store.leader().expect("a lane leads")
}

fn term(process: &Process) -> u64 {
    process.lane.view().borrow().status.term
}

async fn change_prices(process: &Process) -> Outcome {
    let (records, _) = goods::new_prices(&mut Dice::new(5), 1);
    let author = "manager".to_owned();
    let change = Command::Reference { author, records };
    process.propose(change).await.expect("the lanes agree")
}

#[test]
fn a_frozen_leader_is_replaced_and_follows_when_it_wakes_up() {
    for seed in 1..4 {
        with_three_lanes(seed, async |store| {
            let (old, old_process) = leader(&store);
            let old_term = term(&old_process);
            store.freeze(&old);
            sleep(Duration::from_secs(3)).await;
            let view = old_process.lane.view();
            assert!(view.borrow().status.is_leader, "it has noticed nothing");
            let (new, new_process) = leader(&store);
            assert_ne!(new.name, old.name);
            assert!(term(&new_process) > old_term);
            change_prices(&new_process).await;
            store.thaw(&old);
            sleep(Duration::from_secs(3)).await;
            assert!(!view.borrow().status.is_leader);
            assert_eq!(view.borrow().status.leader.as_ref(), Some(&new.name));
            let version = |process: &Process| process.lane.view().borrow().status.book_version;
            assert_eq!(version(&old_process), version(&new_process));
        });
    }
}

#[test]
fn a_process_dies_at_any_await_or_operation_and_starts_again() {
    for seed in 0..3 {
        with_three_lanes(seed, async move |store| {
            for round in 0..4 {
                let (slot, process) = leader(&store);
                match (seed + round) % 2 {
                    0 => store.kill_after_polls(&slot, 1 + 37 * seed + 11 * round),
                    _ => slot.die_after_operations(1 + seed + round),
                }
                drop(process);
                let (_, any) = store.running().pop().expect("lanes run");
                // It may be the one that dies: then nobody answers.
                let change = async {
                    any.propose(Command::Reference {
                        author: "manager".to_owned(),
                        records: goods::new_prices(&mut Dice::new(seed), 1).0,
                    })
                    .await
                    .is_ok()
                };
                let _ = tokio::time::timeout(Duration::from_secs(3), change).await;
                sleep(Duration::from_secs(2)).await;
                assert!(slot.process().is_none(), "seed {seed}: it lives");
                if round % 2 == 1 {
                    store.kill(&slot, Death::PowerCut);
                }
                store.start(&slot).await;
                sleep(Duration::from_secs(2)).await;
                assert_eq!(store.running().len(), 3, "seed {seed}");
            }
            change_prices(&leader(&store).1).await;
        });
    }
}

#[test]
fn an_answer_waits_for_a_slow_disk() {
    with_three_lanes(1, async |store| {
        let (_, process) = leader(&store);
        let asked_at = Instant::now();
        change_prices(&process).await;
        let quick = asked_at.elapsed();
        let takes = Duration::from_millis(60);
        for slot in store.slots() {
            slot.device.set_sync_takes(Some((takes, takes)));
        }
        let asked_at = Instant::now();
        change_prices(&process).await;
        let slow = asked_at.elapsed();
        assert!(quick < takes && takes <= slow, "{quick:?} and {slow:?}");
    });
}
