//! What the taker promises: everything that head office publishes reaches the store once and in order,
//! soon where something is sold, and head office is asked calmly where nothing is.

use std::time::Duration;

use crate::world::{Question, World};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn publish(world: &World, numbers: impl IntoIterator<Item = u64>) {
    world.hq.lock().unwrap().published.extend(numbers);
}

fn taken(world: &World) -> Vec<u64> {
    let store = world.store.lock().unwrap();
    assert_eq!(store.refused, 0);
    store.taken.clone()
}

fn asked(world: &World) -> usize {
    world.hq.lock().unwrap().asked.len()
}

#[test]
fn a_leader_takes_all_there_is_and_then_asks_calmly() {
    let mut world = World::new(2);
    publish(&world, [1, 2, 5]);
    world.lead(0, true);
    world.run(SECOND);
    assert_eq!(taken(&world), [1, 2, 5]);
    assert_eq!(world.hq.lock().unwrap().asked, [0, 1, 2, 5]);
    world.run(10 * MINUTE);
    assert_eq!(asked(&world), 4 + 30, "every 20 seconds");
    publish(&world, [6]);
    world.run(20 * SECOND);
    assert_eq!(taken(&world), [1, 2, 5, 6]);
}

#[test]
fn where_something_is_sold_news_comes_with_the_next_batch() {
    let mut world = World::new(1);
    world.lead(0, true);
    world.run(SECOND);
    publish(&world, [1]);
    world.append(1);
    world.run(SECOND);
    assert_eq!(taken(&world), [1]);
    let before = asked(&world);
    for _ in 0..10 {
        world.append(1);
        world.run(SECOND);
    }
    assert_eq!(asked(&world), before, "batches alone ask nothing");
}

#[test]
fn a_lane_that_does_not_lead_asks_nothing() {
    let mut world = World::new(2);
    publish(&world, [1]);
    world.run(MINUTE);
    assert_eq!(asked(&world), 0);
    world.lead(1, true);
    world.run(SECOND);
    world.lead(1, false);
    let before = asked(&world);
    world.run(MINUTE);
    assert_eq!((taken(&world), asked(&world)), (vec![1], before));
}

#[test]
fn lost_answers_and_a_store_that_cannot_agree_are_tried_again() {
    let mut world = World::new(1);
    publish(&world, 1..=3);
    world.store.lock().unwrap().take_failures = 2;
    world
        .hq
        .lock()
        .unwrap()
        .questions
        .extend([Question::Lost; 3]);
    world.lead(0, true);
    world.run(MINUTE);
    assert_eq!(taken(&world), [1, 2, 3]);
}

#[test]
fn while_a_lane_takes_none_head_office_is_not_asked() {
    let mut world = World::new(1);
    publish(&world, [1]);
    world.store.lock().unwrap().takes_nothing = true;
    world.lead(0, true);
    world.append(1);
    world.run(MINUTE);
    assert_eq!(asked(&world), 0);
    world.store.lock().unwrap().takes_nothing = false;
    world.run(20 * SECOND);
    assert_eq!(taken(&world), [1]);
}

#[test]
fn a_head_office_that_publishes_nothing_is_asked_seldom() {
    let mut world = World::new(1);
    world
        .hq
        .lock()
        .unwrap()
        .questions
        .push_back(Question::OldOffice);
    world.lead(0, true);
    world.append(1);
    world.run(9 * MINUTE);
    assert_eq!(asked(&world), 1);
    assert_eq!(
        world.problem(0),
        None,
        "nobody is told that anything is wrong"
    );
    // It is upgraded.
    publish(&world, [1]);
    world.append(1);
    world.run(SECOND);
    assert_eq!(taken(&world), [1]);
}
