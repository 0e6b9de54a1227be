//! Windows-1252, the code page receipts are printed in.
//!
//! One character becomes exactly one byte, so that columns stay where the layout put them. What the
//! page lacks becomes the nearest plain letter where there is one, and a question mark otherwise.
//! Source of the table: the WHATWG Encoding Standard, index windows-1252.

/// What is printed for a character that has no place on the page.
const REPLACEMENT: u8 = b'?';

/// 0x80 to 0x9F, where Windows-1252 differs from Latin-1. `\0` marks what is not assigned.
const HIGH: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘',
    '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// Letters of neighbouring alphabets, and the signs an item's description is likely to have.
const NEAREST: &[(&str, u8)] = &[
    ("ąāă", b'a'),
    ("ĄĀĂ", b'A'),
    ("ćčĉċ", b'c'),
    ("ĆČĈĊ", b'C'),
    ("ďđ", b'd'),
    ("ĎĐ", b'D'),
    ("ęēėěĕ", b'e'),
    ("ĘĒĖĚĔ", b'E'),
    ("ğģĝġ", b'g'),
    ("ĞĢĜĠ", b'G'),
    ("īįıĭĩ", b'i'),
    ("ĪĮİĬĨ", b'I'),
    ("ķ", b'k'),
    ("Ķ", b'K'),
    ("łľļĺ", b'l'),
    ("ŁĽĻĹ", b'L'),
    ("ńňņ", b'n'),
    ("ŃŇŅ", b'N'),
    ("őōŏ", b'o'),
    ("ŐŌŎ", b'O'),
    ("řŕŗ", b'r'),
    ("ŘŔŖ", b'R'),
    ("śşșŝ", b's'),
    ("ŚŞȘŜ", b'S'),
    ("ťţț", b't'),
    ("ŤŢȚ", b'T'),
    ("űūůųŭũ", b'u'),
    ("ŰŪŮŲŬŨ", b'U'),
    ("ŵ", b'w'),
    ("Ŵ", b'W'),
    ("ŷ", b'y'),
    ("Ŷ", b'Y'),
    ("źż", b'z'),
    ("ŹŻ", b'Z'),
    ("‐‑‒−", b'-'),
    ("\u{2002}\u{2003}\u{2009}\u{202f}", b' '),
    ("′", b'\''),
    ("″", b'"'),
];

/// The character that a byte prints.
pub(crate) fn character(byte: u8) -> char {
    let high = byte.checked_sub(0x80).map(usize::from);
    let high = high.and_then(|at| HIGH.get(at)).copied();
    high.unwrap_or(char::from(byte))
}

/// The byte that is printed for a character.
pub(crate) fn byte(c: char) -> u8 {
    if let Ok(code) = u8::try_from(u32::from(c))
        && (matches!(code, 0x20..=0x7E) || code >= 0xA0)
    {
        return code;
    }
    if let Some(code) = (0x80..).zip(HIGH).find(|(_, high)| *high == c && c != '\0') {
        return code.0;
    }
    NEAREST
        .iter()
        .find(|(letters, _)| letters.contains(c))
        .map_or(REPLACEMENT, |(_, nearest)| *nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_becomes_one_printable_byte() {
        let check = |c: char, expected: u8| assert_eq!(byte(c), expected, "{c:?}");
        check('A', b'A');
        check('~', b'~');
        check('é', 0xE9);
        check('×', 0xD7);
        check('€', 0x80);
        check('Ÿ', 0x9F);
        check('™', 0x99);
        check('ł', b'l');
        check('Ș', b'S');
        check('−', b'-');
        check('漢', b'?');
        check('🍌', b'?');
        check('\0', b'?');
        check('\u{1b}', b'?');
        check('\u{90}', b'?');
    }
}
