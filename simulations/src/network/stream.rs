//! One framed stream between two processes.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::task::AtomicWaker;
use providers::{
    FRAME_BYTES_MAX, FrameSink, FrameSource, FrameStream, NetworkError, PeerId, StreamClass,
};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

use super::{End, Fabric, Passage};
use crate::executor::spawn_world;
use crate::trace::{self, Kind};

/// Frames on their way in one direction; the sender waits for a place.
const IN_FLIGHT_MAX: usize = 256;

/// A stream, as the network sees it. Its halves keep it alive.
pub struct Stream {
    class: StreamClass,
    /// The side that opened it, and the other.
    sides: [Side; 2],
}

struct Side {
    end: Arc<End>,
    /// What this side sends vanishes.
    lost: AtomicBool,
    broken: Broken,
    /// When the newest frame of this side arrives: none overtakes it.
    last_arrival: Mutex<Instant>,
}

/// Whether a side has noticed that its stream is broken, and who of it waits to.
#[derive(Default)]
struct Broken {
    is: AtomicBool,
    writer: AtomicWaker,
    reader: AtomicWaker,
}

impl Broken {
    fn set(&self) {
        self.is.store(true, Ordering::Relaxed);
        self.writer.wake();
        self.reader.wake();
    }

    fn is(&self) -> bool {
        self.is.load(Ordering::Relaxed)
    }

    async fn wait(&self, half: &AtomicWaker) {
        poll_fn(|cx| {
            half.register(cx.waker());
            match self.is() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }
}

impl Side {
    fn new(end: Arc<End>) -> Side {
        Side {
            end,
            lost: AtomicBool::new(false),
            broken: Broken::default(),
            last_arrival: Mutex::new(Instant::now()),
        }
    }
}

impl Stream {
    pub fn new(opener: Arc<End>, acceptor: Arc<End>, class: StreamClass) -> Arc<Stream> {
        Arc::new(Stream {
            class,
            sides: [Side::new(opener), Side::new(acceptor)],
        })
    }

    pub fn class(&self) -> StreamClass {
        self.class
    }

    pub fn touches(&self, end: &Arc<End>) -> bool {
        self.sides.iter().any(|side| Arc::ptr_eq(&side.end, end))
    }

    /// The peer at the side that is not `end`.
    pub fn other(&self, end: &Arc<End>) -> &PeerId {
        let other = usize::from(Arc::ptr_eq(&self.sides[0].end, end));
        self.sides[other].end.peer()
    }

    /// Loses one direction; tells whether the stream has it.
    pub fn lose(&self, from: &PeerId, to: &PeerId) -> bool {
        for (side, other) in [(0, 1), (1, 0)] {
            if self.sides[side].end.place() == from && self.sides[other].end.place() == to {
                self.sides[side].lost.store(true, Ordering::Relaxed);
                return true;
            }
        }
        false
    }

    pub fn lose_both_ways(&self) {
        for side in &self.sides {
            side.lost.store(true, Ordering::Relaxed);
        }
    }

    /// Lets both sides notice the end, each after its own time.
    pub fn end(self: &Arc<Self>, opener_after: Duration, acceptor_after: Duration) {
        self.end_side(0, opener_after);
        self.end_side(1, acceptor_after);
    }

    pub fn end_for(self: &Arc<Self>, end: &Arc<End>, after: Duration) {
        self.end_side(usize::from(!Arc::ptr_eq(&self.sides[0].end, end)), after);
    }

    pub fn end_for_other_than(self: &Arc<Self>, end: &Arc<End>, after: Duration) {
        self.end_side(usize::from(Arc::ptr_eq(&self.sides[0].end, end)), after);
    }

    fn end_side(self: &Arc<Self>, side: usize, after: Duration) {
        if after.is_zero() {
            self.sides[side].broken.set();
            return;
        }
        let stream = self.clone();
        spawn_world(async move {
            tokio::time::sleep(after).await;
            stream.lose_both_ways();
            stream.sides[side].broken.set();
        });
    }

    /// The opener's and the acceptor's half.
    pub fn halves(self: &Arc<Self>, fabric: &Arc<Fabric>) -> (FrameStream, FrameStream) {
        let (to_acceptor, from_opener) = mpsc::channel(IN_FLIGHT_MAX);
        let (to_opener, from_acceptor) = mpsc::channel(IN_FLIGHT_MAX);
        let half = |side: usize, frames, arriving| FrameStream {
            sink: Box::new(Sink {
                fabric: fabric.clone(),
                stream: self.clone(),
                side,
                frames,
            }),
            source: Box::new(Source {
                stream: self.clone(),
                side,
                arriving,
                on_its_way: None,
            }),
        };
        (
            half(0, to_acceptor, from_acceptor),
            half(1, to_opener, from_opener),
        )
    }
}

struct InFlight {
    arrives_at: Instant,
    frame: Bytes,
}

fn closed() -> NetworkError {
    NetworkError::Closed("the connection is lost".to_owned())
}

struct Sink {
    fabric: Arc<Fabric>,
    stream: Arc<Stream>,
    side: usize,
    frames: mpsc::Sender<InFlight>,
}

#[async_trait]
impl FrameSink for Sink {
    async fn send(&mut self, frame: Bytes) -> Result<(), NetworkError> {
        if frame.len() > FRAME_BYTES_MAX {
            return Err(NetworkError::FrameTooLarge { bytes: frame.len() });
        }
        let broken = &self.stream.sides[self.side].broken;
        if broken.is() {
            return Err(closed());
        }
        let [from, to] = self.direction();
        let passage = self.fabric.lock().passage(from, to, frame.len());
        let Passage::Arrives(arrives_at) = passage else {
            self.stream.lose_both_ways();
            self.stream.end(Duration::ZERO, Duration::ZERO);
            return Err(closed());
        };
        let arrives_at = {
            let last = &self.stream.sides[self.side].last_arrival;
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            *last = (*last).max(arrives_at);
            *last
        };
        self.trace(&frame);
        let in_flight = match self.frames.try_send(InFlight { arrives_at, frame }) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(closed()),
            Err(TrySendError::Full(in_flight)) => in_flight,
        };
        tokio::select! {
            biased;
            () = broken.wait(&broken.writer) => Err(closed()),
            sent = self.frames.send(in_flight) => sent.map_err(|_| closed()),
        }
    }
}

impl Sink {
    /// From whom to whom.
    fn direction(&self) -> [&PeerId; 2] {
        [self.side, 1 - self.side].map(|side| self.stream.sides[side].end.place())
    }

    fn trace(&self, frame: &Bytes) {
        let [from, to] = self.direction();
        let (class, len) = (self.stream.class, frame.len());
        let hash = trace::hash_of(frame);
        let fields = [class as u64, len as u64, hash];
        trace::record(Kind::Frame, &fields, || {
            format!("{from} to {to} {class:?} {len} bytes {hash:016x}")
        });
    }
}

struct Source {
    stream: Arc<Stream>,
    side: usize,
    arriving: mpsc::Receiver<InFlight>,
    on_its_way: Option<InFlight>,
}

impl Source {
    /// The next frame that arrives; `None` at the end.
    async fn arrive(&mut self) -> Option<Bytes> {
        loop {
            if self.on_its_way.is_none() {
                self.on_its_way = self.arriving.recv().await;
            }
            let arrives_at = self.on_its_way.as_ref().map(|frame| frame.arrives_at);
            if let Some(arrives_at) = arrives_at {
                tokio::time::sleep_until(arrives_at).await;
            }
            if self.stream.sides[1 - self.side]
                .lost
                .load(Ordering::Relaxed)
            {
                // It has vanished, and so has the news of an orderly end.
                if self.on_its_way.take().is_none() {
                    std::future::pending::<()>().await;
                }
                continue;
            }
            return self.on_its_way.take().map(|in_flight| in_flight.frame);
        }
    }
}

#[async_trait]
impl FrameSource for Source {
    async fn recv(&mut self) -> Result<Option<Bytes>, NetworkError> {
        let stream = self.stream.clone();
        let broken = &stream.sides[self.side].broken;
        tokio::select! {
            biased;
            () = broken.wait(&broken.reader) => Err(closed()),
            frame = self.arrive() => Ok(frame),
        }
    }
}
