//! How consensus puts its values into bytes, on disk and between lanes: one byte of format, then
//! CBOR. A lane one release older or newer reads what it knows and says so otherwise.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The format this release writes.
const FORMAT: u8 = 1;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("it has format {0}, this release reads {FORMAT}: upgrade the older lane")]
    Format(u8),
    #[error("it is unreadable: {0}")]
    Unreadable(String),
}

impl From<CodecError> for std::io::Error {
    fn from(error: CodecError) -> std::io::Error {
        std::io::Error::new(std::io::ErrorKind::InvalidData, error)
    }
}

pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    cbor4ii::serde::to_vec(vec![FORMAT], value).expect("our own types always encode")
}

pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    match bytes.split_first() {
        Some((&FORMAT, content)) => cbor4ii::serde::from_slice(content)
            .map_err(|error| CodecError::Unreadable(error.to_string())),
        Some((&format, _)) => Err(CodecError::Format(format)),
        None => Err(CodecError::Unreadable("it is empty".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_refused_with_a_reason() {
        assert_eq!(decode::<u64>(&encode(&7_u64)), Ok(7));
        let check = |bytes: &[u8], expected: &str| {
            let error = decode::<u64>(bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&[], "it is empty");
        check(&[9, 7], "format 9");
        check(&[FORMAT, 0x61], "unreadable");
        check(&encode(&"seven"), "unreadable");
    }
}
