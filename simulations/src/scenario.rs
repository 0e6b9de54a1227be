//! Scenarios: what a store is like, what goes wrong in it and when. Each is a readable file in
//! `scenarios/`; a seed draws the moments, the lanes and the lengths from the ranges it gives.

use serde::Deserialize;

use crate::office::Wan;

macro_rules! scenario {
    ($file:literal) => {
        include_str!(concat!("../scenarios/", $file, ".toml"))
    };
}

/// The scenarios that ship with the simulator.
const FILES: [&str; 8] = [
    scenario!("calm"),
    scenario!("split-in-two"),
    scenario!("leader-flaps"),
    scenario!("lane-crash"),
    scenario!("alone-all"),
    scenario!("late-join"),
    scenario!("wan-flap"),
    scenario!("mixed"),
];

/// From the first to the second, both included.
pub type Range = (u64, u64);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    pub about: String,
    /// Lanes at the beginning; more may join.
    pub lanes: Range,
    /// How long cashiers sell and faults happen, in virtual seconds.
    pub selling_s: u64,
    /// How long the store may take afterwards until nothing waits any more, in virtual seconds.
    pub settle_s_max: u64,
    #[serde(default)]
    pub network: NetworkPart,
    #[serde(default)]
    pub clocks: ClocksPart,
    #[serde(default)]
    pub wan: WanPart,
    #[serde(default)]
    pub faults: Vec<FaultPart>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkPart {
    /// One way between lanes, in milliseconds.
    pub delay_ms: Range,
}

impl Default for NetworkPart {
    fn default() -> NetworkPart {
        NetworkPart { delay_ms: (1, 4) }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClocksPart {
    /// The most a lane's wall clock is off at the beginning, either way, in milliseconds.
    pub offset_ms_max: u64,
    /// The most it runs too fast or too slow, in millionths.
    pub drift_ppm_max: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WanPart {
    pub delay_ms: Range,
    pub lost_questions_permille: u64,
    pub lost_answers_permille: u64,
}

impl Default for WanPart {
    fn default() -> WanPart {
        WanPart {
            delay_ms: (20, 80),
            lost_questions_permille: 0,
            lost_answers_permille: 0,
        }
    }
}

impl From<&WanPart> for Wan {
    fn from(part: &WanPart) -> Wan {
        Wan {
            delay_ms: part.delay_ms,
            lost_questions_permille: part.lost_questions_permille,
            lost_answers_permille: part.lost_answers_permille,
        }
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The lanes fall into two groups that do not hear each other.
    Split,
    /// No lane hears any other.
    AloneAll,
    /// One direction between two lanes is cut.
    OneWay,
    /// The leader hears nobody and is heard by nobody.
    LeaderCut,
    /// A lane's process is killed; it is started again at the end of the fault.
    Crash,
    /// The leader's process is killed.
    LeaderCrash,
    /// A lane is closed in good order and started again.
    Restart,
    /// Head office cannot be reached.
    WanDown,
    /// A lane's wall clock is set forward or back, by an hour at most.
    ClockJump,
    /// A new lane joins.
    Join,
    /// A manager changes prices on some lane.
    NewPrices,
}

/// One kind of fault over the selling time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPart {
    pub what: What,
    /// When it first begins, in virtual milliseconds of selling.
    pub first_ms: Range,
    /// How long it lasts, for what has a length.
    #[serde(default)]
    pub lasts_ms: Range,
    /// After its end, when it begins again; left out: once.
    pub again_ms: Option<Range>,
}

#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("there is no scenario '{name}'; there are: {known}")]
    Unknown { name: String, known: String },
    #[error("a scenario file is wrong: {0}")]
    Wrong(#[from] toml::de::Error),
    #[error("scenario {name} is wrong: {reason}")]
    Senseless { name: String, reason: &'static str },
}

/// Every scenario, in the order of the list.
pub fn all() -> Result<Vec<Scenario>, ScenarioError> {
    FILES.iter().map(|text| parse(text)).collect()
}

/// The scenarios of that name; `all` for every one.
pub fn named(name: &str) -> Result<Vec<Scenario>, ScenarioError> {
    let mut scenarios = all()?;
    if name == "all" {
        return Ok(scenarios);
    }
    let names: Vec<&str> = scenarios.iter().map(|s| s.name.as_str()).collect();
    let known = names.join(", ");
    scenarios.retain(|scenario| scenario.name == name);
    match scenarios.is_empty() {
        true => Err(ScenarioError::Unknown {
            name: name.to_owned(),
            known,
        }),
        false => Ok(scenarios),
    }
}

/// Reads a scenario file.
pub fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    let scenario: Scenario = toml::from_str(text)?;
    let mut ranges = vec![
        scenario.lanes,
        scenario.network.delay_ms,
        scenario.wan.delay_ms,
    ];
    for fault in &scenario.faults {
        ranges.extend([fault.first_ms, fault.lasts_ms]);
        ranges.extend(fault.again_ms);
    }
    let reason = if ranges.iter().any(|(low, high)| low > high) {
        "a range ends before it begins"
    } else if scenario.lanes.0 == 0 || scenario.lanes.1 > 50 {
        "a store has 1 to 50 lanes"
    } else if scenario
        .faults
        .iter()
        .any(|f| f.again_ms.is_some_and(|r| r.1 == 0))
    {
        "a fault that comes again needs some time in between"
    } else {
        return Ok(scenario);
    };
    Err(ScenarioError::Senseless {
        name: scenario.name,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_that_ships_is_sound_and_has_its_own_name() {
        let scenarios = all().unwrap();
        let mut names: Vec<&str> = scenarios.iter().map(|s| s.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FILES.len());
    }

    #[test]
    fn a_wrong_scenario_is_refused_with_its_reason() {
        let check = |change: &str, with: &str, expected: &str| {
            let text = FILES[1].replace(change, with);
            assert_ne!(text, FILES[1], "{change}");
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("lanes = [", "lanes = [0, 1] # ", "1 to 50 lanes");
        check("lanes = [", "lanes = [5, 2] # ", "ends before it begins");
        check("selling_s", "sells_s", "unknown field");
        check("\"split\"", "\"spilt\"", "unknown variant");
        assert!(
            named("spilt")
                .unwrap_err()
                .to_string()
                .contains("split-in-two")
        );
    }
}
