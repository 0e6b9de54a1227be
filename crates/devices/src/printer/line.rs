//! Bytes to a printer and back, each with a limit of time.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::{Duration, Instant};

use serialport::{DataBits, FlowControl, Parity, SerialPort, StopBits};

use super::PrinterAt;
use crate::escpos::{answers_at_once, answers_in_turn};

/// How long one try to read or write may take, so that limits are kept to about this.
const TRY_FOR: Duration = Duration::from_millis(50);

/// An open way to a printer.
pub(super) struct Line {
    wire: Wire,
    /// The printer said that it has printed all it was sent.
    finished: bool,
}

enum Wire {
    Tcp(TcpStream),
    Serial(Box<dyn SerialPort>),
    /// A device file, opened so that nothing waits for it.
    Device(File),
    /// A file in a printer's place.
    Plain(File),
}

impl Line {
    pub(super) fn open(at: &PrinterAt, limit: Duration) -> io::Result<Line> {
        let wire = match at {
            PrinterAt::Network { host, port } => Wire::Tcp(dial(host, *port, limit)?),
            PrinterAt::Serial { path, baud } => Wire::Serial(
                serialport::new(path.as_str(), *baud)
                    .data_bits(DataBits::Eight)
                    .parity(Parity::None)
                    .stop_bits(StopBits::One)
                    .flow_control(FlowControl::None)
                    .timeout(TRY_FOR)
                    .open()?,
            ),
            PrinterAt::File(path) if at.is_plain_file() => {
                Wire::Plain(OpenOptions::new().create(true).append(true).open(path)?)
            }
            PrinterAt::File(path) => Wire::Device(open_device(path)?),
        };
        Ok(Line {
            wire,
            finished: false,
        })
    }

    pub(super) fn may_answer(&self) -> bool {
        !matches!(self.wire, Wire::Plain(_))
    }

    /// Sends as much as the printer takes until it has taken nothing for `limit`; how much that is.
    pub(super) fn send_some(&mut self, bytes: &[u8], limit: Duration) -> io::Result<usize> {
        let wire: &mut dyn Write = match &mut self.wire {
            Wire::Tcp(stream) => stream,
            Wire::Serial(port) => port,
            Wire::Device(file) | Wire::Plain(file) => file,
        };
        let mut sent = 0;
        let mut end = Instant::now() + limit;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            match retried(wire.write(rest))? {
                Some(0) => return Err(ErrorKind::WriteZero.into()),
                Some(taken) => {
                    sent += taken;
                    end = Instant::now() + limit;
                }
                None if Instant::now() >= end => break,
                None => {}
            }
        }
        Ok(sent)
    }

    /// The printer's answer to what is asked at once, within `limit`.
    pub(super) fn hear(&mut self, limit: Duration) -> io::Result<Option<u8>> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(byte) = self.next_byte()?.filter(|byte| answers_at_once(*byte)) {
                return Ok(Some(byte));
            }
        }
        Ok(None)
    }

    /// Whether the printer says within `limit` that it has printed all it was sent.
    pub(super) fn has_finished(&mut self, limit: Duration) -> io::Result<bool> {
        let end = Instant::now() + limit;
        while !self.finished && Instant::now() < end {
            self.next_byte()?;
        }
        Ok(self.finished)
    }

    /// Waits a moment for one byte.
    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        let wire: &mut dyn Read = match &mut self.wire {
            Wire::Tcp(stream) => stream,
            Wire::Serial(port) => port,
            Wire::Device(file) | Wire::Plain(file) => file,
        };
        let mut byte = [0];
        let heard = retried(wire.read(&mut byte))?;
        if heard == Some(0) {
            if matches!(self.wire, Wire::Tcp(_)) {
                return Err(io::Error::new(
                    ErrorKind::ConnectionReset,
                    "it ended the connection",
                ));
            }
            // A device that cannot be read.
            std::thread::sleep(TRY_FOR);
            return Ok(None);
        }
        let [byte] = byte;
        let heard = heard.map(|_| byte);
        self.finished |= heard.is_some_and(answers_in_turn);
        Ok(heard)
    }

    /// Ends the line so that what was sent still arrives.
    pub(super) fn hang_up(mut self, limit: Duration) {
        // What the printer still says is of no use to anybody.
        drop(match &mut self.wire {
            Wire::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Wire::Serial(port) => port.flush(),
            Wire::Device(file) | Wire::Plain(file) => file.flush(),
        });
        let end = Instant::now() + limit;
        while matches!(self.wire, Wire::Tcp(_)) && Instant::now() < end {
            if self.next_byte().is_err() {
                return;
            }
        }
    }
}

/// What came of a try; `None` where it has to be tried again.
fn retried(tried: io::Result<usize>) -> io::Result<Option<usize>> {
    match tried {
        Ok(count) => Ok(Some(count)),
        Err(error) => match error.kind() {
            ErrorKind::Interrupted | ErrorKind::TimedOut => Ok(None),
            ErrorKind::WouldBlock => {
                std::thread::sleep(TRY_FOR / 5);
                Ok(None)
            }
            _ => Err(error),
        },
    }
}

fn dial(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(ErrorKind::NotFound, "no address has this name");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(TRY_FOR))?;
                stream.set_write_timeout(Some(TRY_FOR))?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// A printer that is out of paper takes nothing, and must not hold anybody up.
fn open_device(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    match options.read(true).write(true).open(path) {
        Ok(file) => Ok(file),
        // Some can only be written to.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => options.read(false).open(path),
        Err(error) => Err(error),
    }
}
