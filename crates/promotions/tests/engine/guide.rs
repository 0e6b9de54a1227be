//! Every example of the guide costs what the guide says.

use money::Currency;
use promotions::{CompiledBook, PromotionFile};

use crate::common::{basket, hand_over, net, priced};

const GUIDE: &str = include_str!("../../README.md");

/// What is between single backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn check(book: &CompiledBook, example: &str) {
    let (lines, expected) = example.rsplit_once(" cost ").expect(example);
    let (codes, lines): (Vec<&str>, Vec<&str>) =
        quoted(lines).iter().partition(|text| text.starts_with('('));
    let mut basket = basket(&lines);
    codes.iter().for_each(|code| hand_over(&mut basket, code));
    let pricing = priced(book, &basket);
    let (cost, points) = match expected.split_once(" and give ") {
        Some((cost, points)) => (cost, points.trim_end_matches(" points")),
        None => (expected, "0"),
    };
    let got = net(&pricing, &basket);
    assert_eq!(format!("{}.{:02}", got / 100, got % 100), cost, "{example}");
    assert_eq!(pricing.points_total().to_string(), points, "{example}");
    assert!(pricing.proven);
}

#[test]
fn the_examples_are_right() {
    let mut checked = 0;
    for section in GUIDE.split("```toml\n").skip(1) {
        let (toml, after) = section.split_once("```").unwrap();
        let file = PromotionFile::parse(&format!("schema = 2\n{toml}"))
            .unwrap_or_else(|problems| panic!("{toml}\n{problems:#?}"));
        let book = CompiledBook::compile(&file, Currency::USD).unwrap();
        for example in after.lines().filter_map(|line| line.strip_prefix("- ")) {
            check(&book, example);
            checked += 1;
        }
    }
    assert!(checked >= 30, "{checked}");
}

#[test]
fn what_the_guide_mentions_in_comments_is_understood() {
    let when = GUIDE.split("id = \"friday-noon\"").nth(1).unwrap();
    let (block, _) = when.split_once("```").unwrap();
    let comments = block.lines().filter_map(|line| line.strip_prefix("# "));
    let text = comments.collect::<Vec<_>>().join(" ");
    let keys = [
        "month_days = [1, 15, -1]",
        "weeks = [1, -1]",
        "every_days = 14",
        "zone = \"Europe/Berlin\"",
        "coupon = \"SPRING\"",
        "tender = \"store-card\"",
    ];
    assert!(keys.iter().all(|key| text.contains(key)), "{text}");
    let windows = text
        .split("windows = ")
        .nth(1)
        .unwrap()
        .split(" zone")
        .next()
        .unwrap();
    let who = text
        .split("who = ")
        .nth(1)
        .unwrap()
        .split(" where")
        .next()
        .unwrap();
    let place = text
        .split("where = ")
        .nth(1)
        .unwrap()
        .split(" coupon")
        .next()
        .unwrap();
    let file = format!(
        "schema = 2\n[[promotion]]\nid = \"a\"\nname = \"a\"\npercent_off = 1\neverything = true\n\
         from = 2026-05-01\n{}\nwindows = {windows}\nwho = {who}\nwhere = {place}\n",
        keys.join("\n")
    );
    PromotionFile::parse(&file).unwrap_or_else(|problems| panic!("{file}\n{problems:#?}"));
}
