//! Answers what other lanes ask. The network has proved who asks before anything arrives here.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use providers::{FrameSource, Incoming, PeerId, SharedNetwork, StreamClass};
use tokio::sync::{Semaphore, mpsc};
use wire::{Answer, Ask, Frame, Hello};

/// Questions of one stream that are worked on at once; the next one waits in the network.
const ASKS_AT_ONCE_MAX: usize = 64;

/// Answers questions.
pub trait Answerer: Send + Sync + 'static {
    /// Who is at the other end of a stream, kept while the stream lasts.
    type Caller: Send + Sync + 'static;

    /// Answers a peer that says which of its lane's processes it is.
    fn greet(&self, peer: &PeerId, hello: &Hello) -> (Answer, Option<Self::Caller>);

    /// Answers one question of `caller`, who is `None` until it has introduced itself.
    fn answer(
        self: Arc<Self>,
        peer: PeerId,
        caller: Option<Arc<Self::Caller>>,
        class: StreamClass,
        ask: Ask,
    ) -> impl Future<Output = Answer> + Send;
}

/// Takes streams from the network until it is shut down.
pub async fn serve<A: Answerer>(network: SharedNetwork, answerer: Arc<A>) {
    while let Some(incoming) = network.accept().await {
        providers::spawn(serve_stream(incoming, answerer.clone()));
    }
}

async fn serve_stream<A: Answerer>(incoming: Incoming, answerer: Arc<A>) {
    let Incoming {
        peer,
        class,
        stream,
    } = incoming;
    let mut sink = stream.sink;
    let (answers, mut outbox) = mpsc::channel::<Bytes>(ASKS_AT_ONCE_MAX);
    let reading = read_asks(stream.source, peer.clone(), class, answerer, answers);
    let writing = async {
        while let Some(frame) = outbox.recv().await {
            if let Err(error) = sink.send(frame).await {
                tracing::debug!(%peer, ?class, %error, "a stream ended");
                return;
            }
        }
    };
    // Whichever side ends first ends the stream.
    tokio::select! {
        biased;
        () = reading => {}
        () = writing => {}
    }
}

async fn read_asks<A: Answerer>(
    mut source: Box<dyn FrameSource>,
    peer: PeerId,
    class: StreamClass,
    answerer: Arc<A>,
    answers: mpsc::Sender<Bytes>,
) {
    let places = Arc::new(Semaphore::new(ASKS_AT_ONCE_MAX));
    let mut caller: Option<Arc<A::Caller>> = None;
    loop {
        let frame = match source.recv().await {
            Ok(Some(frame)) => frame,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%peer, ?class, %error, "a stream ended");
                return;
            }
        };
        let (id, ask) = match wire::decode::<Frame>(&frame) {
            Ok(Frame::Ask { id, ask }) => (id, ask),
            Ok(Frame::Answer { .. }) => {
                tracing::warn!(%peer, ?class, "an answer came where questions belong");
                return;
            }
            Err(error) => {
                tracing::warn!(%peer, ?class, %error, "a message was not understood");
                // A question of a later release is answered, anything else ends the stream.
                let Some(id) = wire::question_id(&frame) else {
                    return;
                };
                let reason = error.to_string();
                send(&answers, id, Answer::Refused { reason }).await;
                continue;
            }
        };
        if let Ask::Standing(hello) = &ask
            && class != StreamClass::Join
        {
            // At once, and before what comes behind it on this stream.
            let (answer, introduced) = answerer.greet(&peer, hello);
            if let Some(introduced) = introduced {
                caller = Some(Arc::new(introduced));
            }
            send(&answers, id, answer).await;
            continue;
        }
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let (answerer, peer, answers) = (answerer.clone(), peer.clone(), answers.clone());
        let caller = caller.clone();
        providers::spawn(async move {
            let answer = answerer.answer(peer, caller, class, ask).await;
            send(&answers, id, answer).await;
            drop(place);
        });
    }
}

/// Puts an answer into the outbox; one that is too large becomes a refusal.
async fn send(answers: &mpsc::Sender<Bytes>, id: u64, answer: Answer) {
    let frame = wire::encode(&Frame::Answer { id, answer }).or_else(|error| {
        let reason = error.to_string();
        wire::encode(&Frame::Answer {
            id,
            answer: Answer::Refused { reason },
        })
    });
    if let Ok(frame) = frame {
        // The stream may have ended meanwhile.
        let _ = answers.send(Bytes::from(frame)).await;
    }
}
