//! The shape of the workspace as a test: which crate may depend on which, and what the pure crates
//! must not reach.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The pure crates, each of which may depend on those before it.
const PURE: [&str; 6] = ["money", "catalog", "promotions", "sale", "ledger", "wire"];

/// Where bugs can be planted for the simulator: any crate may name it, and it names nothing.
const EVERYWHERE: &str = "planted";

/// What no pure crate may reach, however indirectly.
const IMPURE: [&str; 12] = [
    "tokio",
    "rusqlite",
    "libsqlite3-sys",
    "libp2p",
    "mdns-sd",
    "egui",
    "eframe",
    "openraft",
    "axum",
    "reqwest",
    "getrandom",
    "rand",
];

/// Third-party crates that only the crates named may depend on.
const KEPT_TO: [(&str, &[&str]); 8] = [
    ("openraft", &["consensus"]),
    ("libp2p", &["mesh"]),
    ("mdns-sd", &["mesh"]),
    ("rusqlite", &["storage", "hq", "simulations"]),
    ("eframe", &["ui"]),
    ("axum", &["node", "hq"]),
    ("reqwest", &["node", "sync"]),
    ("getrandom", &["node", "hq"]),
];

/// Which of our crates each adapter may depend on.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("providers", &[]),
    ("api", &["money", "catalog", "sale"]),
    ("devices", &["money", "catalog", "sale"]),
    ("storage", &["sale", "ledger", "wire", "providers"]),
    ("mesh", &["providers"]),
    ("sync", &["ledger", "wire", "providers"]),
    (
        "hq",
        &[
            "money",
            "catalog",
            "sale",
            "ledger",
            "wire",
            "providers",
            "storage",
        ],
    ),
    ("consensus", &["providers", "storage", "wire", "ledger"]),
    ("ui", &["api", "money", "catalog", "sale", "devices"]),
    ("testkit", &["money", "catalog", "sale"]),
];

struct Workspace {
    /// Names of our own crates.
    ours: BTreeSet<String>,
    /// Direct dependencies by crate, tests' and build scripts' left out.
    direct: BTreeMap<String, BTreeSet<String>>,
}

impl Workspace {
    fn read() -> Workspace {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version=1", "--offline", "--locked"])
            .args(["--filter-platform", &host()])
            .current_dir(root())
            .output()
            .expect("cargo runs");
        assert!(
            output.status.success(),
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
        let mut names = BTreeMap::new();
        for package in metadata["packages"].as_array().expect("packages") {
            names.insert(
                package["id"].as_str().expect("id").to_owned(),
                package["name"].as_str().expect("name").to_owned(),
            );
        }
        let name_of = |id: &Value| names[id.as_str().expect("id")].clone();
        let members = metadata["workspace_members"].as_array().expect("members");
        let mut direct: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in metadata["resolve"]["nodes"].as_array().expect("nodes") {
            let dependencies = node["deps"].as_array().expect("deps").iter();
            let normal = dependencies.filter(|dep| {
                let kinds = dep["dep_kinds"].as_array().expect("kinds");
                kinds.iter().any(|kind| kind["kind"].is_null())
            });
            let entry = direct.entry(name_of(&node["id"])).or_default();
            entry.extend(normal.map(|dep| name_of(&dep["pkg"])));
        }
        Workspace {
            ours: members.iter().map(name_of).collect(),
            direct,
        }
    }

    fn ours_of(&self, name: &str) -> Vec<&String> {
        let ours = self.direct[name].intersection(&self.ours);
        ours.filter(|name| *name != EVERYWHERE).collect()
    }
}

/// Everything that a crate reaches when it is built by itself. (The metadata above is of the whole
/// workspace, with features that other crates turn on.)
fn reach(name: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "-e",
            "normal",
            "--prefix",
            "none",
            "-p",
            name,
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo tree -p {name}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

/// The machine's target triple: only its dependencies are sure to have been downloaded.
fn host() -> String {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn pure_crates_reach_nothing_impure() {
    for name in PURE {
        let reached = reach(name);
        assert!(reached.contains(name), "{name} is in its own tree");
        let forbidden: Vec<_> = IMPURE
            .iter()
            .filter(|bad| reached.contains(**bad))
            .collect();
        assert!(forbidden.is_empty(), "{name} reaches {forbidden:?}");
    }
}

#[test]
fn dependencies_point_one_way() {
    let workspace = Workspace::read();
    for (i, name) in PURE.iter().enumerate() {
        for dependency in workspace.ours_of(name) {
            let allowed = &PURE[..i];
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} may depend on {allowed:?}, not on {dependency}"
            );
        }
    }
    for (name, allowed) in MAY_USE {
        for dependency in workspace.ours_of(name) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} may depend on {allowed:?}, not on {dependency}"
            );
        }
    }
}

#[test]
fn planted_bugs_depend_on_nothing_and_are_off() {
    let reached = reach(EVERYWHERE);
    assert_eq!(reached, BTreeSet::from([EVERYWHERE.to_owned()]));
    let manifest = root().join("crates").join(EVERYWHERE).join("Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("it has a manifest");
    assert!(manifest.contains("\non = []\n") && !manifest.contains("\ndefault"));
}

#[test]
fn heavy_dependencies_stay_where_they_belong() {
    let workspace = Workspace::read();
    for (dependency, homes) in KEPT_TO {
        for name in &workspace.ours {
            let uses = workspace.direct[name].contains(dependency);
            assert!(
                !uses || homes.contains(&name.as_str()),
                "{dependency} belongs in {homes:?}, not in {name}"
            );
        }
    }
}

/// Words that do not belong in the sources of a folder: what each means, and where it may stand.
#[test]
fn sources_name_no_clock_and_no_production_type() {
    let check = |folder: &str, words: &[&str], allowed: &[&str]| {
        let mut files = Vec::new();
        collect(&root().join(folder), &mut files);
        assert!(!files.is_empty(), "{folder} has no sources");
        for file in files {
            let shown = file
                .strip_prefix(root())
                .unwrap_or(&file)
                .display()
                .to_string();
            if allowed.iter().any(|prefix| shown.starts_with(prefix)) {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("sources are text");
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for (number, line) in code.enumerate() {
                for word in words {
                    assert!(!line.contains(word), "{shown}:{number}: {word} in: {line}");
                }
            }
        }
    };
    let clocks = [
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "std::fs",
        "std::net",
        "HashMap",
        "HashSet",
    ];
    for name in PURE {
        check(&format!("crates/{name}/src"), &clocks, &[]);
    }
    let production = [
        "tokio::time",
        "tokio::fs",
        "tokio::net",
        "spawn_blocking",
        "libp2p",
        "rusqlite",
        "SystemTime",
        "Instant::now",
        "std::fs",
        "std::net",
    ];
    check("node/src/lane", &production, &[]);
    check(
        "consensus/src",
        &production,
        &["consensus/src/tests", "consensus/src/runtime"],
    );
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
