//! The token that opens head office: made at the first start, kept in a file that its owner alone
//! can read.

use providers::Disk;

use crate::{HqError, hex};

/// The file in head office's folder that holds the token, as text.
pub const TOKEN_FILE: &str = "hq-token";

const TOKEN_BYTES: usize = 32;

/// Shorter ones could be guessed; ours has 64 characters.
const TOKEN_CHARS_MIN: usize = 16;

/// Reads the token, or makes one where there is none.
pub fn load_or_create(disk: &dyn Disk) -> Result<String, HqError> {
    let Some(bytes) = disk.read(TOKEN_FILE)? else {
        let mut random = [0; TOKEN_BYTES];
        getrandom::fill(&mut random).map_err(|error| HqError::NoRandomness(error.to_string()))?;
        let token = hex::encode(&random);
        disk.write(TOKEN_FILE, token.as_bytes())?;
        return Ok(token);
    };
    let bad = |reason: &str| HqError::BadToken {
        file: TOKEN_FILE.to_owned(),
        reason: reason.to_owned(),
    };
    let text = String::from_utf8(bytes).map_err(|_| bad("it is not text"))?;
    let token = text.trim();
    if token.len() < TOKEN_CHARS_MIN {
        return Err(bad("it is too short"));
    }
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(bad("it has spaces or odd characters"));
    }
    Ok(token.to_owned())
}

/// A token to compare others with. Takes the same time whichever characters differ.
#[derive(Clone)]
pub struct Token(blake3::Hash);

impl Token {
    pub fn new(token: &str) -> Token {
        Token(blake3::hash(token.as_bytes()))
    }

    pub fn matches(&self, offered: &str) -> bool {
        // Comparing hashes of BLAKE3 takes constant time.
        self.0 == blake3::hash(offered.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::FileDisk;

    #[test]
    fn the_token_is_made_once_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::new(folder.path()).unwrap();
        let token = load_or_create(&disk).unwrap();
        assert_eq!(token.len(), 2 * TOKEN_BYTES);
        assert_eq!(load_or_create(&disk).unwrap(), token);
        assert!(Token::new(&token).matches(&token));
        assert!(!Token::new(&token).matches(&token[1..]));
        for bad in [&b""[..], b"short", b"one with a space in it", b"\xff\xff"] {
            disk.write(TOKEN_FILE, bad).unwrap();
            let message = load_or_create(&disk).unwrap_err().to_string();
            assert!(message.contains("remove the file"), "{message}");
        }
    }
}
