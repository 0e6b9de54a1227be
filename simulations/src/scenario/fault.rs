//! What can go wrong in a scenario, and whom it hits.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Range, Scenario, SpanRange, When};

/// What goes wrong, or what somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The lanes fall into two groups that do not hear each other.
    Split,
    /// No lane hears any other.
    AloneAll,
    /// One direction between two lanes is cut.
    OneWay,
    /// A lane hears nobody and is heard by nobody.
    Cut,
    /// A lane's process is killed; it is started again at the end of the fault.
    Crash,
    /// A lane's process is killed at whatever await or disk operation comes after a while.
    CrashMidway,
    /// A lane loses its power, and with it what its disk had not made durable.
    PowerCut,
    /// A power cut in the middle of writing: of what was not durable, each write is torn, sector by
    /// sector.
    PowerCutTorn,
    /// Every lane loses its power at the same moment; all start again at the end.
    PowerCutAll,
    /// A lane's process stands still, and goes on as if nothing had been.
    Freeze,
    /// A lane's disk takes its time over every sync.
    SlowDisk,
    /// Some of what a lane asks of its disk fails (EIO); afterwards the lane is started again.
    DiskErrors,
    /// A lane's disk has no room for a single byte more, and then has again.
    DiskFull,
    /// A bit flips in what a lane's disk has held for long of the store's state.
    BitRot,
    /// A lane's process takes its time to start: it stands still somewhere on the way.
    SlowStart,
    /// A lane's machine sleeps: cut off, its monotonic clock stands still; and it wakes up.
    Suspend,
    /// Frames between two lanes, both ways, take their time.
    SlowLink,
    /// Two lanes share a line that carries little, so that bulk and heartbeats compete.
    NarrowLink,
    /// Between two lanes frames are lost and sent again, so that streams overtake each other.
    LossyLink,
    /// A lane is closed in good order and started again.
    Restart,
    /// Each lane in turn is closed for as long as `lasts` says and started again.
    RollingRestart,
    /// Head office cannot be reached.
    WanDown,
    /// Head office's process is killed, or its machine loses its power; it is started again.
    HqCrash,
    /// Head office answers late.
    HqLate,
    /// A lane's wall clock is set forward or back, by an hour at most.
    ClockJump,
    /// A lane's wall clock runs too fast or too slow.
    ClockDrift,
    /// Head office's wall clock is a day ahead of the lanes' or a day behind.
    WrongDay,
    /// A new lane joins.
    Join,
    /// A manager changes prices on some lane and looks at what is in force.
    NewPrices,
    /// Head office publishes new prices to its stores.
    HqPublishes,
    /// Another machine begins to work with a copy of a lane's disk; a cashier sells there, too.
    CopiedDisk,
    /// The same; once that machine is told, it joins as a lane of its own with what it sold.
    CopyJoins,
    /// The same; but that machine sells cut off from everyone at first, and then meets the store.
    CopyAlone,
    /// A lane's machine fails, and another one works in its place with an image of its disk; at the
    /// end that is put away, and the first one comes back, is told, and joins as a lane of its own.
    SpareMachine,
    /// A lane's disk is lost; the lane is replaced by one that joins, and taken out of the store.
    WipedDisk,
    /// A lane that votes dies and is away for so long that another one has to vote in its place.
    DeadVoter,
    /// The leader's process is killed while the store changes its members or voters.
    CrashChanging,
    /// All lanes are closed in turn for the night, and opened in turn in the morning.
    NightShutdown,
    /// The majority is lost, the store goes on with one lane in a new epoch, and what was lost comes
    /// back.
    MajorityLost,
}

impl What {
    pub const ALL: [What; 39] = [
        What::Split,
        What::AloneAll,
        What::OneWay,
        What::Cut,
        What::Crash,
        What::CrashMidway,
        What::PowerCut,
        What::PowerCutTorn,
        What::PowerCutAll,
        What::Freeze,
        What::SlowDisk,
        What::DiskErrors,
        What::DiskFull,
        What::BitRot,
        What::SlowStart,
        What::Suspend,
        What::SlowLink,
        What::NarrowLink,
        What::LossyLink,
        What::Restart,
        What::RollingRestart,
        What::WanDown,
        What::HqCrash,
        What::HqLate,
        What::ClockJump,
        What::ClockDrift,
        What::WrongDay,
        What::Join,
        What::NewPrices,
        What::HqPublishes,
        What::CopiedDisk,
        What::CopyJoins,
        What::CopyAlone,
        What::SpareMachine,
        What::WipedDisk,
        What::DeadVoter,
        What::CrashChanging,
        What::NightShutdown,
        What::MajorityLost,
    ];

    /// The word that a scenario file uses.
    pub fn word(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(word)) => word,
            _ => format!("{self:?}"),
        }
    }

    pub fn hits_one_lane(self) -> bool {
        match self {
            What::Cut
            | What::Crash
            | What::CrashMidway
            | What::PowerCut
            | What::PowerCutTorn
            | What::Freeze
            | What::SlowDisk
            | What::DiskErrors
            | What::DiskFull
            | What::BitRot
            | What::SlowStart
            | What::Suspend
            | What::Restart
            | What::ClockJump
            | What::CopiedDisk
            | What::CopyJoins
            | What::CopyAlone
            | What::SpareMachine
            | What::WipedDisk
            | What::DeadVoter
            | What::MajorityLost
            | What::ClockDrift
            | What::NewPrices => true,
            What::Split
            | What::AloneAll
            | What::OneWay
            | What::SlowLink
            | What::NarrowLink
            | What::LossyLink
            | What::PowerCutAll
            | What::RollingRestart
            | What::WanDown
            | What::HqCrash
            | What::HqLate
            | What::HqPublishes
            | What::WrongDay
            | What::CrashChanging
            | What::NightShutdown
            | What::Join => false,
        }
    }

    fn takes_links(self) -> bool {
        matches!(
            self,
            What::Split
                | What::OneWay
                | What::AloneAll
                | What::Cut
                | What::SlowLink
                | What::NarrowLink
                | What::LossyLink
        )
    }

    /// Whether the word takes this setting, one of the optional ones of [`FaultPart`].
    fn takes(self, setting: &str) -> bool {
        match setting {
            "by_ms" => matches!(self, What::ClockJump | What::Suspend | What::WrongDay),
            "ppm" => self == What::ClockDrift,
            "fails_permille" | "syncs_permille" => self == What::DiskErrors,
            "delay_ms" => matches!(self, What::SlowLink | What::HqLate),
            "bytes_per_s" => self == What::NarrowLink,
            "lost_permille" => self == What::LossyLink,
            _ => false,
        }
    }
}

/// Whom a fault hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Who {
    /// Whichever lane the seed draws.
    #[default]
    Any,
    /// Whichever leads when it begins.
    Leader,
    /// The lane of that number, from 1.
    Lane(usize),
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Who, D::Error> {
        struct AsWho;
        impl Visitor<'_> for AsWho {
            type Value = Who;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`any`, `leader` or a lane's number")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Who, E> {
                match text {
                    "any" => Ok(Who::Any),
                    "leader" => Ok(Who::Leader),
                    _ => Err(E::custom(format!(
                        "'{text}' is no lane: write `any`, `leader` or its number"
                    ))),
                }
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Who, E> {
                match usize::try_from(number) {
                    Ok(number) if number > 0 => Ok(Who::Lane(number)),
                    _ => Err(E::custom("lanes are numbered from 1")),
                }
            }
        }
        deserializer.deserialize_any(AsWho)
    }
}

/// One direction between two lanes, by their numbers: `1>2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    pub from: usize,
    pub to: usize,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}>{}", self.from, self.to)
    }
}

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Link, D::Error> {
        let text = String::deserialize(deserializer)?;
        let lane = |text: &str| text.trim().parse().ok().filter(|number| *number > 0);
        text.split_once('>')
            .and_then(|(from, to)| {
                Some(Link {
                    from: lane(from)?,
                    to: lane(to)?,
                })
            })
            .ok_or_else(|| D::Error::custom(format!("'{text}' is no link: write it like 1>2")))
    }
}

/// One kind of fault over the selling time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPart {
    pub what: What,
    /// When it first begins.
    pub at: When,
    /// How long it lasts, for what has a length.
    #[serde(default)]
    pub lasts: SpanRange,
    /// After its end, when it begins again; left out: once.
    pub again: Option<SpanRange>,
    #[serde(default)]
    pub lane: Who,
    /// Exactly which directions are cut, where the seed is not to draw them.
    #[serde(default)]
    pub links: Vec<Link>,
    /// By how much a clock is set forward, or back if negative, in milliseconds of its own.
    pub by_ms: Option<i64>,
    /// By how many millionths a clock runs too fast, or too slow if negative.
    pub ppm: Option<i64>,
    /// What a disk fails, of a thousand reads and writes.
    pub fails_permille: Option<u64>,
    /// What a disk fails, of a thousand syncs; what one should have made durable never becomes so.
    pub syncs_permille: Option<u64>,
    /// How long a frame, or an answer, takes; in milliseconds.
    pub delay_ms: Option<Range>,
    /// What a direction carries.
    pub bytes_per_s: Option<u64>,
    /// Frames of a thousand that have to be sent again.
    pub lost_permille: Option<u64>,
}

impl FaultPart {
    /// Why this fault makes no sense in its scenario, if so.
    pub fn senseless(&self, scenario: &Scenario) -> Option<String> {
        let word = self.what.word();
        if let When::At(minutes) = self.at {
            match scenario.opens_at() {
                None => {
                    let reason = "an hour of the day needs to know when the store opens: write \
                                  opens = \"9:00\" at the top";
                    return Some(reason.to_owned());
                }
                Some(opens) if opens > minutes => {
                    return Some("it begins before the store opens".to_owned());
                }
                Some(_) => {}
            }
        }
        if self.again.is_some_and(|again| again.1 == 0) {
            return Some("a fault that comes again needs some time in between".to_owned());
        }
        if !self.links.is_empty() && !self.what.takes_links() {
            return Some(format!("{word} takes no links"));
        }
        if self.lane != Who::Any && !self.what.hits_one_lane() {
            return Some(format!("{word} takes no lane"));
        }
        let settings = self.settings();
        if let Some((name, _)) = settings.iter().find(|(name, _)| !self.what.takes(name)) {
            return Some(format!("{word} takes no {name}"));
        }
        if self.delay_ms.is_some_and(|(low, high)| low > high) {
            return Some("a delay's range ends before it begins".to_owned());
        }
        if self.bytes_per_s == Some(0) {
            return Some("a line that carries nothing is a `cut`".to_owned());
        }
        None
    }

    /// The optional settings that are made, as the file has them.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = Vec::new();
        let mut add = |name, value: Option<String>| {
            settings.extend(value.map(|value| (name, value)));
        };
        add("by_ms", self.by_ms.map(|n| n.to_string()));
        add("ppm", self.ppm.map(|n| n.to_string()));
        add("fails_permille", self.fails_permille.map(|n| n.to_string()));
        add("syncs_permille", self.syncs_permille.map(|n| n.to_string()));
        let delay = self.delay_ms.map(|(low, high)| format!("[{low}, {high}]"));
        add("delay_ms", delay);
        add("bytes_per_s", self.bytes_per_s.map(|n| n.to_string()));
        add("lost_permille", self.lost_permille.map(|n| n.to_string()));
        settings
    }
}

/// Writes the fault as a scenario file has it.
impl fmt::Display for FaultPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[[fault]]\nwhat = \"{}\"", self.what.word())?;
        match self.at {
            When::After(range) => writeln!(f, "at = {range}")?,
            When::At(minutes) => writeln!(f, "at = \"{}:{:02}\"", minutes / 60, minutes % 60)?,
        }
        if self.lasts != SpanRange::default() {
            writeln!(f, "lasts = {}", self.lasts)?;
        }
        if let Some(again) = self.again {
            writeln!(f, "again = {again}")?;
        }
        match self.lane {
            Who::Any => {}
            Who::Leader => writeln!(f, "lane = \"leader\"")?,
            Who::Lane(number) => writeln!(f, "lane = {number}")?,
        }
        if !self.links.is_empty() {
            let links: Vec<String> = self
                .links
                .iter()
                .map(|link| format!("\"{link}\""))
                .collect();
            writeln!(f, "links = [{}]", links.join(", "))?;
        }
        let mut settings = self.settings().into_iter();
        settings.try_for_each(|(name, value)| writeln!(f, "{name} = {value}"))
    }
}
