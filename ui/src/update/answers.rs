//! What the lane says, taken into the model.

use std::sync::Arc;

use api::{Answer, Done, LaneView, Problem, Ticket, Update};
use sale::{Command, Event, Refusal};

use super::{asked, notify, put_receipt_away, send};
use crate::model::{
    Dialog, FOUND_MAX, Job, LaneDown, Model, NoticeKind, Question, Queued, RETRY_MS, Sent, SignIn,
};

pub(super) fn take(model: &mut Model, update: Update) {
    match update {
        Update::View(view) => shown(model, view),
        Update::Answer { ticket, answer } => answered(model, ticket, answer),
        Update::Printing(Ok(())) => {
            let hint = "It waits where the printer cannot print yet.";
            notify(
                model,
                NoticeKind::Info,
                "The receipt goes to the printer.",
                hint,
            );
        }
        Update::Printing(Err(why)) => notify(model, NoticeKind::Failed, &why, ""),
        Update::Found { ticket, items } => {
            if let Some(Dialog::Find {
                ticket: wanted,
                found,
                chosen,
                settled,
                ..
            }) = &mut model.dialog
                && *wanted == Some(ticket)
            {
                *found = items;
                found.truncate(FOUND_MAX);
                *chosen = 0;
                *settled = true;
            }
        }
    }
}

fn shown(model: &mut Model, view: Arc<LaneView>) {
    let was_signed_in = model.signed_in();
    model.view = Some(view);
    model.view_at_ms = model.clock_ms;
    model.lane_down = None;
    match (was_signed_in, model.signed_in()) {
        (true, false) => signed_out(model),
        (false, true) => model.sign_in = SignIn::default(),
        _ => {}
    }
    if model.cart().is_none() {
        model.tendering = false;
        model.selected = None;
        model.fresh = None;
        let about_the_sale = matches!(
            model.dialog,
            Some(Dialog::Quantity { .. } | Dialog::Price { .. } | Dialog::Reason { .. })
        );
        if about_the_sale {
            model.dialog = None;
        }
    }
}

/// Nothing of one cashier's stays for the next.
fn signed_out(model: &mut Model) {
    model.entry.clear();
    model.sign_in = SignIn::default();
    model.tendering = false;
    model.receipt = None;
    model.question = None;
    model.dialog = None;
    model.notices.clear();
    model.outbox.clear();
}

fn answered(model: &mut Model, ticket: Ticket, answer: Answer) {
    let Some(sent) = model.sent.take_if(|sent| sent.ticket == ticket) else {
        return;
    };
    match answer {
        Ok(done) => {
            model.lane_down = None;
            model.notices.retain(|notice| notice.stamp >= sent.stamp);
            for event in &done.events {
                happened(model, event);
            }
            words_for(model, &done);
        }
        Err(Problem::Refused {
            refusal,
            message,
            hint,
        }) => {
            model.lane_down = None;
            refused(model, sent, refusal, &message, &hint);
        }
        Err(Problem::Stopped { message }) => {
            let hint = "Do not sell on this lane. Send customers to another one, call a manager.";
            notify(model, NoticeKind::Failed, &message, hint);
        }
        Err(Problem::Unavailable { message }) => unavailable(model, sent, message),
    }
}

fn happened(model: &mut Model, event: &Event) {
    match event {
        Event::LineAdded { line, .. } => {
            put_receipt_away(model);
            model.fresh = Some(line.number);
            model.selected = None;
        }
        Event::QuantityChanged { line, .. } | Event::PriceOverridden { line, .. } => {
            model.fresh = Some(*line);
        }
        Event::LineVoided { .. } => {
            model.selected = None;
            model.fresh = None;
        }
        Event::CartVoided { .. } | Event::TendersReturned { .. } | Event::Suspended { .. } => {
            model.tendering = false;
        }
        Event::Completed { receipt, .. } => {
            model.tendering = false;
            model.dialog = None;
            model.scrolled = 0;
            model.receipt = Some(receipt.clone());
        }
        Event::Training { event } => happened(model, event),
        Event::TrainingBegun { .. } | Event::TrainingEnded { .. } => {
            model.tendering = false;
            model.dialog = None;
            put_receipt_away(model);
        }
        Event::SignedIn { .. } => model.sign_in = SignIn::default(),
        // The view shows all else.
        _ => {}
    }
}

/// Says what a cashier would otherwise not see, or has to act on.
fn words_for(model: &mut Model, done: &Done) {
    for event in &done.events {
        let event = match event {
            Event::Training { event } => event,
            event => event,
        };
        let (message, hint) = match event {
            Event::LineVoided { line, .. } => {
                let description = model
                    .cart()
                    .and_then(|cart| cart.lines.iter().find(|l| l.number == *line))
                    .map_or_else(|| format!("line {line}"), |l| l.description.clone());
                (format!("Removed: {description}."), String::new())
            }
            Event::CartVoided { reason, .. } => {
                ("The sale was voided.".to_owned(), format!("{reason}."))
            }
            Event::TendersReturned { .. } => {
                let Some(paid) = model.giving_back.take() else {
                    continue;
                };
                let hint = "Then go on with the sale.".to_owned();
                (format!("Give back {paid}."), hint)
            }
            Event::CouponTaken { coupon, .. } => {
                let hint = "It is used up where it takes something off.".to_owned();
                (format!("Coupon taken: {coupon}."), hint)
            }
            Event::CustomerSet { name, tier, .. } => {
                (format!("Customer: {name}."), format!("{tier:?} tier."))
            }
            _ => continue,
        };
        notify(model, NoticeKind::Info, &message, &hint);
    }
}

fn refused(model: &mut Model, sent: Sent, refusal: Refusal, message: &str, hint: &str) {
    let stamp = sent.stamp;
    match (sent.command, refusal) {
        (
            scan @ Command::Scan { .. },
            Refusal::AgeCheck {
                description, years, ..
            },
        ) => {
            asked(model);
            model.question = Some(Question::Age {
                description,
                years,
                scan,
                stamp,
            });
        }
        (Command::Scan { code, .. }, Refusal::WeightNeeded { description, .. }) => {
            asked(model);
            model.question = Some(Question::Weight {
                description,
                code,
                stamp,
            });
        }
        // The screen shows the price with this tender; the money is taken when it is asked again.
        (Command::TenderCash { .. }, Refusal::OtherPrice { tender, .. }) => {
            let tender = Some(tender);
            send(model, Command::Quote { tender });
            let hint = "Tell the customer, then take the money.";
            notify(model, NoticeKind::Refused, message, hint);
        }
        (command, _) => {
            if matches!(command, Command::SignIn { .. }) {
                model.sign_in = SignIn::default();
                model.outbox.clear();
            }
            notify(model, NoticeKind::Refused, message, hint);
        }
    }
}

/// The lane took nothing. A scan stays in front of the queue and is tried again; anything else is
/// better decided anew by the cashier.
fn unavailable(model: &mut Model, sent: Sent, message: String) {
    let Sent { command, stamp, .. } = sent;
    if matches!(command, Command::Scan { .. }) {
        let job = Job::Send(command);
        model.outbox.push_front(Queued { job, stamp });
    } else {
        let hint = "It was not done. Try again in a moment.";
        notify(model, NoticeKind::Failed, &message, hint);
    }
    model.lane_down = Some(LaneDown {
        message,
        retry_at_ms: model.clock_ms + RETRY_MS,
    });
}
