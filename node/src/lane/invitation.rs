//! Invitation codes, and the proof by which both sides show that they know one.
//!
//! A code has 80 random bits, written in Crockford's base 32 as `K7QF-2M9X-PD4T-8WZ1`. The store
//! replicates only a key derived from it. The proof is a keyed hash over what the encrypted stream
//! has already authenticated, the two peers, so it is worth nothing to anyone who overhears or
//! relays it.

use providers::{PeerId, Random};
use sale::LaneId;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_BYTES: usize = 10;
const CODE_CHARS: usize = 16;

/// How long an invitation is good for.
pub const VALID_FOR_MINUTES: u32 = 60;
pub const VALID_FOR_MS: u64 = VALID_FOR_MINUTES as u64 * 60_000;

/// A one-time code. Shown to a person, never stored or logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; CODE_BYTES]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not an invitation code: it has 16 letters and digits, such as K7QF-2M9X-PD4T-8WZ1"
)]
pub struct NotACode(String);

/// Which side of a join a proof speaks for.
#[derive(Clone, Copy)]
pub enum Side {
    Joining,
    Store,
}

impl Code {
    pub fn new(random: &dyn Random) -> Code {
        let mut bytes = [0; CODE_BYTES];
        random.fill(&mut bytes);
        Code(bytes)
    }

    /// Reads a code as a person types it: any case, with or without dashes; O is 0, I and L are 1.
    pub fn parse(text: &str) -> Result<Code, NotACode> {
        let bad = || NotACode(text.to_owned());
        let mut bits: u128 = 0;
        let mut chars = 0;
        for char in text.chars().filter(|c| !matches!(c, '-' | ' ')) {
            let char = match char.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let digit = ALPHABET.iter().position(|a| char::from(*a) == char);
            let digit = u128::try_from(digit.ok_or_else(bad)?).map_err(|_| bad())?;
            chars += 1;
            if chars > CODE_CHARS {
                return Err(bad());
            }
            bits = (bits << 5) | digit;
        }
        if chars != CODE_CHARS {
            return Err(bad());
        }
        let bytes = bits.to_be_bytes();
        let mut code = [0; CODE_BYTES];
        code.copy_from_slice(&bytes[16 - CODE_BYTES..]);
        Ok(Code(code))
    }

    /// As shown to a person.
    pub fn text(&self) -> String {
        let bits = self.0.iter().fold(0_u128, |n, b| (n << 8) | u128::from(*b));
        let mut text = String::with_capacity(CODE_CHARS + 3);
        for i in 0..CODE_CHARS {
            if i > 0 && i % 4 == 0 {
                text.push('-');
            }
            let digit = (bits >> (5 * (CODE_CHARS - 1 - i))) & 31;
            text.push(char::from(ALPHABET[digit as usize]));
        }
        text
    }

    /// Names the invitation without giving the code away.
    pub fn id(&self) -> u32 {
        let hash = blake3::derive_key("lanemesh invitation id v1", &self.0);
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
    }

    /// What the store replicates.
    pub fn key(&self) -> [u8; 32] {
        blake3::derive_key("lanemesh invitation key v1", &self.0)
    }
}

/// The proof of one side that it knows the code behind `key`.
pub fn proof(
    key: &[u8; 32],
    side: Side,
    joining: &PeerId,
    member: &PeerId,
    lane: LaneId,
) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(match side {
        Side::Joining => b"joining",
        Side::Store => b"store  ",
    });
    for part in [joining.0.as_bytes(), member.0.as_bytes(), &lane.0] {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// Compares in constant time.
pub fn proof_matches(a: &[u8; 32], b: &[u8; 32]) -> bool {
    blake3::Hash::from_bytes(*a) == blake3::Hash::from_bytes(*b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_survives_being_typed() {
        let code = Code([0xff, 0, 1, 2, 3, 4, 5, 6, 7, 0x80]);
        let text = code.text();
        assert_eq!(text.len(), 19);
        for typed in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('0', "o").replace('1', "l"),
        ] {
            assert!(Code::parse(&typed).unwrap() == code, "{typed}");
        }
        for wrong in ["", "K7QF", &text[1..], &format!("{text}X"), "!!!!"] {
            assert!(Code::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_proof_is_for_one_pair_of_peers_and_one_side() {
        let key = Code([7; CODE_BYTES]).key();
        let (a, b) = (PeerId("a".to_owned()), PeerId("b".to_owned()));
        let lane = LaneId([1; 16]);
        let good = proof(&key, Side::Joining, &a, &b, lane);
        assert!(proof_matches(
            &good,
            &proof(&key, Side::Joining, &a, &b, lane)
        ));
        let others = [
            proof(&key, Side::Store, &a, &b, lane),
            proof(&key, Side::Joining, &b, &a, lane),
            proof(&key, Side::Joining, &a, &b, LaneId([2; 16])),
            proof(&[0; 32], Side::Joining, &a, &b, lane),
        ];
        for other in others {
            assert!(!proof_matches(&good, &other));
        }
    }
}
