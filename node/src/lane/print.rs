//! The papers of this lane: what is printed by itself, what waits for the printer, and the drawer.
//!
//! Once something is durable its paper is laid out and kept in a file until it is out, so that neither
//! a printer without paper nor a restart loses one. No sale waits for its paper, and none depends on it.

mod papers_of;
mod queue;

use std::sync::Arc;
use std::time::Duration;

use api::PrinterStatus;
use catalog::{Reference as _, Settings};
use devices::{Beside, Document, PrintKind};
use futures::future::BoxFuture;
use ledger::{Fact, LaneId, Seq, StoreView};
use providers::{SharedClock, SharedDisk};
use sale::{Event, Receipt, Shared as _};
use storage::{Journal, StateReader};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::papers::Papers;
use super::register::{LaneEvent, RegisterHandle};
use super::{Lane, LaneError};
use papers_of::{Layout, beside_on_paper, opens_drawer, style_of};
pub use papers_of::{receipt_on_paper, title_of, title_of_slip, title_of_z, z_on_paper};
pub use queue::Paper;
use queue::{PAPERS_MAX, Queue, QueueFull, Title};

/// Between two tries to print what a printer did not take.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// Requests that may wait for the desk.
const ORDERS_MAX: usize = 64;
/// Entries of this lane's journal read at once.
const PAGE: usize = 500;
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// How much of a paper came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CameOut {
    Nothing,
    /// Some of it; the printer goes on with the rest once it can.
    Part,
    /// Nobody can say.
    Unknown,
}

/// Why a paper is not out yet, in words for the person at the lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPrinted {
    pub why: String,
    pub came_out: CameOut,
}

/// A lane's receipt printer. It does one thing at a time, in the order in which it is asked.
pub trait ReceiptPrinter: Send + Sync {
    /// Where it is, for a person.
    fn name(&self) -> &str;
    /// Prints a paper. Asked for the same number again it goes on with what had come out in part.
    fn print(&self, number: u64, document: Document) -> BoxFuture<'static, Result<(), NotPrinted>>;
    /// Opens the drawer that is plugged into it; why not, in words, where it cannot.
    fn open_drawer(&self) -> BoxFuture<'static, Result<(), String>>;
}

/// Why a paper is not printed.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    #[error("No lane has printed such a receipt, as far as this one knows.")]
    Unknown,
    #[error(
        "This receipt has no such paper: a gift receipt is of what was sold, a card slip of what a card paid, \
         a credit note of what was given back as one, and none is of a training."
    )]
    Without,
    #[error(
        "This lane has no printer: start it with --printer, or have the receipt printed at another lane."
    )]
    NoPrinter,
    #[error("{PAPERS_MAX} papers wait for the printer already: mend it first, or cancel some.")]
    Full,
    #[error("This lane is closing.")]
    Closing,
    #[error(transparent)]
    Unreadable(#[from] LaneError),
}

/// What the desk is asked for.
enum Order {
    Print {
        title: String,
        document: Document,
        kept: oneshot::Sender<Result<u64, NotKept>>,
    },
    /// Takes a paper out; whether it was there.
    Cancel {
        number: u64,
        was_there: oneshot::Sender<bool>,
    },
}

/// The way to the desk. Clones share it.
#[derive(Clone)]
pub struct PrintHandle {
    orders: mpsc::Sender<Order>,
    waiting: watch::Receiver<Arc<Vec<Paper>>>,
    pub status: watch::Receiver<Option<PrinterStatus>>,
}

impl PrintHandle {
    /// Keeps a paper until it is printed; answers with its number.
    pub async fn print(&self, title: String, document: Document) -> Result<u64, NotKept> {
        let (kept, answer) = oneshot::channel();
        let order = Order::Print {
            title,
            document,
            kept,
        };
        let sent = self.orders.send(order).await;
        sent.map_err(|_| NotKept::Closing)?;
        answer.await.map_err(|_| NotKept::Closing)?
    }

    /// Takes a paper that waits out; whether there was one with that number.
    pub async fn cancel(&self, number: u64) -> Option<bool> {
        let (was_there, answer) = oneshot::channel();
        let order = Order::Cancel { number, was_there };
        self.orders.send(order).await.ok()?;
        answer.await.ok()
    }

    /// The papers that wait, oldest first.
    pub fn waiting(&self) -> Arc<Vec<Paper>> {
        self.waiting.borrow().clone()
    }
}

/// What the desk works with.
pub struct PrintParts {
    pub printer: Option<Arc<dyn ReceiptPrinter>>,
    pub lane: LaneId,
    pub lane_name: String,
    pub register: RegisterHandle,
    pub journal: Journal,
    pub state: StateReader,
    pub papers: Arc<Papers>,
    pub clock: SharedClock,
    pub disk: SharedDisk,
}

/// What the printer is doing.
type UnderWay = BoxFuture<'static, (u64, Result<(), NotPrinted>)>;
type Opening = BoxFuture<'static, Result<(), String>>;

/// Keeps papers, and has them printed one after the other.
pub struct PrintDesk {
    printer: Option<Arc<dyn ReceiptPrinter>>,
    layout: Layout,
    lane: LaneId,
    journal: Journal,
    clock: SharedClock,
    queue: Queue,
    trouble: Option<String>,
    drawer_trouble: Option<String>,
    /// When the printer is asked again; by the monotonic clock.
    again_at: Duration,
    orders: mpsc::Receiver<Order>,
    events: broadcast::Receiver<Arc<LaneEvent>>,
    waiting: watch::Sender<Arc<Vec<Paper>>>,
    status: watch::Sender<Option<PrinterStatus>>,
}

impl PrintDesk {
    pub fn new(parts: PrintParts) -> (PrintDesk, PrintHandle) {
        let (orders_in, orders) = mpsc::channel(ORDERS_MAX);
        let events = parts.register.events();
        // Nothing is printed of what was sold before this lane had a printer.
        let seq = parts.register.state.borrow().seq;
        let queue = Queue::open(parts.disk, parts.printer.is_some().then_some(seq));
        let (waiting, waiting_seen) = watch::channel(Arc::new(queue.waiting()));
        let (status, status_seen) = watch::channel(None);
        let desk = PrintDesk {
            printer: parts.printer,
            layout: Layout {
                state: parts.state,
                papers: parts.papers,
                lane_name: parts.lane_name,
            },
            lane: parts.lane,
            journal: parts.journal,
            clock: parts.clock,
            queue,
            trouble: None,
            drawer_trouble: None,
            again_at: Duration::ZERO,
            orders,
            events,
            waiting,
            status,
        };
        desk.tell();
        let handle = PrintHandle {
            orders: orders_in,
            waiting: waiting_seen,
            status: status_seen,
        };
        (desk, handle)
    }

    /// Select: waits for events, orders and the printer. Apply: one method for each.
    pub async fn run(mut self) {
        if self.printer.is_some() {
            self.catch_up();
        }
        let mut under_way: Option<UnderWay> = None;
        let mut opening: Option<Opening> = None;
        loop {
            if under_way.is_none() {
                under_way = self.next_paper();
            }
            let now = self.clock.monotonic();
            let pause = self.again_at.saturating_sub(now);
            let waits = under_way.is_none() && self.printer.is_some() && !self.queue.is_empty();
            tokio::select! {
                biased;
                event = self.events.recv(), if self.printer.is_some() => match event {
                    Ok(event) => {
                        if opens_drawer(&event.event) && opening.is_none() {
                            opening = self.printer.as_ref().map(|printer| printer.open_drawer());
                        }
                        self.happened(event.seq, &event.event);
                    }
                    Err(RecvError::Lagged(_)) => self.catch_up(),
                    Err(RecvError::Closed) => return,
                },
                opened = answer_of(&mut opening) => {
                    opening = None;
                    self.opened(opened);
                }
                (number, printed) = answer_of(&mut under_way) => {
                    under_way = None;
                    self.printed(number, printed);
                }
                order = self.orders.recv() => match order {
                    Some(order) => self.ordered(order),
                    None => return,
                },
                () = self.clock.sleep(pause), if waits => {}
            }
        }
    }

    /// Lays out what the journal holds behind the last event that was looked at.
    fn catch_up(&mut self) {
        while let Some(through) = self.queue.through() {
            let page = self.journal.read(self.lane, through + 1, PAGE, PAGE_BYTES);
            let page = match page {
                Ok(page) if page.is_empty() => return,
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(%error, "papers are missing that were not made before");
                    return;
                }
            };
            for entry in page {
                match entry.body().map(|body| body.fact) {
                    Ok(Fact::Register { event, .. }) => self.happened(entry.seq, &event),
                    _ => self.queue.looked_at(entry.seq),
                }
            }
        }
    }

    fn happened(&mut self, seq: Seq, event: &Event) {
        if self.queue.through().is_none_or(|through| seq <= through) {
            return;
        }
        self.queue.looked_at(seq);
        let papers = self.layout.papers_of(event);
        if !papers.is_empty() {
            if let Err(QueueFull) = self.keep(papers) {
                tracing::warn!("too many papers wait: one is not kept");
            }
        } else if matches!(event, Event::Completed { .. }) {
            // It must not come out at a start after which receipts are printed by themselves.
            self.queue.write();
        }
    }

    fn keep(&mut self, papers: Vec<(Title, Document)>) -> Result<u64, QueueFull> {
        let kept = self.queue.push(papers, self.clock.wall_ms());
        self.tell();
        kept
    }

    fn ordered(&mut self, order: Order) {
        match order {
            Order::Print {
                title,
                document,
                kept,
            } => {
                let number = match self.printer {
                    Some(_) => self
                        .keep(vec![(title, document)])
                        .map_err(|QueueFull| NotKept::Full),
                    None => Err(NotKept::NoPrinter),
                };
                // Whoever asked may have gone.
                let _ = kept.send(number);
            }
            Order::Cancel { number, was_there } => {
                let _ = was_there.send(self.queue.remove(number));
                if self.queue.is_empty() {
                    self.trouble = None;
                }
                self.tell();
            }
        }
    }

    /// Has the printer begin with the oldest paper, where it is time.
    fn next_paper(&mut self) -> Option<UnderWay> {
        let printer = self.printer.as_ref()?;
        if self.clock.monotonic() < self.again_at {
            return None;
        }
        let (number, document) = self.queue.begin()?;
        let printing = printer.print(number, document);
        Some(Box::pin(async move { (number, printing.await) }))
    }

    fn printed(&mut self, number: u64, printed: Result<(), NotPrinted>) {
        match printed {
            Ok(()) => {
                self.queue.remove(number);
                (self.trouble, self.drawer_trouble) = (None, None);
            }
            Err(NotPrinted { why, came_out }) => {
                self.queue.not_printed(number, came_out);
                if self.trouble.as_ref() != Some(&why) {
                    tracing::warn!(why, number, "a paper is not out");
                }
                self.trouble = Some(why);
                self.again_at = self.clock.monotonic() + AGAIN_AFTER;
            }
        }
        self.tell();
    }

    fn opened(&mut self, opened: Result<(), String>) {
        self.drawer_trouble = opened.err();
        if let Some(why) = &self.drawer_trouble {
            tracing::warn!(why, "the drawer was not opened");
        }
        self.tell();
    }

    /// Says how the printer stands, to whoever looks.
    fn tell(&self) {
        let waiting = self.queue.waiting();
        let is_shown = self.printer.is_some() || !waiting.is_empty();
        let drawer = self.drawer_trouble.as_ref();
        let drawer = drawer.map(|why| format!("The drawer was not opened, use its key: {why}"));
        let status = is_shown.then(|| PrinterStatus {
            name: self
                .printer
                .as_ref()
                .map(|printer| printer.name().to_owned()),
            waiting: waiting.len() as u64,
            trouble: self.trouble.clone().or(drawer),
        });
        self.waiting.send_replace(Arc::new(waiting));
        self.status.send_if_modified(|told| {
            let is_new = *told != status;
            *told = status;
            is_new
        });
    }
}

impl Lane {
    /// Has a receipt of any lane printed; answers with the number of the paper. It is a reprint, but for
    /// this lane's last one where that was not printed since the lane started.
    pub async fn print_receipt(&self, id: &str) -> Result<u64, NotKept> {
        let (receipt, settings) = self.receipt(id)?.ok_or(NotKept::Unknown)?;
        let last = self.working().last_receipt.map(|last| last.id);
        let papers = &self.shared.papers;
        let is_reprint = papers.hand_out_receipt(&receipt.id, last.as_deref());
        let kind = match is_reprint {
            true => PrintKind::Reprint,
            false => PrintKind::Original,
        };
        let document = receipt_on_paper(&receipt, settings, kind);
        let kept = self.shared.print.print(title_of(&receipt), document).await;
        if kept.is_err() && !is_reprint {
            papers.take_back_receipt(&receipt.id);
        }
        kept
    }

    /// Has a paper printed that goes with a receipt of any lane; answers with the number of the paper.
    pub async fn print_beside(&self, beside: Beside, id: &str) -> Result<u64, NotKept> {
        let (title, document) = self.beside(beside, id)?;
        self.shared.print.print(title, document).await
    }

    /// A paper that goes with a receipt of any lane, with its title. A credit note is a reprint: it is
    /// printed by itself as it is made.
    pub fn beside(&self, beside: Beside, id: &str) -> Result<(String, Document), NotKept> {
        let (receipt, settings) = self.receipt(id)?.ok_or(NotKept::Unknown)?;
        let style = style_of(settings, PrintKind::Original);
        let paper = beside_on_paper(beside, &receipt, &style);
        let (title, document) = paper.ok_or(NotKept::Without)?;
        let document = match beside {
            Beside::CreditNote => document.as_reprint(),
            Beside::GiftReceipt | Beside::CardSlip => document,
        };
        Ok((title, document))
    }

    /// A receipt of any lane, or the last one of a training that goes on: no other is kept.
    pub fn receipt(&self, id: &str) -> Result<Option<(Receipt, Settings)>, LaneError> {
        let found = self.known(|known| known.receipt(id))?;
        let found = found.map(|sold| sold.receipt).or_else(|| {
            let last = self.working().last_receipt?;
            (last.detail.training && last.id == id).then_some(*last)
        });
        let settings = self.read(|tables| Ok(StoreView::new(tables).settings()))?;
        Ok(found.map(|receipt| (receipt, settings)))
    }
}

/// The answer of what is under way; of nothing, none ever.
async fn answer_of<T>(under_way: &mut Option<BoxFuture<'static, T>>) -> T {
    match under_way {
        Some(answer) => answer.await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
