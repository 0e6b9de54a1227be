//! How often promotions that are given only so often were: in the store, by business day and by customer,
//! less what came back.

use ledger::{Command, FORMAT_LIMITS, Fact, GIVEN_DAYS_KEPT};
use sale::{BusinessDay, CartId, LineTotal, PromotionTotal, Receipt, ReturnOf};

use crate::shop::{Journal, Shop, completed, creation, lane, receipt, usd};

fn part(promotion: &str, times: u32) -> PromotionTotal {
    PromotionTotal {
        promotion: promotion.to_owned(),
        name: promotion.to_owned(),
        amount: usd(100),
        times,
    }
}

fn line_total(line: u32, promotion: Option<&str>) -> LineTotal {
    LineTotal {
        line,
        extended: usd(1000),
        discount: usd(0),
        deposit: usd(0),
        tax: usd(0),
        promotions: promotion.map(|id| part(id, 0)).into_iter().collect(),
        tax_detail: Default::default(),
    }
}

/// A receipt as the steps of the tests write it:
///
/// * `3 tv` sells three, each with the promotion `tv`; `3 tv given 2` gives it for two of them; `free`
///   before it sells them without a right to it
/// * `back 2 of a-1` takes two of line 1 of receipt `a-1` back
/// * ` for 700` and ` on 2026-11-28` say for whom and when
fn read(id: &str, text: &str) -> Receipt {
    let words: Vec<&str> = text.split(' ').collect();
    let after = |word: &str| {
        let at = words.iter().position(|other| *other == word)?;
        words.get(at + 1).copied()
    };
    let day = after("on").unwrap_or("2026-11-27");
    let cart = CartId {
        lane: lane(id.chars().next().unwrap()),
        number: 1,
    };
    let free = words[0] == "free";
    let first = usize::from(free || words[0] == "back");
    let pieces: i64 = words[first].parse().unwrap();
    let mut receipt = receipt(cart, day, &[("tv", pieces * 1000, 1000)]);
    receipt.id = id.to_owned();
    receipt.customer = after("for").map(Into::into);
    if let Some(source) = after("of") {
        receipt.lines[0].detail.returned = Some(Box::new(ReturnOf {
            receipt: source.to_owned(),
            line: 1,
            before_milli: 0,
            cost: line_total(1, Some("tv")),
            reason: "broken".to_owned(),
            restock: true,
            unreceipted: None,
        }));
        receipt.totals.lines = vec![line_total(1, Some("tv"))];
        receipt.totals.promotions = vec![part("tv", 0)];
        return receipt;
    }
    let times = after("given").map_or(pieces, |times| times.parse().unwrap());
    receipt.totals.lines = vec![line_total(1, Some("tv"))];
    receipt.totals.promotions = vec![part("tv", u32::try_from(times).unwrap())];
    if !free {
        receipt.detail.terms.rights = [("tv".to_owned(), 50)].into();
    }
    receipt
}

/// A store with two lanes whose releases read entries up to `reads`.
fn store(reads: u16) -> Shop {
    let mut commands = creation("ab");
    let Command::CreateStore { reads: first, .. } = &mut commands[0] else {
        panic!("a store begins with its creation");
    };
    *first = reads;
    let mut shop = Shop::default();
    for command in &commands {
        shop.apply(command);
    }
    shop
}

struct Books {
    shop: Shop,
    journals: [Journal; 2],
}

impl Books {
    fn new(reads: u16) -> Books {
        Books {
            shop: store(reads),
            journals: ['a', 'b'].map(Journal::of),
        }
    }

    /// Applies `a-1: 3 tv`: what a lane writes under this number.
    fn step(&mut self, step: &str) {
        let (id, text) = step.split_once(": ").unwrap();
        let journal = usize::from(id.starts_with('b'));
        let entry = self.journals[journal].write(completed(read(id, text)));
        let entries = vec![entry];
        self.shop.apply(&Command::Ingest { entries });
    }

    /// In the store, on that day, to customer 700, to them on that day, and in their history.
    fn counts(&self) -> [u64; 5] {
        let (view, day) = (self.shop.view(), BusinessDay("2026-11-27".to_owned()));
        let customer = "700".into();
        let of_store = view.given("tv", None).unwrap();
        let of_customer = view.given("tv", Some(&customer)).unwrap();
        let history = view.history(&customer).unwrap();
        let in_history = history.given.get("tv").copied().unwrap_or(0);
        [
            of_store.times,
            of_store.on(&day),
            of_customer.times,
            of_customer.on(&day),
            u64::from(in_history),
        ]
    }
}

/// After these steps it was given so often, see [`Books::counts`].
#[track_caller]
fn check(steps: &[&str], expected: [u64; 5]) {
    let mut books = Books::new(ledger::ENTRY_FORMAT);
    steps.iter().for_each(|step| books.step(step));
    assert_eq!(books.counts(), expected, "{steps:?}");
}

#[test]
fn what_was_given_is_counted_by_store_day_and_customer() {
    check(&[], [0, 0, 0, 0, 0]);
    check(&["a-1: 3 tv"], [3, 3, 0, 0, 0]);
    check(&["a-1: 3 tv", "b-1: 2 tv"], [5, 5, 0, 0, 0]);
    check(&["a-1: 3 tv given 2"], [2, 2, 0, 0, 0]);
    check(&["a-1: 3 tv for 700", "b-1: 2 tv for 701"], [5, 5, 3, 3, 3]);
    let later = "b-1: 2 tv for 700 on 2026-11-28";
    check(&["a-1: 3 tv for 700", later], [5, 3, 5, 3, 5]);
    // Where the lane had no right to it, it is not limited so; the customer's history counts all.
    check(&["a-1: free 3 tv for 700"], [0, 0, 0, 0, 3]);
}

#[test]
fn what_comes_back_is_free_again() {
    let sold = "a-1: 3 tv for 700";
    check(&[sold, "b-1: back 1 of a-1"], [2, 2, 2, 2, 2]);
    check(&[sold, "b-1: back 3 of a-1"], [0, 0, 0, 0, 0]);
    let twice = ["b-1: back 1 of a-1", "b-2: back 2 of a-1"];
    check(&[sold, twice[0], twice[1]], [0, 0, 0, 0, 0]);
    // Whoever brings it, and whenever: who got it, and when, has it to give again.
    let other = "b-1: back 1 of a-1 for 701 on 2026-11-28";
    check(&[sold, other], [2, 2, 2, 2, 2]);
    // More than was sold came back: two lanes took it that could not reach each other.
    let again = ["b-1: back 3 of a-1", "a-2: back 3 of a-1"];
    check(&[sold, again[0], again[1]], [0, 0, 0, 0, 0]);
    // In proportion, rounded down, where not every piece was given it.
    let some = "a-1: 3 tv given 2 for 700";
    check(&[some, "b-1: back 1 of a-1"], [2, 2, 2, 2, 2]);
    check(&[some, "b-1: back 2 of a-1"], [1, 1, 1, 1, 1]);
    check(&[some, "b-1: back 3 of a-1"], [0, 0, 0, 0, 0]);
    // Applied before what it takes back is.
    check(&["b-1: back 2 of a-1", sold], [1, 1, 1, 1, 1]);
    check(&["b-1: back 1 of a-9", sold], [3, 3, 3, 3, 3]);
}

#[test]
fn the_last_days_are_kept() {
    let mut books = Books::new(ledger::ENTRY_FORMAT);
    let days = GIVEN_DAYS_KEPT + 3;
    for day in 1..=days {
        books.step(&format!("a-{day}: 1 tv on 2026-11-{day:02}"));
    }
    books.step("a-99: 1 tv on 2026-11-01");
    let given = books.shop.view().given("tv", None).unwrap();
    assert_eq!(given.times, days as u64 + 1);
    assert_eq!(given.days.len(), GIVEN_DAYS_KEPT);
    let first = given.days.first_key_value().unwrap();
    assert_eq!(first, (&BusinessDay("2026-11-04".to_owned()), &1));
}

/// A lane of an earlier release would have other rows.
#[test]
fn nothing_is_counted_before_all_lanes_read_it() {
    let mut books = Books::new(FORMAT_LIMITS - 1);
    books.step("a-1: free 3 tv for 700");
    books.step("a-2: back 1 of a-1");
    // As it was: what comes back leaves the history as it is.
    assert_eq!(books.counts(), [0, 0, 0, 0, 3]);
    // What such a lane cannot read counts nowhere.
    books.step("a-3: 3 tv for 700");
    assert_eq!(books.counts(), [0, 0, 0, 0, 3]);
    for (letter, journal) in [('a', 0), ('b', 1)] {
        let started = Fact::LaneStarted {
            name: format!("Lane {letter}"),
            release: "0.1.0".to_owned(),
            reads: FORMAT_LIMITS,
        };
        let entries = vec![books.journals[journal].write(started)];
        books.shop.apply(&Command::Ingest { entries });
    }
    books.step("a-4: 3 tv for 700");
    assert_eq!(books.counts(), [3, 3, 3, 3, 6]);
    books.step("b-1: back 1 of a-1");
    assert_eq!(books.counts(), [3, 3, 3, 3, 5]);
}
