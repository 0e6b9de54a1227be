//! What a store lets be paid with one kind of tender.

use serde::{Deserialize, Serialize};

/// The rule of one kind of tender. Where a store has none, any amount may be paid with it, up to what
/// is due; with cash, of whatever currency, any more, for which change is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenderRule {
    /// The least that one tender may be, in minor units.
    #[serde(skip_serializing_if = "is_zero")]
    pub least_minor: i64,
    /// The most that is paid with it on one sale, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_minor: Option<i64>,
    /// How much more than what is due may be handed over, in minor units; change is given in cash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_minor: Option<i64>,
    /// Whether it must pay all that is still due.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
}

fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

impl TenderRule {
    /// The kinds of tender that can have a rule.
    pub const KINDS: [&str; 9] = [
        "cash",
        "foreign-cash",
        "voucher",
        "cheque",
        "store-credit",
        "gift-card",
        "account",
        "points",
        "card",
    ];
    /// Those of which more can be handed over than is due.
    pub const KINDS_OVER: [&str; 4] = ["cash", "foreign-cash", "voucher", "cheque"];

    /// Whether it can be the rule of this kind of tender.
    pub fn is_sound(&self, kind: &str) -> bool {
        let limits = [Some(self.least_minor), self.most_minor, self.over_minor];
        let is_over = self.over_minor.is_none() || Self::KINDS_OVER.contains(&kind);
        Self::KINDS.contains(&kind) && is_over && limits.into_iter().flatten().all(|l| l >= 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_fits_its_tender() {
        let check = |kind: &str, text: &str, expected: bool| {
            let rule: TenderRule = toml::from_str(text).unwrap();
            assert_eq!(rule.is_sound(kind), expected, "{kind} {text}");
        };
        check("card", "", true);
        check("card", "least_minor = 500", true);
        check("card", "least_minor = -1", false);
        check("card", "most_minor = -1", false);
        check("card", "over_minor = 100", false);
        check("cheque", "over_minor = 100", true);
        check("cheque", "over_minor = -1", false);
        check("shells", "least_minor = 500", false);
    }
}
