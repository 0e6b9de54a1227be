//! The sale as a pure state machine: `decide` turns a command into events or a typed refusal,
//! `evolve` folds events into the register's state, `price` computes what a cart costs.
//!
//! The state of a register is always the fold of its events, so a lane is rebuilt from its journal.
//! Nothing here does I/O, knows a clock or draws randomness: time, the catalog and the promotion
//! book come in as arguments.

mod attempts;
mod card;
mod command;
mod customers;
mod decide;
mod drawer;
mod event;
mod gift_cards;
mod goods;
mod ids;
mod limits;
mod lines;
mod people;
mod points;
mod price;
mod price_check;
mod receipt;
mod refusal;
mod register;
mod requote;
mod returns;
mod rights;
mod scan;
mod shared;
mod stock;
mod suspend;
mod tally;
mod tax;
mod tender;
mod terms;
mod time;
mod training;
mod unreceipted;
mod words;

pub use attempts::{Attempts, WrongPins};
pub use card::{
    CARDS_LEFT_MAX, CardAnswer, CardApproval, CardAsk, CardOpen, CardPaid, CardSource,
    CardTransaction, CardWork, Cards, card_answered,
};
pub use command::{Command, CountedCash, Pin};
pub use decide::{Context, decide, events_of_refusal};
pub use event::{CashMovement, Event, Line, LineDetail, LineTax, OverrideReason, Tender};
pub use gift_cards::{gift_card_key, gift_card_of};
pub use ids::{CartId, IdError, LaneId, StoreId};
pub use limits::{Given, UsedUp, WhyUsedUp, used_up};
pub use points::{customer_of_points, points_key};
pub use price::{
    LineTotal, PointsTotal, PromotionTotal, TaxTotal, Totals, basket_of, hints, price, shopper_of,
};
pub use price_check::{PriceCheck, price_check};
pub use promotions::{GivenBefore, Hint, Lacks};
pub use receipt::{Receipt, ReceiptDetail};
pub use refusal::{Refusal, Why};
pub use register::{Cart, Cashier, Drawer, Phase, Register, evolve};
pub use requote::newest_total;
pub use returns::{ReturnOf, SoldReceipt};
pub use rights::{CutOff, LocalRights, Rights};
pub use shared::{NothingShared, Shared};
pub use stock::StockWork;
pub use suspend::{DocumentKind, Kept};
pub use tally::{Sum, Sums, Tally};
pub use tax::{PartTotal, TaxDetail, TaxRules};
pub use tender::PayWith;
pub use terms::{HandDiscount, HandOff, HandedCoupon, History, SoldAt, Standing, Terms};
pub use time::{BusinessDay, LocalTime};
pub use training::Training;
pub use unreceipted::{Returner, Unreceipted};
pub use words::name_of_tender;

/// The most lines one cart may have.
pub const LINES_MAX: usize = 999;
