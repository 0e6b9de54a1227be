//! A lane's identity: an ed25519 key. Its public half is the lane's `PeerId`.
//!
//! The secret leaves this type only through `to_bytes`; it is in no `Debug` output and no error.

use std::fmt;

use libp2p::identity::{Keypair, ed25519};
use providers::{PeerId, Random};

use crate::MeshError;

/// The secret of an ed25519 key, in bytes (RFC 8032).
const SECRET_BYTES: usize = 32;

/// A lane's key pair.
#[derive(Clone)]
pub struct LaneKey {
    pair: ed25519::Keypair,
}

impl LaneKey {
    /// A new key. The same bytes from `random` give the same key.
    pub fn generate(random: &dyn Random) -> LaneKey {
        loop {
            let mut secret = [0; SECRET_BYTES];
            random.fill(&mut secret);
            // Any 32 bytes are an ed25519 secret, so this ends with its first round.
            if let Ok(key) = LaneKey::from_bytes(&secret) {
                return key;
            }
        }
    }

    /// The key that `to_bytes` wrote.
    ///
    /// # Errors
    /// `BadKey` unless there are exactly 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<LaneKey, MeshError> {
        let mut secret: [u8; SECRET_BYTES] = bytes.try_into().map_err(|_| MeshError::BadKey {
            reason: format!("it has {} bytes instead of {SECRET_BYTES}", bytes.len()),
        })?;
        // Wipes `secret`.
        let secret =
            ed25519::SecretKey::try_from_bytes(&mut secret).map_err(|error| MeshError::BadKey {
                reason: error.to_string(),
            })?;
        Ok(LaneKey {
            pair: ed25519::Keypair::from(secret),
        })
    }

    /// The 32 secret bytes. Whoever has them is this lane: keep them in a file only it can read.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.pair.secret().as_ref().to_vec()
    }

    /// The public identity that other lanes know this one by.
    pub fn peer_id(&self) -> PeerId {
        PeerId(self.keypair().public().to_peer_id().to_string())
    }

    pub(crate) fn keypair(&self) -> Keypair {
        self.pair.clone().into()
    }
}

impl fmt::Debug for LaneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LaneKey({})", self.peer_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_key_survives_its_bytes() {
        let key = LaneKey::generate(&Fixed(7));
        let again = LaneKey::from_bytes(&key.to_bytes()).expect("its own bytes");
        assert_eq!(again.peer_id(), key.peer_id());
        assert_eq!(again.to_bytes(), vec![7; 32]);
        assert_ne!(key.peer_id(), LaneKey::generate(&Fixed(8)).peer_id());
    }

    #[test]
    fn the_same_randomness_is_the_same_lane() {
        assert_eq!(
            LaneKey::generate(&Fixed(1)).peer_id().0,
            "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5"
        );
    }

    #[test]
    fn bytes_of_another_length_are_refused() {
        for length in [0, 31, 33, 64] {
            let error = LaneKey::from_bytes(&vec![0; length]).expect_err("not a key");
            assert!(
                error.to_string().contains(&format!("{length} bytes")),
                "{error}"
            );
        }
    }

    #[test]
    fn the_secret_is_not_printed() {
        let key = LaneKey::generate(&Fixed(7));
        assert_eq!(format!("{key:?}"), format!("LaneKey({})", key.peer_id()));
    }
}
