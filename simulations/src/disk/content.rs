//! What a file holds: bytes in chunks, which copies of the file share until one of them is changed.
//!
//! A file that grows moves nothing, and a file that is durable as it stands takes its room once.

use std::sync::Arc;

/// With the counters beside it, a chunk fills a block of the allocator.
const CHUNK_BYTES: usize = 8 * 1024 - 2 * size_of::<usize>();

type Chunk = [u8; CHUNK_BYTES];

/// Bytes behind `len` in the last chunk are zero.
#[derive(Clone, Default)]
pub struct Content {
    chunks: Vec<Arc<Chunk>>,
    len: usize,
}

impl Content {
    pub fn of(bytes: &[u8]) -> Content {
        let mut content = Content::default();
        content.write(0, bytes);
        content
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Fills `into` from `offset` on; how many bytes there were.
    pub fn read(&self, offset: usize, into: &mut [u8]) -> usize {
        let len = self.len.saturating_sub(offset).min(into.len());
        let mut done = 0;
        while done < len {
            let (chunk, from) = place(offset + done);
            let part = (CHUNK_BYTES - from).min(len - done);
            into[done..done + part].copy_from_slice(&self.chunks[chunk][from..from + part]);
            done += part;
        }
        len
    }

    /// Puts `bytes` at `offset`; what was not there before it is zero.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        self.grow(end);
        let mut done = 0;
        while done < bytes.len() {
            let (chunk, from) = place(offset + done);
            let part = (CHUNK_BYTES - from).min(bytes.len() - done);
            let into = Arc::make_mut(&mut self.chunks[chunk]);
            into[from..from + part].copy_from_slice(&bytes[done..done + part]);
            done += part;
        }
    }

    fn grow(&mut self, len: usize) {
        self.len = self.len.max(len);
        while self.chunks.len() * CHUNK_BYTES < self.len {
            self.chunks.push(Arc::new([0; CHUNK_BYTES]));
        }
    }

    /// Takes over what `other` has from `offset` on, `len` bytes of it and what lies around them,
    /// without copying it.
    pub fn share(&mut self, other: &Content, offset: usize, len: usize) {
        if len == 0 {
            return;
        }
        self.grow(offset + len);
        for chunk in place(offset).0..=place(offset + len - 1).0 {
            self.chunks[chunk] = other.chunks[chunk].clone();
        }
    }

    /// Shortens it; it becomes no longer.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.len = len;
        self.chunks.truncate(len.div_ceil(CHUNK_BYTES));
        let (chunk, from) = place(len);
        if let Some(last) = self.chunks.get_mut(chunk) {
            Arc::make_mut(last)[from..].fill(0);
        }
    }

    /// Flips bits of a byte, if there is one.
    pub fn flip(&mut self, offset: usize, bits: u8) {
        if offset < self.len {
            let (chunk, from) = place(offset);
            Arc::make_mut(&mut self.chunks[chunk])[from] ^= bits;
        }
    }
}

/// The chunk of an offset, and where in it.
fn place(offset: usize) -> (usize, usize) {
    (offset / CHUNK_BYTES, offset % CHUNK_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Dice;

    fn bytes(content: &Content) -> Vec<u8> {
        let mut bytes = vec![0xee; content.len() + 1];
        assert_eq!(content.read(0, &mut bytes), content.len());
        bytes.truncate(content.len());
        bytes
    }

    #[test]
    fn it_is_what_a_plain_vector_would_be() {
        for seed in 0..30 {
            let mut dice = Dice::new(seed);
            let (mut plain, mut content) = (Vec::new(), Content::default());
            for step in 0..60 {
                let offset = dice.index(3 * CHUNK_BYTES);
                let len = dice.index(2 * CHUNK_BYTES);
                match dice.index(4) {
                    0 => {
                        plain.truncate(offset);
                        content.truncate(offset);
                    }
                    1 if offset < plain.len() => {
                        plain[offset] ^= 4;
                        content.flip(offset, 4);
                    }
                    _ => {
                        plain.resize(plain.len().max(offset + len), 0);
                        plain[offset..offset + len].fill(step);
                        content.write(offset, &vec![step; len]);
                    }
                }
                assert!(bytes(&content) == plain, "seed {seed}, step {step}");
                let mut part = vec![0; 100];
                let read = content.read(offset, &mut part);
                let from = plain.get(offset..).unwrap_or_default();
                assert_eq!(part[..read], from[..from.len().min(100)], "seed {seed}");
            }
        }
    }

    #[test]
    fn what_is_shared_does_not_follow_later_changes() {
        let mut now = Content::of(&[1; 3 * CHUNK_BYTES]);
        let mut durable = now.clone();
        now.write(CHUNK_BYTES, &[2; 10]);
        assert_eq!(bytes(&durable), vec![1; 3 * CHUNK_BYTES]);
        durable.share(&now, CHUNK_BYTES, 10);
        assert!(bytes(&durable) == bytes(&now));
        now.flip(CHUNK_BYTES, 1);
        assert_ne!(bytes(&durable), bytes(&now));
    }
}
