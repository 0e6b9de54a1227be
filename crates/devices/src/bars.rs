//! The bars of a barcode, for papers that draw them themselves.

use barcoders::sym::code128::Code128;

/// Begins a Code 128 in set B, as the library writes it.
const SET_B: char = '\u{181}';

/// The bars of a Code 128 as runs of modules, bar and space in turns, beginning with a bar; none where the
/// text cannot be written in it.
pub(crate) fn code_128(text: &str) -> Option<Vec<u8>> {
    let sound = !text.is_empty() && text.bytes().all(|b| matches!(b, 0x20..=0x7E));
    let code = sound
        .then(|| Code128::new(format!("{SET_B}{text}")))?
        .ok()?;
    let mut runs: Vec<u8> = Vec::new();
    let mut is_bar = None;
    for module in code.encode() {
        match runs.last_mut().filter(|_| is_bar == Some(module)) {
            Some(run) => *run += 1,
            None => runs.push(1),
        }
        is_bar = Some(module);
    }
    Some(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_those_of_the_standard() {
        // ISO/IEC 15417: start B, the characters, the check character, stop; a character has eleven
        // modules in three bars and three spaces, the stop thirteen in four bars and three spaces.
        let runs = code_128("1-000042").unwrap();
        assert_eq!(runs.len(), (1 + 8 + 1) * 6 + 7);
        let modules: u32 = runs.iter().map(|run| u32::from(*run)).sum();
        assert_eq!(modules, (1 + 8 + 1) * 11 + 13);
        assert_eq!(runs[..6], [2, 1, 1, 2, 1, 4], "start B");
        assert_eq!(runs[6..12], [1, 2, 3, 2, 2, 1], "1");
        assert_eq!(runs[runs.len() - 7..], [2, 3, 3, 1, 1, 1, 2], "stop");
        assert_eq!(code_128(""), None);
        assert_eq!(code_128("é"), None);
        assert_eq!(code_128("a\nb"), None);
    }
}
