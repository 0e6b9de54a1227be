//! Promotion files: what is read, and what is said about what is wrong.

use money::Currency;
use promotions::{CompiledBook, FileProblem, FileReward, Gives, PromotionFile};

const FULL: &str = r#"
schema = 1

[[promotion]]
id = "three-yogurts"
name = "3 yogurts for 2.50"
n_for = { units = 3, price = "2.50" }
items = ["10234", "10235"]
departments = ["dairy"]
brands = ["Hill Farm"]
exclude_items = ["10299"]
from = 2026-05-01
until = "2026-05-31"
weekdays = ["fri", "Saturday"]
times = ["16:00-18:00", "22:00-02:00"]
tiers = ["silver", "gold"]

[[promotion]]
id = "wine"
name = "Wine 12.5% off"
percent_off = 12.5
departments = ["wine"]

[[promotion]]
id = "soap"
name = "Soap 0.40 off"
amount_off = "0.40"
items = ["77"]
"#;

#[test]
fn a_full_file_is_read() {
    let file = PromotionFile::parse(FULL).unwrap();
    let [yogurts, wine, soap] = file.promotions.as_slice() else {
        panic!("{file:?}");
    };
    assert_eq!(yogurts.name, "3 yogurts for 2.50");
    let Gives::NFor {
        selector, units, ..
    } = &yogurts.gives[0].what
    else {
        panic!("{yogurts:?}");
    };
    assert_eq!(*units, 3);
    assert_eq!(selector.items.len(), 2);
    assert_eq!(selector.except.as_ref().unwrap().items.len(), 1);
    assert_eq!(yogurts.when.weekdays.len(), 2);
    assert_eq!(yogurts.when.times.len(), 2);
    assert!(yogurts.when.from < yogurts.when.until);
    assert_eq!(yogurts.who.tiers.len(), 2);
    let reward = |promotion: &promotions::Promotion| match &promotion.gives[0].what {
        Gives::Unit { steps, .. } => steps[0].1.clone(),
        other => panic!("{other:?}"),
    };
    assert!(matches!(reward(wine), FileReward::Percent(rate) if rate.to_string() == "12.5%"));
    assert!(
        matches!(reward(soap), FileReward::Amount(off) if off.text == "0.40" && off.line == 27)
    );
    assert_eq!(
        CompiledBook::compile(&file, Currency::USD).unwrap().len(),
        3
    );
    assert!(
        PromotionFile::parse("schema = 1")
            .unwrap()
            .promotions
            .is_empty()
    );
}

fn shown(problems: &[FileProblem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_wrong_has_its_line_and_a_hint() {
    // One promotion that is right but for the lines given, which begin at line 4.
    let check = |lines: &str, expected: &[&str]| {
        let text = format!("schema = 1\n\n[[promotion]]\n{lines}");
        let problems = PromotionFile::parse(&text).unwrap_err();
        assert_eq!(shown(&problems), expected, "{text}");
    };
    let rest = "id = \"a\"\nname = \"A\"\nitems = [\"1\"]\n";
    let with = |line: &str| format!("{line}\n{rest}");
    check(
        &with("percent_of = 10"),
        &[
            "line 3: it gives nothing: write percent_off, amount_off or n_for",
            "line 4: 'percent_of' is not understood here: did you mean percent_off?",
        ],
    );
    check(
        &with("percent_off = 10\ncolour = \"red\""),
        &[
            "line 5: 'colour' is not understood here: leave it out; understood are id, name, percent_off, amount_off, n_for, items, departments, brands, exclude_items, from, until, weekdays, times, tiers",
        ],
    );
    let percentage =
        "this is not a percentage: write a percentage over 0 and up to 100, such as 12.5";
    check(
        &with("percent_off = 0"),
        &[&format!("line 4: {percentage}")],
    );
    check(
        &with("percent_off = 100.5"),
        &[&format!("line 4: {percentage}")],
    );
    check(
        &with("percent_off = \"ten\""),
        &[&format!("line 4: {percentage}")],
    );
    check(
        &with("percent_off = true"),
        &["line 4: this is not a number: write a percentage over 0 and up to 100, such as 12.5"],
    );
    check(
        &with("percent_off = 10\namount_off = 1"),
        &[
            "line 3: it gives two things: write one of percent_off, amount_off and n_for, and a second promotion for the other",
        ],
    );
    check(
        &with("n_for = { units = 0, price = 5, per = 1 }"),
        &[
            "line 4: this is not a number of units: write a whole number from 1 to 1000",
            "line 4: 'per' is not understood here: leave it out; understood are units, price",
        ],
    );
    check(
        &with("n_for = { price = 5 }"),
        &["line 4: units or price is missing: write n_for = { units = 3, price = \"5.00\" }"],
    );
    check(
        &with("percent_off = 5\nweekdays = [\"fry\"]\ntimes = [\"4pm\"]\ntiers = \"gold\""),
        &[
            "line 5: this is not one of weekdays: write mon, tue, wed, thu, fri, sat or sun",
            "line 6: this is not one of times: write \"16:00-18:00\"",
            "line 7: this is not a list: in a list such as tiers = [\"…\"], write basic, silver or gold",
        ],
    );
    check(
        &with("percent_off = 5\nfrom = 2026-05-02\nuntil = 2026-05-01"),
        &[
            "line 3: it ends before it begins: until is the last day: write one that is not before from",
        ],
    );
    check(
        &with("percent_off = 5\nfrom = 2026-05-02T10:00:00\nuntil = \"May\""),
        &[
            "line 5: this is not a date: write a date such as 2026-05-31, without a time",
            "line 6: this is not a date: write a date such as 2026-05-31, without a time",
        ],
    );
    check(
        "percent_off = 5\nname = \"\"",
        &[
            "line 3: id is missing: write id = \"…\"",
            "line 3: it is for nothing: name items, departments or brands",
            "line 5: this is not a name: write 1 to 80 characters in quotes",
        ],
    );
    check(
        &with(&format!(
            "percent_off = 5\n{rest}\n[[promotion]]\npercent_off = 5"
        )),
        &["line 11: the id 'a' is on line 5 already: give each promotion an id of its own"],
    );
}

#[test]
fn a_file_that_is_no_promotion_file_says_so() {
    let check = |text: &str, part: &str| {
        let problems = shown(&PromotionFile::parse(text).unwrap_err());
        assert!(
            problems.iter().any(|p| p.contains(part)),
            "{text}: {problems:?}"
        );
    };
    check(
        "",
        "line 1: the schema is not stated: begin with schema = 2",
    );
    check("schema = 3", "line 1: this schema is not known");
    check(
        "schema = 1\npromotion = 3",
        "line 2: this is not a list: write each promotion under",
    );
    check(
        "schema = 1\npromotion = [3]",
        "line 2: this is not a promotion",
    );
    check(
        "schema = 1\n[[promotions]]\nid = 1",
        "did you mean promotion?",
    );
    check("schema = 1\nx = [", "line 2: ");
    check("item_id,price\n1,2\n", "the file is not TOML at this place");
}

#[test]
fn amounts_must_exist_in_the_currency() {
    let check = |amount: &str, currency: &str, expected: &str| {
        let text = FULL.replace("\"0.40\"", amount);
        let file = PromotionFile::parse(&text).unwrap();
        let problems = CompiledBook::compile(&file, currency.parse().unwrap()).unwrap_err();
        assert_eq!(shown(&problems).last().unwrap(), expected);
    };
    let hint = "write an amount such as \"2.50\", with at most";
    check(
        "0.405",
        "USD",
        &format!("line 27: '0.405' is not an amount over 0 in USD: {hint} 2 decimal places"),
    );
    check(
        "-1",
        "USD",
        &format!("line 27: '-1' is not an amount over 0 in USD: {hint} 2 decimal places"),
    );
    check(
        "1.5",
        "JPY",
        &format!("line 27: '1.5' is not an amount over 0 in JPY: {hint} 0 decimal places"),
    );
}
