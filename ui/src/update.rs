//! What happens next: a model and a message give effects and the changed model. Knows no egui.
//!
//! The invariant: what the cashier enters reaches the lane in the order in which it was entered, one
//! command at a time. A scan whose item needs an answer first (age, weight) holds back everything
//! entered behind it, so nothing is lost and nothing overtakes.

mod answers;
mod enter;

use sale::{Command, Refusal};

use crate::commands::{Action, COMMANDS, Place, allowed};
use crate::entry::{Entered, is_barcode, parse};
use crate::message::{Effect, Message};
use crate::model::{
    Dialog, Job, Model, NOTICES_MAX, Notice, NoticeKind, OUTBOX_MAX, Question, Queued, ReasonFor,
    Sent, suggested_cash,
};

/// Fewer letters find too much to be worth a search.
const SEARCH_CHARS_MIN: usize = 2;

/// How far Page Up and Page Down go.
const PAGE_LINES: isize = 6;

/// Takes one message in. The only place in which a model changes.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let mut effects = Vec::new();
    match message {
        Message::Typed(text) => typed(model, &text, &mut effects),
        Message::Do(action) => {
            if allowed(model.place(), action) {
                act(model, action, &mut effects);
            }
        }
        Message::MarkLine(line) => model.selected = Some(line),
        Message::TakeFound(index) => take_found(model, index),
        Message::TakeReason(index) => take_reason(model, index),
        Message::TakeCash(amount) => tender(model, Some(amount)),
        Message::PutNoticesAway => model.notices.clear(),
        Message::Lane(update) => answers::take(model, update),
        Message::Clock(ms) => model.clock_ms = ms,
    }
    pump(model, &mut effects);
    effects
}

/// Gives the lane the next job, if it is free and nothing has to be answered first.
fn pump(model: &mut Model, effects: &mut Vec<Effect>) {
    while model.sent.is_none() && model.question.is_none() && model.view.is_some() {
        let resting = model
            .lane_down
            .as_ref()
            .is_some_and(|down| model.clock_ms < down.retry_at_ms);
        if resting {
            return;
        }
        let Some(Queued { job, stamp }) = model.outbox.pop_front() else {
            return;
        };
        match job {
            Job::OpenTender => open_tender(model, stamp),
            Job::Send(command) => {
                let ticket = take_ticket(model);
                effects.push(Effect::Submit {
                    ticket,
                    command: command.clone(),
                });
                model.sent = Some(Sent {
                    ticket,
                    command,
                    stamp,
                    at_ms: model.clock_ms,
                });
            }
        }
    }
}

fn take_ticket(model: &mut Model) -> u64 {
    let ticket = model.next_ticket;
    model.next_ticket += 1;
    ticket
}

/// Puts a job behind everything entered before it.
fn queue(model: &mut Model, job: Job) {
    model.stamp += 1;
    if model.outbox.len() >= OUTBOX_MAX {
        let message = "Too much is waiting for the lane; the last input was not taken.";
        let hint = "Wait until the lane has caught up, then enter it again.";
        return notify(model, NoticeKind::Failed, message, hint);
    }
    let stamp = model.stamp;
    model.outbox.push_back(Queued { job, stamp });
}

fn send(model: &mut Model, command: Command) {
    queue(model, Job::Send(command));
}

/// Shows words to the cashier; the same words twice are shown once.
fn notify(model: &mut Model, kind: NoticeKind, message: &str, hint: &str) {
    let notice = Notice {
        kind,
        message: sentence(message),
        hint: hint.to_owned(),
        stamp: model.stamp,
    };
    model.notices.retain(|old| old.message != notice.message);
    model.notices.push(notice);
    let surplus = model.notices.len().saturating_sub(NOTICES_MAX);
    model.notices.drain(..surplus);
}

/// With a capital letter in front, as errors of the lower crates have none.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Says that what was typed is no answer to what is asked.
fn not_an_answer(model: &mut Model, refusal: &Refusal) {
    let (message, hint) = refusal.said(model.language());
    notify(model, NoticeKind::Typed, &message, hint);
}

/// Nothing is asked any more, so words about wrong answers go.
fn asked_no_more(model: &mut Model) {
    model
        .notices
        .retain(|notice| notice.kind != NoticeKind::Typed);
}

/// Shows a refusal that needs no lane to be known, in the lane's own words.
fn refuse(model: &mut Model, refusal: Refusal) {
    let (message, hint) = refusal.said(model.language());
    notify(model, NoticeKind::Refused, &message, hint);
}

fn typed(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    if model.place() == Place::Starting {
        return;
    }
    model.entry.push(text);
    if model.place() == Place::Find {
        search(model, effects);
    }
}

fn act(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::Submit => enter::submit(model),
        Action::Back => back(model),
        Action::Yes => yes(model),
        Action::Erase | Action::Clear => {
            if action == Action::Erase {
                model.entry.erase();
            } else {
                model.entry.clear();
            }
            if model.place() == Place::Find {
                search(model, effects);
            }
        }
        Action::Up => step(model, -1),
        Action::Down => step(model, 1),
        Action::PageUp => step(model, -PAGE_LINES),
        Action::PageDown => step(model, PAGE_LINES),
        Action::First => step(model, isize::MIN),
        Action::Last => step(model, isize::MAX),
        Action::Help => toggle_help(model),
        Action::Search => open_search(model, effects),
        Action::Quantity => quantity(model),
        Action::VoidLine => match model.marked().map(|line| line.number) {
            Some(line) => send(model, Command::VoidLine { line }),
            None => refuse(model, Refusal::NoSale),
        },
        Action::Customer => open(model, Dialog::Customer),
        Action::Price => price(model),
        Action::LastReceipt => last_receipt(model),
        Action::VoidSale => match model.cart() {
            Some(_) => ask_reason(model, ReasonFor::VoidSale),
            None => refuse(model, Refusal::NoSale),
        },
        Action::SignOut => send(model, Command::SignOut),
        Action::Fullscreen => effects.push(Effect::ToggleFullscreen),
        Action::Pay => queue(model, Job::OpenTender),
        Action::CashExact => tender(model, None),
        Action::CashSuggested(n) => {
            let amounts = model.rest().map(suggested_cash).unwrap_or_default();
            if let Some(amount) = amounts.get(n) {
                tender(model, Some(amount.to_string()));
            }
        }
        Action::NextCustomer => next_customer(model),
        Action::Print => {
            if let Some((receipt, _)) = model.receipt_on_screen() {
                let receipt = receipt.id.clone();
                effects.push(Effect::Print { receipt });
            }
        }
    }
}

fn open(model: &mut Model, dialog: Dialog) {
    model.entry.clear();
    asked(model);
    model.dialog = Some(dialog);
}

/// Something new is asked: notices from now on are about that.
fn asked(model: &mut Model) {
    model.stamp += 1;
    model.asked_at = model.stamp;
}

fn close(model: &mut Model) {
    model.entry.clear();
    asked_no_more(model);
    model.dialog = None;
}

fn toggle_help(model: &mut Model) {
    match model.dialog {
        Some(_) => close(model),
        None => {
            model.scrolled = 0;
            model.dialog = Some(Dialog::Help);
        }
    }
}

fn last_receipt(model: &mut Model) {
    let printed = model
        .view
        .as_ref()
        .is_some_and(|view| view.register.last_receipt.is_some());
    if printed {
        model.scrolled = 0;
        model.dialog = Some(Dialog::LastReceipt);
    } else {
        let hint = "It can be shown after the first sale.";
        notify(
            model,
            NoticeKind::Info,
            "This lane has printed no receipt yet.",
            hint,
        );
    }
}

/// One step back. The screens themselves stay; what lies over them, or was typed, goes first.
fn back(model: &mut Model) {
    match model.place() {
        Place::Starting => {}
        Place::Age | Place::Weight => leave_out(model),
        Place::Prompt | Place::Choice | Place::Find | Place::Overlay => close(model),
        Place::SignIn => {
            if model.entry.is_empty() {
                model.sign_in.employee = None;
            }
            model.entry.clear();
        }
        Place::Tender => {
            model.entry.clear();
            if model.is_paying() {
                model.giving_back = model.paid();
                send(model, Command::CancelTender);
            } else {
                model.tendering = false;
            }
        }
        Place::Receipt if model.entry.is_empty() => next_customer(model),
        Place::Receipt => model.entry.clear(),
        Place::Sale => back_in_sale(model),
    }
}

fn back_in_sale(model: &mut Model) {
    if !model.entry.is_empty() {
        model.entry.clear();
    } else if model.lane_down.is_some() && !model.outbox.is_empty() {
        let count = model.outbox.len();
        model.outbox.clear();
        let message = format!("{count} waiting inputs were dropped.");
        let hint = "Check the sale and enter what is missing.";
        notify(model, NoticeKind::Refused, &message, hint);
    } else if model.selected.is_some() {
        model.selected = None;
    } else {
        model.notices.clear();
    }
}

/// The item that was asked about is not sold.
fn leave_out(model: &mut Model) {
    let Some(question) = model.question.take() else {
        return;
    };
    asked_no_more(model);
    let (Question::Age { description, .. } | Question::Weight { description, .. }) = question;
    let message = format!("Left out: {description}.");
    notify(
        model,
        NoticeKind::Info,
        &message,
        "The sale goes on without it.",
    );
}

fn yes(model: &mut Model) {
    if let Some(Question::Age {
        years, scan, stamp, ..
    }) = model.question.clone()
    {
        model.question = None;
        for command in [scan, Command::ConfirmAge { years }] {
            let job = Job::Send(command);
            model.outbox.push_front(Queued { job, stamp });
        }
    } else if let Some(Dialog::Reason { chosen, .. }) = model.dialog {
        take_reason(model, chosen);
    }
}

/// Moves the mark in the list that is on top, or scrolls the text that is.
fn step(model: &mut Model, by: isize) {
    let moved =
        |from: usize, count: usize| from.saturating_add_signed(by).min(count.saturating_sub(1));
    match (model.place(), &mut model.dialog) {
        (_, Some(Dialog::Find { found, chosen, .. })) => *chosen = moved(*chosen, found.len()),
        (_, Some(Dialog::Reason { why, chosen })) => *chosen = moved(*chosen, why.reasons().len()),
        (Place::Overlay | Place::Receipt, _) => {
            let rows = match model.paper() {
                Some(text) => text.lines().count(),
                None => COMMANDS.len(),
            };
            model.scrolled = moved(model.scrolled, rows);
        }
        _ => {
            let lines: Vec<u32> = model.lines().iter().map(|line| line.number).collect();
            let marked = model.marked().map(|line| line.number);
            let at = lines.iter().position(|line| Some(*line) == marked);
            if let Some(at) = at {
                model.selected = lines.get(moved(at, lines.len())).copied();
            }
        }
    }
}

/// A number that was typed before a line command was pressed.
fn typed_number(model: &Model) -> Option<String> {
    let text = model.entry.text().trim();
    let number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (!text.is_empty() && number && !is_barcode(text)).then(|| text.to_owned())
}

fn quantity(model: &mut Model) {
    let Some(line) = model.marked().map(|line| line.number) else {
        return refuse(model, Refusal::NoSale);
    };
    match typed_number(model) {
        Some(quantity) => {
            model.entry.clear();
            send(model, Command::SetQuantity { line, quantity });
        }
        None => open(model, Dialog::Quantity { line }),
    }
}

fn price(model: &mut Model) {
    let Some(line) = model.marked().map(|line| line.number) else {
        return refuse(model, Refusal::NoSale);
    };
    let needs = catalog::Role::Supervisor;
    let role = model
        .view
        .as_ref()
        .and_then(|view| view.register.cashier.as_ref())
        .map(|cashier| cashier.role);
    if role < Some(needs) {
        return refuse(model, Refusal::NotAllowed { needs });
    }
    open(model, Dialog::Price { line });
}

fn ask_reason(model: &mut Model, why: ReasonFor) {
    open(model, Dialog::Reason { why, chosen: 0 });
}

fn take_reason(model: &mut Model, index: usize) {
    let Some(Dialog::Reason { why, .. }) = &model.dialog else {
        return;
    };
    let Some(reason) = why.reasons().get(index).map(|text| (*text).to_owned()) else {
        return;
    };
    let command = match why.clone() {
        ReasonFor::VoidSale => Command::VoidCart { reason },
        ReasonFor::Price { line, unit_price } => Command::OverridePrice {
            line,
            unit_price,
            reason,
        },
        ReasonFor::Off { line, percent } => Command::Discount {
            line: Some(line),
            percent: Some(percent),
            amount: None,
            reason,
        },
    };
    close(model);
    send(model, command);
}

fn open_search(model: &mut Model, effects: &mut Vec<Effect>) {
    let (quantity, text) = match parse(model.entry.text()) {
        Entered::Nothing => (None, String::new()),
        Entered::QuantityOnly { quantity } => (Some(quantity), String::new()),
        Entered::Code { code, quantity } => (quantity, code),
    };
    open(
        model,
        Dialog::Find {
            ticket: None,
            found: Vec::new(),
            chosen: 0,
            quantity,
            settled: true,
        },
    );
    model.entry.push(&text);
    search(model, effects);
}

/// Asks the lane for what is typed. Only the newest search counts.
fn search(model: &mut Model, effects: &mut Vec<Effect>) {
    let words = model.entry.text().trim().to_owned();
    let worth_it = words.chars().count() >= SEARCH_CHARS_MIN && !is_barcode(&words);
    let new_ticket = worth_it.then(|| take_ticket(model));
    if let Some(Dialog::Find {
        ticket,
        found,
        chosen,
        settled,
        ..
    }) = &mut model.dialog
    {
        *ticket = new_ticket;
        *settled = new_ticket.is_none();
        *chosen = 0;
        if new_ticket.is_none() {
            found.clear();
        }
    }
    effects.extend(new_ticket.map(|ticket| Effect::Search { ticket, words }));
}

fn take_found(model: &mut Model, index: usize) {
    let Some(Dialog::Find {
        found, quantity, ..
    }) = &model.dialog
    else {
        return;
    };
    let Some(code) = found.get(index).map(|item| item.code.clone()) else {
        return;
    };
    let quantity = quantity.clone();
    close(model);
    enter::scan(model, code, quantity);
}

/// Shows what is to be paid, if there is anything. What was said about the sale up to `stamp` has
/// been seen there.
fn open_tender(model: &mut Model, stamp: u64) {
    match model.cart() {
        None => refuse(model, Refusal::NothingToPay),
        Some(cart) if cart.live_lines().next().is_none() => refuse(model, Refusal::NothingToPay),
        Some(_) => {
            model.notices.retain(|notice| notice.stamp >= stamp);
            model.tendering = true;
        }
    }
}

/// Takes cash, once: a second press while the first is on its way means the same money.
fn tender(model: &mut Model, amount: Option<String>) {
    let is_tender = |command: &Command| matches!(command, Command::TenderCash { .. });
    let sent = model.sent.iter().any(|sent| is_tender(&sent.command));
    let waits = model
        .outbox
        .iter()
        .any(|queued| matches!(&queued.job, Job::Send(command) if is_tender(command)));
    if !sent && !waits {
        model.entry.clear();
        send(model, Command::TenderCash { amount });
    }
}

/// Puts the receipt away.
fn next_customer(model: &mut Model) {
    model.receipt = None;
    model.entry.clear();
    model.notices.clear();
}

/// Puts the receipt away because the next sale has begun; the change stays readable.
fn put_receipt_away(model: &mut Model) {
    if let Some(receipt) = model.receipt.take()
        && !receipt.change.is_zero()
    {
        let message = format!("Last sale: change {}.", receipt.change);
        let hint = format!("Receipt {}.", receipt.id);
        notify(model, NoticeKind::Info, &message, &hint);
    }
}
