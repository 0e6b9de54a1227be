//! One robot at one lane: signs in, rings a basket up, takes the money.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::Done;
use catalog::{CustomerId, EmployeeId, Role};
use money::{Currency, Money};
use sale::{Cart, CartId, Command, Event, Pin, Receipt, Refusal};
use tokio::sync::watch;

use super::basket::{Basket, Ring};
use super::crew::RobotReport;
use super::patience::{PatientLane, Trouble};
use super::work::{Job, Work};
use crate::sample::Person;

/// How long to wait for a person to finish a sale on the robot's lane before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Times a basket is begun anew after a person has taken its cart away.
const ATTEMPTS_MAX: u32 = 5;
/// Tries to sign in, [`LOOK_AGAIN`] apart.
const SIGN_IN_TRIES: u32 = 20;

const OVERRIDE_REASON: &str = "shelf price of the day";

/// How long a robot rests, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    pub between_scans_ms: Range<u64>,
    pub between_baskets_ms: Range<u64>,
}

impl Pace {
    /// As fast as the lane answers.
    pub fn fastest() -> Pace {
        Pace {
            between_scans_ms: 0..0,
            between_baskets_ms: 0..0,
        }
    }

    /// As a good cashier works.
    pub fn human() -> Pace {
        Pace {
            between_scans_ms: 200..800,
            between_baskets_ms: 800..2500,
        }
    }
}

/// A robot and where it works.
#[derive(Clone, Debug)]
pub struct Cashier {
    /// The lane's data folder.
    pub folder: PathBuf,
    /// The folder's name, under which the robot's progress is kept.
    pub lane: String,
    /// Who it signs in as; prices are overridden, so at least a supervisor.
    pub person: Person,
    pub pace: Pace,
}

/// Why a basket was not finished.
pub(super) enum Broken {
    /// A person has voided or paid the robot's cart.
    CartGone,
    /// It cannot go on at all.
    Trouble(Trouble),
}

impl From<Trouble> for Broken {
    fn from(trouble: Trouble) -> Broken {
        match &trouble {
            Trouble::Refused {
                refusal: Refusal::NoSale | Refusal::NoSuchLine { .. } | Refusal::Paying { .. },
                ..
            } => Broken::CartGone,
            _ => Broken::Trouble(trouble),
        }
    }
}

/// What became of a basket.
struct Rung {
    lines: u64,
    gross: Money,
}

impl Cashier {
    /// Works until nothing is left to take, or it is asked to stop.
    pub async fn work(self, work: Arc<Work>, stop: watch::Receiver<bool>) -> RobotReport {
        let mut at = AtLane {
            lane: PatientLane::new(&self.folder),
            cashier: &self,
            report: RobotReport::default(),
            rests: 0,
            stop: stop.clone(),
        };
        while !*stop.borrow() {
            let job = match work.take(&self.lane) {
                Ok(Some(job)) => job,
                Ok(None) => break,
                Err(error) => {
                    let what = "the progress of the robots cannot be written";
                    at.report.problem(format!("{what}: {error}"));
                    break;
                }
            };
            if let Err(problem) = at.ring_up(&work, job).await {
                at.report.problem(format!("{}: {problem}", self.lane));
                break;
            }
            at.rest(&self.pace.between_baskets_ms).await;
        }
        let AtLane { lane, report, .. } = at;
        RobotReport {
            retries: lane.retries(),
            ..report
        }
    }
}

pub(super) struct AtLane<'a> {
    lane: PatientLane,
    cashier: &'a Cashier,
    report: RobotReport,
    rests: u64,
    stop: watch::Receiver<bool>,
}

impl AtLane<'_> {
    /// Rings a basket up to its receipt, beginning anew where a person took the cart away.
    async fn ring_up(&mut self, work: &Work, job: Job) -> Result<(), String> {
        let Job {
            basket,
            mut attempt,
            begun,
        } = job;
        let write = |error: std::io::Error| format!("the progress cannot be written: {error}");
        if begun
            && !self
                .goes_on(&basket, attempt)
                .await
                .map_err(|e| e.to_string())?
        {
            attempt += 1;
            work.begin_again(&self.cashier.lane, &basket.id, attempt)
                .map_err(write)?;
        }
        loop {
            match self.attempt(&basket, attempt).await {
                Ok(rung) => {
                    self.report.baskets += 1;
                    self.report.lines += rung.lines;
                    self.report.gross_minor += rung.gross.minor();
                    self.check(&basket, rung.gross);
                    return work.done(&basket.id).map_err(write);
                }
                Err(Broken::Trouble(trouble)) => return Err(trouble.to_string()),
                Err(Broken::CartGone) if attempt < ATTEMPTS_MAX => {
                    let note = format!("basket {} was taken away and is begun anew", basket.id);
                    self.report.problem(note);
                    attempt += 1;
                    work.begin_again(&self.cashier.lane, &basket.id, attempt)
                        .map_err(write)?;
                }
                Err(Broken::CartGone) => {
                    return Err(format!("basket {} was taken away too often", basket.id));
                }
            }
        }
    }

    fn check(&mut self, basket: &Basket, gross: Money) {
        if let Some(expected) = basket.expected().filter(|expected| *expected != gross) {
            let id = &basket.id;
            let note = format!("basket {id} came to {gross}, not to the expected {expected}");
            self.report.problem(note);
        }
    }

    /// Whether what an earlier robot began can be gone on with under the same command ids: its cart
    /// is open, or its receipt is printed, or nothing of it was carried out.
    async fn goes_on(&mut self, basket: &Basket, attempt: u32) -> Result<bool, Trouble> {
        let register = self.lane.view().await?.register;
        if register
            .cart
            .as_ref()
            .is_some_and(|cart| belongs(cart, basket))
        {
            return Ok(true);
        }
        if register.cart.is_some() {
            self.wait_for_own_turn(basket).await?;
        }
        // With no cart open, paying is refused, or answered as it was when it was carried out.
        match self
            .step(basket, attempt, "pay", Command::TenderCash { amount: None })
            .await
        {
            Ok(_) => Ok(true),
            Err(Trouble::Refused { .. }) => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }

    async fn attempt(&mut self, basket: &Basket, attempt: u32) -> Result<Rung, Broken> {
        self.wait_for_own_turn(basket).await?;
        let cart = self.open(basket, attempt).await?;
        if let Some(customer) = &basket.customer {
            let customer = CustomerId::from(customer.as_str());
            let set = Command::SetCustomer { customer };
            self.optional(basket, attempt, "customer", set).await?;
        }
        let mut ages = BTreeSet::new();
        let mut lines = Vec::new();
        for (place, ring) in basket.rings().iter().enumerate() {
            self.rest(&self.cashier.pace.between_scans_ms).await;
            let line = self.ring(basket, attempt, cart, place + 1, ring, &mut ages);
            lines.extend(line.await?);
        }
        self.before_paying(basket, attempt, cart, &lines).await?;
        self.pay(basket, attempt, cart).await
    }

    /// Waits until no other cart is open and the robot or an equal is signed in.
    async fn wait_for_own_turn(&mut self, basket: &Basket) -> Result<(), Trouble> {
        loop {
            let register = self.lane.view().await?.register;
            match (&register.cart, &register.cashier) {
                (Some(cart), Some(_)) if belongs(cart, basket) => return Ok(()),
                // A cart with a reference was opened by a robot that is not coming back.
                (Some(cart), Some(_)) if cart.reference.is_some() => {
                    self.send(Command::CancelTender).await?;
                    let reason = "left open by an earlier robot".to_owned();
                    self.send(Command::VoidCart { reason }).await?;
                }
                // A person is selling.
                (Some(_), Some(_)) => tokio::time::sleep(LOOK_AGAIN).await,
                (None, Some(cashier)) if cashier.role >= Role::Supervisor => return Ok(()),
                (None, Some(_)) => self.send(Command::SignOut).await?,
                (_, None) => self.sign_in().await?,
            }
        }
    }

    /// Signs in, unless somebody did meanwhile. A lane that has just joined may not know its people
    /// for a moment.
    async fn sign_in(&mut self) -> Result<(), Trouble> {
        let person = &self.cashier.person;
        let sign_in = Command::SignIn {
            employee: EmployeeId::from(person.number.as_str()),
            pin: Pin(person.pin.clone()),
        };
        for tries in 1.. {
            let answer = self.lane.command(None, sign_in.clone()).await;
            match answer {
                Err(Trouble::Refused {
                    refusal: Refusal::WrongPin,
                    ..
                }) if tries < SIGN_IN_TRIES => tokio::time::sleep(LOOK_AGAIN).await,
                Ok(_)
                | Err(Trouble::Refused {
                    refusal: Refusal::AlreadySignedIn { .. },
                    ..
                }) => return Ok(()),
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(())
    }

    /// Sends a command whose refusal only means that things have changed meanwhile.
    async fn send(&mut self, command: Command) -> Result<(), Trouble> {
        match self.lane.command(None, command).await {
            Ok(_) | Err(Trouble::Refused { .. }) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    /// Carries out one step of an attempt, once.
    pub(super) async fn step(
        &mut self,
        basket: &Basket,
        attempt: u32,
        step: &str,
        command: Command,
    ) -> Result<Done, Trouble> {
        let id = command_id(&basket.id, attempt, step);
        loop {
            match self.lane.command(Some(id.clone()), command.clone()).await {
                Err(Trouble::Refused {
                    refusal: Refusal::NotSignedIn,
                    ..
                }) => self.sign_in().await?,
                answer => return answer,
            }
        }
    }

    /// A step without which the basket is still worth ringing up.
    async fn optional(
        &mut self,
        basket: &Basket,
        attempt: u32,
        step: &str,
        command: Command,
    ) -> Result<Option<Done>, Broken> {
        match self
            .step(basket, attempt, step, command)
            .await
            .map_err(Broken::from)
        {
            Ok(done) => Ok(Some(done)),
            Err(Broken::Trouble(trouble @ Trouble::Refused { .. })) => {
                self.report
                    .problem(format!("basket {}: {trouble}", basket.id));
                Ok(None)
            }
            Err(broken) => Err(broken),
        }
    }

    async fn open(&mut self, basket: &Basket, attempt: u32) -> Result<CartId, Broken> {
        let open = Command::OpenCart {
            reference: Some(basket.id.clone()),
        };
        match self.step(basket, attempt, "open", open).await {
            Ok(done) => done
                .events
                .iter()
                .find_map(|event| match event {
                    Event::CartOpened { cart, .. } => Some(*cart),
                    _ => None,
                })
                .ok_or(Broken::CartGone),
            // Opened so long ago that the lane has forgotten the id.
            Err(Trouble::Refused {
                refusal: Refusal::SaleOpen,
                ..
            }) => {
                let register = self.lane.view().await?.register;
                let own = register.cart.filter(|cart| belongs(cart, basket));
                own.map(|cart| cart.id).ok_or(Broken::CartGone)
            }
            Err(trouble) => Err(trouble.into()),
        }
    }

    async fn ring(
        &mut self,
        basket: &Basket,
        attempt: u32,
        cart: CartId,
        place: usize,
        ring: &Ring,
        ages: &mut BTreeSet<u8>,
    ) -> Result<Option<u32>, Broken> {
        let scan = Command::Scan {
            code: ring.code.clone(),
            quantity: ring.quantity.clone(),
        };
        let step = place.to_string();
        let mut answer = self.step(basket, attempt, &step, scan.clone()).await;
        if let Err(Trouble::Refused {
            refusal: Refusal::AgeCheck { years, .. },
            ..
        }) = answer
            && ages.insert(years)
        {
            let confirm = Command::ConfirmAge { years };
            self.step(basket, attempt, &format!("{place}-age"), confirm)
                .await?;
            answer = self.step(basket, attempt, &step, scan).await;
        }
        let done = match answer.map_err(Broken::from) {
            Ok(done) => done,
            Err(Broken::Trouble(trouble @ Trouble::Refused { .. })) => {
                self.report
                    .problem(format!("basket {}: {trouble}", basket.id));
                return Ok(None);
            }
            Err(broken) => return Err(broken),
        };
        let Some((number, price)) = added(&done, cart) else {
            return Err(Broken::CartGone);
        };
        if let Some(wanted) = ring.unit_price.filter(|wanted| *wanted != price) {
            let set = Command::OverridePrice {
                line: number,
                unit_price: wanted.to_string(),
                reason: OVERRIDE_REASON.to_owned(),
            };
            let step = format!("{place}-price");
            self.optional(basket, attempt, &step, set).await?;
        }
        Ok(Some(number))
    }

    async fn pay(&mut self, basket: &Basket, attempt: u32, cart: CartId) -> Result<Rung, Broken> {
        let amount = match self.due(cart).await? {
            Some(due) => cash_for(due, &basket.id).map(|cash| cash.to_string()),
            None => None,
        };
        let mut done = self.tender(basket, attempt, "pay", amount).await;
        if let Ok(part) = &done
            && receipt_of(part).is_none()
        {
            // An offer ended between the look at the price and the paying.
            done = self.tender(basket, attempt, "pay-rest", None).await;
        }
        match done {
            Ok(done) => {
                let receipt = receipt_of(&done).ok_or(Broken::CartGone)?;
                let back = self.after_paying(basket, attempt, receipt).await?;
                let gross = receipt.totals.gross;
                Ok(Rung {
                    lines: receipt.lines.len() as u64,
                    gross: back.map_or(gross, |back| gross + back),
                })
            }
            // Every line was refused: there is nothing to pay for.
            Err(Trouble::Refused {
                refusal: Refusal::NothingToPay,
                ..
            }) => self.give_up(basket, attempt).await,
            Err(trouble) => Err(trouble.into()),
        }
    }

    async fn tender(
        &mut self,
        basket: &Basket,
        attempt: u32,
        step: &str,
        amount: Option<String>,
    ) -> Result<Done, Trouble> {
        let pay = Command::TenderCash { amount };
        self.step(basket, attempt, step, pay).await
    }

    async fn give_up(&mut self, basket: &Basket, attempt: u32) -> Result<Rung, Broken> {
        let void = Command::VoidCart {
            reason: "nothing in it could be sold".to_owned(),
        };
        self.step(basket, attempt, "void", void).await?;
        Ok(Rung {
            lines: 0,
            gross: Money::zero(Currency::USD),
        })
    }

    /// What is to be paid; `None` where the cart is closed already.
    pub(super) async fn due(&mut self, cart: CartId) -> Result<Option<Money>, Trouble> {
        let view = self.lane.view().await?;
        let open = view.register.cart.filter(|open| open.id == cart);
        Ok(open.and(view.totals).map(|totals| totals.total))
    }

    /// Rests between two ends, the same in every run; not at all once the robot is to stop.
    async fn rest(&mut self, range_ms: &Range<u64>) {
        if range_ms.is_empty() {
            return;
        }
        self.rests += 1;
        let hash = blake3::hash(format!("{}/{}", self.cashier.lane, self.rests).as_bytes());
        let throw = u64::from(u16::from_le_bytes([hash.as_bytes()[0], hash.as_bytes()[1]]));
        let span = range_ms.end - range_ms.start;
        let rest_ms = range_ms.start + throw * span / (u64::from(u16::MAX) + 1);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(rest_ms)) => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
        }
    }
}

fn belongs(cart: &Cart, basket: &Basket) -> bool {
    cart.reference.as_deref() == Some(basket.id.as_str())
}

/// The id of a step's command: the same whenever the step is sent again, never that of another.
fn command_id(basket: &str, attempt: u32, step: &str) -> String {
    match attempt {
        1 => format!("{basket}/{step}"),
        again => format!("{basket}~{again}/{step}"),
    }
}

pub(super) fn receipt_of(done: &Done) -> Option<&Receipt> {
    done.events.iter().find_map(|event| match event {
        Event::Completed { receipt, .. } => Some(receipt.as_ref()),
        _ => None,
    })
}

/// The line that a scan added to this cart, and its price.
fn added(done: &Done, to: CartId) -> Option<(u32, Money)> {
    done.events.iter().find_map(|event| match event {
        Event::LineAdded { cart, line } if *cart == to => Some((line.number, line.unit_price)),
        _ => None,
    })
}

/// What the customer hands over: the next 5, 10 or 20, or `None` for exactly what is due. The same
/// basket pays in the same way.
fn cash_for(due: Money, basket: &str) -> Option<Money> {
    let notes = [0, 5, 10, 20];
    let choice = usize::from(blake3::hash(basket.as_bytes()).as_bytes()[0]) % notes.len();
    let note = notes[choice] * 10_i64.pow(due.currency().minor_digits());
    if note == 0 {
        return None;
    }
    let minor = due.minor().div_euclid(note) * note;
    let enough = if minor < due.minor() {
        minor + note
    } else {
        minor
    };
    Some(Money::from_minor(enough, due.currency()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_one_id_and_an_attempt_its_own() {
        assert_eq!(command_id("31198481877", 1, "open"), "31198481877/open");
        assert_eq!(
            command_id("31198481877", 1, "12-price"),
            "31198481877/12-price"
        );
        assert_eq!(command_id("31198481877", 2, "12"), "31198481877~2/12");
    }

    #[test]
    fn cash_covers_what_is_due_and_is_the_same_every_time() {
        let due = Money::parse("17.31", Currency::USD).unwrap();
        let mut paid = BTreeSet::new();
        for basket in (0..64).map(|n| n.to_string()) {
            let cash = cash_for(due, &basket);
            assert_eq!(cash, cash_for(due, &basket));
            paid.insert(cash.map_or("exact".to_owned(), |cash| cash.to_string()));
        }
        let paid: Vec<&str> = paid.iter().map(String::as_str).collect();
        assert_eq!(paid, ["20.00", "exact"]);
        let round = Money::parse("40.00", Currency::USD).unwrap();
        for basket in (0..64).map(|n| n.to_string()) {
            assert_eq!(cash_for(round, &basket).unwrap_or(round), round);
        }
    }
}
