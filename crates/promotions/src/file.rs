//! Promotion files.

use serde::{Deserialize, Serialize};

/// What is wrong with a promotion file, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileProblem {
    /// The line of the file, from 1.
    pub line: u32,
    pub message: String,
    pub hint: String,
}

/// A promotion file that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromotionFile {}

impl PromotionFile {
    /// Reads a promotion file and answers every problem found.
    pub fn parse(_text: &str) -> Result<PromotionFile, Vec<FileProblem>> {
        Ok(PromotionFile {})
    }
}
