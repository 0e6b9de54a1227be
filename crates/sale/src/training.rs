//! Training: a register of its own inside the register, over the same books.
//!
//! What is rung up in it is decided and folded like everything else, on a register that begins with
//! nothing and ends with the training. Its events are in the journal inside [`Event::Training`], so no
//! rule of the books, no sum, no number and no stock sees them, and a lane that was killed is still in
//! training when it is back. Nobody signs in or out, puts sales aside or asks the card terminal there:
//! those reach beyond the register.

use catalog::{Action, EmployeeId};
use serde::{Deserialize, Serialize};

use crate::decide::{Decision, decide_here};
use crate::people::Who;
use crate::suspend::is_slip;
use crate::{Command, Context, Event, LocalRights, LocalTime, PayWith, Refusal, Register};

/// A lane in training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    /// Who let it begin.
    pub by: EmployeeId,
    pub since: LocalTime,
    pub register: Register,
}

impl Training {
    /// Begins with whoever is signed in, and with nothing rung up.
    pub(crate) fn new(by: &EmployeeId, since: LocalTime, real: &Register) -> Training {
        Training {
            by: by.clone(),
            since,
            register: Register {
                cashier: real.cashier.clone(),
                day: real.day.clone(),
                is_training: true,
                ..Register::default()
            },
        }
    }
}

pub(crate) fn begin(register: &Register, who: &Who<'_>, ctx: &Context<'_>) -> Decision {
    who.may(Action::Train, ctx)?;
    if register.training.is_some() {
        return Err(Refusal::InTraining);
    }
    if register.cart.is_some() {
        return Err(Refusal::SaleOpen);
    }
    Ok(vec![Event::TrainingBegun {
        by: who.id(),
        at: ctx.now,
    }])
}

pub(crate) fn end(register: &Register, who: &Who<'_>, ctx: &Context<'_>) -> Decision {
    who.may(Action::Train, ctx)?;
    match register.training {
        Some(_) => Ok(vec![Event::TrainingEnded {
            by: who.id(),
            at: ctx.now,
        }]),
        None => Err(Refusal::NotInTraining),
    }
}

/// Decides on the register of the training.
pub(crate) fn decide(
    training: &Training,
    who: &Who<'_>,
    command: &Command,
    ctx: &Context<'_>,
) -> Decision {
    if reaches_beyond(command) {
        return Err(Refusal::InTraining);
    }
    let ctx = Context {
        terminal: None,
        rights: &LocalRights,
        ..*ctx
    };
    let events = decide_here(&training.register, who, command, &ctx)?;
    Ok(events.into_iter().map(marked).collect())
}

/// An event as one of the training.
pub(crate) fn marked(event: Event) -> Event {
    Event::Training {
        event: Box::new(event),
    }
}

/// Whether a command is decided by the training.
pub(crate) fn takes(register: &Register, command: &Command) -> bool {
    let about_it = matches!(command, Command::BeginTraining | Command::EndTraining);
    register.training.is_some() && !about_it
}

fn reaches_beyond(command: &Command) -> bool {
    match command {
        Command::SignOut
        | Command::Suspend
        | Command::Keep { .. }
        | Command::Resume { .. }
        | Command::CancelCard
        | Command::LeaveCard { .. } => true,
        Command::Tender { with, .. } => matches!(with, PayWith::Card { .. }),
        Command::Scan { code, .. } => is_slip(code.trim()),
        _ => false,
    }
}
