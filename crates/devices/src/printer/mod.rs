//! Receipt printers that understand ESC/POS: on the network (raw TCP, by custom port 9100), on a
//! serial line, or behind a device file such as `/dev/usb/lp0`; and files in a printer's place.
//!
//! A printer that answers is asked whether it can print before it gets a paper, and whether it has
//! printed all of it afterwards. One that does not answer is believed.
//!
//! Source: Epson, ESC/POS Command Reference: DLE EOT, DLE DC4, ESC p, GS r.

mod line;
mod place;
mod simulator;

use std::io;
use std::time::{Duration, Instant};

pub use place::{PrinterAt, PrinterAtError};
pub use simulator::PrinterSimulator;

use crate::escpos::{ASK_IN_TURN, AtOnce, DRAWER_PULSE, DRAWER_PULSE_AT_ONCE};
use crate::{Document, PaperFormat};
use line::Line;

/// The longest that a printer may take for each step.
#[derive(Clone, Copy, Debug)]
pub struct PrinterLimits {
    /// To take a connection.
    pub connect: Duration,
    /// To say how it stands.
    pub answer: Duration,
    /// To take the next bytes of a paper.
    pub stall: Duration,
    /// To have printed a paper that it has taken and does not say it cannot print.
    pub finish: Duration,
}

impl Default for PrinterLimits {
    fn default() -> PrinterLimits {
        PrinterLimits {
            connect: Duration::from_secs(2),
            answer: Duration::from_millis(700),
            stall: Duration::from_secs(4),
            finish: Duration::from_secs(10),
        }
    }
}

/// Why a paper is not out yet. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PrintTrouble {
    #[error(
        "the printer {at} cannot be reached ({reason}): see that it is switched on and its cable is in"
    )]
    Unreachable { at: String, reason: String },
    #[error("the printer does not keep its line ({reason}): see that its cable is in")]
    Unanswering { reason: String },
    #[error("the printer is out of paper: put a new roll in")]
    PaperOut,
    #[error("the printer's cover is open: close it")]
    CoverOpen,
    #[error(
        "the printer's cutter is stuck: open the cover, free it, and switch the printer off and on"
    )]
    Cutter,
    #[error("the printer says that it cannot print: switch it off and on")]
    Offline,
    #[error("the printer takes nothing more: look at its paper and its cover")]
    Stalled,
    /// Nobody can say how much of the paper came out.
    #[error("the printer was lost in the middle of a paper ({reason}): see that its cable is in")]
    Lost { reason: String },
}

/// A paper that a printer has begun to take.
struct Begun {
    number: u64,
    /// Bytes of it.
    sent: usize,
    /// Whether the printer tells when all of it is printed.
    is_told: bool,
}

/// The way to one printer. Every call blocks; one paper at a time.
pub struct Printer {
    at: PrinterAt,
    limits: PrinterLimits,
    /// The line is kept only while a paper is under way: others may use the printer as well.
    under_way: Option<(Line, Begun)>,
    /// Whether it says when it has printed something; learned from the first paper.
    tells_the_end: bool,
}

impl Printer {
    pub fn new(at: PrinterAt, limits: PrinterLimits) -> Printer {
        Printer {
            at,
            limits,
            under_way: None,
            tells_the_end: true,
        }
    }

    /// Prints a document. A call for the same `number` after a trouble goes on with what the printer
    /// has taken; only after [`PrintTrouble::Lost`] does it begin anew.
    pub fn print(&mut self, number: u64, document: &Document) -> Result<(), PrintTrouble> {
        let under_way = self.under_way.take();
        let (mut line, mut begun) = match under_way.filter(|(_, begun)| begun.number == number) {
            Some(under_way) => under_way,
            None => {
                let mut line = self.connect()?;
                let answers = self.find_ready(&mut line).map_err(before_it_began)?;
                let is_told = answers && self.tells_the_end;
                let begun = Begun {
                    number,
                    sent: 0,
                    is_told,
                };
                (line, begun)
            }
        };
        match self.go_on(&mut line, &mut begun, document) {
            Ok(()) => {
                line.hang_up(self.limits.answer);
                Ok(())
            }
            Err(lost @ PrintTrouble::Lost { .. }) => Err(lost),
            Err(waits) => {
                self.under_way = Some((line, begun));
                Err(waits)
            }
        }
    }

    /// Whether the printer has taken some of the paper with this number, and goes on with it.
    pub fn has_begun(&self, number: u64) -> bool {
        let under_way = self.under_way.as_ref();
        under_way.is_some_and(|(_, begun)| begun.number == number)
    }

    /// Opens the cash drawer that is plugged into the printer, also while it can print nothing.
    pub fn open_drawer(&mut self) -> Result<(), PrintTrouble> {
        if self.at.is_plain_file() {
            return Ok(());
        }
        if let Some((line, _)) = &mut self.under_way {
            let sent = line.send_some(&DRAWER_PULSE_AT_ONCE, self.limits.answer);
            return match sent.map_err(lost)? {
                0 => Err(PrintTrouble::Stalled),
                _ => Ok(()),
            };
        }
        let mut line = self.connect()?;
        let state = self.ask(&mut line, AtOnce::Printer)?;
        let pulse = match state.is_some_and(is_offline) {
            true => DRAWER_PULSE_AT_ONCE,
            false => DRAWER_PULSE,
        };
        if line.send_some(&pulse, self.limits.stall).map_err(lost)? == 0 {
            return Err(PrintTrouble::Stalled);
        }
        line.hang_up(self.limits.answer);
        Ok(())
    }

    fn connect(&self) -> Result<Line, PrintTrouble> {
        Line::open(&self.at, self.limits.connect).map_err(|error| PrintTrouble::Unreachable {
            at: self.at.to_string(),
            reason: error.to_string(),
        })
    }

    /// Asks how it stands; `None` of a printer that does not answer.
    fn ask(&self, line: &mut Line, what: AtOnce) -> Result<Option<u8>, PrintTrouble> {
        if !line.may_answer() {
            return Ok(None);
        }
        let asked = line.send_some(&what.bytes(), self.limits.answer);
        // A printer whose memory is full does not even take the question.
        if asked.map_err(lost)? == 0 {
            return Ok(None);
        }
        line.hear(self.limits.answer).map_err(lost)
    }

    /// Whether it can print now, and whether it answers.
    fn find_ready(&self, line: &mut Line) -> Result<bool, PrintTrouble> {
        match self.ask(line, AtOnce::Printer)? {
            None => Ok(false),
            Some(state) => self.refuse_unready(line, state).map(|()| true),
        }
    }

    /// Fails where a printer cannot print, by its answer to [`AtOnce::Printer`].
    fn refuse_unready(&self, line: &mut Line, state: u8) -> Result<(), PrintTrouble> {
        const PAPER_END: u8 = 0b0110_0000;
        const COVER_OPEN: u8 = 0b0000_0100;
        const CUTTER: u8 = 0b0000_1000;
        let has = |answer: Option<u8>, bits: u8| answer.is_some_and(|byte| byte & bits != 0);
        if has(self.ask(line, AtOnce::Paper)?, PAPER_END) {
            return Err(PrintTrouble::PaperOut);
        }
        if !is_offline(state) {
            return Ok(());
        }
        if has(self.ask(line, AtOnce::WhyOffline)?, COVER_OPEN) {
            return Err(PrintTrouble::CoverOpen);
        }
        if has(self.ask(line, AtOnce::Error)?, CUTTER) {
            return Err(PrintTrouble::Cutter);
        }
        Err(PrintTrouble::Offline)
    }

    /// Sends what is missing of a paper, and waits until it is printed.
    fn go_on(
        &mut self,
        line: &mut Line,
        begun: &mut Begun,
        document: &Document,
    ) -> Result<(), PrintTrouble> {
        let format = match self.at.is_text() {
            true => PaperFormat::Text,
            false => PaperFormat::Escpos,
        };
        let mut bytes = format.render(document, "");
        if begun.is_told {
            bytes.extend(ASK_IN_TURN);
        }
        while let Some(rest) = bytes.get(begun.sent..).filter(|rest| !rest.is_empty()) {
            match line.send_some(rest, self.limits.stall).map_err(lost)? {
                0 => return Err(PrintTrouble::Stalled),
                sent => begun.sent += sent,
            }
        }
        match begun.is_told {
            true => self.wait_for_the_end(line),
            false => Ok(()),
        }
    }

    /// Waits until the printer says that it has printed all it was sent, or why it cannot.
    fn wait_for_the_end(&mut self, line: &mut Line) -> Result<(), PrintTrouble> {
        let end = Instant::now() + self.limits.finish;
        loop {
            if line.has_finished(self.limits.answer).map_err(lost)? {
                return Ok(());
            }
            let state = self.ask(line, AtOnce::Printer)?;
            if let Some(state) = state {
                self.refuse_unready(line, state)?;
            }
            if Instant::now() < end {
                continue;
            }
            if state.is_none() {
                let reason = "it does not answer any more".to_owned();
                return Err(PrintTrouble::Lost { reason });
            }
            // It stands ready and does not tell: from now on it is not asked to.
            self.tells_the_end = false;
            return Ok(());
        }
    }
}

/// By the answer to [`AtOnce::Printer`].
fn is_offline(state: u8) -> bool {
    state & 0b0000_1000 != 0
}

fn lost(error: io::Error) -> PrintTrouble {
    PrintTrouble::Lost {
        reason: error.to_string(),
    }
}

/// Of a paper that had not begun, nothing was lost.
fn before_it_began(trouble: PrintTrouble) -> PrintTrouble {
    match trouble {
        PrintTrouble::Lost { reason } => PrintTrouble::Unanswering { reason },
        other => other,
    }
}
