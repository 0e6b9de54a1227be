//! Frames on a libp2p stream.
//!
//! Layout: the length of the frame in bytes as a big-endian `u32`, then that many bytes. The length
//! `0xffff_ffff` stands alone and says that the sender closed in good order; a stream that ends
//! without it was cut off, also between two frames (Yamux reports a lost connection as a plain end
//! of stream, so the end alone proves nothing).
//!
//! Invariant: frames arrive whole and in order, or the stream ends with an error. The length is
//! checked before anything is allocated for it, and memory grows only with bytes that arrived.
//!
//! Both halves may be cancelled at any await: a frame whose `send` was cancelled is finished by the
//! next `send` or by the close, and what `recv` had read stays for the next `recv`.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::{AsyncRead, AsyncWrite};
use libp2p::Stream;
use providers::{FRAME_BYTES_MAX, FrameSink, FrameSource, FrameStream, NetworkError};

use crate::heard::Heard;

const HEADER_BYTES: usize = 4;
/// Stands where a length would and ends the stream in good order.
const END: u32 = u32::MAX;
/// A frame up to this size goes out in one piece with its header: one write, one wake-up.
const ONE_PIECE_BYTES_MAX: usize = 16 * 1024;
/// The least and the most asked of the stream by one read.
const READ_BYTES_MIN: usize = 4 * 1024;
const READ_BYTES_MAX: usize = 64 * 1024;
/// How long a dropped sink may go on in the background to hand over what it still holds.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(5);

const _: () = assert!(FRAME_BYTES_MAX < END as usize);

/// A frame as the pieces to write; the second is empty for a small frame.
fn encode(frame: Bytes) -> Result<[Bytes; 2], NetworkError> {
    let bytes = frame.len();
    if bytes > FRAME_BYTES_MAX {
        return Err(NetworkError::FrameTooLarge { bytes });
    }
    let with_header = bytes.min(ONE_PIECE_BYTES_MAX);
    let mut first = BytesMut::with_capacity(HEADER_BYTES + with_header);
    // Cannot fail to fit: the limit is below `END`.
    first.put_u32(bytes as u32);
    first.put_slice(&frame[..with_header]);
    Ok([first.freeze(), frame.slice(with_header..)])
}

fn farewell() -> Bytes {
    Bytes::copy_from_slice(&END.to_be_bytes())
}

#[derive(Debug, PartialEq, Eq)]
enum Decoded {
    Frame(Bytes),
    End,
}

/// Turns bytes as they arrive into frames.
#[derive(Debug, Default)]
struct Decoder {
    arrived: BytesMut,
}

impl Decoder {
    /// The next frame, once all of it is here.
    fn next(&mut self) -> Result<Option<Decoded>, NetworkError> {
        let Some(length) = self.length() else {
            return Ok(None);
        };
        if length == END {
            return Ok(Some(Decoded::End));
        }
        let bytes = length as usize;
        if bytes > FRAME_BYTES_MAX {
            return Err(NetworkError::FrameTooLarge { bytes });
        }
        if self.arrived.len() < HEADER_BYTES + bytes {
            return Ok(None);
        }
        self.arrived.advance(HEADER_BYTES);
        Ok(Some(Decoded::Frame(self.arrived.split_to(bytes).freeze())))
    }

    fn length(&self) -> Option<u32> {
        let header = self.arrived.first_chunk::<HEADER_BYTES>()?;
        Some(u32::from_be_bytes(*header))
    }

    /// How many bytes to ask for next: what the frame lacks, within reason.
    fn wanted(&self) -> usize {
        let frame = self
            .length()
            .map_or(0, |length| HEADER_BYTES + length as usize);
        let lacking = frame.saturating_sub(self.arrived.len());
        lacking.clamp(READ_BYTES_MIN, READ_BYTES_MAX)
    }

    /// What it means that the bytes ended here.
    fn cut_off(&self) -> NetworkError {
        let reason = if self.arrived.is_empty() {
            "the connection was lost"
        } else {
            "it was cut off inside a frame"
        };
        NetworkError::Closed(reason.to_owned())
    }
}

struct LineState {
    stream: Option<Stream>,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Why there is no stream any more.
    ended: String,
}

/// One libp2p stream, shared by its two halves and by the gate, which ends it when its peer may no
/// longer talk to this lane or no longer answers.
pub(crate) struct Line {
    state: Mutex<LineState>,
    /// Of the connection it is on.
    heard: Arc<Heard>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    pub fn new(stream: Stream, heard: Arc<Heard>) -> Arc<Line> {
        Arc::new(Line {
            heard,
            state: Mutex::new(LineState {
                stream: Some(stream),
                reader: None,
                writer: None,
                ended: String::new(),
            }),
        })
    }

    /// Ends the stream at once, in both directions. Both halves report `reason` from now on.
    pub fn end(&self, reason: &str) {
        let (stream, wakers) = {
            let mut state = self.lock();
            if state.stream.is_some() {
                state.ended = reason.to_owned();
            }
            let wakers = [state.reader.take(), state.writer.take()];
            (state.stream.take(), wakers)
        };
        // Outside the lock: dropping the stream resets it and may wake others.
        drop(stream);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, LineState> {
        // Nothing panics while it is held; the state is whole even so.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads up to `wanted` bytes to the end of `arrived`; 0 at the end of the stream.
    fn poll_read(
        &self,
        context: &mut Context<'_>,
        arrived: &mut BytesMut,
        wanted: usize,
    ) -> Poll<Result<usize, NetworkError>> {
        let mut state = self.lock();
        let LineState { stream, reader, .. } = &mut *state;
        let Some(stream) = stream else {
            return Poll::Ready(Err(NetworkError::Closed(state.ended.clone())));
        };
        let start = arrived.len();
        arrived.resize(start + wanted, 0);
        let outcome = Pin::new(stream).poll_read(context, &mut arrived[start..]);
        let read = match &outcome {
            Poll::Ready(Ok(read)) => *read,
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        };
        if read > 0 {
            self.heard.note(Instant::now());
        }
        arrived.truncate(start + read);
        remember(reader, context, outcome.is_pending());
        outcome.map_err(closed)
    }

    /// Writes, flushes or closes: whatever `work` does with the stream.
    fn poll_with<T>(
        &self,
        context: &mut Context<'_>,
        work: impl FnOnce(Pin<&mut Stream>, &mut Context<'_>) -> Poll<std::io::Result<T>>,
    ) -> Poll<Result<T, NetworkError>> {
        let mut state = self.lock();
        let LineState { stream, writer, .. } = &mut *state;
        let Some(stream) = stream else {
            return Poll::Ready(Err(NetworkError::Closed(state.ended.clone())));
        };
        let outcome = work(Pin::new(stream), context);
        remember(writer, context, outcome.is_pending());
        outcome.map_err(closed)
    }
}

/// Keeps the waker of a half that waits, so that `Line::end` can tell it.
fn remember(place: &mut Option<Waker>, context: &Context<'_>, waits: bool) {
    match place {
        _ if !waits => *place = None,
        Some(waker) => waker.clone_from(context.waker()),
        None => *place = Some(context.waker().clone()),
    }
}

fn closed(error: std::io::Error) -> NetworkError {
    NetworkError::Closed(error.to_string())
}

/// The two halves of `line`, for whoever opened or accepted it.
pub(crate) fn halves(line: Arc<Line>) -> FrameStream {
    FrameStream {
        sink: Box::new(Sink(Outbox {
            line: Arc::clone(&line),
            unsent: Default::default(),
        })),
        source: Box::new(Source {
            line,
            decoder: Decoder::default(),
        }),
    }
}

/// What is still to be written: at most one frame, or the farewell.
struct Outbox {
    line: Arc<Line>,
    unsent: [Bytes; 2],
}

impl Outbox {
    /// Writes all there is and flushes it. What several callers queue on one connection is
    /// gathered below this layer: Yamux and QUIC write once for all frames that are ready.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<Result<(), NetworkError>> {
        for piece in &mut self.unsent {
            while !piece.is_empty() {
                let written = ready!(
                    self.line
                        .poll_with(context, |stream, context| stream.poll_write(context, piece))
                )?;
                if written == 0 {
                    return Poll::Ready(Err(NetworkError::Closed("it takes no more".to_owned())));
                }
                piece.advance(written);
            }
        }
        self.line
            .poll_with(context, |stream, context| stream.poll_flush(context))
    }

    /// Finishes a frame that was cancelled half-way, says farewell and closes this direction.
    async fn close(mut self) -> Result<(), NetworkError> {
        poll_fn(|context| self.poll_drain(context)).await?;
        self.unsent[0] = farewell();
        poll_fn(|context| self.poll_drain(context)).await?;
        poll_fn(|context| {
            self.line
                .poll_with(context, |stream, context| stream.poll_close(context))
        })
        .await
    }
}

/// The sending half; closes in good order when it is dropped.
struct Sink(Outbox);

#[async_trait]
impl FrameSink for Sink {
    async fn send(&mut self, frame: Bytes) -> Result<(), NetworkError> {
        let pieces = encode(frame)?;
        let outbox = &mut self.0;
        // What a cancelled `send` left behind goes first.
        poll_fn(|context| outbox.poll_drain(context)).await?;
        outbox.unsent = pieces;
        poll_fn(|context| outbox.poll_drain(context)).await
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let rest = Outbox {
            line: Arc::clone(&self.0.line),
            unsent: std::mem::take(&mut self.0.unsent),
        };
        let mut closing = Box::pin(rest.close());
        // Nearly always there is room for the farewell, and this is all.
        let now = closing
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if now.is_pending()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(tokio::time::timeout(CLOSE_TIME_MAX, closing));
        }
    }
}

struct Source {
    line: Arc<Line>,
    decoder: Decoder,
}

impl Source {
    async fn next(&mut self) -> Result<Option<Bytes>, NetworkError> {
        loop {
            match self.decoder.next()? {
                Some(Decoded::Frame(frame)) => return Ok(Some(frame)),
                Some(Decoded::End) => return Ok(None),
                None => {}
            }
            let wanted = self.decoder.wanted();
            let arrived = &mut self.decoder.arrived;
            let read = poll_fn(|context| self.line.poll_read(context, arrived, wanted)).await?;
            if read == 0 {
                return Err(self.decoder.cut_off());
            }
        }
    }
}

#[async_trait]
impl FrameSource for Source {
    async fn recv(&mut self) -> Result<Option<Bytes>, NetworkError> {
        let outcome = self.next().await;
        if let Err(error) = &outcome {
            // The other direction ends too: a peer that breaks the framing is not answered.
            self.line.end(&error.to_string());
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(frame: &[u8]) -> Vec<u8> {
        let pieces = encode(Bytes::copy_from_slice(frame)).expect("within the limit");
        pieces.concat()
    }

    /// What a decoder makes of `bytes` when they arrive `at_once` bytes at a time.
    fn decoded(bytes: &[u8], at_once: usize) -> Result<Vec<Decoded>, NetworkError> {
        let mut decoder = Decoder::default();
        let mut all = Vec::new();
        for part in bytes.chunks(at_once) {
            decoder.arrived.put_slice(part);
            while let Some(next) = decoder.next()? {
                let last = next == Decoded::End;
                all.push(next);
                if last {
                    return Ok(all);
                }
            }
        }
        Ok(all)
    }

    #[test]
    fn the_layout_is_fixed() {
        let check = |frame: &[u8], expected: &[u8]| assert_eq!(encoded(frame), expected);
        check(b"", &[0, 0, 0, 0]);
        check(b"lane", &[0, 0, 0, 4, b'l', b'a', b'n', b'e']);
        let frame = [7; 0x0102];
        check(&frame, &[&[0, 0, 1, 2][..], &frame].concat());
        assert_eq!(farewell()[..], [0xff; 4]);
    }

    #[test]
    fn frames_come_back_however_they_are_cut() {
        let frames: [&[u8]; 4] = [b"", b"a", &[1; 300], &[2; 3 * ONE_PIECE_BYTES_MAX]];
        let mut bytes: Vec<u8> = frames.iter().flat_map(|frame| encoded(frame)).collect();
        bytes.extend_from_slice(&farewell());
        let mut expected: Vec<Decoded> = frames
            .iter()
            .map(|frame| Decoded::Frame(Bytes::copy_from_slice(frame)))
            .collect();
        expected.push(Decoded::End);
        for at_once in [1, 3, 4, 5, 1000, bytes.len()] {
            assert_eq!(
                decoded(&bytes, at_once).as_ref(),
                Ok(&expected),
                "{at_once}"
            );
        }
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_on_both_sides() {
        let bytes = FRAME_BYTES_MAX + 1;
        let too_large = NetworkError::FrameTooLarge { bytes };
        assert_eq!(encode(Bytes::from(vec![0; bytes])), Err(too_large.clone()));
        assert_eq!(decoded(&(bytes as u32).to_be_bytes(), 4), Err(too_large));
        let largest = Bytes::from(vec![0; FRAME_BYTES_MAX]);
        assert_eq!(
            decoded(&encoded(&largest), READ_BYTES_MAX),
            Ok(vec![Decoded::Frame(largest)])
        );
    }

    #[test]
    fn a_length_alone_reserves_little() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.wanted(), READ_BYTES_MIN);
        decoder.arrived.put_u32(FRAME_BYTES_MAX as u32);
        assert_eq!(decoder.next(), Ok(None));
        assert_eq!(decoder.wanted(), READ_BYTES_MAX);
        assert!(decoder.arrived.capacity() <= READ_BYTES_MAX);
    }

    #[test]
    fn an_end_without_farewell_is_an_error() {
        let check = |bytes: &[u8], expected: &str| {
            let mut decoder = Decoder::default();
            decoder.arrived.put_slice(bytes);
            assert_eq!(decoder.next(), Ok(None));
            assert_eq!(decoder.cut_off().to_string(), expected);
        };
        check(b"", "the stream ended: the connection was lost");
        check(&[0, 0], "the stream ended: it was cut off inside a frame");
        check(
            &[0, 0, 0, 4, b'l'],
            "the stream ended: it was cut off inside a frame",
        );
    }
}
