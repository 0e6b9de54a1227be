//! What a lane may spend of what is scarce in the store. Until rights are divided between lanes, what
//! this lane knows decides ([`LocalRights`], [`CutOff`]).

/// What is scarce and this lane may spend.
pub trait Rights {
    /// Takes the right to refund so much more of a receipt's line. `false` where this lane must not.
    fn may_refund(&self, receipt: &str, line: u32, milli: i64) -> bool;
    /// How often this lane may give a promotion of which, as far as it knows, so much is `left` in the
    /// store; `told` is what the open sale was told before.
    fn may_give(&self, promotion: &str, left: u32, told: Option<u32>) -> u32;
    /// Takes the right to spend so much of what is kept under a key ([`crate::gift_card_key`], in minor
    /// units, or [`crate::points_key`]). `false` where this lane must not.
    fn may_spend(&self, key: &str, much: i64) -> bool;
}

/// Grants what the known facts allow, and leaves it to the books to find what two lanes did that
/// could not reach each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalRights;

impl Rights for LocalRights {
    fn may_refund(&self, _receipt: &str, _line: u32, _milli: i64) -> bool {
        true
    }

    fn may_give(&self, _promotion: &str, left: u32, _told: Option<u32>) -> u32 {
        left
    }

    fn may_spend(&self, _key: &str, _much: i64) -> bool {
        true
    }
}

/// The rights of a lane that is cut off from the store, or behind it. It spends no gift card and no points.
/// It begins to give nothing that is limited there: others may be giving what is left. A sale that was told of it before keeps what this
/// lane still knows to be left, so that an election of half a second raises no price.
#[derive(Clone, Copy, Debug, Default)]
pub struct CutOff;

impl Rights for CutOff {
    fn may_refund(&self, receipt: &str, line: u32, milli: i64) -> bool {
        LocalRights.may_refund(receipt, line, milli)
    }

    fn may_give(&self, _promotion: &str, left: u32, told: Option<u32>) -> u32 {
        left.min(told.unwrap_or(0))
    }

    fn may_spend(&self, _key: &str, _much: i64) -> bool {
        false
    }
}
