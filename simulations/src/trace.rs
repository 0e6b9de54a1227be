//! The trace of a simulation: everything that happens, in order, as a running hash and, where it was
//! asked for, as text.
//!
//! Invariant: one seed and one commit give one trace, byte for byte; what is recorded may depend on
//! nothing outside the simulation (no address, no time of the machine, no order of a hash map).
//!
//! A simulation has one thread, so the trace hangs on the thread; without one nothing is recorded.

use std::cell::RefCell;
use std::fmt::Write as _;

use tokio::time::Instant;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Spawn,
    Poll,
    Frame,
    Disk,
    Note,
}

/// How much is kept besides the hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    #[default]
    HashOnly,
    /// Every event as a line of text: some hundred bytes each, and millions of them in an hour.
    Text,
}

/// A finished trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub hash: u64,
    pub events: u64,
    /// Empty unless it was kept.
    pub text: String,
}

struct Recorder {
    begun: Instant,
    /// Virtual microseconds since then; time passes between polls of all that is ready only.
    at_us: u64,
    keep: Keep,
    trace: Trace,
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// Begins a trace on this thread, now in virtual time.
pub fn begin(keep: Keep) {
    RECORDER.set(Some(Recorder {
        begun: Instant::now(),
        at_us: 0,
        keep,
        trace: Trace::default(),
    }));
}

/// Looks at the virtual clock for the events to come.
pub fn time_has_passed() {
    RECORDER.with_borrow_mut(|recorder| {
        if let Some(recorder) = recorder {
            let elapsed = recorder.begun.elapsed().as_micros();
            recorder.at_us = u64::try_from(elapsed).unwrap_or(u64::MAX);
        }
    });
}

/// Ends this thread's trace.
pub fn end() -> Trace {
    RECORDER
        .take()
        .map_or_else(Trace::default, |recorder| recorder.trace)
}

/// Adds an event: `fields` to the hash, `text` where text is kept.
pub fn record(kind: Kind, fields: &[u64], text: impl FnOnce() -> String) {
    RECORDER.with_borrow_mut(|recorder| {
        let Some(recorder) = recorder else {
            return;
        };
        let at_us = recorder.at_us;
        let trace = &mut recorder.trace;
        trace.events += 1;
        trace.hash = mix(mix(trace.hash, kind as u64), at_us);
        for field in fields {
            trace.hash = mix(trace.hash, *field);
        }
        if recorder.keep == Keep::Text {
            let text = text();
            // Writing to a string does not fail.
            let _ = writeln!(trace.text, "{at_us:>12} {kind:?} {text}");
        }
    });
}

/// Adds an event that is text.
pub fn record_text(kind: Kind, text: &str) {
    record(kind, &[hash_of(text.as_bytes())], || text.to_owned());
}

/// The hash of some bytes, for `fields`. Every frame passes here: it is quick, and no more than
/// different contents need.
pub fn hash_of(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0xf135_7aea_2e62_a9c5;
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    let sum = words.fold(bytes.len() as u64, |sum, word| {
        (sum.rotate_left(23) ^ word).wrapping_mul(ODD)
    });
    mix(sum, ODD)
}

/// One step of a running hash: each bit of both sides reaches every bit of the outcome (the
/// finaliser of SplitMix64).
fn mix(hash: u64, value: u64) -> u64 {
    let mut z = hash.rotate_left(5) ^ value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Where two texts part: the first line that differs, with the lines before it; `None` if they are
/// equal.
pub fn first_difference(one: &Trace, other: &Trace) -> Option<String> {
    const LINES_BEFORE: usize = 12;
    if one == other {
        return None;
    }
    let lines = |trace: &Trace| -> Vec<String> { trace.text.lines().map(str::to_owned).collect() };
    let (one, other) = (lines(one), lines(other));
    let place = (0..one.len().max(other.len())).find(|n| one.get(*n) != other.get(*n))?;
    let mut told = format!("event {place} differs\n");
    for line in &one[place.saturating_sub(LINES_BEFORE)..place.min(one.len())] {
        let _ = writeln!(told, "      {line}");
    }
    for (mark, lines) in [("one  ", &one), ("other", &other)] {
        let line = lines.get(place).map_or("(its end)", String::as_str);
        let _ = writeln!(told, "{mark} {line}");
    }
    Some(told)
}
