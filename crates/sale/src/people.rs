//! Who asks, and with whose leave: roles, approvals, reasons.

use catalog::{Action, EmployeeId, Role};

use crate::decide::{Decision, bounded, decide_as};
use crate::{Cashier, Command, Context, Event, Pin, Refusal, Register, training};

/// Who is behind a command: the cashier, and whoever approved it.
pub(crate) struct Who<'a> {
    pub cashier: &'a Cashier,
    pub approver: Option<catalog::Employee>,
}

impl Who<'_> {
    pub fn role(&self) -> Role {
        let approver = self.approver.as_ref().map(|approver| approver.role);
        approver.map_or(self.cashier.role, |role| role.max(self.cashier.role))
    }

    /// Who answers for it.
    pub fn id(&self) -> EmployeeId {
        match &self.approver {
            Some(approver) => approver.id.clone(),
            None => self.cashier.employee.clone(),
        }
    }

    /// Refuses what neither of them may do.
    pub fn may(&self, action: Action, ctx: &Context<'_>) -> Result<(), Refusal> {
        let needs = ctx.reference.settings().role_for(action);
        match self.role() >= needs {
            true => Ok(()),
            false => Err(Refusal::NotAllowed { needs }),
        }
    }
}

/// Decides on a command that somebody else approves on this lane.
pub(crate) fn approved(
    register: &Register,
    cashier: &Cashier,
    employee: &EmployeeId,
    pin: &Pin,
    command: &Command,
    ctx: &Context<'_>,
) -> Decision {
    if matches!(command, Command::Approved { .. } | Command::SignIn { .. }) {
        return Err(Refusal::NotApprovable);
    }
    let seconds = register.wrong_pins.wait_s(employee, ctx.now);
    if seconds > 0 {
        return Err(Refusal::TooManyWrongPins { seconds });
    }
    let found = ctx.reference.employee(employee);
    let approver = found.filter(|found| (ctx.pin_matches)(found, pin));
    let approver = approver.ok_or(Refusal::WrongPin)?;
    let approval = Event::Approved {
        by: approver.id.clone(),
        name: approver.name.clone(),
        role: approver.role,
        asked_by: cashier.employee.clone(),
        command: command.name().to_owned(),
        at: ctx.now,
    };
    let mut events = match training::takes(register, command) {
        true => vec![training::marked(approval)],
        false => vec![approval],
    };
    let who = Who {
        cashier,
        approver: Some(approver),
    };
    events.extend(decide_as(register, &who, command, ctx)?);
    Ok(events)
}

/// A reason that says something.
pub(crate) fn reasoned(reason: &str) -> Result<String, Refusal> {
    match reason.trim() {
        "" => Err(Refusal::ReasonNeeded),
        reason => Ok(bounded(reason)),
    }
}
