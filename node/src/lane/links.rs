//! Questions to other lanes over long-lived streams, one stream per lane and kind of traffic.
//!
//! A stream is opened when something is first asked on it and kept. Answers are matched by number,
//! so many questions are under way at once. A stream that breaks fails the questions on it; the
//! next question opens a new one. Nothing is sent twice by this layer.
//!
//! A lane at work introduces itself on every stream. What only a sibling may be asked waits until the
//! process at the other end is known and [`super::roll`] has decided about it, and fails if this lane
//! does not deal with it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ledger::{Head, LaneId, Run};
use providers::{
    FrameSink, FrameSource, NetworkError, PeerId, SharedClock, SharedNetwork, StreamClass, timeout,
};
use tokio::sync::{mpsc, oneshot, watch};
use wire::{Answer, Ask, Frame, Hello, WireError};

use super::roll::Roll;

/// Questions under way on one stream; one more is refused.
const PENDING_MAX: usize = 1024;
/// After a failed dial, questions to that lane fail at once for this long.
const REDIAL_AFTER: Duration = Duration::from_millis(200);
/// How often a question that waits for an introduction looks whether it still has to.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, thiserror::Error)]
pub enum LinkError {
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("{0} did not answer within {1:?}")]
    Timeout(PeerId, Duration),
    #[error("too many questions to {0} are under way")]
    Busy(PeerId),
    #[error("the process that answers as {0} is not dealt with")]
    NotSeated(PeerId),
    #[error(transparent)]
    Wire(#[from] WireError),
}

type Waiting = Arc<Mutex<BTreeMap<u64, oneshot::Sender<Result<Answer, LinkError>>>>>;

struct Call {
    ask: Ask,
    answer: oneshot::Sender<Result<Answer, LinkError>>,
}

/// How a lane at work introduces itself, and with whom it deals.
pub struct Introduction {
    pub hello: Hello,
    /// Where this run's journal stood when it had noted its start: nothing is said before.
    pub started: watch::Receiver<Option<Head>>,
    pub roll: Arc<Roll>,
}

/// The links of one lane to its siblings.
pub struct Links {
    network: SharedNetwork,
    clock: SharedClock,
    introduction: Option<Arc<Introduction>>,
    calls: Mutex<BTreeMap<(PeerId, StreamClass), mpsc::Sender<Call>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Links {
    /// Links on which this lane says who it is only where it is asked to.
    pub fn new(network: SharedNetwork, clock: SharedClock) -> Arc<Links> {
        Arc::new(Links {
            network,
            clock,
            introduction: None,
            calls: Mutex::default(),
        })
    }

    /// Links between lanes at work.
    pub fn introduced(
        network: SharedNetwork,
        clock: SharedClock,
        introduction: Introduction,
    ) -> Arc<Links> {
        Arc::new(Links {
            network,
            clock,
            introduction: Some(Arc::new(introduction)),
            calls: Mutex::default(),
        })
    }

    /// Asks `peer` and waits for the answer, at most `limit`.
    pub async fn ask(
        &self,
        peer: &PeerId,
        class: StreamClass,
        ask: Ask,
        limit: Duration,
    ) -> Result<Answer, LinkError> {
        let (answer, answered) = oneshot::channel();
        let calls = self.link(peer, class);
        calls
            .try_send(Call { ask, answer })
            .map_err(|_| LinkError::Busy(peer.clone()))?;
        match timeout(self.clock.as_ref(), limit, answered).await {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(NetworkError::Closed("the link was shut down".to_owned()).into()),
            None => Err(LinkError::Timeout(peer.clone(), limit)),
        }
    }

    fn link(&self, peer: &PeerId, class: StreamClass) -> mpsc::Sender<Call> {
        let mut links = lock(&self.calls);
        let link = links
            .entry((peer.clone(), class))
            .or_insert_with(|| self.spawn(peer, class));
        if link.is_closed() {
            *link = self.spawn(peer, class);
        }
        link.clone()
    }

    fn spawn(&self, peer: &PeerId, class: StreamClass) -> mpsc::Sender<Call> {
        let (sender, calls) = mpsc::channel(PENDING_MAX);
        let link = Link {
            network: self.network.clone(),
            clock: self.clock.clone(),
            peer: peer.clone(),
            class,
            introduction: self.introduction.clone(),
            calls,
            next_id: 0,
        };
        providers::spawn(link.run());
        sender
    }
}

struct Link {
    network: SharedNetwork,
    clock: SharedClock,
    peer: PeerId,
    class: StreamClass,
    introduction: Option<Arc<Introduction>>,
    calls: mpsc::Receiver<Call>,
    next_id: u64,
}

/// What is known of the process at the other end of a stream.
enum OtherEnd {
    /// Nobody wants to know.
    Anyone,
    Asked(oneshot::Receiver<Result<Answer, LinkError>>),
    Known(LaneId, Run, Option<Head>),
    /// It did not say.
    Unknown,
}

impl OtherEnd {
    /// Its answer to the introduction, once.
    async fn answered(&mut self) -> OtherEnd {
        let OtherEnd::Asked(answer) = self else {
            return std::future::pending().await;
        };
        match answer.await {
            Ok(Ok(Answer::Standing(standing))) => standing.run.map_or(OtherEnd::Unknown, |run| {
                OtherEnd::Known(standing.lane, run, standing.started)
            }),
            _ => OtherEnd::Unknown,
        }
    }
}

/// Why a stream is no longer talked on.
enum Ended {
    Lost,
    AtAnotherProcess(NetworkError),
}

/// Whether a question may be asked.
enum Leave {
    Given,
    /// That is not known yet.
    Waits,
    Refused,
}

/// Whether a question may be asked of a process that nothing is known of yet.
fn is_open_to_all(ask: &Ask) -> bool {
    matches!(ask, Ask::Standing(_) | Ask::WhichRun { .. } | Ask::Join(_))
}

impl Link {
    async fn run(mut self) {
        while let Some(first) = self.calls.recv().await {
            match self.network.open(&self.peer, self.class).await {
                Ok(stream) => {
                    let ended = self.talk(first, stream.sink, stream.source).await;
                    if let Ended::AtAnotherProcess(error) = ended {
                        self.fail_for_a_while(&error).await;
                    }
                }
                Err(error) => {
                    let _ = first.answer.send(Err(error.clone().into()));
                    self.fail_for_a_while(&error).await;
                }
            }
        }
    }

    async fn fail_for_a_while(&mut self, error: &NetworkError) {
        let pause = self.clock.sleep(REDIAL_AFTER);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                biased;
                () = &mut pause => return,
                call = self.calls.recv() => match call {
                    Some(call) => { let _ = call.answer.send(Err(error.clone().into())); }
                    None => return,
                },
            }
        }
    }

    /// Writes questions until the stream ends; a task of its own reads the answers, so that a
    /// stream is never written without being read.
    async fn talk(
        &mut self,
        first: Call,
        mut sink: Box<dyn FrameSink>,
        source: Box<dyn FrameSource>,
    ) -> Ended {
        let waiting: Waiting = Arc::default();
        let (ended, mut end) = oneshot::channel();
        providers::spawn(read_answers(source, waiting.clone(), ended));
        let mut other_end = OtherEnd::Anyone;
        let mut held = VecDeque::new();
        let mut next = Some(first);
        if let Some(introduction) = self.introduction.clone() {
            let mut started = introduction.started.clone();
            let started = match started.wait_for(Option::is_some).await {
                Ok(started) => *started,
                Err(_) => return Ended::Lost,
            };
            let (answer, answered) = oneshot::channel();
            let ask = Ask::Standing(Hello {
                started,
                ..introduction.hello
            });
            other_end = OtherEnd::Asked(answered);
            held.extend(next.replace(Call { ask, answer }));
        }
        let error = loop {
            let call = match next.take() {
                Some(call) => Some(call),
                None => tokio::select! {
                    biased;
                    error = &mut end => {
                        break error.unwrap_or(NetworkError::Closed("reader ended".to_owned()));
                    }
                    known = other_end.answered() => {
                        self.note(&known);
                        other_end = known;
                        None
                    }
                    () = self.clock.sleep(LOOK_EVERY), if !held.is_empty() => None,
                    call = self.calls.recv() => match call {
                        Some(call) => Some(call),
                        None => break NetworkError::Closed("shut down".to_owned()),
                    },
                },
            };
            let sent = match call {
                Some(call) if is_open_to_all(&call.ask) => {
                    self.send(call, sink.as_mut(), &waiting).await
                }
                call => {
                    held.extend(call);
                    self.send_held(&mut held, &other_end, sink.as_mut(), &waiting)
                        .await
                }
            };
            if let Err(error) = sent {
                break error;
            }
            if self.leads_elsewhere(&other_end) {
                break NetworkError::Closed("it led to another process of that lane".to_owned());
            }
        };
        for (_, answer) in std::mem::take(&mut *lock(&waiting)) {
            let _ = answer.send(Err(error.clone().into()));
        }
        for call in held {
            let _ = call.answer.send(Err(error.clone().into()));
        }
        match self.leads_elsewhere(&other_end) {
            true => Ended::AtAnotherProcess(error),
            false => Ended::Lost,
        }
    }

    /// Whether the stream leads to one process of a lane while this lane deals with another one.
    fn leads_elsewhere(&self, other_end: &OtherEnd) -> bool {
        match (self.introduction.as_deref(), other_end) {
            (Some(Introduction { roll, .. }), OtherEnd::Known(lane, run, _)) => roll
                .seen(*lane)
                .is_some_and(|seen| seen.seated && seen.run != *run),
            _ => false,
        }
    }

    fn note(&self, other_end: &OtherEnd) {
        if let (Some(introduction), OtherEnd::Known(lane, run, started)) =
            (&self.introduction, other_end)
        {
            introduction.roll.hear_answer(*lane, *run, *started);
        }
    }

    fn leave(&self, other_end: &OtherEnd) -> Leave {
        let Some(Introduction { roll, .. }) = self.introduction.as_deref() else {
            return Leave::Given;
        };
        match other_end {
            OtherEnd::Anyone => Leave::Given,
            OtherEnd::Asked(_) => Leave::Waits,
            OtherEnd::Known(lane, run, _) if roll.admits(*lane, *run) => Leave::Given,
            OtherEnd::Known(lane, run, _) if roll.is_pending(*lane, *run) => Leave::Waits,
            OtherEnd::Known(..) | OtherEnd::Unknown => Leave::Refused,
        }
    }

    /// Asks what was held back, where that may be asked now.
    async fn send_held(
        &mut self,
        held: &mut VecDeque<Call>,
        other_end: &OtherEnd,
        sink: &mut dyn FrameSink,
        waiting: &Waiting,
    ) -> Result<(), NetworkError> {
        // Whoever asked may have stopped waiting; such places are free again.
        held.retain(|call| !call.answer.is_closed());
        while let Some(call) = held.pop_front() {
            match self.leave(other_end) {
                Leave::Given => self.send(call, sink, waiting).await?,
                Leave::Waits if held.len() < PENDING_MAX => {
                    held.push_front(call);
                    return Ok(());
                }
                Leave::Waits => {
                    let _ = call.answer.send(Err(LinkError::Busy(self.peer.clone())));
                }
                Leave::Refused => {
                    let refusal = LinkError::NotSeated(self.peer.clone());
                    let _ = call.answer.send(Err(refusal));
                }
            }
        }
        Ok(())
    }

    async fn send(
        &mut self,
        call: Call,
        sink: &mut dyn FrameSink,
        waiting: &Waiting,
    ) -> Result<(), NetworkError> {
        self.next_id += 1;
        let id = self.next_id;
        let frame = match wire::encode(&Frame::Ask { id, ask: call.ask }) {
            Ok(bytes) => Bytes::from(bytes),
            Err(error) => {
                let _ = call.answer.send(Err(error.into()));
                return Ok(());
            }
        };
        {
            let mut waiting = lock(waiting);
            // Whoever asked may have stopped waiting; such places are free again.
            if waiting.len() >= PENDING_MAX {
                waiting.retain(|_, answer| !answer.is_closed());
            }
            if waiting.len() >= PENDING_MAX {
                let _ = call.answer.send(Err(LinkError::Busy(self.peer.clone())));
                return Ok(());
            }
            waiting.insert(id, call.answer);
        }
        sink.send(frame).await
    }
}

async fn read_answers(
    mut source: Box<dyn FrameSource>,
    waiting: Waiting,
    ended: oneshot::Sender<NetworkError>,
) {
    let error = loop {
        match source.recv().await {
            Ok(Some(frame)) => match wire::decode::<Frame>(&frame) {
                Ok(Frame::Answer { id, answer }) => {
                    if let Some(asker) = lock(&waiting).remove(&id) {
                        let _ = asker.send(Ok(answer));
                    }
                }
                Ok(Frame::Ask { .. }) => {
                    break NetworkError::Closed("a question came where answers belong".to_owned());
                }
                Err(error) => break NetworkError::Closed(error.to_string()),
            },
            Ok(None) => break NetworkError::Closed("the other side closed it".to_owned()),
            Err(error) => break error,
        }
    };
    let _ = ended.send(error);
}
