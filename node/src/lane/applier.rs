//! The ledger's rules as the state machine of the replicated log.

use std::sync::Arc;

use consensus::Applier;
use ledger::{Command, Outcome, TableError, Tables, apply};

use super::stamps::Stamps;

pub struct Rules {
    pub stamps: Arc<Stamps>,
}

impl Applier for Rules {
    fn apply(
        &mut self,
        tables: &mut dyn Tables,
        index: u64,
        payload: &[u8],
    ) -> Result<Vec<u8>, TableError> {
        let outcome = match Command::decode(payload) {
            Ok(command) => {
                if let Command::Ingest { entries } = &command {
                    self.stamps.see(entries);
                }
                apply(tables, index, &command)?
            }
            // One lane cannot skip what another applies: every lane of a release refuses alike.
            Err(error) => Outcome::Refused {
                reason: error.to_string(),
            },
        };
        Ok(outcome.encode())
    }
}
