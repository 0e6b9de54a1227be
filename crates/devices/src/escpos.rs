//! A document as ESC/POS bytes.
//!
//! Source: Epson, ESC/POS Command Reference; each command below is named as it is there. Only
//! commands are used that printers of other makes understand too.

use crate::code_page::byte;
use crate::picture::Qr;
use crate::{Align, Block, COLUMNS, Document, Emphasis, Picture};

pub(crate) const ESC: u8 = 0x1B;
pub(crate) const GS: u8 = 0x1D;
pub(crate) const LF: u8 = 0x0A;
pub(crate) const DLE: u8 = 0x10;
pub(crate) const EOT: u8 = 0x04;

/// ESC @: back to the power-on settings.
const INITIALIZE: [u8; 2] = [ESC, b'@'];
/// ESC t 16: character code table WPC1252.
const CODE_TABLE_1252: [u8; 3] = [ESC, b't', 16];
/// GS V 66 0: feed to the cutter, then cut all but one point.
const FEED_AND_CUT: [u8; 4] = [GS, b'V', 66, 0];
/// GS h 64: bars 64 dots high, 8 mm.
const BARCODE_HEIGHT: [u8; 3] = [GS, b'h', 64];
/// GS w 2: the narrowest bar is 2 dots wide.
const BARCODE_WIDTH: [u8; 3] = [GS, b'w', 2];
/// GS H 2: the text stands under the bars.
const BARCODE_TEXT_BELOW: [u8; 3] = [GS, b'H', 2];
/// ESC p 0 25 250: drawer connector pin 2, 50 ms on, 500 ms off.
pub(crate) const DRAWER_PULSE: [u8; 5] = [ESC, b'p', 0, 25, 250];

/// DLE DC4 1 0 1: the same for 100 ms, carried out at once, also by a printer that is offline.
pub(crate) const DRAWER_PULSE_AT_ONCE: [u8; 5] = [DLE, 0x14, 1, 0, 1];
/// GS r 1: transmit paper sensor status, answered once everything sent before it is printed.
pub(crate) const ASK_IN_TURN: [u8; 3] = [GS, b'r', 1];

/// DLE EOT n: what is asked of a printer in between, answered at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtOnce {
    Printer = 1,
    WhyOffline = 2,
    Error = 3,
    Paper = 4,
}

impl AtOnce {
    pub(crate) fn bytes(self) -> [u8; 3] {
        [DLE, EOT, self as u8]
    }
}

/// Whether a byte from a printer answers [`AtOnce`]: bits 1 and 4 are set, 0 and 7 are not.
pub(crate) fn answers_at_once(byte: u8) -> bool {
    byte & 0b1001_0011 == 0b0001_0010
}

/// Whether it answers [`ASK_IN_TURN`]: bits 4 and 7 are not set.
pub(crate) fn answers_in_turn(byte: u8) -> bool {
    byte & 0b1001_0000 == 0
}

/// The most characters of a Code 128 that fit an 80 mm roll at this width; longer ones are printed
/// as text.
const BARCODE_CHARS_MAX: usize = 20;

pub(crate) fn render(document: &Document) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(INITIALIZE);
    out.extend(CODE_TABLE_1252);
    for block in document.blocks() {
        match block {
            Block::Row {
                align,
                emphasis,
                text,
            } => row(&mut out, *align, *emphasis, text),
            Block::Rule => row(&mut out, Align::Left, Emphasis::Plain, &"-".repeat(COLUMNS)),
            Block::Blank => out.push(LF),
            Block::Barcode(text) => barcode(&mut out, text),
            Block::Qr(text) => {
                if let Some(qr) = Qr::of(text) {
                    picture(&mut out, &qr.picture());
                    out.push(LF);
                }
            }
            Block::Picture(dots) => picture(&mut out, dots),
        }
    }
    out.extend(FEED_AND_CUT);
    out
}

fn row(out: &mut Vec<u8>, align: Align, emphasis: Emphasis, text: &str) {
    out.extend(justification(align));
    let (bold, size) = match emphasis {
        Emphasis::Plain => (0, 0x00),
        Emphasis::Bold => (1, 0x00),
        Emphasis::Tall => (1, 0x01),
    };
    // ESC E n: emphasized; GS ! n: character size, low bits are the height.
    let (on, off) = (
        [ESC, b'E', bold, GS, b'!', size],
        [ESC, b'E', 0, GS, b'!', 0],
    );
    if emphasis != Emphasis::Plain {
        out.extend(on);
    }
    out.extend(text.chars().map(byte));
    out.push(LF);
    if emphasis != Emphasis::Plain {
        out.extend(off);
    }
}

/// ESC a n: justification.
fn justification(align: Align) -> [u8; 3] {
    let n = match align {
        Align::Left => 0,
        Align::Center => 1,
    };
    [ESC, b'a', n]
}

fn barcode(out: &mut Vec<u8>, text: &str) {
    let sound = text.bytes().all(|b| matches!(b, 0x20..=0x7A));
    let Some(length) = u8::try_from(text.len() + 2)
        .ok()
        .filter(|_| sound && text.len() <= BARCODE_CHARS_MAX)
    else {
        return row(out, Align::Center, Emphasis::Plain, text);
    };
    out.extend(justification(Align::Center));
    out.extend(BARCODE_HEIGHT);
    out.extend(BARCODE_WIDTH);
    out.extend(BARCODE_TEXT_BELOW);
    // GS k 73 n: Code 128; "{B" selects code set B, which holds what a receipt id is made of.
    out.extend([GS, b'k', 73, length]);
    out.extend(b"{B");
    out.extend(text.bytes());
    out.push(LF);
}

/// The most rows of dots in one command: printers keep them in little memory.
const BAND_ROWS: usize = 64;

/// GS v 0 m xL xH yL yH d1 … dk: dots row by row, eight to a byte. Newer commands for pictures and QR
/// codes exist; this one is understood by nearly all printers.
fn picture(out: &mut Vec<u8>, picture: &Picture) {
    out.extend(justification(Align::Center));
    let across = u16::try_from(picture.row_bytes()).expect("a picture is no wider than paper");
    let rows: Vec<&[u8]> = picture.rows().collect();
    for band in rows.chunks(BAND_ROWS) {
        let down = u16::try_from(band.len()).expect("a band has few rows");
        out.extend([GS, b'v', b'0', 0]);
        out.extend(across.to_le_bytes());
        out.extend(down.to_le_bytes());
        out.extend(without_commands(band.concat()));
    }
    out.extend(justification(Align::Left));
}

/// A printer carries commands out at once also where it finds them among dots: there, a dot is left out.
fn without_commands(mut dots: Vec<u8>) -> Vec<u8> {
    const ENQ: u8 = 0x05;
    const DC4: u8 = 0x14;
    for place in 1..dots.len() {
        if dots[place - 1] == DLE && matches!(dots[place], EOT | ENQ | DC4) {
            dots[place - 1] = 0;
        }
    }
    dots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_barcode_is_printed_only_where_it_can_be_read() {
        let check = |text: &str, expected: bool| {
            let mut out = Vec::new();
            barcode(&mut out, text);
            let printed = out.windows(3).any(|w| w == [GS, b'k', 73]);
            assert_eq!(printed, expected, "{text}");
        };
        check("1-000042", true);
        check("12345678901234567890", true);
        check("123456789012345678901", false);
        check("1{2", false);
        check("é", false);
    }

    #[test]
    fn a_picture_is_printed_in_bands_of_dots() {
        let dots = Qr::of("https://example.com").unwrap().picture();
        let mut out = Vec::new();
        picture(&mut out, &dots);
        // Version 2 at M has 25 modules of 6 dots: 150, so 19 bytes across.
        let mut rest = out.strip_prefix(&[ESC, b'a', 1]).unwrap();
        for (down, high) in [(64_u8, 64_usize), (64, 64), (22, 22)] {
            rest = rest
                .strip_prefix(&[GS, b'v', b'0', 0, 19, 0, down, 0])
                .unwrap();
            rest = &rest[19 * high..];
        }
        assert_eq!(rest, [ESC, b'a', 0]);
        assert_eq!(out[3 + 8..][..6], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xC0]);
    }

    #[test]
    fn dots_are_no_commands() {
        let check = |dots: &[u8], expected: &[u8]| {
            assert_eq!(without_commands(dots.to_vec()), expected);
        };
        check(&[DLE, EOT, 1], &[0, EOT, 1]);
        check(&[DLE, DLE, 0x14], &[DLE, 0, 0x14]);
        check(&[DLE, 0x05], &[0, 0x05]);
        check(&[DLE, 0, EOT], &[DLE, 0, EOT]);
        check(&[], &[]);
    }

    #[test]
    fn the_drawer_is_pulsed_as_the_reference_says() {
        assert_eq!(&DRAWER_PULSE, b"\x1bp\x00\x19\xfa");
        assert_eq!(&DRAWER_PULSE_AT_ONCE, b"\x10\x14\x01\x00\x01");
    }
}
