//! Compiled promotion books by the version that carts pin.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::{BookVersion, Reference};
use ledger::{StoreView, TableError};
use promotions::{CompiledBook, PromotionFile};

/// Compiled books kept; older ones are compiled again when an old cart needs one.
const BOOKS_KEPT: usize = 4;

/// The promotion books that open carts need.
#[derive(Default)]
pub struct Books {
    compiled: BTreeMap<BookVersion, (Option<String>, Arc<CompiledBook>)>,
}

impl Books {
    /// The book in force at `version`. A file that does not compile counts as no promotions; it
    /// was checked before it was imported, so that can only be one from a later release.
    pub fn at(
        &mut self,
        version: BookVersion,
        store: &StoreView<'_>,
    ) -> Result<Arc<CompiledBook>, TableError> {
        if let Some((_, book)) = self.compiled.get(&version) {
            return Ok(book.clone());
        }
        let text = store.promotions_at(version)?;
        let same = self.compiled.values().find(|(known, _)| *known == text);
        let book = match same {
            Some((_, book)) => book.clone(),
            None => Arc::new(compile(text.as_deref(), store)),
        };
        if self.compiled.len() >= BOOKS_KEPT {
            self.compiled.pop_first();
        }
        self.compiled.insert(version, (text, book.clone()));
        Ok(book)
    }
}

fn compile(text: Option<&str>, store: &StoreView<'_>) -> CompiledBook {
    let Some(text) = text else {
        return CompiledBook::empty();
    };
    let compiled = PromotionFile::parse(text)
        .and_then(|file| CompiledBook::compile(&file, store.settings().currency));
    compiled.unwrap_or_else(|problems| {
        tracing::error!(?problems, "the store's promotions cannot be used");
        CompiledBook::empty()
    })
}
