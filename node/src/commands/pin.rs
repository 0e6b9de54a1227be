//! How a command gets a PIN: typed without being shown, or from a file; never as an argument, which
//! every user of the machine could read in the list of processes.

use std::io::{BufRead, IsTerminal};
use std::path::Path;

use anyhow::{Context, bail};
use sale::Pin;

/// Stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The PIN in the first line of `file`; without one it is asked for, if somebody is there to answer.
pub fn read(file: Option<&Path>) -> anyhow::Result<Pin> {
    match file {
        Some(file) if file == Path::new(STANDARD_INPUT) => {
            let mut text = String::new();
            std::io::stdin().lock().read_line(&mut text)?;
            first_line(&text).context("standard input holds no PIN")
        }
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("the PIN was not read from {}", file.display()))?;
            first_line(&text).with_context(|| format!("{} holds no PIN", file.display()))
        }
        None if std::io::stdin().is_terminal() => {
            Ok(Pin(rpassword::prompt_password("PIN: ")?.trim().to_owned()))
        }
        None => bail!(
            "the manager's PIN is missing: give a file that holds it with --pin-file FILE, or \
             --pin-file - to read it from standard input"
        ),
    }
}

fn first_line(text: &str) -> Option<Pin> {
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| Pin(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pin");
        let check = |text: &str, expected: Option<&str>| {
            std::fs::write(&file, text).unwrap();
            let found = read(Some(&file)).ok().map(|pin| pin.0);
            assert_eq!(found.as_deref(), expected, "{text:?}");
        };
        check("4711", Some("4711"));
        check(" 4711 \r\nwritten down on Monday\n", Some("4711"));
        check("", None);
        check("\n4711\n", None);
        let missing = read(Some(&folder.path().join("none"))).unwrap_err();
        assert!(
            missing.to_string().contains("was not read from"),
            "{missing}"
        );
    }
}
