//! Card payments against the terminal simulator: every answer, every way of losing it.

use std::time::Duration;

use devices::nexo::{
    Approval, Behaviour, Outcome, PaymentNumber, Script, Simulator, Terminal, TerminalSettings,
};
use money::{Currency, Money};
use sale::{CardAnswer, CardAsk, CardSource, CardTransaction, CardWork, CartId, LaneId, LocalTime};

const TIME: &str = "2026-11-27T09:00:00Z";

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

fn terminal(simulator: &Simulator) -> Terminal {
    Terminal::new(TerminalSettings {
        address: simulator.address(),
        sale_id: "Lane 1".to_owned(),
        poi_id: "POI-1".to_owned(),
        connect_limit: Duration::from_secs(20),
        answer_limit: Duration::from_secs(20),
        doubt_limit: Duration::from_secs(60),
        ask_again_every: Duration::from_millis(1),
    })
}

fn always(behaviour: Behaviour) -> Script {
    Box::new(move |_| behaviour)
}

#[test]
fn a_payment_has_one_outcome_whatever_happens_to_its_answer() {
    let check = |behaviour: Behaviour, approved: bool, charges: usize| {
        let simulator = Simulator::start(0, always(behaviour)).expect("a free port");
        let outcome = terminal(&simulator).pay(&PaymentNumber::new(1), usd(1234), TIME);
        match outcome {
            Outcome::Approved(approval) => {
                assert!(approved, "{behaviour:?}");
                assert_eq!(approval.amount, usd(1234));
                assert_eq!(approval.last_four.as_deref(), Some("0119"));
                assert_eq!(approval.token.as_deref(), Some("tok-1"));
                assert_eq!(approval.offline, behaviour == Behaviour::ApproveOffline);
            }
            Outcome::NotCharged { reason } => assert!(!approved, "{behaviour:?}: {reason}"),
            Outcome::Doubtful { reason } => panic!("{behaviour:?}: {reason}"),
        }
        assert_eq!(simulator.charges().len(), charges, "{behaviour:?}");
    };
    check(Behaviour::Approve, true, 1);
    check(Behaviour::ApproveOffline, true, 1);
    check(Behaviour::Decline, false, 0);
    check(Behaviour::Delay(Duration::from_millis(50)), true, 1);
    check(Behaviour::DropBefore, false, 0);
    check(Behaviour::DropAfter, true, 1);
}

#[test]
fn a_payment_that_nobody_can_be_asked_about_stays_in_doubt() {
    let simulator = Simulator::start(0, always(Behaviour::Approve)).expect("a free port");
    simulator.set_offline(true);
    let mut settings = TerminalSettings {
        address: simulator.address(),
        sale_id: "Lane 1".to_owned(),
        poi_id: "POI-1".to_owned(),
        connect_limit: Duration::from_secs(20),
        answer_limit: Duration::from_secs(20),
        doubt_limit: Duration::ZERO,
        ask_again_every: Duration::from_millis(1),
    };
    let number = PaymentNumber::new(1);
    let outcome = Terminal::new(settings.clone()).pay(&number, usd(500), TIME);
    assert!(matches!(outcome, Outcome::Doubtful { .. }), "{outcome:?}");
    // Once it can be reached it says that it never got the payment.
    simulator.set_offline(false);
    settings.doubt_limit = Duration::from_secs(60);
    let outcome = Terminal::new(settings).resolve(&number, Currency::USD);
    assert!(matches!(outcome, Outcome::NotCharged { .. }), "{outcome:?}");
    assert_eq!(simulator.charges(), []);
}

fn transaction(approval: &Approval) -> CardTransaction {
    CardTransaction {
        id: approval.poi_transaction.clone(),
        time: approval.poi_time.clone(),
    }
}

#[test]
fn everything_else_a_terminal_is_asked() {
    let simulator = Simulator::start(0, always(Behaviour::Approve)).expect("a free port");
    let terminal = terminal(&simulator);
    terminal
        .login(&PaymentNumber::new(1), TIME, "0.1.0")
        .expect("a login");
    terminal
        .display(&PaymentNumber::new(2), "TOTAL 5.00")
        .expect("a display");
    terminal
        .print(&PaymentNumber::new(3), "VISA\n5.00")
        .expect("a print");
    assert_eq!(simulator.shown(), ["TOTAL 5.00", "VISA", "5.00"]);
    let outcome = terminal.pay(&PaymentNumber::new(4), usd(500), TIME);
    let Outcome::Approved(approval) = outcome else {
        panic!("{outcome:?}");
    };
    terminal.abort(&PaymentNumber::new(4)).expect("an abort");
    terminal
        .reverse(&PaymentNumber::new(5), &transaction(&approval))
        .expect("a reversal");
    assert!(simulator.charges()[0].reversed);
    let mut unknown = approval.clone();
    unknown.poi_transaction = "99".to_owned();
    let refused = terminal.reverse(&PaymentNumber::new(6), &transaction(&unknown));
    assert!(refused.is_err(), "{refused:?}");
    let outcome = terminal.refund(&PaymentNumber::new(7), usd(200), TIME);
    assert!(matches!(outcome, Outcome::Approved(_)), "{outcome:?}");
    assert!(simulator.charges()[1].refund);
}

#[test]
fn an_outcome_says_what_became_of_a_question() {
    let simulator = Simulator::start(0, always(Behaviour::ApproveOffline)).expect("a free port");
    let outcome = terminal(&simulator).pay(&PaymentNumber::new(1), usd(500), TIME);
    let Outcome::Approved(approval) = outcome else {
        panic!("{outcome:?}");
    };
    let of = |minor| {
        let amount = usd(minor);
        let approval = approval.clone();
        CardAnswer::from(Outcome::Approved(Approval { amount, ..approval }))
    };
    let CardAnswer::Approved { approval: told } = of(500) else {
        panic!("{approval:?}");
    };
    assert_eq!(
        (told.amount, told.tip, told.offline),
        (usd(500), None, true)
    );
    assert_eq!(told.transaction.id, approval.poi_transaction);
    assert_eq!(told.last_four.as_deref(), Some("0119"));
    // Nobody pays nothing, or less.
    for minor in [0, -500] {
        let answer = of(minor);
        assert!(matches!(answer, CardAnswer::Doubtful { .. }), "{answer:?}");
    }
    let reason = || "no funds".to_owned();
    let declined = CardAnswer::Declined { reason: reason() };
    let answer = CardAnswer::from(Outcome::NotCharged { reason: reason() });
    assert_eq!(answer, declined);
    let doubtful = CardAnswer::Doubtful { reason: reason() };
    let answer = CardAnswer::from(Outcome::Doubtful { reason: reason() });
    assert_eq!(answer, doubtful);
}

fn asked(number: u64, work: CardWork) -> CardAsk {
    CardAsk {
        number,
        cart: CartId {
            lane: LaneId([1; 16]),
            number: 1,
        },
        terminal: "POI-1".to_owned(),
        work,
        by: "101".into(),
        at: LocalTime {
            unix_ms: 1_795_773_600_000,
            offset_minutes: 0,
        },
    }
}

#[test]
fn a_question_is_carried_out_once_and_then_asked_about() {
    let simulator = Simulator::start(0, always(Behaviour::DropAfter)).expect("a free port");
    let terminal = terminal(&simulator);
    let pay = CardWork::Pay {
        amount: usd(500),
        tip: Some(usd(50)),
    };
    let pay = asked(1, pay);
    // The crash came before the terminal heard it: it is not asked for the money.
    let never = terminal.what_became_of(&asked(9, pay.work.clone()));
    assert!(matches!(never, CardAnswer::Declined { .. }), "{never:?}");
    let answer = terminal.carry_out(&pay, TIME, "0.1.0");
    let CardAnswer::Approved { approval } = &answer else {
        panic!("{answer:?}");
    };
    assert_eq!(approval.amount, usd(550));
    assert_eq!(terminal.what_became_of(&pay), answer);
    assert_eq!(simulator.charges().len(), 1);

    let reverse = |original: &CardTransaction| CardWork::Reverse {
        amount: usd(550),
        original: original.clone(),
        tender: None,
    };
    let take_back = asked(2, reverse(&approval.transaction));
    for answer in [
        terminal.carry_out(&take_back, TIME, "0.1.0"),
        terminal.what_became_of(&take_back),
    ] {
        assert!(matches!(answer, CardAnswer::Approved { .. }), "{answer:?}");
    }
    assert!(simulator.charges()[0].reversed);
    let mut unknown = approval.transaction.clone();
    unknown.id = "99".to_owned();
    let refused = terminal.carry_out(&asked(3, reverse(&unknown)), TIME, "0.1.0");
    assert!(
        matches!(refused, CardAnswer::Declined { .. }),
        "{refused:?}"
    );

    let refund = CardWork::Refund {
        amount: usd(200),
        of: CardSource {
            receipt: "1-000001".to_owned(),
            tender: 1,
        },
        original: approval.transaction.clone(),
    };
    let answer = terminal.carry_out(&asked(4, refund), TIME, "0.1.0");
    assert!(matches!(answer, CardAnswer::Approved { .. }), "{answer:?}");
    assert!(simulator.charges()[1].refund);
}

#[test]
fn a_terminal_that_is_away_charges_nothing_and_is_asked_again_to_take_back() {
    let simulator = Simulator::start(0, always(Behaviour::Approve)).expect("a free port");
    let terminal = terminal(&simulator);
    simulator.set_offline(true);
    let amount = usd(500);
    let pay = terminal.carry_out(
        &asked(1, CardWork::Pay { amount, tip: None }),
        TIME,
        "0.1.0",
    );
    assert!(matches!(pay, CardAnswer::Declined { .. }), "{pay:?}");
    let late = CardWork::Reverse {
        amount,
        original: CardTransaction {
            id: "1".to_owned(),
            time: TIME.to_owned(),
        },
        tender: None,
    };
    let late = terminal.carry_out(&asked(2, late), TIME, "0.1.0");
    assert!(matches!(late, CardAnswer::Doubtful { .. }), "{late:?}");
}

/// Ten thousand payments with every loss at random: no customer is charged twice, none that was
/// charged is told otherwise, and nothing stays in doubt while the terminal answers.
#[test]
fn lost_answers_charge_nobody_twice() {
    const PAYMENTS: u64 = 10_000;
    const SEED: u64 = 0x5eed_cafe;
    println!("seed {SEED:#x}");
    let mut state = SEED;
    let script: Script = Box::new(move |_| {
        // Constants of Knuth's MMIX.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        match state >> 61 {
            0 | 1 => Behaviour::DropBefore,
            2 | 3 => Behaviour::DropAfter,
            4 => Behaviour::Decline,
            5 => Behaviour::Delay(Duration::from_micros(50)),
            _ => Behaviour::Approve,
        }
    });
    let simulator = Simulator::start(0, script).expect("a free port");
    let terminal = terminal(&simulator);
    let mut approved = Vec::new();
    for n in 1..=PAYMENTS {
        let amount = usd(i64::try_from(n).expect("a small number") + 99);
        let number = PaymentNumber::new(n);
        match terminal.pay(&number, amount, TIME) {
            Outcome::Approved(approval) => {
                assert_eq!(approval.amount, amount);
                approved.push((number.as_str().to_owned(), amount));
            }
            Outcome::NotCharged { .. } => {}
            Outcome::Doubtful { reason } => panic!("payment {n}: {reason}"),
        }
    }
    let charged: Vec<(String, Money)> = simulator
        .charges()
        .into_iter()
        .map(|charge| {
            let amount = Money::parse(&charge.amount, Currency::USD);
            (charge.service_id, amount.expect("an amount"))
        })
        .collect();
    assert_eq!(charged, approved);
    assert!(
        approved.len() > 5000 && approved.len() < 8000,
        "{}",
        approved.len()
    );
}
