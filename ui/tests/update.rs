//! What happens next, as data: what a cashier enters, and what the model then is.
//!
//! A script is words to type and, in angle brackets, keys; `{10001}` is the item's barcode; `~` is a
//! space. `@hold` lets the lane keep its answers, `@release` gives them.

use api::{Mode, Problem, Update};
use catalog::Role;
use sale::{Command, Refusal};
use ui::commands::COMMANDS;
use ui::entry::Entry;
use ui::keys::{Input, message};
use ui::message::{Effect, Message};
use ui::model::{Model, NoticeKind, OUTBOX_MAX, Question};
use ui::update::update;

#[path = "../examples/support/mod.rs"]
mod support;

struct Bench {
    model: Model,
    lane: Box<dyn api::Lane>,
    handle: support::Handle,
    fullscreen: usize,
}

impl Bench {
    fn new() -> Bench {
        let (lane, handle) = support::lane();
        let mut bench = Bench {
            model: Model::new(),
            lane,
            handle,
            fullscreen: 0,
        };
        bench.listen();
        bench
    }

    fn signed_in() -> Bench {
        let mut bench = Bench::new();
        bench.run("101 <Enter> 1234 <Enter>");
        bench
    }

    fn take(&mut self, message: Message) {
        for effect in update(&mut self.model, message) {
            match effect {
                Effect::Submit { ticket, command } => self.lane.submit(ticket, command),
                Effect::Search { ticket, words } => self.lane.search(ticket, &words),
                Effect::Print { receipt } => self.lane.print(&receipt),
                Effect::ToggleFullscreen => self.fullscreen += 1,
            }
        }
        self.listen();
    }

    fn listen(&mut self) {
        loop {
            let updates = self.lane.poll();
            if updates.is_empty() {
                return;
            }
            for update in updates {
                self.take(Message::Lane(update));
            }
        }
    }

    fn run(&mut self, script: &str) {
        for token in script.split_whitespace() {
            match token {
                "@hold" => self.handle.set(|inside| inside.held = true),
                "@release" => self.release(),
                "@show" => self.handle.show(),
                _ => self.enter(token),
            }
            self.listen();
        }
    }

    /// The lane answers what it has kept, in order, and keeps nothing from now on.
    fn release(&mut self) {
        let mut inside = self.handle.0.borrow_mut();
        inside.held = false;
        for (ticket, command) in std::mem::take(&mut inside.kept) {
            inside.submit(ticket, command);
        }
    }

    fn enter(&mut self, token: &str) {
        let input = match token.strip_prefix('<').and_then(|t| t.strip_suffix('>')) {
            Some(name) => {
                let row = COMMANDS.iter().find(|row| row.key.name() == name);
                Input::Key(row.expect("the script names a key of the table").key)
            }
            None => Input::Text(expand(token)),
        };
        if let Some(message) = message(self.model.place(), input) {
            self.take(message);
        }
    }

    /// The model in words, as the cashier would tell it.
    fn told(&self) -> String {
        let model = &self.model;
        let mut told = vec![format!("{:?}", model.place())];
        let marked = model.marked().map(|line| line.number);
        for line in model.lines() {
            let mark = if marked == Some(line.number) {
                "> "
            } else {
                ""
            };
            told.push(format!("{mark}{} {}", line.quantity, line.description));
        }
        if let Some(due) = model.rest() {
            told.push(format!("due {due}"));
        }
        if let Some(receipt) = &model.receipt {
            told.push(format!("receipt {}, change {}", receipt.id, receipt.change));
        }
        if !model.entry.is_empty() {
            told.push(format!("typed {}", model.entry.text()));
        }
        for notice in &model.notices {
            told.push(format!("{:?}: {}", notice.kind, notice.message));
        }
        if !model.waiting().is_empty() {
            told.push(format!("waiting {}", model.waiting().join(" ")));
        }
        told.join("\n")
    }
}

/// The codes that were sold, in order.
fn sold(handle: &support::Handle) -> Vec<String> {
    let inside = handle.0.borrow();
    let codes = inside.done.iter().filter_map(|command| match command {
        Command::Scan { code, .. } => Some(code.clone()),
        _ => None,
    });
    codes.collect()
}

/// Barcodes and spaces.
fn expand(token: &str) -> String {
    let mut text = token.replace('~', " ");
    while let (Some(from), Some(to)) = (text.find('{'), text.find('}')) {
        let code = support::barcode(&text[from + 1..to]);
        text.replace_range(from..=to, &code);
    }
    text
}

fn check_in(mut bench: Bench, script: &str, expected: &[&str]) -> Bench {
    bench.run(script);
    assert_eq!(bench.told(), expected.join("\n"), "after {script}");
    bench
}

/// A signed-in cashier enters the script.
fn check(script: &str, expected: &[&str]) -> Bench {
    check_in(Bench::signed_in(), script, expected)
}

#[test]
fn signing_in_takes_a_number_and_a_pin() {
    let check = |script: &str, expected: &[&str]| check_in(Bench::new(), script, expected);
    check("", &["SignIn"]);
    check("101 <Enter> 1234 <Enter>", &["Sale"]);
    check("101 <Enter> <Enter>", &["SignIn"]);
    check("101 <Enter> 12 <Esc> <Esc>", &["SignIn"]);
    check(
        "101 <Enter> 9999 <Enter>",
        &["SignIn", "Refused: That number and PIN do not match."],
    );
    check(
        "101 <Enter> 9999 <Enter> 101 <Enter> 1234 <Enter>",
        &["Sale"],
    );
    // The first item may be scanned while the PIN is still being checked.
    check(
        "@hold 101 <Enter> 1234 <Enter> {10001} <Enter> @release",
        &["Sale", "> 1 Whole wheat bread 500 g", "due 2.85"],
    );
}

#[test]
fn a_pin_is_in_no_debug_output() {
    let mut bench = Bench::new();
    bench.run("101 <Enter> 8642");
    assert_eq!(bench.model.entry.text(), "8642");
    bench.run("@hold <Enter>");
    assert!(bench.model.sent.is_some(), "the sign-in is on its way");
    let debug = format!("{:?}", bench.model);
    assert!(!debug.contains("8642"), "{debug}");
}

#[test]
fn items_are_scanned_with_and_without_a_quantity() {
    let bread = "Whole wheat bread 500 g";
    check(
        "{10001} <Enter>",
        &["Sale", &format!("> 1 {bread}"), "due 2.85"],
    );
    check(
        "3*{10001} <Enter>",
        &["Sale", &format!("> 3 {bread}"), "due 8.56"],
    );
    check(
        "3~x~{10001} <Enter>",
        &["Sale", &format!("> 3 {bread}"), "due 8.56"],
    );
    // The quantity alone waits for its item.
    check(
        "3* <Enter> {10001} <Enter>",
        &["Sale", &format!("> 3 {bread}"), "due 8.56"],
    );
    check(
        "0.5*4011 <Enter>",
        &["Sale", "> 0.500 kg Bananas", "due 0.82"],
    );
    check("<Enter>", &["Sale"]);
    check("400 <Backspace> 1", &["Sale", "typed 401"]);
    check("400 <Del>", &["Sale"]);
    check("400 <Esc>", &["Sale"]);
}

#[test]
fn refusals_stay_until_a_later_scan_is_good() {
    let unknown = "Refused: No item has the code 777.";
    let bread = "Whole wheat bread 500 g";
    check("777 <Enter>", &["Sale", unknown]);
    check("777 <Enter> <Esc>", &["Sale"]);
    check(
        "777 <Enter> {10001} <Enter>",
        &["Sale", &format!("> 1 {bread}"), "due 2.85"],
    );
    // Scanned before the refusal could be seen: it must not wipe it away.
    check(
        "@hold 777 <Enter> {10001} <Enter> @release",
        &["Sale", &format!("> 1 {bread}"), "due 2.85", unknown],
    );
    check(
        "@hold 777 <Enter> {10001} <Enter> @release {10001} <Enter>",
        &[
            "Sale",
            &format!("1 {bread}"),
            &format!("> 1 {bread}"),
            "due 5.70",
        ],
    );
}

#[test]
fn an_age_question_holds_back_what_is_scanned_behind_it() {
    let (wine, bread, milk) = (
        "Red wine Rioja 0.75 l",
        "Whole wheat bread 500 g",
        "Milk 1 l",
    );
    let waiting = format!(
        "waiting {} {}",
        support::barcode("10001"),
        support::barcode("10002")
    );
    let burst = "{10007} <Enter> {10001} <Enter> {10002} <Enter>";
    check(burst, &["Age", &waiting]);
    check(&format!("@hold {burst} @release"), &["Age", &waiting]);
    // A scanner's Enter is no answer.
    check(&format!("{burst} <Enter> <Enter>"), &["Age", &waiting]);
    check(
        &format!("{burst} <F10>"),
        &[
            "Sale",
            &format!("1 {wine}"),
            &format!("1 {bread}"),
            &format!("> 1 {milk}"),
            "due 12.61",
        ],
    );
    check(
        &format!("{burst} <Esc>"),
        &[
            "Sale",
            &format!("1 {bread}"),
            &format!("> 1 {milk}"),
            "due 3.96",
            &format!("Info: Left out: {wine}."),
        ],
    );
    // Words about the sale have been seen there, and are no help with the money.
    check(
        "{10001} <Enter> {10007} <Enter> <Esc> <F12>",
        &["Tender", &format!("> 1 {bread}"), "due 2.85"],
    );
    // Pay waited behind the question: nobody has seen them yet.
    check(
        "@hold {10001} <Enter> {10007} <Enter> <F12> @release <Esc>",
        &[
            "Tender",
            &format!("> 1 {bread}"),
            "due 2.85",
            &format!("Info: Left out: {wine}."),
        ],
    );
    // Confirmed once, asked never again in this sale.
    check(
        "{10007} <Enter> <F10> {10007} <Enter>",
        &[
            "Sale",
            &format!("1 {wine}"),
            &format!("> 1 {wine}"),
            "due 17.30",
        ],
    );
}

#[test]
fn the_question_may_come_in_the_middle_of_the_next_code() {
    let code = support::barcode("10001");
    let (first, rest) = code.split_at(6);
    check(
        &format!("@hold {{10007}} <Enter> {first} @release {rest} <Enter>"),
        &["Age", &format!("waiting {code}")],
    );
    check(
        &format!("@hold 4131 <Enter> {first} @release {rest} <Enter>"),
        &["Weight", &format!("waiting {code}")],
    );
}

#[test]
fn a_weight_is_asked_for_and_a_barcode_is_no_weight() {
    let code = support::barcode("10001");
    let apples = "> 1.200 kg Apples Fuji";
    check("4131 <Enter>", &["Weight"]);
    check("4131 <Enter> 1.2 <Enter>", &["Sale", apples, "due 3.43"]);
    check(
        "4131 <Enter> {10001} <Enter>",
        &["Weight", &format!("waiting {code}")],
    );
    check(
        "4131 <Enter> {10001} <Enter> 1.2 <Enter>",
        &[
            "Sale",
            "1.200 kg Apples Fuji",
            "> 1 Whole wheat bread 500 g",
            "due 6.28",
        ],
    );
    check(
        "4131 <Enter> 0 <Enter>",
        &[
            "Weight",
            "Typed: '0' is out of range: a quantity is over 0 and at most 100000",
        ],
    );
    // A better answer takes the words about the bad one away.
    check(
        "4131 <Enter> 0 <Enter> 1.2 <Enter>",
        &["Sale", "> 1.200 kg Apples Fuji", "due 3.43"],
    );
    check(
        "4131 <Enter> 0 <Enter> <Esc>",
        &["Sale", "Info: Left out: Apples Fuji."],
    );
    check(
        "4131 <Enter> <Esc>",
        &["Sale", "Info: Left out: Apples Fuji."],
    );
}

#[test]
fn lines_are_marked_changed_and_removed() {
    let two = "{10001} <Enter> {10002} <Enter>";
    let (bread, milk) = ("Whole wheat bread 500 g", "Milk 1 l");
    check(
        &format!("{two} <Up>"),
        &[
            "Sale",
            &format!("> 1 {bread}"),
            &format!("1 {milk}"),
            "due 3.96",
        ],
    );
    check(
        &format!("{two} <Up> 4 <F3>"),
        &[
            "Sale",
            &format!("> 4 {bread}"),
            &format!("1 {milk}"),
            "due 12.52",
        ],
    );
    check(
        &format!("{two} <F3> 2 <Enter>"),
        &[
            "Sale",
            &format!("1 {bread}"),
            &format!("> 2 {milk}"),
            "due 5.08",
        ],
    );
    check(
        &format!("{two} <F3> <Esc>"),
        &[
            "Sale",
            &format!("1 {bread}"),
            &format!("> 1 {milk}"),
            "due 3.96",
        ],
    );
    check(
        &format!("{two} <Home> <F4>"),
        &[
            "Sale",
            &format!("> 1 {milk}"),
            "due 1.11",
            &format!("Info: Removed: {bread}."),
        ],
    );
    // A scan over an open question about a quantity is a scan.
    check(
        &format!("{two} <F3> {{10004}} <Enter>"),
        &[
            "Sale",
            &format!("1 {bread}"),
            &format!("1 {milk}"),
            "> 1 Butter 250 g",
            "due 6.51",
        ],
    );
    check("<F3>", &["Sale", "Refused: There is no open sale."]);
    check("<F4>", &["Sale", "Refused: There is no open sale."]);
}

#[test]
fn a_price_is_changed_by_a_supervisor_with_a_reason() {
    let needs = Role::Supervisor;
    let refused = format!("Refused: {}", Refusal::NotAllowed { needs });
    let bread = "> 1 Whole wheat bread 500 g";
    check(
        "{10001} <Enter> <F6>",
        &["Sale", bread, "due 2.85", &refused],
    );
    let supervisor = || {
        let mut bench = Bench::new();
        bench.run("201 <Enter> 2222 <Enter> {10001} <Enter>");
        bench
    };
    check_in(
        supervisor(),
        "<F6> 2.00 <Enter>",
        &["Choice", bread, "due 2.85"],
    );
    check_in(
        supervisor(),
        "<F6> 2.00 <Enter> 2 <Enter>",
        &["Sale", bread, "due 2.05"],
    );
    check_in(
        supervisor(),
        "<F6> 2.00 <Enter> <Down> <F10>",
        &["Sale", bread, "due 2.05"],
    );
    check_in(
        supervisor(),
        "<F6> 2.005 <Enter>",
        &[
            "Prompt",
            bread,
            "due 2.85",
            "Typed: '2.005' has more than 2 decimal places, the most that USD has",
        ],
    );
}

#[test]
fn a_sale_is_voided_only_on_purpose() {
    let bread = "> 1 Whole wheat bread 500 g";
    check("{10001} <Enter> <F8>", &["Choice", bread, "due 2.85"]);
    check(
        "{10001} <Enter> <F8> <Enter>",
        &["Choice", bread, "due 2.85"],
    );
    check("{10001} <Enter> <F8> <Esc>", &["Sale", bread, "due 2.85"]);
    check(
        "{10001} <Enter> <F8> {10002} <Enter>",
        &[
            "Sale",
            "1 Whole wheat bread 500 g",
            "> 1 Milk 1 l",
            "due 3.96",
        ],
    );
    let voided = &["Sale", "Info: The sale was voided."];
    check("{10001} <Enter> <F8> <F10>", voided);
    check("{10001} <Enter> <F8> 3 <Enter>", voided);
    check("<F8>", &["Sale", "Refused: There is no open sale."]);
}

#[test]
fn cash_is_taken_exactly_or_with_change() {
    let bread = "> 1 Whole wheat bread 500 g";
    let to_pay = "{10001} <Enter> <F12>";
    let exact = &["Receipt", "receipt 1-000001, change 0.00"];
    check(to_pay, &["Tender", bread, "due 2.85"]);
    check(&format!("{to_pay} <Enter>"), &["Tender", bread, "due 2.85"]);
    check(&format!("{to_pay} <F2>"), exact);
    check(&format!("{to_pay} 2.85 <Enter>"), exact);
    check(
        &format!("{to_pay} 20 <Enter>"),
        &["Receipt", "receipt 1-000001, change 17.15"],
    );
    check(
        &format!("{to_pay} <F4>"),
        &["Receipt", "receipt 1-000001, change 7.15"],
    );
    check(
        &format!("{to_pay} 1 <Enter>"),
        &["Tender", bread, "due 1.85"],
    );
    check(
        &format!("{to_pay} 1 <Enter> <F2>"),
        &["Receipt", "receipt 1-000001, change 0.00"],
    );
    check(&format!("{to_pay} <Esc>"), &["Sale", bread, "due 2.85"]);
    check(
        &format!("{to_pay} 1 <Enter> <Esc>"),
        &["Sale", bread, "due 2.85", "Info: Give back 1.00."],
    );
    check(
        "<F12>",
        &["Sale", "Refused: There is nothing in the sale to pay for."],
    );
}

#[test]
fn money_is_taken_once_however_often_a_button_is_pressed() {
    let bench = check(
        "{10001} <Enter> <F12> @hold <F2> <F2> <F3> @release",
        &["Receipt", "receipt 1-000001, change 0.00"],
    );
    assert_eq!(bench.handle.0.borrow().register.receipts, 1);
}

#[test]
fn a_barcode_is_never_money() {
    check(
        "{10001} <Enter> <F12> {10002} <Enter>",
        &[
            "Sale",
            "1 Whole wheat bread 500 g",
            "> 1 Milk 1 l",
            "due 3.96",
        ],
    );
    check(
        "{10001} <Enter> <F12> 1 <Enter> {10002} <Enter>",
        &[
            "Tender",
            "> 1 Whole wheat bread 500 g",
            "due 1.85",
            "Refused: Paying has begun: 1.00 of 2.85 is paid.",
        ],
    );
}

#[test]
fn paying_waits_for_what_was_scanned_before() {
    check(
        "@hold {10001} <Enter> {10002} <Enter> <F12>",
        &["Sale", &format!("waiting {}", support::barcode("10002"))],
    );
    check(
        "@hold {10001} <Enter> {10002} <Enter> <F12> @release",
        &[
            "Tender",
            "1 Whole wheat bread 500 g",
            "> 1 Milk 1 l",
            "due 3.96",
        ],
    );
}

#[test]
fn the_next_sale_begins_by_scanning() {
    let paid = "{10001} <Enter> <F12> 20 <Enter>";
    check(&format!("{paid} <F12>"), &["Sale"]);
    check(&format!("{paid} <Enter>"), &["Sale"]);
    check(&format!("{paid} <Esc>"), &["Sale"]);
    let next = [
        "Sale",
        "> 1 Milk 1 l",
        "due 1.11",
        "Info: Last sale: change 17.15.",
    ];
    check(&format!("{paid} {{10002}} <Enter>"), &next);
    // Scanned before the payment was answered: the change can still be read.
    check(
        "{10001} <Enter> <F12> @hold 20 <Enter> {10002} <Enter> @release",
        &next,
    );
}

#[test]
fn customers_are_set_by_number() {
    let bench = check(
        "{10010} <Enter> <F5> 900017 <Enter>",
        &[
            "Sale",
            "> 1 Coffee beans 500 g",
            "due 7.66",
            "Info: Customer: Eva Lind.",
        ],
    );
    let cart = bench.model.cart().and_then(|cart| cart.customer.clone());
    assert_eq!(
        cart.map(|(id, ..)| id.to_string()).as_deref(),
        Some("900017")
    );
    check(
        "<F5> 5 <Enter>",
        &["Sale", "Refused: There is no customer 5."],
    );
}

#[test]
fn items_are_found_by_name() {
    check("<F2> b", &["Find", "typed b"]);
    check("<F2> milk <Enter>", &["Sale", "> 1 Milk 1 l", "due 1.11"]);
    check(
        "2* <F2> milk <Enter>",
        &["Sale", "> 2 Milk 1 l", "due 2.23"],
    );
    check("milk <F2> <Enter>", &["Sale", "> 1 Milk 1 l", "due 1.11"]);
    // The second of what was found: bread, then cola.
    check(
        "<F2> ol <Down> <Enter>",
        &["Sale", "> 1 Cola 0.5 l", "due 1.86"],
    );
    check("<F2> nothing <Enter>", &["Find", "typed nothing"]);
    check("<F2> milk <Esc>", &["Sale"]);
    check(
        "<F2> {10002} <Enter>",
        &["Sale", "> 1 Milk 1 l", "due 1.11"],
    );
}

#[test]
fn only_the_newest_search_counts() {
    let mut bench = Bench::signed_in();
    bench.run("<F2> milk");
    let late = Update::Found {
        ticket: 1,
        items: Vec::new(),
    };
    bench.take(Message::Lane(late));
    bench.run("<Enter>");
    assert_eq!(bench.told(), "Sale\n> 1 Milk 1 l\ndue 1.11");
}

#[test]
fn an_answer_to_nothing_asked_changes_nothing() {
    let mut bench = Bench::signed_in();
    bench.run("{10001} <Enter>");
    let before = bench.told();
    let message = "late".to_owned();
    bench.take(Message::Lane(Update::Answer {
        ticket: 999,
        answer: Err(Problem::Stopped { message }),
    }));
    assert_eq!(bench.told(), before);
}

#[test]
fn overlays_come_and_go() {
    check("<F1>", &["Overlay"]);
    check("<F1> <F1>", &["Sale"]);
    check("<F1> <Esc>", &["Sale"]);
    check(
        "<F1> {10002} <Enter>",
        &["Sale", "> 1 Milk 1 l", "due 1.11"],
    );
    check(
        "<F7>",
        &["Sale", "Info: This lane has printed no receipt yet."],
    );
    check("{10001} <Enter> <F12> <F2> <F12> <F7>", &["Overlay"]);
    assert_eq!(check("<F11>", &["Sale"]).fullscreen, 1);
}

#[test]
fn signing_out_leaves_nothing_behind() {
    check("<F9>", &["SignIn"]);
    check(
        "{10001} <Enter> <F9>",
        &[
            "Sale",
            "> 1 Whole wheat bread 500 g",
            "due 2.85",
            "Refused: A sale is open.",
        ],
    );
    let mut bench = Bench::signed_in();
    bench.run("777 <Enter> 12");
    bench.handle.set(|inside| inside.register.cashier = None);
    bench.listen();
    assert_eq!(bench.told(), "SignIn");
}

#[test]
fn a_burst_arrives_in_order_and_complete() {
    let items = ["10001", "10002", "10003", "10004", "10012", "10014"];
    let burst: Vec<String> = (0..60).map(|i| items[i % items.len()].to_owned()).collect();
    let script: Vec<String> = burst.iter().map(|i| format!("{{{i}}} <Enter>")).collect();
    let mut bench = Bench::signed_in();
    bench.run(&format!("@hold {} @release", script.join(" ")));
    let expected: Vec<String> = burst.iter().map(|item| support::barcode(item)).collect();
    assert_eq!(sold(&bench.handle), expected);
    assert_eq!(bench.model.lines().len(), 60);
}

#[test]
fn the_queue_has_an_end_and_says_so() {
    let mut bench = Bench::signed_in();
    let many = "4011 <Enter> ".repeat(OUTBOX_MAX + 2);
    bench.run(&format!("@hold {many}"));
    assert_eq!(bench.model.waiting().len(), OUTBOX_MAX);
    let kinds: Vec<NoticeKind> = bench.model.notices.iter().map(|n| n.kind).collect();
    assert_eq!(kinds, [NoticeKind::Failed]);
}

#[test]
fn a_lane_that_is_away_keeps_scans_and_says_so() {
    let away = || {
        let mut bench = Bench::signed_in();
        let message = "The lane is starting.".to_owned();
        let problem = Problem::Unavailable { message };
        bench.handle.0.borrow_mut().problem = Some(problem);
        bench.run("{10001} <Enter> {10002} <Enter>");
        bench
    };
    let waiting = format!(
        "Sale\nwaiting {} {}",
        support::barcode("10001"),
        support::barcode("10002")
    );
    let mut bench = away();
    assert_eq!(bench.told(), waiting);
    assert!(bench.model.lane_down.is_some());
    // It is back: everything goes in, in order.
    bench.handle.0.borrow_mut().problem = None;
    bench.run("@show");
    assert_eq!(
        bench.told(),
        "Sale\n1 Whole wheat bread 500 g\n> 1 Milk 1 l\ndue 3.96"
    );
    assert!(bench.model.lane_down.is_none());

    // It is asked again by itself once the time has come.
    let mut bench = away();
    bench.handle.0.borrow_mut().problem = None;
    bench.take(Message::Clock(100));
    assert_eq!(bench.told(), waiting);
    bench.take(Message::Clock(5_000));
    assert_eq!(bench.model.lines().len(), 2);

    // The cashier may also give up.
    let mut bench = away();
    bench.run("<Esc>");
    assert_eq!(
        bench.told(),
        "Sale\nRefused: 2 waiting inputs were dropped."
    );
}

#[test]
fn a_lane_that_has_stopped_sells_nothing() {
    let mut bench = Bench::signed_in();
    let message = "The journal could not be written.".to_owned();
    bench.handle.set(|inside| {
        inside.mode = Mode::Stop {
            reason: message.clone(),
        };
        inside.problem = Some(Problem::Stopped { message });
    });
    bench.run("{10001} <Enter>");
    assert_eq!(
        bench.told(),
        "Sale\nFailed: The journal could not be written."
    );
    assert!(bench.model.is_stopped());
}

#[test]
fn the_clock_goes_on_between_two_views() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.model.now().map(|t| t.hour_minute()),
        Some("07:47".into())
    );
    assert_eq!(bench.model.ms_to_next_minute(), Some(60_000));
    bench.take(Message::Clock(59_999));
    assert_eq!(bench.model.ms_to_next_minute(), Some(1));
    bench.take(Message::Clock(60_000));
    assert_eq!(
        bench.model.now().map(|t| t.hour_minute()),
        Some("07:48".into())
    );
}

#[test]
fn a_slow_answer_is_said() {
    let mut bench = Bench::signed_in();
    bench.run("@hold {10001} <Enter>");
    assert!(!bench.model.is_slow());
    bench.take(Message::Clock(1_000));
    assert!(bench.model.is_slow());
    bench.run("@release");
    assert!(!bench.model.is_slow());
}

#[test]
fn nothing_is_taken_before_the_lane_has_shown_itself() {
    let mut model = Model::new();
    for message in [
        Message::Typed("101".to_owned()),
        Message::Do(ui::commands::Action::Submit),
        Message::TakeCash("5".to_owned()),
    ] {
        assert_eq!(update(&mut model, message), Vec::new());
    }
    assert_eq!(model.entry, Entry::default());
    assert_eq!(model.question, None::<Question>);
}

#[test]
fn coupons_discounts_and_tenders_change_the_price() {
    check(
        "{10004} <Enter> SPRING <Enter>",
        &[
            "Sale",
            "> 1 Butter 250 g",
            "due 1.52",
            "Info: Coupon taken: SPRING.",
        ],
    );
    let supervisor = |script: &str, expected: &[&str]| {
        let mut bench = Bench::new();
        bench.run("201 <Enter> 2222 <Enter>");
        check_in(bench, script, expected);
    };
    // 10 % off 2.79, and 2.25 % tax.
    supervisor(
        "{10001} <Enter> <F6> 10% <Enter> 2 <Enter>",
        &["Sale", "> 1 Whole wheat bread 500 g", "due 2.57"],
    );
    supervisor(
        "{10001} <Enter> <F6> 30% <Enter> 2 <Enter>",
        &[
            "Sale",
            "> 1 Whole wheat bread 500 g",
            "due 2.85",
            "Refused: That is more than anybody may take off by hand.",
        ],
    );
    // The first press of money shows what cash changes, the second takes it.
    check(
        "{10014} <Enter> <F12> <F2>",
        &[
            "Tender",
            "> 1 Dish soap 500 ml",
            "due 1.46",
            "Refused: Paid with cash it costs 1.46, and the customer was told 2.00.",
        ],
    );
    let bench = check(
        "{10014} <Enter> <F12> <F2> <F2>",
        &["Receipt", "receipt 1-000001, change 0.00"],
    );
    let receipt = bench.model.receipt.expect("the sale is paid");
    assert_eq!(receipt.totals.discount.minor(), 50);
}

#[test]
fn what_is_nearest_is_shown() {
    let bench = check("2*{10005} <Enter>", &["Sale", "> 2 Cola 0.5 l", "due 3.73"]);
    let view = bench.model.view.expect("the lane shows something");
    let hints: Vec<String> = view.hints.iter().map(ToString::to_string).collect();
    assert_eq!(hints, ["Add 1 more: Cola: 3 for 3.50"]);
}
