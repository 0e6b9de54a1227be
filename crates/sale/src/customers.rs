//! Customers: set on a sale, made known at the lane, said anew, found to be one and the same, erased.
//!
//! What is said of a customer is a fact of the lane on which it was said, field by field, so that two
//! lanes that cannot reach each other may both say something. How the store settles that is stated in
//! the ledger's rules.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{Action, Customer, CustomerField, CustomerId, ItemCode};

use crate::decide::{Decision, bounded, with_cart};
use crate::lines::holds_card_number;
use crate::people::{Who, reasoned};
use crate::{Command, Context, Event, Refusal, Register, Standing, Why};

pub(crate) fn decide(
    register: &Register,
    who: &Who<'_>,
    command: &Command,
    ctx: &Context<'_>,
) -> Decision {
    match command {
        Command::SetCustomer { customer } => set_customer(register, customer, ctx),
        Command::CreateCustomer { customer, fields } => {
            create(register, who, customer.as_ref(), fields, ctx)
        }
        Command::EditCustomer { customer, fields } => edit(who, customer, fields, ctx),
        Command::MergeCustomers { from, into, reason } => {
            merge(register, who, (from, into), reason, ctx)
        }
        Command::EraseCustomer { customer, reason } => erase(register, who, customer, reason, ctx),
        _ => unreachable!("`decide_as` takes every other command"),
    }
}

impl Event {
    /// Whether it says something of customers that every lane should know.
    pub fn is_about_customers(&self) -> bool {
        matches!(
            self,
            Event::CustomerKept { .. }
                | Event::CustomersMerged { .. }
                | Event::CustomerErased { .. }
        )
    }
}

fn find(customer: &CustomerId, ctx: &Context<'_>) -> Result<Customer, Refusal> {
    let found = ctx.shared.customer(ctx.reference, customer);
    found.ok_or_else(|| Refusal::UnknownCustomer {
        customer: customer.to_string(),
    })
}

fn set_customer(register: &Register, customer: &CustomerId, ctx: &Context<'_>) -> Decision {
    let found = find(customer, ctx)?;
    let bought = match ctx.book.asks_bought() {
        items if items.is_empty() => BTreeMap::new(),
        items => ctx.shared.bought(&found.id, &items),
    };
    let standing = Standing::of(&found, ctx.shared.history(&found.id), bought);
    with_cart(register, ctx, |cart| Event::CustomerSet {
        cart,
        customer: found.id.clone(),
        name: found.name.clone(),
        tier: found.tier,
        standing: Box::new(standing),
    })
}

fn create(
    register: &Register,
    who: &Who<'_>,
    number: Option<&CustomerId>,
    fields: &BTreeMap<CustomerField, String>,
    ctx: &Context<'_>,
) -> Decision {
    let known = |id: &CustomerId| ctx.shared.customer(ctx.reference, id).is_some();
    let id = match number {
        Some(id) => CustomerId(sound_number(&id.0)?),
        None => free_number(register, ctx.lane_number, &known),
    };
    if known(&id) {
        return Err(Refusal::CustomerExists {
            customer: id.to_string(),
        });
    }
    let mut customer = Customer::new(id);
    may_say(who, fields.keys(), ctx)?;
    say(&mut customer, fields)?;
    // A customer has a name, whatever else is known.
    say_one(&mut customer.clone(), CustomerField::Name, &customer.name)?;
    let said = CustomerField::ALL.map(|field| (field, customer.text(field)));
    Ok(vec![Event::CustomerKept {
        fields: said
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .collect(),
        customer: customer.id,
        created: true,
        by: who.id(),
        at: ctx.now,
    }])
}

fn edit(
    who: &Who<'_>,
    customer: &CustomerId,
    fields: &BTreeMap<CustomerField, String>,
    ctx: &Context<'_>,
) -> Decision {
    let before = find(customer, ctx)?;
    let mut after = before.clone();
    say(&mut after, fields)?;
    let said: BTreeMap<CustomerField, String> = CustomerField::ALL
        .into_iter()
        .map(|field| (field, after.text(field)))
        .filter(|(field, text)| *text != before.text(*field))
        .collect();
    if said.is_empty() {
        return Err(Refusal::CustomerAsKnown { name: before.name });
    }
    may_say(who, said.keys(), ctx)?;
    Ok(vec![Event::CustomerKept {
        customer: before.id,
        created: false,
        fields: said,
        by: who.id(),
        at: ctx.now,
    }])
}

fn merge(
    register: &Register,
    who: &Who<'_>,
    (from, into): (&CustomerId, &CustomerId),
    reason: &str,
    ctx: &Context<'_>,
) -> Decision {
    who.may(Action::MergeCustomers, ctx)?;
    let (from, into) = (find(from, ctx)?, find(into, ctx)?);
    if from.id == into.id {
        return Err(Refusal::SameCustomer {
            customer: into.id.to_string(),
        });
    }
    not_in_sale(register, &from.id)?;
    Ok(vec![Event::CustomersMerged {
        from: from.id,
        into: into.id,
        reason: reasoned(reason)?,
        by: who.id(),
        at: ctx.now,
    }])
}

fn erase(
    register: &Register,
    who: &Who<'_>,
    customer: &CustomerId,
    reason: &str,
    ctx: &Context<'_>,
) -> Decision {
    who.may(Action::EraseCustomer, ctx)?;
    let found = find(customer, ctx)?;
    not_in_sale(register, &found.id)?;
    Ok(vec![Event::CustomerErased {
        customer: found.id,
        reason: reasoned(reason)?,
        by: who.id(),
        at: ctx.now,
    }])
}

/// Refuses to take a customer away from the open sale.
fn not_in_sale(register: &Register, customer: &CustomerId) -> Result<(), Refusal> {
    let open = register
        .cart
        .as_ref()
        .and_then(|cart| cart.customer.as_ref());
    match open.is_some_and(|(id, _, _)| id == customer) {
        true => Err(Refusal::SaleOpen),
        false => Ok(()),
    }
}

/// Refuses fields about which neither the cashier nor whoever approved it may say anything.
fn may_say<'f>(
    who: &Who<'_>,
    fields: impl Iterator<Item = &'f CustomerField>,
    ctx: &Context<'_>,
) -> Result<(), Refusal> {
    let actions = fields.map(|field| match field.is_worth_money() {
        true => Action::GrantCustomer,
        false => Action::EditCustomer,
    });
    let actions: BTreeSet<Action> = actions.chain([Action::EditCustomer]).collect();
    actions
        .into_iter()
        .try_for_each(|action| who.may(action, ctx))
}

fn say(customer: &mut Customer, fields: &BTreeMap<CustomerField, String>) -> Result<(), Refusal> {
    let mut each = fields.iter();
    each.try_for_each(|(field, text)| say_one(customer, *field, text))
}

fn say_one(customer: &mut Customer, field: CustomerField, text: &str) -> Result<(), Refusal> {
    let bad = |reason| Refusal::BadCustomer {
        field,
        reason: Box::new(reason),
    };
    if holds_card_number(text) {
        return Err(bad(Why::LooksLikeCard));
    }
    let set = customer.set(field, text);
    set.map_err(|error| {
        bad(Why::Field {
            field,
            why: error.why.to_owned(),
        })
    })
}

/// A number that can be typed and printed: the same as in a file of customers.
fn sound_number(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    match ItemCode::parse_internal(text) {
        Ok(_) if !holds_card_number(text) => Ok(bounded(text)),
        _ => Err(Refusal::BadNumber),
    }
}

/// The next number of this lane's own, such as `K3-12`. No other lane gives it.
fn free_number(
    register: &Register,
    lane_number: u32,
    known: &dyn Fn(&CustomerId) -> bool,
) -> CustomerId {
    let mut number = register.customers;
    loop {
        number += 1;
        let id = CustomerId(format!("K{lane_number}-{number}"));
        if !known(&id) {
            return id;
        }
    }
}
