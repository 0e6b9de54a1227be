//! The checks by name, each with the promise that it guards. A violation, and the table of planted
//! bugs, say which check saw it.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! checks {
    ($($(#[$doc:meta])* $check:ident $name:literal $promise:literal $about:literal;)*) => {
        /// What is checked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Check { $($check,)* }

        impl Check {
            pub const ALL: &'static [Check] = &[$(Check::$check,)*];

            /// The name by which it is printed.
            pub fn name(self) -> &'static str {
                match self { $(Check::$check => $name,)* }
            }

            /// The promise it guards: P1 to P9, or Raft's own, or that the store works at all.
            pub fn promise(self) -> &'static str {
                match self { $(Check::$check => $promise,)* }
            }

            /// What must hold.
            pub fn about(self) -> &'static str {
                match self { $(Check::$check => $about,)* }
            }
        }
    };
}

checks! {
    NothingLost "nothing-lost" "P1"
        "a receipt that was printed is in every lane's state and at head office";
    NothingDouble "nothing-double" "P1"
        "a receipt counts once, in the store and at head office";
    NothingInvented "nothing-invented" "P1"
        "there is no receipt that nobody was given";
    ReceiptUnchanged "receipt-unchanged" "P1"
        "a receipt reads everywhere as it was printed";
    Totals "totals" "P1"
        "the day's totals are the sums of the receipts, as counted here from their lines";
    Tenders "tenders" "P1"
        "what was tendered less the change is what the receipt costs, and what the drawer holds";
    Money "money" "P1"
        "by its journal a lane has in totals, reports and drawer what was handed over less change";
    Stock "stock" "P1"
        "stock is what was sold, less what came back to be sold again";
    Drawer "drawer" "P1"
        "what should be in a drawer is what its cashier put in and took out, to the cent";
    CursorHonest "cursor-honest" "P1"
        "the store never takes head office to hold what it does not hold";
    NeverHeldUp "never-held-up" "P2"
        "no command of a sale is refused, or held longer than the scenario allows";
    ClaimedOnce "claimed-once" "P3"
        "no lane grants what it holds to have been granted before";
    ReturnedOnce "returned-once" "P3"
        "no lane takes back what it holds to have come back, nor refuses what nobody brought back";
    ReceiptArithmetic "receipt-arithmetic" "P4"
        "a receipt's lines, taxes and sums are what exact arithmetic makes of its prices";
    PriceOfBook "price-of-book" "P4"
        "a line has the price of the book that its cart pinned";
    PublishedOnce "published-once" "P4"
        "each publication of head office is taken once, in order, and none that it acknowledged is lost";
    AnswersOnce "answers-once" "P5"
        "a command that is repeated under its id is answered as before, and carried out once";
    ReceiptIsCart "receipt-is-cart" "P5"
        "a receipt has the lines that were acknowledged, and no other";
    CartSurvives "cart-survives" "P5"
        "a basket that was put aside is taken up as it was, at any lane that holds it";
    Chain "chain" "P6"
        "each journal is one unbroken chain of hashes";
    ClockForward "clock-forward" "P6"
        "the stamps of a journal never go back";
    StampsFollow "stamps-follow" "P6"
        "an entry is stamped later than everything its lane had seen, however wrong its wall clock";
    CopiesEqual "copies-equal" "P6"
        "each copy of a journal is equal to its lane's own";
    Union "union" "P6"
        "what a lane applied, and what head office holds, is the union of the journals";
    StateHash "state-hash" "P6"
        "two lanes at the same applied index have the same state, and for good";
    HashOfRows "hash-of-rows" "P6"
        "a state's hash is that of its rows";
    RegisterFold "register-fold" "P6"
        "a register is the fold of its journal";
    NothingSetAside "nothing-set-aside" "P7"
        "no good record is set aside, and exceptions say what two lanes did and nothing else";
    OneLeaderATerm "one-leader-a-term" "Raft"
        "a term has one leader, or another after it with a higher node id";
    TermForward "term-forward" "Raft"
        "a lane's term never goes back, whatever happens to its process";
    CommitForward "commit-forward" "Raft"
        "what a lane has applied it never loses, whatever happens to its process";
    NodeIdsUnique "node-ids-unique" "Raft"
        "no node id is given twice";
    PromotedCaughtUp "promoted-caught-up" "Raft"
        "a lane votes only once it has caught up with the log";
    VotersAsPlanned "voters-as-planned" "Raft"
        "as many lanes vote as the plan says, no change of voters stays half-way, and a lane that closed is not taken for dead";
    HandedOver "handed-over" "Raft"
        "a leader that closes while others can lead has handed that over";
    Recovers "recovers" "Raft"
        "a store that lost its majority goes on with one lane, which knows what is missing; what comes back learns of it";
    Linearizable "linearizable" "Raft"
        "changes of reference data, reads behind them, and admissions happen in one order that fits the time";
    TogetherIsCurrent "together-is-current" "Raft"
        "a lane that shows itself together with the store does not stay behind it";
    ComesToRest "comes-to-rest" "liveness"
        "after the faults: one leader, all lanes caught up, head office complete, nothing waits";
    Starts "starts" "liveness"
        "a lane starts and closes within its time, alone or not";
    NoPanic "no-panic" "liveness"
        "no task panics";
    TraceRepeats "trace-repeats" "determinism"
        "a seed that is run twice gives one trace, byte for byte";
    Expected "expected" "scenario"
        "what the scenario expects besides";
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_a_name_of_its_own() {
        let mut names: Vec<&str> = Check::ALL.iter().map(|check| check.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Check::ALL.len());
    }
}
