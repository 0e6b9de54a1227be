//! Randomness, for identities and jitter. Never used in anything that decides a price or a state.

use std::sync::Arc;

/// A source of random bytes: the system's generator in a shop, a seeded one in the simulator.
pub trait Random: Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);

    fn u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn id(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes
    }
}

pub type SharedRandom = Arc<dyn Random>;
