//! What goods cost at this lane, and what gift cards hold, asked without the register.

use std::sync::{Mutex, PoisonError};

use catalog::Reference;
use ledger::{FORMAT_LIMITS, StoreView, TableError};
use money::Money;
use sale::{Context, PriceCheck, Refusal, Shared as _, gift_card_key, price_check};

use super::books::Books;
use super::known::Known;
use super::rights::rights;
use super::store_time::StoreTime;
use super::{Lane, LaneError};

/// What price checks look things up with; the register has its own and is not held up by them.
#[derive(Default)]
pub struct PriceDesk(Mutex<(Books, StoreTime)>);

impl Lane {
    /// What one of what a code stands for costs now, or why it is not sold.
    pub fn price_check(&self, code: &str) -> Result<Result<PriceCheck, Refusal>, LaneError> {
        let shared = &self.shared;
        let state = shared.register.state.borrow().clone();
        let desk = shared.prices.0.lock();
        let (books, time) = &mut *desk.unwrap_or_else(PoisonError::into_inner);
        self.read(|tables| {
            let store = StoreView::new(tables);
            let known = Known::new(&shared.journal, &store, shared.identity.lane);
            let register = state.register.working();
            let open = register.cart.as_ref();
            let pinned = open.map_or_else(|| store.version(), |cart| cart.book);
            let book = books.at(pinned, &store)?;
            let level = store.level()?;
            let wall_ms = shared.providers.clock.wall_ms();
            let checked = price_check(
                register,
                code,
                &Context {
                    reference: &store,
                    book: &book,
                    newest: &book,
                    requotes: false,
                    limits: level >= FORMAT_LIMITS,
                    now: time.at(wall_ms, &store.settings().time_zone),
                    lane: shared.identity.lane,
                    lane_number: shared.identity.number,
                    lane_name: &shared.identity.lane_name,
                    shared: &known,
                    rights: rights(&shared.consensus.status().borrow()),
                    terminal: None,
                    pin_matches: &|_, _| false,
                },
            );
            store.check()?;
            known.check().map_err(unreadable)?;
            Ok(checked)
        })
    }

    /// What a gift card holds as far as this lane knows; `None` where it was never loaded.
    pub fn gift_card(&self, number: &str) -> Result<Option<Money>, LaneError> {
        let shared = &self.shared;
        self.read(|tables| {
            let store = StoreView::new(tables);
            let known = Known::new(&shared.journal, &store, shared.identity.lane);
            let minor = known.credit_minor(&gift_card_key(number));
            known.check().map_err(unreadable)?;
            let currency = store.settings().currency;
            Ok(minor.map(|minor| Money::from_minor(minor, currency)))
        })
    }
}

fn unreadable(reason: String) -> TableError {
    TableError {
        action: "read",
        reason,
    }
}
