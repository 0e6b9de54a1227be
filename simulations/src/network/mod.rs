//! The simulated network: framed streams between lanes, with delays, cuts and crashes.
//!
//! It keeps the contract of `providers::Network` and breaks everything that the contract allows to
//! break. Frames of a stream arrive whole and in order. A cut makes what is sent from then on, and
//! what is on its way, vanish; both sides of a stream learn of it some time later, each in its own
//! time, as they do with a real transport. A cut of one direction is noticed by both sides, too,
//! but until then the other direction still carries frames.
//!
//! Each direction between two lanes may have a quality of its own ([`Quality`]). What a packet loses
//! its transport sends again: a lost frame is late, with all behind it on its stream and nothing on
//! the others, so streams overtake each other. A slow link carries one frame after the other, of
//! whatever stream, so that bulk and heartbeats compete.

mod end;
mod stream;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use providers::{Incoming, NetworkError, PeerId, StreamClass};
use tokio::sync::watch;
use tokio::time::Instant;

pub use end::{End, SimNet};

use crate::random::Dice;
use stream::Stream;

/// How long a side may take to notice that a stream is cut, in milliseconds.
const NOTICED_AFTER_MS: (u64, u64) = (50, 3_000);
/// How long a dial may go unanswered.
const DIAL_MAX: Duration = Duration::from_secs(2);
/// How long it takes to learn that nothing listens where a process has ended, in milliseconds.
const REFUSED_AFTER_MS: (u64, u64) = (1, 400);

/// After how long a lost packet is sent again, in milliseconds; doubled for each further loss.
const REPEATED_AFTER_MS: u64 = 200;
/// How often in a row the packets of one frame are lost at most.
const LOSSES_MAX: u32 = 5;

/// How one direction between two lanes carries worse than the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// How long a frame takes, from and to, in milliseconds; `None`: as elsewhere.
    pub delay_ms: Option<(u64, u64)>,
    /// What it carries, of all streams together; `None`: as much as is wanted.
    pub bytes_per_s: Option<u64>,
    /// Frames of a thousand that have to be sent again.
    pub lost_permille: u64,
    /// Frames of a thousand with which their stream breaks.
    pub breaks_permille: u64,
}

impl Quality {
    /// What is left of a direction that is bad in two ways.
    fn and(self, other: Quality) -> Quality {
        Quality {
            delay_ms: self.delay_ms.max(other.delay_ms),
            bytes_per_s: match (self.bytes_per_s, other.bytes_per_s) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            },
            lost_permille: self.lost_permille.max(other.lost_permille),
            breaks_permille: self.breaks_permille.max(other.breaks_permille),
        }
    }
}

/// One direction between two places.
type Direction = (PeerId, PeerId);

/// Every wire of the store.
pub struct Fabric {
    inner: Mutex<Inner>,
    /// Counts what may make a dial succeed.
    changes: watch::Sender<u64>,
}

struct Inner {
    dice: Dice,
    delay_ms: (u64, u64),
    ends: BTreeMap<PeerId, Arc<End>>,
    /// How many faults cut a direction now, and until when nobody has noticed.
    cuts: BTreeMap<Direction, Cut>,
    streams: Vec<Weak<Stream>>,
    /// Directions that are worse than the others, and by which fault.
    qualities: BTreeMap<Direction, BTreeMap<usize, Quality>>,
    /// Until when a slow direction is busy with what was sent.
    busy_until: BTreeMap<Direction, Instant>,
}

/// How a frame travels.
enum Passage {
    Arrives(Instant),
    /// The stream breaks.
    Breaks,
}

struct Cut {
    faults: u32,
    noticed_at: Instant,
}

/// What a dial meets.
enum Dialled {
    Stream(Box<NewStream>),
    NoAnswer,
    Refused(&'static str),
}

/// Both ends of a new stream.
struct NewStream {
    ours: providers::FrameStream,
    theirs: Incoming,
    to: Arc<End>,
}

fn millis(dice: &mut Dice, range: (u64, u64)) -> Duration {
    Duration::from_millis(dice.between(range.0, range.1))
}

impl Fabric {
    /// A network whose frames take from `delay_ms.0` to `delay_ms.1` milliseconds one way.
    pub fn new(dice: Dice, delay_ms: (u64, u64)) -> Arc<Fabric> {
        let inner = Inner {
            dice,
            delay_ms,
            ends: BTreeMap::new(),
            cuts: BTreeMap::new(),
            streams: Vec::new(),
            qualities: BTreeMap::new(),
            busy_until: BTreeMap::new(),
        };
        Arc::new(Fabric {
            inner: Mutex::new(inner),
            changes: watch::Sender::new(0),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Puts a process on the network. An earlier process at the same place must be unplugged; one
    /// of the same peer at another place has a copy of its disk.
    pub fn plug_in(self: &Arc<Self>, place: PeerId, peer: PeerId) -> SimNet {
        let (end, incoming) = End::new(place.clone(), peer);
        let before = self.lock().ends.insert(place, end.clone());
        assert!(before.is_none(), "two processes at one place");
        self.changed();
        SimNet::new(self.clone(), end, incoming)
    }

    /// Takes a process off the network, as its end does. Nothing it sends arrives any more, and it
    /// hears nothing; its siblings learn of it some time later.
    pub fn unplug(&self, place: &PeerId) {
        let mut inner = self.lock();
        let Some(end) = inner.ends.remove(place) else {
            return;
        };
        end.unplug();
        // A killed process is noticed at once by those its kernel still tells, late by the others.
        let told = inner.dice.chance(500);
        for stream in inner.live_streams() {
            if !stream.touches(&end) {
                continue;
            }
            let noticed = match told {
                true => Duration::from_millis(1),
                false => millis(&mut inner.dice, NOTICED_AFTER_MS),
            };
            stream.lose_both_ways();
            stream.end_for(&end, Duration::ZERO);
            stream.end_for_other_than(&end, noticed);
        }
    }

    /// Cuts one direction. Cuts add up: it carries again once each has been mended.
    pub fn cut(&self, from: &PeerId, to: &PeerId) {
        let mut inner = self.lock();
        let noticed_at = Instant::now() + millis(&mut inner.dice, NOTICED_AFTER_MS);
        let direction = (from.clone(), to.clone());
        let cut = inner.cuts.entry(direction).or_insert(Cut {
            faults: 0,
            noticed_at,
        });
        cut.faults += 1;
        for stream in inner.live_streams() {
            if stream.lose(from, to) {
                let (one, other) = (
                    millis(&mut inner.dice, NOTICED_AFTER_MS),
                    millis(&mut inner.dice, NOTICED_AFTER_MS),
                );
                stream.end(one, other);
            }
        }
    }

    /// Takes one cut of a direction back. Streams that were cut stay broken.
    pub fn mend(&self, from: &PeerId, to: &PeerId) {
        let direction = (from.clone(), to.clone());
        {
            let mut inner = self.lock();
            if let Some(cut) = inner.cuts.get_mut(&direction) {
                cut.faults -= 1;
                if cut.faults == 0 {
                    inner.cuts.remove(&direction);
                }
            }
        }
        self.changed();
    }

    /// Makes one direction worse. Several faults may do so at a time, each under a number of its own.
    pub fn worsen(&self, from: &PeerId, to: &PeerId, fault: usize, quality: Quality) {
        let mut inner = self.lock();
        let direction = (from.clone(), to.clone());
        let qualities = inner.qualities.entry(direction).or_default();
        qualities.insert(fault, quality);
    }

    /// Takes back what a fault did to a direction.
    pub fn relieve(&self, from: &PeerId, to: &PeerId, fault: usize) {
        let direction = (from.clone(), to.clone());
        let mut inner = self.lock();
        if let Some(qualities) = inner.qualities.get_mut(&direction) {
            qualities.remove(&fault);
            if qualities.is_empty() {
                inner.qualities.remove(&direction);
                inner.busy_until.remove(&direction);
            }
        }
    }

    /// Whether a direction carries anything now.
    pub fn carries(&self, from: &PeerId, to: &PeerId) -> bool {
        self.lock().carries(from, to)
    }

    /// Whether `end` takes itself for connected with a member.
    fn connected(&self, end: &Arc<End>, peer: &PeerId) -> bool {
        let inner = self.lock();
        let noticed = |from: &PeerId, to: &PeerId| {
            if inner.cuts.is_empty() {
                return false;
            }
            let cut = inner.cuts.get(&(from.clone(), to.clone()));
            cut.is_some_and(|cut| cut.noticed_at <= Instant::now())
        };
        let others = inner.ends.values().filter(|other| other.peer() == peer);
        others.into_iter().any(|other| {
            let acquainted = end.knows_address_of(peer) || other.knows_address_of(end.peer());
            acquainted
                && end.admits(peer)
                && other.admits(end.peer())
                && !noticed(end.place(), other.place())
                && !noticed(other.place(), end.place())
        })
    }

    /// Closes the streams of `end` with those that it no longer admits.
    fn close_strangers(&self, end: &Arc<End>) {
        let mut inner = self.lock();
        for stream in inner.live_streams() {
            if stream.touches(end) && !end.admits_stream(stream.other(end), stream.class()) {
                let noticed = inner.delay();
                stream.lose_both_ways();
                stream.end_for(end, Duration::ZERO);
                stream.end_for_other_than(end, noticed);
            }
        }
    }

    async fn open(
        self: &Arc<Self>,
        end: &Arc<End>,
        peer: &PeerId,
        class: StreamClass,
    ) -> Result<providers::FrameStream, NetworkError> {
        if class != StreamClass::Join && !end.admits(peer) {
            return Err(NetworkError::NotAMember(peer.clone()));
        }
        let unreachable = |reason: &str| NetworkError::Unreachable {
            peer: peer.clone(),
            reason: reason.to_owned(),
        };
        let deadline = Instant::now() + DIAL_MAX;
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let (dialled, round_trip, refusal) = {
                let mut inner = self.lock();
                let dialled = inner.dial(self, end, peer, class);
                let round_trip = inner.delay() + inner.delay();
                let refusal = millis(&mut inner.dice, REFUSED_AFTER_MS);
                (dialled, round_trip, refusal)
            };
            match dialled {
                Dialled::Stream(stream) => {
                    tokio::time::sleep(round_trip).await;
                    let NewStream { ours, theirs, to } = *stream;
                    return match to.offer(theirs) {
                        true => Ok(ours),
                        false => Err(unreachable("it takes no more streams")),
                    };
                }
                Dialled::Refused(reason) => {
                    tokio::time::sleep(round_trip + refusal).await;
                    return Err(unreachable(reason));
                }
                Dialled::NoAnswer => {
                    let waited = tokio::time::timeout_at(deadline, changes.changed()).await;
                    if waited.is_err() {
                        return Err(unreachable("no answer"));
                    }
                }
            }
        }
    }
}

impl Inner {
    /// How long one frame takes.
    fn delay(&mut self) -> Duration {
        millis(&mut self.dice, self.delay_ms)
    }

    /// How a frame of so many bytes that is sent now travels.
    fn passage(&mut self, from: &PeerId, to: &PeerId, bytes: usize) -> Passage {
        if self.qualities.is_empty() {
            return Passage::Arrives(Instant::now() + self.delay());
        }
        let direction = (from.clone(), to.clone());
        let Some(qualities) = self.qualities.get(&direction) else {
            return Passage::Arrives(Instant::now() + self.delay());
        };
        let all = qualities.values().copied();
        let quality = all.fold(Quality::default(), Quality::and);
        if quality.breaks_permille > 0 && self.dice.chance(quality.breaks_permille) {
            return Passage::Breaks;
        }
        let mut sent_at = Instant::now();
        if let Some(bytes_per_s) = quality.bytes_per_s {
            let busy_until = self.busy_until.entry(direction).or_insert(sent_at);
            let takes_us = bytes as u64 * 1_000_000 / bytes_per_s.max(1);
            *busy_until = (*busy_until).max(sent_at) + Duration::from_micros(takes_us);
            sent_at = *busy_until;
        }
        let mut late_ms = 0;
        for loss in 0..LOSSES_MAX {
            if quality.lost_permille == 0 || !self.dice.chance(quality.lost_permille) {
                break;
            }
            late_ms += REPEATED_AFTER_MS << loss;
        }
        let delay = millis(&mut self.dice, quality.delay_ms.unwrap_or(self.delay_ms));
        Passage::Arrives(sent_at + Duration::from_millis(late_ms) + delay)
    }

    fn carries(&self, from: &PeerId, to: &PeerId) -> bool {
        !self.cuts.contains_key(&(from.clone(), to.clone()))
    }

    fn live_streams(&mut self) -> Vec<Arc<Stream>> {
        self.streams.retain(|stream| stream.strong_count() > 0);
        self.streams.iter().filter_map(Weak::upgrade).collect()
    }

    fn dial(
        &mut self,
        fabric: &Arc<Fabric>,
        end: &Arc<End>,
        peer: &PeerId,
        class: StreamClass,
    ) -> Dialled {
        let here = end.place();
        let reached = |place: &PeerId| self.carries(here, place) && self.carries(place, here);
        let all: Vec<Arc<End>> = self
            .ends
            .values()
            .filter(|other| other.peer() == peer && other.place() != here)
            .cloned()
            .collect();
        let mut others: Vec<Arc<End>> = all
            .iter()
            .filter(|other| reached(other.place()))
            .cloned()
            .collect();
        let cut_off = match all.is_empty() {
            true => !reached(peer),
            false => others.is_empty(),
        };
        if !end.is_plugged_in() || cut_off {
            return Dialled::NoAnswer;
        }
        let other = match others.len() {
            0 => {
                return match self.dice.chance(500) {
                    true => Dialled::NoAnswer,
                    false => Dialled::Refused("nothing listens there"),
                };
            }
            1 => others.swap_remove(0),
            several => others.swap_remove(self.dice.index(several)),
        };
        if !end.knows_address_of(peer) && !other.knows_address_of(end.peer()) {
            return Dialled::Refused("no address is known");
        }
        if !other.admits_stream(end.peer(), class) {
            return Dialled::Refused("the other side closed the connection");
        }
        let stream = Stream::new(end.clone(), other.clone(), class);
        self.streams.push(Arc::downgrade(&stream));
        let (ours, theirs) = stream.halves(fabric);
        let theirs = Incoming {
            peer: end.peer().clone(),
            class,
            stream: theirs,
        };
        Dialled::Stream(Box::new(NewStream {
            ours,
            theirs,
            to: other,
        }))
    }
}

#[cfg(test)]
mod tests;
