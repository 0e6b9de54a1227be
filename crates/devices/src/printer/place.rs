//! Where a printer is attached, as a person writes it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The port on which printers take raw bytes.
const RAW_PORT: u16 = 9100;
/// The speed of a serial line for which none is named, in bits a second.
const BAUD: u32 = 9600;
/// Before the name of a serial line.
const SERIAL: &str = "serial:";

/// Where a receipt printer is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrinterAt {
    /// `192.168.1.50`, `printer.local:9100`
    Network { host: String, port: u16 },
    /// `serial:/dev/ttyUSB0:19200`, `serial:COM3`; 8 data bits, no parity, 1 stop bit.
    Serial { path: String, baud: u32 },
    /// `/dev/usb/lp0`; or a file, at whose end each paper is written: as text where its name ends in
    /// `.txt`, as the bytes for a printer otherwise.
    File(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no printer: write 192.168.1.50 or 192.168.1.50:9100 for one on the network, /dev/usb/lp0 \
     for one on USB, serial:/dev/ttyS0:9600 for one on a serial line, or ./papers.txt for a file"
)]
pub struct PrinterAtError(String);

impl FromStr for PrinterAt {
    type Err = PrinterAtError;

    fn from_str(text: &str) -> Result<PrinterAt, PrinterAtError> {
        let wrong = || PrinterAtError(text.to_owned());
        if let Some(rest) = text.strip_prefix(SERIAL) {
            let (path, baud) = match rest.rsplit_once(':') {
                Some((path, baud)) => (path, baud.parse().map_err(|_| wrong())?),
                None => (rest, BAUD),
            };
            return match path.is_empty() || baud == 0 {
                true => Err(wrong()),
                false => Ok(PrinterAt::Serial {
                    path: path.to_owned(),
                    baud,
                }),
            };
        }
        if text.contains(['/', '\\']) || is_text(Path::new(text)) {
            return Ok(PrinterAt::File(PathBuf::from(text)));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong())?)
            }
            _ => (text, RAW_PORT),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        match host.is_empty() || port == 0 || !host.chars().all(is_host) {
            true => Err(wrong()),
            false => Ok(PrinterAt::Network {
                host: host.to_owned(),
                port,
            }),
        }
    }
}

impl fmt::Display for PrinterAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrinterAt::Network { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            PrinterAt::Network { host, port } => write!(f, "{host}:{port}"),
            PrinterAt::Serial { path, baud } => write!(f, "{SERIAL}{path}:{baud}"),
            PrinterAt::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl PrinterAt {
    /// Whether papers go to a file that a person reads.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, PrinterAt::File(path) if is_text(path))
    }

    /// Whether papers go to a file that is no device.
    pub(super) fn is_plain_file(&self) -> bool {
        match self {
            PrinterAt::File(path) => match std::fs::metadata(path) {
                Ok(found) => found.is_file(),
                Err(_) => !path.starts_with("/dev"),
            },
            _ => false,
        }
    }
}

fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "txt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printers_are_named_as_people_name_them() {
        let check = |text: &str, expected: Option<&str>| {
            let read = text.parse::<PrinterAt>();
            let shown = read.as_ref().map(ToString::to_string).ok();
            assert_eq!(shown.as_deref(), expected, "{text}");
            if let Ok(at) = read {
                assert_eq!(at.to_string().parse(), Ok(at), "{text}");
            }
        };
        check("192.168.1.50", Some("192.168.1.50:9100"));
        check("192.168.1.50:9101", Some("192.168.1.50:9101"));
        check("printer.local", Some("printer.local:9100"));
        check("[fe80::1]:9100", Some("[fe80::1]:9100"));
        check("fe80::1", Some("[fe80::1]:9100"));
        check("/dev/usb/lp0", Some("/dev/usb/lp0"));
        check("papers.txt", Some("papers.txt"));
        check("./papers.bin", Some("./papers.bin"));
        check("serial:/dev/ttyUSB0", Some("serial:/dev/ttyUSB0:9600"));
        check("serial:COM3:19200", Some("serial:COM3:19200"));
        check("", None);
        check("serial:", None);
        check("serial:COM3:fast", None);
        check("serial:COM3:0", None);
        check("printer:port", None);
        check("printer:0", None);
        check("two words", None);
    }
}
