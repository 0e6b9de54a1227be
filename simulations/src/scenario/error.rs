//! What is wrong with a scenario file, said so that its writer can mend it.

/// Edits between two words that still count as a slip.
const SLIP_EDITS_MAX: usize = 3;

#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("there is no scenario '{name}'{hint}; there are: {known}; a file's name ends in .toml")]
    Unknown {
        name: String,
        hint: String,
        known: String,
    },
    #[error("{file} cannot be read: {reason}")]
    NotRead { file: String, reason: String },
    #[error("{file}, line {line}: {reason}{hint}")]
    Wrong {
        file: String,
        line: usize,
        reason: String,
        hint: String,
    },
}

impl ScenarioError {
    pub fn unknown(name: &str, known: &[&str]) -> ScenarioError {
        ScenarioError::Unknown {
            name: name.to_owned(),
            hint: hint(name, known),
            known: known.join(", "),
        }
    }

    /// `at` is an offset into the file's text.
    pub fn at(file: &str, text: &str, at: usize, reason: String) -> ScenarioError {
        ScenarioError::Wrong {
            file: file.to_owned(),
            line: line_at(text, at),
            reason,
            hint: String::new(),
        }
    }

    pub fn from_toml(file: &str, text: &str, error: &toml::de::Error) -> ScenarioError {
        let message = error.message();
        // Words that are not known are named first, and then the known ones, between backticks.
        let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let hint = match words.split_first() {
            Some((unknown, known)) if message.starts_with("unknown") => hint(unknown, known),
            _ => String::new(),
        };
        ScenarioError::Wrong {
            file: file.to_owned(),
            line: error.span().map_or(1, |span| line_at(text, span.start)),
            reason: message.trim().to_owned(),
            hint,
        }
    }
}

fn line_at(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    1 + before.matches('\n').count()
}

fn hint(word: &str, known: &[&str]) -> String {
    let nearest = known.iter().min_by_key(|known| edits(word, known));
    match nearest {
        Some(known) if edits(word, known) <= SLIP_EDITS_MAX => format!("; did you mean `{known}`?"),
        _ => String::new(),
    }
}

/// Letters to change, add or take away to turn one word into the other (Levenshtein).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        let check = |one, other, expected| assert_eq!(edits(one, other), expected, "{one} {other}");
        check("split", "split", 0);
        check("spilt", "split", 2);
        check("last", "lasts", 1);
        check("", "abc", 3);
    }
}
