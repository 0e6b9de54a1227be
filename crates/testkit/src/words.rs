//! Commands and events as text.
//!
//! Commands are written as a cashier would say them: `scan 4011 x 0.455`, `line 2 x 3`, `void 2`,
//! `price 2 0.99`, `age 21`, `customer 700`, `cash`, `cash 20`, `take back`, `void sale`, `open b-9`,
//! `in 101 1111`, `out`, `102: price 2 0.99` (approved by 102), `tax 1 food why`, `note 1 gift`,
//! `note gift`, `suspend`, `keep quote 2026-12-24`, `keep order`, `resume S3-1`, `open day`, `close day`, `drawer 100`, `assign 102`,
//! `no sale why`, `drop 50`, `pay in 5 why`, `pay out 5 why`, `count 20x3 0.25x4`, `z`,
//! `return 3-000001 1 x 2` (line 1, two of it), `with voucher V1 5`, `with gift-card G-1`, `with account`, `untender 1`,
//! `off 10% why`, `off 1 0.50 why` (line 1), `on 1` (discount 1 back), `coupon SPRING`, `uncoupon 1`,
//! `quote account`, `quote`, `sell gift x 2 at 4.50`, `sell phone no SN-1`, `return 3-000001 1 no SN-1`,
//! `back yogurt x 2 by ID-7 damaged why sour` (without a receipt; `at` and `no` as with `sell`),
//! `stock receive yogurt x 10 D-1`, `stock count yogurt x 8`, `stock adjust yogurt x -2 broken`, `stock
//! in yogurt x 2 north`, `new customer name=Ada_King phone=555-0101`, `new customer K-9 name=Ada`, `edit
//! customer 700 phone= tier=gold`, `merge 701 into 700 why`, `forget 700 why`, `train`, `train off`, `stock out yogurt x 2 north`, `born 1999-12-31`, `with card`, `with card 5 tip 1`, `cancel card`, `leave card why`. What the card
//! terminal says: `terminal approves`, `terminal approves 3` (3.00 in all), `terminal tips 1`, `terminal
//! declines`, `terminal doubts`, each with `#2` for an earlier question than the open one.

use std::collections::BTreeMap;

use catalog::{CustomerField, CustomerId, EmployeeId, TaxId};
use money::{Currency, Money};
use sale::{
    BusinessDay, CardAnswer, CardApproval, CardTransaction, CardWork, Command, CountedCash,
    DocumentKind, Event, HandOff, PayWith, Pin, Register, StockWork,
};

/// What the terminal says of the open question, or of the one that is named.
pub fn said_by_terminal(register: &Register, text: &str) -> (u64, CardAnswer) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let named = words.iter().find_map(|word| word.strip_prefix('#'));
    let number = named.map(|number| number.parse().unwrap());
    let number = number.unwrap_or(register.cards.asked);
    let asked = register.cards.pending(number);
    let asked = asked.map_or(Money::zero(Currency::USD), |open| open.ask.work.amount());
    let amount = |text: &&str| Money::parse(text, Currency::USD).unwrap();
    let said = words.get(1).filter(|word| !word.starts_with('#'));
    let reason = "the terminal says so".to_owned();
    let approves = |amount: Money, tip: Option<Money>| CardAnswer::Approved {
        approval: Box::new(CardApproval {
            amount,
            tip,
            transaction: CardTransaction {
                id: format!("t{number}"),
                time: "2026-11-27T10:00:00Z".to_owned(),
            },
            brand: Some("VISA".to_owned()),
            last_four: Some("0119".to_owned()),
            token: Some(format!("tok-{number}")),
            approval_code: Some("000001".to_owned()),
            offline: false,
        }),
    };
    let answer = match words[0] {
        "approves" => approves(said.map_or(asked, amount), None),
        "tips" => {
            let tip = amount(said.unwrap());
            approves(asked + tip, Some(tip))
        }
        "declines" => CardAnswer::Declined { reason },
        "doubts" => CardAnswer::Doubtful { reason },
        other => panic!("no terminal {other}"),
    };
    (number, answer)
}

/// Reads a command as the head of this file describes.
pub fn command(text: &str) -> Command {
    let words: Vec<&str> = text.split_whitespace().collect();
    let own = |text: &str| text.to_owned();
    let line = |text: &str| text.parse().unwrap();
    match words.as_slice() {
        ["in", employee, pin] => Command::SignIn {
            employee: EmployeeId::from(*employee),
            pin: Pin(own(pin)),
        },
        [by, rest @ ..] if by.ends_with(':') => Command::Approved {
            employee: EmployeeId::from(by.trim_end_matches(':')),
            pin: Pin(own("1111")),
            command: Box::new(command(&rest.join(" "))),
        },
        ["tax", number, tax, why @ ..] => Command::OverrideTax {
            line: line(number),
            tax: TaxId::from(*tax),
            reason: why.join(" "),
        },
        ["note", number, text @ ..] if number.parse::<u32>().is_ok() => Command::Note {
            line: Some(line(number)),
            text: text.join(" "),
        },
        ["note", text @ ..] => Command::Note {
            line: None,
            text: text.join(" "),
        },
        ["suspend"] => Command::Suspend,
        ["keep", kind, rest @ ..] => Command::Keep {
            kind: match *kind {
                "quote" => DocumentKind::Quote,
                "order" => DocumentKind::Order,
                other => panic!("nothing is kept as {other}"),
            },
            until: rest.first().map(|day| BusinessDay(own(day))),
        },
        ["resume", slip] => Command::Resume { slip: own(slip) },
        ["open", "day"] => Command::OpenDay { day: None },
        ["open", "day", day] => Command::OpenDay {
            day: Some(BusinessDay(own(day))),
        },
        ["close", "day"] => Command::CloseDay,
        ["drawer", float] => Command::OpenDrawer { float: own(float) },
        ["assign", employee] => Command::AssignDrawer {
            employee: EmployeeId::from(*employee),
        },
        ["no", "sale", why @ ..] => Command::NoSale {
            reason: why.join(" "),
        },
        ["drop", amount] => Command::Drop {
            amount: own(amount),
        },
        ["pay", "in", amount, why @ ..] => Command::PayIn {
            amount: own(amount),
            reason: why.join(" "),
        },
        ["pay", "out", amount, why @ ..] => Command::PayOut {
            amount: own(amount),
            reason: why.join(" "),
        },
        ["count", pieces @ ..] => Command::CountDrawer {
            counted: pieces
                .iter()
                .map(|piece| {
                    let (value, pieces) = piece.split_once('x').unwrap();
                    CountedCash {
                        value: own(value),
                        pieces: pieces.parse().unwrap(),
                    }
                })
                .collect(),
        },
        ["return", receipt, number] => take_back(receipt, number, None),
        ["return", receipt, number, "x", quantity] => {
            take_back(receipt, number, Some(own(quantity)))
        }
        ["return", receipt, number, "no", serial] => {
            let mut command = take_back(receipt, number, None);
            if let Command::Return { serial: named, .. } = &mut command {
                *named = Some(own(serial));
            }
            command
        }
        ["back", code, rest @ ..] => back(code, rest),
        ["stock", work, code, "x", quantity, rest @ ..] => stock(work, code, quantity, rest),
        ["train"] => Command::BeginTraining,
        ["train", "off"] => Command::EndTraining,
        ["sell", code, rest @ ..] => sell(code, rest),
        ["born", day] => Command::ConfirmBirth { born: own(day) },
        ["with", kind, rest @ ..] => pay(kind, rest),
        ["untender", number] => Command::VoidTender {
            number: line(number),
        },
        ["z"] => Command::ReportZ,
        ["out"] => Command::SignOut,
        ["open"] => Command::OpenCart { reference: None },
        ["open", reference] => Command::OpenCart {
            reference: Some(own(reference)),
        },
        ["scan", code] => Command::Scan {
            code: own(code),
            quantity: None,
        },
        ["scan", code, "x", quantity] => Command::Scan {
            code: own(code),
            quantity: Some(own(quantity)),
        },
        ["line", number, "x", quantity] => Command::SetQuantity {
            line: line(number),
            quantity: own(quantity),
        },
        ["void", "sale"] => Command::VoidCart {
            reason: own("left the shop"),
        },
        ["void", number] => Command::VoidLine { line: line(number) },
        ["price", number, unit_price] => Command::OverridePrice {
            line: line(number),
            unit_price: own(unit_price),
            reason: own("dented"),
        },
        ["age", years] => Command::ConfirmAge {
            years: years.parse().unwrap(),
        },
        ["new", "customer", rest @ ..] => {
            let number = rest.first().filter(|word| !word.contains('='));
            Command::CreateCustomer {
                customer: number.map(|number| CustomerId::from(*number)),
                fields: fields(
                    rest.get(usize::from(number.is_some())..)
                        .unwrap_or_default(),
                ),
            }
        }
        ["edit", "customer", id, rest @ ..] => Command::EditCustomer {
            customer: CustomerId::from(*id),
            fields: fields(rest),
        },
        ["merge", from, "into", into, why @ ..] => Command::MergeCustomers {
            from: CustomerId::from(*from),
            into: CustomerId::from(*into),
            reason: why.join(" "),
        },
        ["forget", id, why @ ..] => Command::EraseCustomer {
            customer: CustomerId::from(*id),
            reason: why.join(" "),
        },
        ["customer", id] => Command::SetCustomer {
            customer: CustomerId::from(*id),
        },
        ["cash"] => Command::TenderCash { amount: None },
        ["cash", amount] => Command::TenderCash {
            amount: Some(own(amount)),
        },
        ["off", number, much, why @ ..] if number.parse::<u32>().is_ok() => {
            off(Some(line(number)), much, why)
        }
        ["off", much, why @ ..] => off(None, much, why),
        ["on", number] => Command::VoidDiscount {
            number: line(number),
        },
        ["coupon", code] => Command::Coupon { code: own(code) },
        ["uncoupon", number] => Command::VoidCoupon {
            number: line(number),
        },
        ["requote"] => Command::Requote,
        ["quote"] => Command::Quote { tender: None },
        ["quote", tender] => Command::Quote {
            tender: Some(own(tender)),
        },
        ["take", "back"] => Command::CancelTender,
        ["cancel", "card"] => Command::CancelCard,
        ["leave", "card", why @ ..] => Command::LeaveCard {
            reason: why.join(" "),
        },
        _ => panic!("'{text}' is no command"),
    }
}

fn off(line: Option<u32>, much: &str, why: &[&str]) -> Command {
    let percent = much.strip_suffix('%');
    Command::Discount {
        line,
        percent: percent.map(str::to_owned),
        amount: percent.is_none().then(|| much.to_owned()),
        reason: why.join(" "),
    }
}

/// `name=Ada_King phone=555-0101`, with `_` for spaces.
pub fn fields(words: &[&str]) -> BTreeMap<CustomerField, String> {
    let field = |word: &&str| {
        let (name, text) = word.split_once('=').unwrap();
        let field = CustomerField::ALL.into_iter().find(|f| f.name() == name);
        (field.unwrap(), text.replace('_', " "))
    };
    words.iter().map(field).collect()
}

fn take_back(receipt: &str, line: &str, quantity: Option<String>) -> Command {
    Command::Return {
        receipt: receipt.to_owned(),
        line: line.parse().unwrap(),
        quantity,
        reason: "does not fit".to_owned(),
        restock: true,
        serial: None,
    }
}

/// `x 2`, `at 4.50` and `no SN-1` after a code, in any order.
fn sell(code: &str, rest: &[&str]) -> Command {
    let of = |word: &str| {
        let place = rest.iter().position(|found| *found == word)?;
        rest.get(place + 1).map(|text| (*text).to_owned())
    };
    Command::Sell {
        code: code.to_owned(),
        quantity: of("x"),
        price: of("at"),
        serial: of("no"),
    }
}

/// `x 2`, `at 4.50`, `no SN-1`, `by DOCUMENT`, `damaged` and `why REASON` after a code, in any order.
fn back(code: &str, rest: &[&str]) -> Command {
    let of = |word: &str| {
        let place = rest.iter().position(|found| *found == word)?;
        rest.get(place + 1).map(|text| (*text).to_owned())
    };
    Command::ReturnUnreceipted {
        code: code.to_owned(),
        quantity: of("x"),
        price: of("at"),
        serial: of("no"),
        document: of("by"),
        reason: of("why").unwrap_or_default(),
        restock: !rest.contains(&"damaged"),
    }
}

/// What is moved is followed by a reference, a reason or a store.
fn stock(work: &str, code: &str, quantity: &str, rest: &[&str]) -> Command {
    let words = rest.join(" ");
    let work = match work {
        "receive" => StockWork::Receive {
            reference: Some(words),
        },
        "count" => StockWork::Count,
        "adjust" => StockWork::Adjust { reason: words },
        "in" => StockWork::TransferIn { from: words },
        "out" => StockWork::TransferOut { to: words },
        other => panic!("stock is not moved by {other}"),
    };
    Command::Stock {
        code: code.to_owned(),
        quantity: quantity.to_owned(),
        work,
    }
}

/// `voucher NUMBER AMOUNT`, `account AMOUNT`, … The amount may be left out.
fn pay(kind: &str, rest: &[&str]) -> Command {
    let number = rest
        .first()
        .map_or(String::new(), |text| (*text).to_owned());
    let tip = rest.iter().position(|word| *word == "tip");
    let tip = tip.and_then(|place| rest.get(place + 1));
    let (with, amount) = match kind {
        "card" => {
            let tip = tip.map(|text| (*text).to_owned());
            let amount = rest.first().filter(|text| **text != "tip");
            (PayWith::Card { tip }, amount)
        }
        "points" => (PayWith::Points, rest.first()),
        "account" => (PayWith::Account, rest.first()),
        "voucher" => (PayWith::Voucher { number }, rest.get(1)),
        "cheque" => (PayWith::Cheque { number }, rest.get(1)),
        "credit" => (PayWith::StoreCredit { number }, rest.get(1)),
        "gift-card" => (PayWith::GiftCard { number }, rest.get(1)),
        currency => {
            let currency = currency.to_uppercase();
            (PayWith::ForeignCash { currency }, rest.first())
        }
    };
    Command::Tender {
        with,
        amount: amount.map(|text| (*text).to_owned()),
    }
}

/// An event in a few words.
pub fn show(event: &Event) -> String {
    match event {
        Event::SignedIn { name, role, .. } => format!("{name} in as {role:?}"),
        Event::SignInFailed { employee, .. } => format!("wrong PIN for {employee}"),
        Event::SignedOut { .. } => "out".to_owned(),
        Event::CartOpened {
            cart,
            book,
            day,
            reference,
            ..
        } => {
            let reference = reference.as_deref().unwrap_or("-");
            format!(
                "cart {} opened, book {book}, {day}, {reference}",
                cart.number
            )
        }
        Event::LineAdded { line, .. } => {
            let (number, item) = (line.number, &line.item);
            let added = format!(
                "line {number}: {} {item} at {}",
                line.quantity, line.unit_price
            );
            match (line.unreceipted(), &line.detail.returned) {
                (Some(back), Some(of)) => {
                    let from = back.from.key();
                    format!("{added}, back from {from} by {}: {}", back.by, of.reason)
                }
                _ => added,
            }
        }
        Event::QuantityChanged { line, quantity, .. } => format!("line {line} now {quantity}"),
        Event::PriceOverridden {
            line,
            unit_price,
            reason,
            ..
        } => {
            let (by, why) = (&reason.by, &reason.reason);
            format!("line {line} now at {unit_price} by {by}: {why}")
        }
        Event::LineVoided { line, .. } => format!("line {line} void"),
        Event::AgeConfirmed { years, by, .. } => format!("age {years} seen by {by}"),
        Event::CustomerSet { name, tier, .. } => format!("customer {name}, {tier:?}"),
        Event::TenderStarted { due, .. } => format!("due {due}"),
        Event::Tendered { tender, .. } => format!("{} {}", tender.kind(), tender.amount()),
        Event::TendersReturned { .. } => "tenders returned".to_owned(),
        Event::CartVoided { reason, .. } => format!("cart void: {reason}"),
        Event::Approved { by, command, .. } => format!("{by} approved {command}"),
        Event::TaxOverridden { line, tax, .. } => format!("line {line} now taxed {}", tax.id),
        Event::Noted { line, text, .. } => match line {
            Some(line) => format!("line {line} noted: {text}"),
            None => format!("noted: {text}"),
        },
        Event::Suspended { slip, open, .. } => {
            let kept = open.kept.as_ref().map(|kept| {
                let until = kept.until.as_ref();
                let until = until.map_or(String::new(), |day| format!(" until {day}"));
                format!(" as {:?}{until}, {} due", kept.kind, kept.due)
            });
            let kept = kept.unwrap_or_default();
            format!("{slip} put aside{kept}, {} lines", open.lines.len())
        }
        Event::Resumed { slip, open, .. } => format!("{slip} goes on, {} lines", open.lines.len()),
        Event::DayOpened { day, .. } => format!("day {day} open"),
        Event::DayClosed {
            day,
            unshared_receipts,
            ..
        } => format!("day {day} closed, {unshared_receipts} unshared"),
        Event::DrawerOpened { float, by, .. } => format!("drawer of {by} with {float}"),
        Event::DrawerAssigned { employee, by, .. } => format!("drawer to {employee} by {by}"),
        Event::NoSale { reason, by, .. } => format!("no sale by {by}: {reason}"),
        Event::CashMoved {
            movement, amount, ..
        } => format!("{movement:?} {amount}"),
        Event::DrawerCounted {
            counted, expected, ..
        } => format!("counted {counted} of {expected}"),
        Event::TenderVoided { number, .. } => format!("tender {number} given back"),
        Event::CouponTaken { coupon, .. } => format!("coupon {coupon}"),
        Event::CouponReturned { number, .. } => format!("coupon {number} handed back"),
        Event::DiscountGiven { discount, .. } => {
            let off = match discount.off {
                HandOff::Percent(rate) => rate.to_string(),
                HandOff::Amount(amount) => amount.to_string(),
            };
            let place = discount
                .line
                .map_or("the sale".to_owned(), |l| format!("line {l}"));
            format!("{off} off {place} by {}: {}", discount.by, discount.reason)
        }
        Event::DiscountVoided { number, .. } => format!("discount {number} taken back"),
        Event::TenderQuoted {
            tender,
            before,
            due,
            ..
        } => format!(
            "{before} with {} is {due}",
            tender.as_deref().unwrap_or("any")
        ),
        Event::LimitsKnown { rights, given, .. } => {
            let words = |counts: &BTreeMap<String, u32>| -> String {
                let counts = counts.iter().map(|(id, times)| format!(" {id} {times}"));
                counts.collect()
            };
            format!("left{} given{}", words(rights), words(given))
        }
        Event::Requoted {
            book,
            prices,
            before,
            due,
            ..
        } => {
            let prices = prices
                .iter()
                .map(|(line, price)| format!(" {line}:{price}"));
            let prices: String = prices.collect();
            format!("quoted anew by book {}{prices}: {before} is {due}", book.0)
        }
        Event::CardAsked { ask } => {
            let amount = ask.work.amount();
            match &ask.work {
                CardWork::Pay { tip: None, .. } => {
                    format!("card {} asked for {amount}", ask.number)
                }
                CardWork::Pay { tip: Some(tip), .. } => {
                    format!("card {} asked for {amount} and {tip}", ask.number)
                }
                CardWork::Refund { of, .. } => format!(
                    "card {} to be given {amount} of {} tender {}",
                    ask.number, of.receipt, of.tender
                ),
                CardWork::Reverse { original, .. } => {
                    format!(
                        "card {} to take back {amount} of {}",
                        ask.number, original.id
                    )
                }
            }
        }
        Event::CardCancelled { number, .. } => format!("card {number} cancelled"),
        Event::CardAnswered {
            ask, answer, late, ..
        } => {
            let late = if *late { " late" } else { "" };
            let answer = match answer {
                CardAnswer::Approved { approval } => format!("approved {}", approval.amount),
                CardAnswer::Declined { reason } => format!("declined: {reason}"),
                CardAnswer::Doubtful { reason } => format!("in doubt: {reason}"),
            };
            format!("card {}{late} {answer}", ask.number)
        }
        Event::CardLeft {
            ask, reason, by, ..
        } => format!("card {} left by {by}: {reason}", ask.number),
        Event::StockMoved {
            item,
            work,
            milli,
            by,
            ..
        } => {
            let why = match work {
                StockWork::Receive { reference } => {
                    format!("received, {}", reference.as_deref().unwrap_or("-"))
                }
                StockWork::Count => "counted".to_owned(),
                StockWork::Adjust { reason } => format!("put right: {reason}"),
                StockWork::TransferIn { from } => format!("from {from}"),
                StockWork::TransferOut { to } => format!("to {to}"),
            };
            format!("{milli:+} of {item} by {by}, {why}")
        }
        Event::CustomerKept {
            customer,
            created,
            fields,
            by,
            ..
        } => {
            let fields = fields
                .iter()
                .map(|(field, text)| format!(" {}={text}", field.name()));
            let fields: String = fields.collect();
            let made = if *created { "new" } else { "edited" };
            format!("customer {customer} {made} by {by}:{fields}")
        }
        Event::CustomersMerged {
            from,
            into,
            reason,
            by,
            ..
        } => format!("customer {from} is {into}, by {by}: {reason}"),
        Event::CustomerErased {
            customer,
            reason,
            by,
            ..
        } => format!("customer {customer} erased by {by}: {reason}"),
        Event::TrainingBegun { by, .. } => format!("training begun by {by}"),
        Event::TrainingEnded { by, .. } => format!("training ended by {by}"),
        Event::Training { event } => format!("TRAINING {}", show(event)),
        Event::ReportedZ { number, report, .. } => format!(
            "Z {number}: {} receipts, {}",
            report.receipts.count, report.receipts.amount
        ),
        Event::Completed { receipt, .. } => format!(
            "receipt {}, total {}, change {}",
            receipt.id, receipt.totals.total, receipt.change
        ),
    }
}
