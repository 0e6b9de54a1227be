//! How much is sent to another lane at a time.
//!
//! Invariant: whatever the link carries, one batch ends up small enough to get through before its
//! sender gives up. Without that, a slow link would carry the same too large batch again and again.

/// The most bytes of entries in a batch.
const BYTES_MAX: usize = 512 * 1024;
/// The least: a batch has at least one entry, however large.
const BYTES_MIN: usize = 2 * 1024;

/// The size of the next batch: a quarter after a failure, twice as much after a success.
#[derive(Debug)]
pub struct Batch {
    bytes_max: usize,
}

impl Batch {
    pub fn new() -> Batch {
        Batch {
            bytes_max: BYTES_MAX,
        }
    }

    /// The most bytes of entries to send next.
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    pub fn arrived(&mut self) {
        self.bytes_max = (self.bytes_max * 2).min(BYTES_MAX);
    }

    pub fn failed(&mut self) {
        self.bytes_max = (self.bytes_max / 4).max(BYTES_MIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_shrink_fast_and_grow_again_within_limits() {
        let mut batch = Batch::new();
        let mut after = |arrived: &[bool], expected: usize| {
            for arrived in arrived {
                match arrived {
                    true => batch.arrived(),
                    false => batch.failed(),
                }
            }
            assert_eq!(batch.bytes_max(), expected);
        };
        after(&[true], BYTES_MAX);
        after(&[false], BYTES_MAX / 4);
        after(&[true], BYTES_MAX / 2);
        after(&[false; 9], BYTES_MIN);
        after(&[true; 9], BYTES_MAX);
    }
}
