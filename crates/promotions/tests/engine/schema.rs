//! The shipped JSON Schema names the keys that are read, no more and no fewer.

use std::collections::BTreeSet;

use promotions::{JSON_SCHEMA, PromotionFile};
use serde_json::Value;

/// The keys that the reader understands where `file` has the key `zzzzzzzzzzzz`.
fn understood(file: &str) -> BTreeSet<String> {
    let problems = PromotionFile::parse(file).unwrap_err();
    let hints = problems.iter().map(|problem| problem.hint.as_str());
    let mut list = hints.filter_map(|hint| hint.strip_prefix("leave it out; understood are "));
    let list = list.next_back().unwrap_or_else(|| panic!("{problems:?}"));
    list.split(", ").map(str::to_owned).collect()
}

fn stated(schema: &Value, path: &[&str]) -> BTreeSet<String> {
    let place = path.iter().fold(schema, |value, key| &value[*key]);
    let keys = place["properties"]
        .as_object()
        .unwrap_or_else(|| panic!("{path:?}"));
    keys.keys().cloned().collect()
}

#[test]
fn every_key_is_in_the_schema() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let promotion = ["$defs", "promotion"];
    let check = |path: &[&str], file: &str| {
        let text = format!("schema = 2\n{file}");
        assert_eq!(understood(&text), stated(&schema, path), "{path:?}");
    };
    let of_promotion = |keys: &str| format!("[[promotion]]\nid = \"a\"\nname = \"a\"\n{keys}\n");
    check(&[], "zzzzzzzzzzzz = 1");
    let inner = |key: &'static str| [&promotion[..], &["properties", key]].concat();
    let zed = "zzzzzzzzzzzz = 1";
    for (key, value) in [
        ("n_for", format!("{{ {zed}, units = 1, price = 1 }}")),
        ("cheapest", format!("{{ of = 2, {zed} }}")),
        (
            "set",
            format!("{{ price = 1, {zed}, parts = [{{ items = [\"1\"] }}] }}"),
        ),
        ("points_per", format!("{{ points = 1, spend = 1, {zed} }}")),
    ] {
        let everything = if key == "set" {
            ""
        } else {
            "everything = true\n"
        };
        check(
            &inner(key),
            &of_promotion(&format!("{everything}{key} = {value}")),
        );
    }
    for key in ["who", "where", "limit"] {
        let keys = format!("percent_off = 1\neverything = true\n{key} = {{ {zed} }}");
        check(&inner(key), &of_promotion(&keys));
    }
    let mut all = stated(&schema, &promotion);
    // Beside a list of what is given, single things are not understood.
    let gives = of_promotion(&format!(
        "gives = [{{ percent_off = 1, everything = true }}]\n{zed}"
    ));
    let beside = understood(&format!("schema = 2\n{gives}"));
    assert!(beside.is_subset(&all), "{beside:?}");
    all.retain(|key| !beside.contains(key));
    let mut one = understood(&format!(
        "schema = 2\n{}",
        of_promotion(&format!("total_amount_off = 1\n{zed}"))
    ));
    assert!(all.is_subset(&one), "{all:?}");
    one.retain(|key| !beside.contains(key));
    assert_eq!(one, all);
    let entry = of_promotion(&format!("gives = [{{ total_amount_off = 1, {zed} }}]"));
    check(&["$defs", "gives"], &entry);
    let need = of_promotion(&format!(
        "percent_off = 1\neverything = true\nneeds = [{{ spend = 1, {zed} }}]"
    ));
    check(&["$defs", "need"], &need);
    let except = of_promotion(&format!(
        "percent_off = 1\neverything = true\nexcept = {{ items = [\"1\"], {zed} }}"
    ));
    check(&["$defs", "selector"], &except);
}
