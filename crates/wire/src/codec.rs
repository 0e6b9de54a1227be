//! Bytes to messages and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of every message, its first byte.
pub const WIRE_FORMAT: u8 = 1;

/// The largest message, in bytes, format byte included.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("a message of format {found}; this release speaks {WIRE_FORMAT}")]
    UnknownFormat { found: u8 },
    #[error("a message of {bytes} bytes is over the limit of {MESSAGE_BYTES_MAX}")]
    TooLarge { bytes: usize },
    #[error("a message cannot be read: {0}")]
    Unreadable(String),
}

/// Encodes a message. One over the limit is the sender's bug to avoid: callers bound their batches.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, WireError> {
    let bytes = cbor4ii::serde::to_vec(vec![WIRE_FORMAT], message)
        .map_err(|error| WireError::Unreadable(error.to_string()))?;
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(WireError::TooLarge { bytes: bytes.len() });
    }
    Ok(bytes)
}

pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(WireError::TooLarge { bytes: bytes.len() });
    }
    match bytes.split_first() {
        Some((&WIRE_FORMAT, body)) => cbor4ii::serde::from_slice(body)
            .map_err(|error| WireError::Unreadable(error.to_string())),
        Some((&found, _)) => Err(WireError::UnknownFormat { found }),
        None => Err(WireError::Unreadable("it is empty".to_owned())),
    }
}
