//! TOML and JSON as one tree of values, each with its place in the text.
//!
//! Numbers stay as they were written: no binary fraction comes between. The JSON reader is strict
//! (RFC 8259), keeps places for messages and is bounded in depth.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The deepest nesting that is read.
const DEPTH_MAX: usize = 32;

/// A value and where it begins, as a byte of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub at: usize,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    /// As written.
    Number(String),
    Bool(bool),
    /// A TOML date, as written.
    Date(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key of a table. Keys of a table differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub key: String,
    pub at: usize,
    pub node: Node,
}

/// Why a text is no tree: where, and in what words.
pub(crate) type Problem = (usize, String);

/// Reads JSON where the text begins with `{`, TOML otherwise.
pub(crate) fn read(text: &str) -> Result<Node, Vec<Problem>> {
    if text.trim_start().starts_with('{') {
        return json(text).map_err(|problem| vec![problem]);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let problem = |error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            (at, error.message().to_owned())
        };
        return Err(errors.into_iter().map(problem).collect());
    }
    Ok(Node {
        at: 0,
        value: table(document.get_ref()),
    })
}

fn table(table: &DeTable<'_>) -> Value {
    let entry = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| Entry {
        key: key.get_ref().to_string(),
        at: key.span().start,
        node: node(value),
    };
    Value::Table(table.iter().map(entry).collect())
}

fn node(spanned: &Spanned<DeValue<'_>>) -> Node {
    let value = match spanned.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => {
            Value::Number(number.as_str().to_owned())
        }
        // Written in another base: text that no number is read from.
        DeValue::Integer(number) => Value::Text(number.to_string()),
        DeValue::Float(number) => Value::Number(number.as_str().to_owned()),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(array) => Value::List(array.iter().map(node).collect()),
        DeValue::Table(inner) => table(inner),
    };
    Node {
        at: spanned.span().start,
        value,
    }
}

fn json(text: &str) -> Result<Node, Problem> {
    let mut reader = Json { text, at: 0 };
    let node = reader.node(0)?;
    reader.space();
    match reader.at == text.len() {
        true => Ok(node),
        false => Err((reader.at, "there is something after the end".to_owned())),
    }
}

struct Json<'t> {
    text: &'t str,
    at: usize,
}

impl Json<'_> {
    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fail<T>(&self, message: &str) -> Result<T, Problem> {
        Err((self.at, message.to_owned()))
    }

    /// Takes a byte where it comes next, after space.
    fn takes(&mut self, byte: u8) -> bool {
        self.space();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn node(&mut self, depth: usize) -> Result<Node, Problem> {
        if depth > DEPTH_MAX {
            return self.fail("this is nested too deeply");
        }
        self.space();
        let at = self.at;
        let value = match self.peek() {
            Some(b'{') => self.table(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { at, value })
    }

    fn table(&mut self, depth: usize) -> Result<Value, Problem> {
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        if self.takes(b'}') {
            return Ok(Value::Table(entries));
        }
        loop {
            self.space();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return self.fail("a key in quotes is missing");
            }
            let key = self.string()?;
            if entries.iter().any(|entry| entry.key == key) {
                return Err((at, format!("the key '{key}' is there twice")));
            }
            if !self.takes(b':') {
                return self.fail("a colon is missing");
            }
            let node = self.node(depth + 1)?;
            entries.push(Entry { key, at, node });
            if self.takes(b'}') {
                return Ok(Value::Table(entries));
            }
            if !self.takes(b',') {
                return self.fail("a comma or } is missing");
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Problem> {
        self.at += 1;
        let mut nodes = Vec::new();
        if self.takes(b']') {
            return Ok(Value::List(nodes));
        }
        loop {
            nodes.push(self.node(depth + 1)?);
            if self.takes(b']') {
                return Ok(Value::List(nodes));
            }
            if !self.takes(b',') {
                return self.fail("a comma or ] is missing");
            }
        }
    }

    fn word(&mut self) -> Result<Value, Problem> {
        for (word, value) in [("true", true), ("false", false)] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(Value::Bool(value));
            }
        }
        self.fail("a value is missing")
    }

    fn number(&mut self) -> Result<Value, Problem> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
        let number = &rest[..end.unwrap_or(rest.len())];
        let digits = number.strip_prefix('-').unwrap_or(number);
        let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        if leading_zero || !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return self.fail("this is not a number");
        }
        self.at += number.len();
        Ok(Value::Number(number.to_owned()))
    }

    fn string(&mut self) -> Result<String, Problem> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(stop) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                return self.fail("the quotes are not closed");
            };
            string.push_str(&rest[..stop]);
            self.at += stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                _ => return self.fail("a control character must be escaped"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let letter = self.text.as_bytes().get(self.at + 1).copied();
        let plain = match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return self.fail("this escape is not known"),
        };
        self.at += 2;
        Ok(plain)
    }

    /// `\uXXXX`, or two of them for a character beyond the first plane.
    fn unicode(&mut self) -> Result<char, Problem> {
        let Some(first) = self.hex(self.at) else {
            return self.fail("this escape is not known");
        };
        if !(0xD800..0xDC00).contains(&first) {
            self.at += 6;
            return char::from_u32(first).map_or_else(|| self.fail("this is no character"), Ok);
        }
        match self.hex(self.at + 6) {
            Some(second) if (0xDC00..0xE000).contains(&second) => {
                self.at += 12;
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                char::from_u32(code).map_or_else(|| self.fail("this is no character"), Ok)
            }
            _ => self.fail("half of a character is missing"),
        }
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let escape = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        let digits = escape.chars().all(|c| c.is_ascii_hexdigit());
        digits.then(|| u32::from_str_radix(escape, 16).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_toml_give_the_same_tree() {
        fn plain(node: &Node) -> String {
            match &node.value {
                Value::Text(text) => format!("{text:?}"),
                Value::Number(text) | Value::Date(text) => text.clone(),
                Value::Bool(yes) => yes.to_string(),
                Value::List(list) => {
                    let list: Vec<String> = list.iter().map(plain).collect();
                    format!("[{}]", list.join(" "))
                }
                Value::Table(table) => {
                    let mut table: Vec<String> = table
                        .iter()
                        .map(|entry| format!("{}={}", entry.key, plain(&entry.node)))
                        .collect();
                    table.sort();
                    format!("{{{}}}", table.join(" "))
                }
            }
        }
        let toml = "a = 1\nb = [1.50, \"x\\n\"]\n[c]\nd = true\n";
        let json = " {\"a\": 1, \"b\": [1.50, \"x\\n\"], \"c\": {\"d\": true}}\n";
        let expected = r#"{a=1 b=[1.50 "x\n"] c={d=true}}"#;
        assert_eq!(plain(&read(toml).unwrap()), expected);
        assert_eq!(plain(&read(json).unwrap()), expected);
        assert_eq!(
            plain(&read(r#"{"é": "\u00e9\ud83d\ude00"}"#).unwrap()),
            "{é=\"é😀\"}"
        );
    }

    #[test]
    fn what_is_no_json_says_where() {
        let check = |text: &str, at: usize, message: &str| {
            assert_eq!(
                read(text).unwrap_err(),
                [(at, message.to_owned())],
                "{text}"
            );
        };
        check("{", 1, "a key in quotes is missing");
        check("{\"a\" 1}", 5, "a colon is missing");
        check("{\"a\":1,\"a\":2}", 7, "the key 'a' is there twice");
        check("{\"a\":1 2}", 7, "a comma or } is missing");
        check("{\"a\":[1 2]}", 8, "a comma or ] is missing");
        check("{\"a\":\"x}", 6, "the quotes are not closed");
        check("{\"a\":01}", 5, "this is not a number");
        check("{\"a\":null}", 5, "a value is missing");
        check("{\"a\":\"\\ud800\"}", 6, "half of a character is missing");
        check("{} x", 3, "there is something after the end");
        let deep = format!("{{\"a\":{}", "[".repeat(200));
        assert_eq!(read(&deep).unwrap_err()[0].1, "this is nested too deeply");
    }
}
