//! Questions to other lanes over long-lived streams, one stream per lane and kind of traffic.
//!
//! A stream is opened when something is first asked on it and kept. Answers are matched by number,
//! so many questions are under way at once. A stream that breaks fails the questions on it; the
//! next question opens a new one. Nothing is sent twice by this layer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use providers::{
    FrameSink, FrameSource, NetworkError, PeerId, SharedClock, SharedNetwork, StreamClass, timeout,
};
use tokio::sync::{mpsc, oneshot};
use wire::{Answer, Ask, Frame, WireError};

/// Questions under way on one stream; one more is refused.
const PENDING_MAX: usize = 1024;
/// After a failed dial, questions to that lane fail at once for this long.
const REDIAL_AFTER: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, thiserror::Error)]
pub enum LinkError {
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("{0} did not answer within {1:?}")]
    Timeout(PeerId, Duration),
    #[error("too many questions to {0} are under way")]
    Busy(PeerId),
    #[error(transparent)]
    Wire(#[from] WireError),
}

type Waiting = Arc<Mutex<BTreeMap<u64, oneshot::Sender<Result<Answer, LinkError>>>>>;

struct Call {
    ask: Ask,
    answer: oneshot::Sender<Result<Answer, LinkError>>,
}

/// The links of one lane to its siblings.
pub struct Links {
    network: SharedNetwork,
    clock: SharedClock,
    calls: Mutex<BTreeMap<(PeerId, StreamClass), mpsc::Sender<Call>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Links {
    pub fn new(network: SharedNetwork, clock: SharedClock) -> Arc<Links> {
        Arc::new(Links {
            network,
            clock,
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
    calls: mpsc::Receiver<Call>,
    next_id: u64,
}

impl Link {
    async fn run(mut self) {
        while let Some(first) = self.calls.recv().await {
            match self.network.open(&self.peer, self.class).await {
                Ok(stream) => self.talk(first, stream.sink, stream.source).await,
                Err(error) => self.fail_for_a_while(first, &error).await,
            }
        }
    }

    async fn fail_for_a_while(&mut self, first: Call, error: &NetworkError) {
        let _ = first.answer.send(Err(error.clone().into()));
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
    ) {
        let waiting: Waiting = Arc::default();
        let (ended, mut end) = oneshot::channel();
        providers::spawn(read_answers(source, waiting.clone(), ended));
        let mut next = Some(first);
        let error = loop {
            let call = match next.take() {
                Some(call) => call,
                None => tokio::select! {
                    biased;
                    error = &mut end => {
                        break error.unwrap_or(NetworkError::Closed("reader ended".to_owned()));
                    }
                    call = self.calls.recv() => match call {
                        Some(call) => call,
                        None => break NetworkError::Closed("shut down".to_owned()),
                    },
                },
            };
            if let Err(error) = self.send(call, sink.as_mut(), &waiting).await {
                break error;
            }
        };
        for (_, answer) in std::mem::take(&mut *lock(&waiting)) {
            let _ = answer.send(Err(error.clone().into()));
        }
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
