//! One message on a TCP connection: its length in four bytes, the most significant first, then JSON.

use std::io::{self, Read, Write};

use super::message::Message;

/// The longest message that is read, in bytes.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

pub(crate) fn write(stream: &mut impl Write, message: &Message) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    // One write, so that no half of a message waits for the other.
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(body);
    stream.write_all(&bytes)?;
    stream.flush()
}

/// Reads one message. A connection that ends, in the middle or before, is an error.
pub(crate) fn read(stream: &mut impl Read) -> io::Result<Message> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
    if length > MESSAGE_BYTES_MAX {
        return Err(io::Error::other(
            "the message is longer than any terminal sends",
        ));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_an_error() {
        let check = |bytes: &[u8], expected: &str| {
            let error = read(&mut &bytes[..]).unwrap_err().to_string();
            assert!(error.contains(expected), "{bytes:?}: {error}");
        };
        check(b"", "fill whole buffer");
        check(b"\x00\x00\x00\x09{}", "fill whole buffer");
        check(b"\x00\x00\x00\x02{}", "expected value");
        check(b"\xff\xff\xff\xff", "longer than any terminal");
        check(b"\x00\x00\x00\x02\xff\xfe", "expected value");
    }
}
