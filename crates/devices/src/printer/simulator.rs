//! A printer that is none: it takes ESC/POS over TCP, keeps what it would have printed, and can run
//! out of paper, have its cover open, fall silent and lose its line in the middle of a paper. For
//! demonstrations and tests.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::code_page::character;
use crate::escpos::{DLE, EOT, ESC, GS, LF};

/// How long it waits for bytes before it looks whether anything else has changed.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What it has printed, and what state it is in.
#[derive(Default)]
struct State {
    /// Papers that were cut off, each as rows of text; a barcode is a row between bars,
    /// a band of a picture one between brackets.
    papers: Vec<String>,
    /// What hangs out of it.
    hanging: String,
    row: String,
    pulses: usize,
    /// Rows until the roll ends; `None` for no end.
    rows_left: Option<usize>,
    is_cover_open: bool,
    is_silent: bool,
    /// Rows after which it loses its line, once.
    loses_line_after: Option<usize>,
    is_closing: bool,
}

impl State {
    fn is_offline(&self) -> bool {
        self.is_cover_open || self.rows_left == Some(0)
    }

    fn row_ends(&mut self) {
        let row = std::mem::take(&mut self.row);
        self.hanging.push_str(&row);
        self.hanging.push('\n');
        self.rows_left = self.rows_left.map(|left| left.saturating_sub(1));
        self.loses_line_after = self.loses_line_after.map(|left| left.saturating_sub(1));
    }

    /// The answer to DLE EOT n.
    fn said_at_once(&self, what: u8) -> u8 {
        const ALWAYS: u8 = 0b0001_0010;
        let bits = match what {
            1 if self.is_offline() => 0b0000_1000,
            2 if self.is_cover_open => 0b0000_0100,
            4 if self.rows_left == Some(0) => 0b0110_0000,
            _ => 0,
        };
        ALWAYS | bits
    }
}

/// A printer at work, until it is dropped.
pub struct PrinterSimulator {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    listening: Option<JoinHandle<()>>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PrinterSimulator {
    /// Listens on loopback; port 0 takes any free one.
    pub fn start(port: u16) -> io::Result<PrinterSimulator> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let seen = state.clone();
        let listening = std::thread::spawn(move || {
            // One line at a time, as most printers on a network.
            for stream in listener.incoming() {
                if lock(&seen).is_closing {
                    return;
                }
                // A line that fails is the other side's to notice.
                drop(stream.and_then(|stream| serve(stream, &seen)));
            }
        });
        Ok(PrinterSimulator {
            address,
            state,
            listening: Some(listening),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The papers that were cut off, each as rows of text.
    pub fn papers(&self) -> Vec<String> {
        lock(&self.state).papers.clone()
    }

    /// The rows that hang out of it and are not cut off.
    pub fn hanging(&self) -> String {
        lock(&self.state).hanging.clone()
    }

    /// How often the drawer was opened.
    pub fn pulses(&self) -> usize {
        lock(&self.state).pulses
    }

    /// Puts in a roll of so many rows; `None` for one without an end.
    pub fn set_rows_left(&self, rows: Option<usize>) {
        lock(&self.state).rows_left = rows;
    }

    pub fn set_cover_open(&self, is_open: bool) {
        lock(&self.state).is_cover_open = is_open;
    }

    /// Whether it answers nothing, as simple printers do.
    pub fn set_silent(&self, is_silent: bool) {
        lock(&self.state).is_silent = is_silent;
    }

    /// Loses its line once so many more rows are printed, and what hangs out of it with it.
    pub fn lose_line_after(&self, rows: usize) {
        lock(&self.state).loses_line_after = Some(rows);
    }
}

impl Drop for PrinterSimulator {
    fn drop(&mut self) {
        lock(&self.state).is_closing = true;
        // Wakes whoever listens.
        drop(TcpStream::connect(self.address));
        if let Some(listening) = self.listening.take() {
            drop(listening.join());
        }
    }
}

/// Takes bytes until the line ends.
fn serve(mut stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    stream.set_read_timeout(Some(LOOK_EVERY))?;
    let mut waiting = VecDeque::new();
    let mut bytes = [0; 512];
    let mut has_ended = false;
    loop {
        if !has_ended {
            match stream.read(&mut bytes) {
                Ok(0) => has_ended = true,
                Ok(count) => waiting.extend(bytes.iter().take(count)),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
        let mut state = lock(state);
        if state.is_closing {
            return Ok(());
        }
        carry_out_at_once(&mut waiting, &mut state, &mut stream)?;
        while !state.is_offline() && print_next(&mut waiting, &mut state, &mut stream)? {
            if state.loses_line_after == Some(0) {
                state.loses_line_after = None;
                state.hanging.clear();
                return Ok(());
            }
        }
        if has_ended && (waiting.is_empty() || state.is_offline()) {
            return Ok(());
        }
    }
}

/// Takes out of what waits the commands that are not to wait.
fn carry_out_at_once(
    waiting: &mut VecDeque<u8>,
    state: &mut State,
    stream: &mut TcpStream,
) -> io::Result<()> {
    let bytes: Vec<u8> = waiting.drain(..).collect();
    let mut rest = bytes.as_slice();
    while let Some((first, behind)) = rest.split_first() {
        match rest {
            [DLE, EOT, what, behind @ ..] => {
                if !state.is_silent {
                    stream.write_all(&[state.said_at_once(*what)])?;
                }
                rest = behind;
            }
            [DLE, 0x14, 1, _, _, behind @ ..] => {
                state.pulses += 1;
                rest = behind;
            }
            _ => {
                waiting.push_back(*first);
                rest = behind;
            }
        }
    }
    Ok(())
}

/// Carries the next command out, or prints the next character; whether there was a whole one.
fn print_next(
    waiting: &mut VecDeque<u8>,
    state: &mut State,
    stream: &mut TcpStream,
) -> io::Result<bool> {
    let bytes = &*waiting.make_contiguous();
    let taken = match *bytes {
        [] | [ESC | GS | DLE] => return Ok(false),
        [ESC, b'@', ..] => 2,
        [ESC, b't' | b'a' | b'E', _, ..] | [GS, b'!' | b'h' | b'w' | b'H', _, ..] => 3,
        [ESC, b'p', _, _, _, ..] => {
            state.pulses += 1;
            5
        }
        [GS, b'V', 66, _, ..] => {
            let paper = std::mem::take(&mut state.hanging);
            state.papers.push(paper);
            4
        }
        [GS, b'r', 1, ..] => {
            if !state.is_silent {
                stream.write_all(&[0])?;
            }
            3
        }
        [GS, b'k', 73, length, ref text @ ..] if text.len() >= usize::from(length) => {
            let code = text.get(2..usize::from(length)).unwrap_or_default();
            state.row = format!("|{}|", String::from_utf8_lossy(code));
            4 + usize::from(length)
        }
        [GS, b'v', b'0', 0, xl, xh, yl, yh, ref dots @ ..] => {
            let across = usize::from(u16::from_le_bytes([xl, xh]));
            let down = usize::from(u16::from_le_bytes([yl, yh]));
            if dots.len() < across * down {
                return Ok(false);
            }
            state.row = format!("[{} by {down} dots]", across * 8);
            state.row_ends();
            8 + across * down
        }
        [ESC | GS, ..] => return Ok(false),
        [LF, ..] => {
            state.row_ends();
            1
        }
        [byte, ..] => {
            state.row.push(character(byte));
            1
        }
    };
    waiting.drain(..taken);
    Ok(true)
}
