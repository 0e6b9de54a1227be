//! A day around the sales: approvals, notes, sales put aside, the drawer, the business day, reports.

use catalog::{Action, Role};
use sale::{Event, Tally};
use testkit::words::show;

use crate::commands::{check, refuse};
use crate::shop::Lane;

const ADA: &str = "in 101 1111";
const MILK: &str = "in 101 1111 / scan 4006381333931";
const DRAWER: &str = "in 103 1111 / drawer 100";

#[test]
fn what_a_cashier_may_not_do_can_be_approved() {
    refuse(MILK, "price 1 1.50", "That needs a supervisor");
    check(
        MILK,
        "102: price 1 1.50",
        "102 approved override-price / line 1 now at 1.50 by 102: dented",
    );
    check(
        MILK,
        "103: price 1 1.50",
        "103 approved override-price / line 1 now at 1.50 by 103: dented",
    );
    refuse(MILK, "101: price 1 1.50", "That needs a supervisor");
    refuse(MILK, "999: price 1 1.50", "do not match");
    refuse(MILK, "102: 103: price 1 1.50", "cannot be approved");
    refuse(MILK, "102: in 102 1111", "cannot be approved");
    refuse("", "102: scan 4011", "No one is signed in");
    // What was refused to the approver leaves no trace of the approval.
    refuse(MILK, "102: price 9 1.50", "no line 9");
    refuse(ADA, "102: z", "That needs a manager");
}

#[test]
fn a_store_sets_who_may_do_what() {
    let mut lane = Lane::after(MILK);
    let permissions = &mut lane.books.settings.permissions;
    permissions.insert(Action::OverridePrice, Role::Cashier);
    permissions.insert(Action::VoidLine, Role::Supervisor);
    permissions.insert(Action::VoidSale, Role::Manager);
    permissions.insert(Action::ChangeQuantity, Role::Supervisor);
    lane.all("price 1 1.50");
    for (command, words) in [
        ("void 1", "needs a supervisor"),
        ("line 1 x 2", "needs a supervisor"),
        ("void sale", "needs a manager"),
    ] {
        let refusal = lane.submit(command).unwrap_err().to_string();
        assert!(refusal.contains(words), "{command}: {refusal}");
    }
    lane.all("102: void 1 / 103: void sale");
}

#[test]
fn another_tax_needs_a_reason() {
    check(
        MILK,
        "102: tax 1 food medical",
        "102 approved override-tax / line 1 now taxed food",
    );
    refuse(MILK, "tax 1 food medical", "needs a supervisor");
    refuse(MILK, "102: tax 1 food", "A reason is needed");
    refuse(MILK, "102: tax 1 lost why", "lost is missing");
    refuse(MILK, "102: tax 2 food why", "no line 2");
    let lane = Lane::after("in 101 1111 / scan 4006381333931 / 102: tax 1 food medical");
    assert_eq!(lane.totals().total.minor(), 199);
    let line = &lane.register.cart.unwrap().lines[0];
    assert_eq!(line.detail.tax_override.as_ref().unwrap().reason, "medical");
}

#[test]
fn notes_are_kept_and_card_numbers_are_not() {
    check(MILK, "note 1 for Grace", "line 1 noted: for Grace");
    check(MILK, "note collect at five", "noted: collect at five");
    refuse(MILK, "note", "empty");
    refuse(MILK, "note 7 lost", "no line 7");
    refuse(MILK, "note card 4111 1111 1111 1111", "card number");
    refuse(ADA, "note hello", "no open sale");
    let lane = Lane::after("in 101 1111 / scan 4006381333931 / note collect at five / cash");
    let receipt = lane.register.last_receipt.unwrap();
    assert_eq!(receipt.detail.notes, ["collect at five"]);
}

#[test]
fn a_sale_is_put_aside_and_goes_on() {
    check(MILK, "suspend", "S3-1 put aside, 1 lines");
    refuse(ADA, "suspend", "no open sale");
    let aside = "in 101 1111 / scan 4006381333931 / suspend";
    check(aside, "resume S3-1", "S3-1 goes on, 1 lines");
    check(aside, "scan S3-1", "S3-1 goes on, 1 lines");
    refuse(aside, "resume S3-2", "No suspended sale");
    refuse(aside, "resume 3-000001", "No suspended sale");
    refuse(
        "in 101 1111 / scan 4006381333931 / suspend / open",
        "resume S3-1",
        "A sale is open",
    );
    refuse(
        "in 101 1111 / scan 4006381333931 / suspend / resume S3-1 / void sale",
        "resume S3-1",
        "No suspended sale",
    );
    // Slips are numbered on, and a sale between two does not matter.
    check(
        "in 101 1111 / scan yogurt / suspend / scan yogurt / cash / scan book",
        "suspend",
        "S3-2 put aside, 1 lines",
    );
}

#[test]
fn a_sale_goes_on_half_paid() {
    let aside = "in 101 1111 / scan 4006381333931 / cash 1 / suspend / scan yogurt / cash";
    let mut lane = Lane::after(aside);
    lane.all("scan S3-1 / cash 1.15");
    let receipt = lane.register.last_receipt.as_ref().unwrap();
    assert_eq!(receipt.totals.total.minor(), 215);
    assert_eq!(receipt.tenders.len(), 2);
    assert_eq!(receipt.cart.number, 1);
}

#[test]
fn a_sale_goes_on_another_lane() {
    let first = Lane::after("in 101 1111 / scan 4006381333931 / cash 1 / suspend");
    let mut second = Lane::after("in 102 1111");
    second.shared = first.shared;
    second.all("resume S3-1 / cash");
    let receipt = second.register.last_receipt.unwrap();
    assert_eq!(receipt.totals.total.minor(), 215);
    assert_eq!(receipt.cashier_name, "Barbara");
}

#[test]
fn what_was_paid_on_a_sale_put_aside_stays_in_the_drawer_it_went_into() {
    let check = |script: &str, first_minor: i64, second_minor: i64| {
        let put_aside = "in 101 1111 / drawer 100 / scan 4006381333931 / cash 1 / suspend";
        let first = Lane::after(put_aside);
        let mut second = Lane::after("in 102 1111 / drawer 50");
        let [in_first, in_second] = [&first, &second].map(|lane| lane.register.period.cash());
        assert_eq!((in_first, in_second), (10_100, 5_000), "{script}");
        second.shared = first.shared;
        second.all(script);
        for (register, expected) in [
            (first.register, first_minor),
            (second.register, second_minor),
        ] {
            let drawer = register.drawer.unwrap().cash_minor;
            assert_eq!(
                (drawer, register.period.cash()),
                (expected, expected),
                "{script}"
            );
        }
    };
    // 2.15 in all, 1.00 of it in the first drawer.
    check("resume S3-1 / cash", 10_100, 5_115);
    check("resume S3-1 / take back / void sale", 10_100, 4_900);
    check("resume S3-1 / suspend", 10_100, 5_000);
}

#[test]
fn a_drawer_is_opened_moved_and_counted() {
    check(ADA, "drawer 100", "drawer of 101 with 100.00");
    refuse(DRAWER, "drawer 100", "has not been counted");
    refuse(ADA, "drawer x", "not an amount");
    refuse(ADA, "drawer -1", "negative");
    check(DRAWER, "drop 40", "Drop 40.00");
    check(DRAWER, "pay in 5 change", "PayIn 5.00");
    check(DRAWER, "pay out 5 window cleaner", "PayOut 5.00");
    refuse(DRAWER, "pay out 5", "A reason is needed");
    refuse(DRAWER, "pay in 5", "A reason is needed");
    refuse(DRAWER, "drop 0", "Nothing");
    refuse(DRAWER, "drop 100.01", "more than there should be");
    refuse(ADA, "drop 1", "No drawer is open");
    refuse(ADA, "pay in 1 why", "needs a supervisor");
    check(DRAWER, "count 20x4 0.25x79", "counted 99.75 of 100.00");
    refuse(DRAWER, "count 0x4", "cannot be counted");
    refuse(ADA, "count 20x4", "No drawer is open");
    check(DRAWER, "assign 101", "drawer to 101 by 103");
    refuse(DRAWER, "assign 999", "no employee 999");
    check(
        ADA,
        "102: no sale change",
        "102 approved no-sale / no sale by 102: change",
    );
    refuse(ADA, "102: no sale", "A reason is needed");
    refuse(MILK, "102: no sale change", "A sale is open");
}

#[test]
fn a_count_says_what_is_over_or_short() {
    let mut lane = Lane::after(DRAWER);
    lane.all("scan 4006381333931 / cash 20 / drop 50 / pay in 5 change / pay out 1.15 stamps");
    // 100.00 + 2.15 − 50.00 + 5.00 − 1.15.
    let events = lane.submit("count 50x1 5x1 1x1").unwrap();
    assert_eq!(show(&events[0]), "counted 56.00 of 56.00");
    assert_eq!(lane.register.drawer, None);
    let sums = lane.register.period.as_ref();
    assert_eq!(sums.cash(), 5600);
    assert_eq!((sums.over_short.count, sums.over_short.amount), (1, 0));
}

#[test]
fn what_should_be_in_the_drawer_is_not_shown() {
    let lane = Lane::after(DRAWER);
    assert_eq!(lane.register.drawer.as_ref().unwrap().cash_minor, 10_000);
    let shown = lane.register.shown();
    assert_eq!(shown.drawer.unwrap().cash_minor, 0);
    assert_eq!(*shown.period, Tally::default());
}

#[test]
fn only_the_drawers_cashier_takes_cash_where_the_store_wants_it() {
    let mut lane = Lane::after("in 102 1111 / drawer 100 / assign 101 / scan 4006381333931");
    lane.books.settings.drawer_per_cashier = true;
    let refusal = lane.submit("cash").unwrap_err().to_string();
    assert_eq!(refusal, "The drawer is 101's.");
    lane.all("void sale / assign 102 / scan 4006381333931 / cash");
}

#[test]
fn a_business_day_is_opened_and_closed() {
    refuse(ADA, "open day", "needs a supervisor");
    check("in 103 1111", "open day", "day 2026-11-27 open");
    check("in 103 1111", "open day 2026-11-28", "day 2026-11-28 open");
    refuse("in 103 1111", "open day 2026-02-30", "is no day");
    refuse("in 103 1111 / open day", "open day", "2026-11-27 is open");
    refuse("in 103 1111", "close day", "No business day was opened");
    check(
        "in 103 1111 / open day",
        "close day",
        "day 2026-11-27 closed, 0 unshared",
    );
    check(
        "in 103 1111 / open day / scan yogurt / cash",
        "close day",
        "day 2026-11-27 closed, 1 unshared",
    );
    refuse(
        "in 103 1111 / open day / open",
        "close day",
        "A sale is open",
    );
    refuse(
        "in 103 1111 / open day / drawer 50",
        "close day",
        "has not been counted",
    );
}

#[test]
fn sales_belong_to_the_day_that_is_open() {
    let lane = Lane::after("in 103 1111 / open day 2026-11-26 / scan yogurt / cash");
    assert_eq!(lane.register.last_receipt.unwrap().day.0, "2026-11-26");
    let mut lane = Lane::after("in 103 1111");
    lane.books.settings.day_starts_at_hour = 6;
    lane.all("scan yogurt / cash");
    // It is five in the morning.
    assert_eq!(lane.register.last_receipt.unwrap().day.0, "2026-11-26");
}

#[test]
fn a_z_report_ends_a_period() {
    let mut lane = Lane::after("in 103 1111 / scan yogurt / cash / scan book / cash");
    let events = lane.submit("z").unwrap();
    assert_eq!(show(&events[0]), "Z 1: 2 receipts, 1170");
    assert_eq!(*lane.register.period, Tally::default());
    lane.all("scan yogurt / cash");
    let events = lane.submit("z").unwrap();
    assert_eq!(show(&events[0]), "Z 2: 1 receipts, 100");
    refuse(MILK, "103: z", "A sale is open");
}

/// Found by `any_commands_leave_a_register_that_adds_up`: it counted in no report.
#[test]
fn the_approval_of_a_report_is_in_that_report() {
    let lane = Lane::after("in 101 1111 / scan yogurt / cash / 103: z");
    let report = lane.journal.iter().find_map(|event| match event {
        Event::ReportedZ { report, .. } => Some(report),
        _ => None,
    });
    assert_eq!(report.unwrap().approvals, 1);
    assert_eq!(lane.register.period.approvals, 0);
}

#[test]
fn a_report_has_every_sum() {
    let mut lane = Lane::after("in 102 1111 / customer 700 / age 21 / scan 96385074");
    lane.all("scan yogurt x 3 / scan 036000291452 x 2 / scan book / price 4 10.70 / cash 50");
    lane.all("scan yogurt / void 1 / void sale / no sale change");
    let sums = lane.register.period.as_ref();
    let receipt = lane.register.last_receipt.as_ref().unwrap();
    let total = receipt.totals.total.minor();
    assert_eq!((sums.receipts.count, sums.receipts.amount), (1, total));
    assert_eq!(sums.hours["05"].amount, total);
    assert_eq!(sums.cashiers["102"].amount, total);
    assert_eq!(sums.tenders["cash"].amount, total);
    assert_eq!(sums.departments["wine"].amount, 1080);
    assert_eq!(sums.departments["grocery"].amount, 250 + 300 + 1070);
    assert_eq!(
        sums.taxes["standard 8%"].amount,
        receipt.totals.tax_added.minor()
    );
    assert_eq!(sums.taxable["vat 7%"].amount, 1070);
    assert_eq!(sums.promotions["three-yogurts"].amount, 50);
    assert_eq!(sums.deposits.amount, 50);
    let counts = (
        sums.voided_sales,
        sums.voided_lines,
        sums.price_overrides,
        sums.no_sales,
    );
    assert_eq!(counts, (1, 1, 1, 1));
}

/// However a journal is divided, the sums of its parts are the sum of the whole.
#[test]
fn reports_of_parts_add_up() {
    let mut lane = Lane::after("in 103 1111 / drawer 100");
    for round in 0..20 {
        lane.all("scan yogurt x 3 / scan 4011 x 0.455 / cash 20 / pay in 1 why / 102: no sale why");
        if round % 3 == 0 {
            lane.all("scan book / suspend / drop 5");
        }
    }
    let whole = lane
        .journal
        .iter()
        .fold(Tally::default(), |mut sum, event| {
            sum.add(event);
            sum
        });
    assert_eq!(*lane.register.period, whole);
    for parts in [2, 3, 7] {
        let mut tallies = vec![Tally::default(); parts];
        for (place, event) in lane.journal.iter().enumerate() {
            tallies[place % parts].add(event);
        }
        let mut sum = Tally::default();
        tallies.iter().for_each(|part| sum.merge(part));
        assert_eq!(sum, whole, "{parts} parts");
    }
    let counted: Vec<&Event> = lane.journal.iter().filter(|e| Tally::counts(e)).collect();
    assert!(counted.len() > 60);
    assert_eq!(lane.register.drawer.unwrap().cash_minor, whole.cash());
}
