//! Everything a checkout window remembers. Knows no egui and no clock: the lane says what is sold,
//! the window says how long it has been open.

use std::collections::VecDeque;
use std::sync::Arc;

use api::{ItemFound, LaneView, Mode, Ticket};
use catalog::Language;
use devices::{PrintKind, ReceiptStyle, document, text_of};
use money::Money;
use sale::{Cart, Command, Line, LocalTime, Phase, Receipt};

use crate::commands::Place;
use crate::entry::Entry;

/// The most jobs that wait for the lane. A scan beyond that is refused aloud.
pub const OUTBOX_MAX: usize = 500;

/// The most notices shown at once; the newest stay.
pub const NOTICES_MAX: usize = 3;

/// From when on an unanswered command is worth telling the cashier about, in milliseconds.
pub const SLOW_MS: u64 = 400;

/// How long after a lane said that it takes nothing it is asked again, in milliseconds.
pub const RETRY_MS: u64 = 1_000;

/// The most search results shown.
pub const FOUND_MAX: usize = 50;

/// How a notice is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Something to know.
    Info,
    /// What was typed as an answer is none; goes as soon as there is a better one.
    Typed,
    /// Something was not done.
    Refused,
    /// The lane could not do it.
    Failed,
}

/// Words for the cashier that need no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub kind: NoticeKind,
    pub message: String,
    pub hint: String,
    /// Inputs entered up to this stamp do not clear the notice: the cashier had not seen it yet.
    pub stamp: u64,
}

/// Something to do in its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    Send(Command),
    /// Go on to paying, once everything entered before is in the sale.
    OpenTender,
}

/// A job and when it was entered, as a running number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    pub job: Job,
    pub stamp: u64,
}

/// The command that the lane is working on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub ticket: Ticket,
    pub command: Command,
    pub stamp: u64,
    /// When it was sent, in milliseconds since the window opened.
    pub at_ms: u64,
}

/// The lane takes nothing at the moment: it is starting or closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneDown {
    pub message: String,
    /// When what waits is tried again, in milliseconds since the window opened.
    pub retry_at_ms: u64,
}

/// What must be answered before the sale goes on; scans wait behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    Age {
        description: String,
        years: u8,
        scan: Command,
        stamp: u64,
    },
    Weight {
        description: String,
        code: String,
        stamp: u64,
    },
}

/// Why something is done, to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasonFor {
    VoidSale,
    Price {
        line: u32,
        unit_price: String,
    },
    /// A percentage off a line.
    Off {
        line: u32,
        percent: String,
    },
}

impl ReasonFor {
    /// The reasons a cashier can choose.
    pub fn reasons(&self) -> &'static [&'static str] {
        match self {
            ReasonFor::VoidSale => &[
                "Customer has left",
                "Customer cannot pay",
                "Rung up by mistake",
                "Training",
            ],
            ReasonFor::Price { .. } | ReasonFor::Off { .. } => &[
                "Shelf label says so",
                "Damaged or short-dated",
                "Price match",
                "Other",
            ],
        }
    }
}

/// What the cashier has opened over the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialog {
    Quantity {
        line: u32,
    },
    Price {
        line: u32,
    },
    Customer,
    Reason {
        why: ReasonFor,
        chosen: usize,
    },
    Find {
        /// The newest search; answers to earlier ones are dropped.
        ticket: Option<Ticket>,
        found: Vec<ItemFound>,
        chosen: usize,
        /// Typed as `3*` before the search.
        quantity: Option<String>,
        /// Whether `found` belongs to what is typed.
        settled: bool,
    },
    Help,
    LastReceipt,
}

/// Who is signing in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignIn {
    /// The number, once it was entered; the PIN is being typed then.
    pub employee: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    /// What the lane shows; none until it has started.
    pub view: Option<Arc<LaneView>>,
    /// When `view` came, in milliseconds since the window opened.
    pub view_at_ms: u64,
    /// Milliseconds since the window opened.
    pub clock_ms: u64,
    pub entry: Entry,
    pub sign_in: SignIn,
    pub tendering: bool,
    /// What the customer gets back when the tender that is being cancelled is.
    pub giving_back: Option<Money>,
    /// The sale that was just paid, until the next one begins.
    pub receipt: Option<Box<Receipt>>,
    pub question: Option<Question>,
    pub dialog: Option<Dialog>,
    pub notices: Vec<Notice>,
    /// The line the cashier marked; the last one counts where none is.
    pub selected: Option<u32>,
    /// How many rows down the text on the screen is scrolled.
    pub scrolled: usize,
    /// The line that was added last.
    pub fresh: Option<u32>,
    pub outbox: VecDeque<Queued>,
    pub sent: Option<Sent>,
    /// Set while the lane takes nothing.
    pub lane_down: Option<LaneDown>,
    pub next_ticket: Ticket,
    /// Counts what the cashier entered.
    pub stamp: u64,
    /// The stamp at which the question or dialog on top appeared: older notices are not about it.
    pub asked_at: u64,
}

impl Model {
    pub fn new() -> Model {
        Model {
            next_ticket: 1,
            ..Model::default()
        }
    }

    pub fn cart(&self) -> Option<&Cart> {
        self.view.as_ref()?.register.cart.as_ref()
    }

    pub fn signed_in(&self) -> bool {
        self.view
            .as_ref()
            .is_some_and(|view| view.register.cashier.is_some())
    }

    /// Whether the lane must not sell.
    pub fn is_stopped(&self) -> bool {
        self.view
            .as_ref()
            .is_some_and(|view| matches!(view.status.mode, Mode::Stop { .. }))
    }

    /// Lines that count, oldest first.
    pub fn lines(&self) -> Vec<&Line> {
        self.cart()
            .map(|cart| cart.live_lines().collect())
            .unwrap_or_default()
    }

    /// The line that the next line command is about.
    pub fn marked(&self) -> Option<&Line> {
        let lines = self.lines();
        lines
            .iter()
            .find(|line| Some(line.number) == self.selected)
            .or(lines.last())
            .copied()
    }

    /// What is to be paid for the open cart.
    pub fn due(&self) -> Option<Money> {
        let view = self.view.as_ref()?;
        match view.register.cart.as_ref()?.phase {
            Phase::Paying { due, .. } => Some(due),
            Phase::Selling => Some(view.totals.as_ref()?.total),
        }
    }

    /// What was handed over so far.
    pub fn paid(&self) -> Option<Money> {
        self.cart()?.paid()
    }

    /// What is still missing.
    pub fn rest(&self) -> Option<Money> {
        let due = self.due()?;
        Some(self.paid().map_or(due, |paid| due - paid))
    }

    pub fn is_paying(&self) -> bool {
        self.cart()
            .is_some_and(|cart| matches!(cart.phase, Phase::Paying { .. }))
    }

    /// The screen under any question or dialog.
    pub fn screen(&self) -> Place {
        match &self.view {
            None => Place::Starting,
            Some(_) if !self.signed_in() => Place::SignIn,
            Some(_) if self.receipt.is_some() => Place::Receipt,
            Some(_) if self.tendering || self.is_paying() => Place::Tender,
            Some(_) => Place::Sale,
        }
    }

    /// Where the cashier is: the topmost thing that takes input.
    pub fn place(&self) -> Place {
        match (&self.question, &self.dialog) {
            (Some(Question::Age { .. }), _) => Place::Age,
            (Some(Question::Weight { .. }), _) => Place::Weight,
            (None, Some(Dialog::Quantity { .. } | Dialog::Price { .. } | Dialog::Customer)) => {
                Place::Prompt
            }
            (None, Some(Dialog::Reason { .. })) => Place::Choice,
            (None, Some(Dialog::Find { .. })) => Place::Find,
            (None, Some(Dialog::Help | Dialog::LastReceipt)) => Place::Overlay,
            (None, None) => self.screen(),
        }
    }

    /// The receipt that can be read, and how it is marked.
    pub fn receipt_on_screen(&self) -> Option<(&Receipt, PrintKind)> {
        match (&self.dialog, &self.receipt) {
            (Some(Dialog::LastReceipt), _) => {
                let register = &self.view.as_ref()?.register;
                Some((register.last_receipt.as_ref()?, PrintKind::Reprint))
            }
            (None, Some(receipt)) => Some((receipt, PrintKind::Original)),
            _ => None,
        }
    }

    /// In which the lane answers and prints.
    pub fn language(&self) -> Language {
        let view = self.view.as_ref();
        view.map(|view| view.language).unwrap_or_default()
    }

    /// Its text.
    pub fn paper(&self) -> Option<String> {
        let (receipt, kind) = self.receipt_on_screen()?;
        let view = self.view.as_ref();
        let style = ReceiptStyle {
            address: view.map(|view| view.address.clone()).unwrap_or_default(),
            footer: view
                .map(|view| view.receipt_footer.clone())
                .unwrap_or_default(),
            language: self.language(),
            kind,
            // A screen shows no pictures.
            ..ReceiptStyle::default()
        };
        Some(text_of(&document(receipt, &style)))
    }

    /// The codes that wait for their turn, oldest first.
    pub fn waiting(&self) -> Vec<&str> {
        self.outbox
            .iter()
            .filter_map(|queued| match &queued.job {
                Job::Send(Command::Scan { code, .. }) => Some(code.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Whether a command has been on its way long enough to say so.
    pub fn is_slow(&self) -> bool {
        self.sent
            .as_ref()
            .is_some_and(|sent| self.clock_ms.saturating_sub(sent.at_ms) >= SLOW_MS)
    }

    /// The store's time now: the lane's, and as long as it has been since the lane said it.
    pub fn now(&self) -> Option<LocalTime> {
        let view = self.view.as_ref()?;
        Some(LocalTime {
            unix_ms: view.now.unix_ms + self.clock_ms.saturating_sub(self.view_at_ms),
            ..view.now
        })
    }

    /// Milliseconds until the shown minute changes.
    pub fn ms_to_next_minute(&self) -> Option<u64> {
        Some(60_000 - self.now()?.unix_ms % 60_000)
    }
}

/// The notes a customer is likely to hand over: the next multiples of 5, 10, 20, 50 and 100 units,
/// smallest first, each once, none equal to `due` itself. For a currency without minor units the
/// steps are a hundred times as large.
pub fn suggested_cash(due: Money) -> Vec<Money> {
    let digits = due.currency().minor_digits();
    let unit = if digits == 0 { 100 } else { 10_i64.pow(digits) };
    let mut amounts: Vec<i64> = [5, 10, 20, 50, 100]
        .into_iter()
        .map(|step| step * unit)
        .map(|step| due.minor().div_euclid(step).saturating_add(1) * step)
        .filter(|_| due.minor() > 0)
        .collect();
    amounts.sort_unstable();
    amounts.dedup();
    amounts
        .into_iter()
        .map(|minor| Money::from_minor(minor, due.currency()))
        .collect()
}

#[cfg(test)]
mod tests {
    use money::Currency;

    use super::*;

    #[test]
    fn suggested_cash_is_what_customers_hand_over() {
        let check = |due: &str, code: &str, expected: &[&str]| {
            let currency: Currency = code.parse().unwrap();
            let amounts = suggested_cash(Money::parse(due, currency).unwrap());
            let shown: Vec<String> = amounts.iter().map(Money::to_string).collect();
            assert_eq!(shown, expected, "{due}");
        };
        check(
            "21.34",
            "USD",
            &["25.00", "30.00", "40.00", "50.00", "100.00"],
        );
        check(
            "3.10",
            "USD",
            &["5.00", "10.00", "20.00", "50.00", "100.00"],
        );
        check(
            "20.00",
            "USD",
            &["25.00", "30.00", "40.00", "50.00", "100.00"],
        );
        check("96.00", "USD", &["100.00"]);
        check("187.50", "USD", &["190.00", "200.00"]);
        check("0.00", "USD", &[]);
        check("830", "JPY", &["1000", "2000", "5000", "10000"]);
    }
}
