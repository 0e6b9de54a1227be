//! What Enter does, in each place.

use money::{Money, Quantity, Unit};
use sale::{Command, Pin, Refusal};

use super::{ask_reason, asked_no_more, close, next_customer, not_an_answer, notify};
use super::{put_receipt_away, send};
use super::{take_found, take_reason, tender};
use crate::commands::Place;
use crate::entry::{Entered, is_barcode, parse};
use crate::model::{Dialog, Job, Model, NoticeKind, Question, Queued, ReasonFor};

pub(super) fn submit(model: &mut Model) {
    if let Some(down) = &mut model.lane_down {
        down.retry_at_ms = 0;
    }
    match model.place() {
        Place::Starting => {}
        Place::SignIn => sign_in(model),
        Place::Sale | Place::Age => item(model),
        Place::Receipt if model.entry.is_empty() => next_customer(model),
        Place::Receipt => item(model),
        Place::Weight => weight(model),
        Place::Tender => cash(model),
        Place::Prompt => prompt(model),
        Place::Choice => choice(model),
        Place::Find => find(model),
        Place::Overlay => {
            model.dialog = None;
            if !model.entry.is_empty() {
                submit(model);
            }
        }
    }
}

fn sign_in(model: &mut Model) {
    // A cashier who is already recognised may scan before the lane has said so.
    let is_sign_in = |command: &Command| matches!(command, Command::SignIn { .. });
    if model.sent.iter().any(|sent| is_sign_in(&sent.command)) {
        return item(model);
    }
    let text = model.entry.take();
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    match model.sign_in.employee.take() {
        None => model.sign_in.employee = Some(text.to_owned()),
        Some(employee) => send(
            model,
            Command::SignIn {
                employee: employee.as_str().into(),
                pin: Pin(text.to_owned()),
            },
        ),
    }
}

/// An item was scanned or typed.
fn item(model: &mut Model) {
    match parse(&model.entry.take()) {
        Entered::Nothing => {}
        Entered::QuantityOnly { quantity } => {
            model.entry.push(&format!("{quantity}*"));
            let message = format!("Quantity {quantity}.");
            notify(
                model,
                NoticeKind::Info,
                &message,
                "Now scan or type the item.",
            );
        }
        Entered::Code { code, quantity } => scan(model, code, quantity),
    }
}

pub(super) fn scan(model: &mut Model, code: String, quantity: Option<String>) {
    send(model, Command::Scan { code, quantity });
    put_receipt_away(model);
}

fn weight(model: &mut Model) {
    let text = model.entry.take().trim().to_owned();
    if text.is_empty() {
        return;
    }
    let number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_barcode(&text) || !number {
        model.entry.push(&text);
        return item(model);
    }
    if let Err(error) = Quantity::parse(&text, Unit::Kilogram) {
        let reason = Box::new(error.into());
        return not_an_answer(model, &Refusal::BadQuantity { reason });
    }
    asked_no_more(model);
    if let Some(Question::Weight { code, stamp, .. }) = model.question.take() {
        let job = Job::Send(Command::Scan {
            code,
            quantity: Some(text),
        });
        model.outbox.push_front(Queued { job, stamp });
    }
}

fn cash(model: &mut Model) {
    let text = model.entry.text().trim().to_owned();
    if is_barcode(&text) {
        // One more item before the first money: it is simply sold.
        model.tendering = false;
        item(model);
    } else if !text.is_empty() {
        tender(model, Some(text));
    }
}

fn prompt(model: &mut Model) {
    let text = model.entry.text().trim().to_owned();
    let Some(dialog) = model.dialog.clone().filter(|_| !text.is_empty()) else {
        return;
    };
    if is_barcode(&text) && dialog != Dialog::Customer {
        return scanned_over_dialog(model);
    }
    match dialog {
        Dialog::Quantity { line } => {
            close(model);
            send(
                model,
                Command::SetQuantity {
                    line,
                    quantity: text,
                },
            );
        }
        Dialog::Price { line } => new_price(model, line, text),
        _ => {
            close(model);
            let customer = text.as_str().into();
            send(model, Command::SetCustomer { customer });
        }
    }
}

fn new_price(model: &mut Model, line: u32, unit_price: String) {
    let Some(currency) = model.view.as_ref().map(|view| view.currency) else {
        return;
    };
    if let Some(percent) = unit_price.strip_suffix('%') {
        let percent = percent.trim().to_owned();
        return ask_reason(model, ReasonFor::Off { line, percent });
    }
    match Money::parse(&unit_price, currency) {
        Ok(_) => ask_reason(model, ReasonFor::Price { line, unit_price }),
        Err(error) => {
            model.entry.clear();
            let reason = Box::new(error.into());
            not_an_answer(model, &Refusal::BadAmount { reason });
        }
    }
}

fn choice(model: &mut Model) {
    if is_barcode(model.entry.text()) {
        return scanned_over_dialog(model);
    }
    let text = model.entry.take();
    if let Ok(number) = text.trim().parse::<usize>()
        && number > 0
    {
        take_reason(model, number - 1);
    }
}

fn find(model: &mut Model) {
    if is_barcode(model.entry.text()) {
        return scanned_over_dialog(model);
    }
    if let Some(Dialog::Find {
        chosen,
        settled: true,
        ..
    }) = &model.dialog
    {
        let chosen = *chosen;
        take_found(model, chosen);
    }
}

/// A barcode came while something else was asked: the dialog gives way, the scan counts.
fn scanned_over_dialog(model: &mut Model) {
    model.dialog = None;
    item(model);
}
