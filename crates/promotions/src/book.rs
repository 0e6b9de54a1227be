//! Promotions made ready for pricing.

use money::Currency;

use crate::{FileProblem, PromotionFile};

/// The promotions of a store, indexed by what they apply to.
#[derive(Clone, Debug, Default)]
pub struct CompiledBook {}

impl CompiledBook {
    /// A book without promotions.
    pub fn empty() -> CompiledBook {
        CompiledBook::default()
    }

    /// Makes a file's promotions ready, with its amounts in `currency`.
    pub fn compile(
        _file: &PromotionFile,
        _currency: Currency,
    ) -> Result<CompiledBook, Vec<FileProblem>> {
        Ok(CompiledBook {})
    }
}
