//! The reference of a store's settings says all of them, with their defaults.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{Action, Role, Settings};

const REFERENCE: &str = include_str!("../SETTINGS.md");

fn block() -> &'static str {
    let (_, rest) = REFERENCE.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0
}

/// The names that are allowed where `text` has one that is not.
fn names_beside(text: &str) -> BTreeSet<String> {
    let error = toml::from_str::<Settings>(text).unwrap_err();
    let (_, names) = error.message().split_once("expected one of").unwrap();
    let names = names.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

#[test]
fn it_has_the_defaults() {
    let mut said: Settings = toml::from_str(block()).unwrap();
    let roles = std::mem::take(&mut said.permissions);
    assert_eq!(said, Settings::default());
    let defaults = roles
        .keys()
        .map(|action: &Action| (*action, action.default_role()));
    assert_eq!(roles, defaults.collect::<BTreeMap<Action, Role>>());
}

#[test]
fn it_has_all_of_them() {
    let said: toml::Table = toml::from_str(block()).unwrap();
    for name in names_beside("nothing_like_it = 1") {
        let left_out = [format!("# [[{name}]]"), format!("# [{name}.")];
        assert!(
            said.contains_key(&name) || left_out.iter().any(|text| block().contains(text)),
            "{name}"
        );
    }
    let roles = said["permissions"].as_table().unwrap();
    let roles: BTreeSet<String> = roles.keys().cloned().collect();
    let actions = names_beside("permissions = { nothing-like-it = \"cashier\" }");
    assert_eq!(roles, actions);
}
