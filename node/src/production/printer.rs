//! The lane's receipt printer: a thread of its own talks to it.

use std::sync::mpsc;

use devices::Document;
use devices::printer::{PrintTrouble, Printer, PrinterAt, PrinterLimits};
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use crate::lane::{CameOut, NotPrinted, ReceiptPrinter};

enum Job {
    Print {
        number: u64,
        document: Document,
        done: oneshot::Sender<Result<(), NotPrinted>>,
    },
    OpenDrawer {
        done: oneshot::Sender<Result<(), String>>,
    },
}

/// A printer that understands ESC/POS, or a file in its place.
pub struct EscposPrinter {
    name: String,
    jobs: mpsc::Sender<Job>,
}

impl EscposPrinter {
    pub fn new(at: &PrinterAt) -> EscposPrinter {
        let (jobs, queue) = mpsc::channel();
        let printer = Printer::new(at.clone(), PrinterLimits::default());
        std::thread::spawn(move || work(printer, &queue));
        EscposPrinter {
            name: at.to_string(),
            jobs,
        }
    }
}

/// Until the lane has closed.
fn work(mut printer: Printer, queue: &mpsc::Receiver<Job>) {
    // Nobody may wait for an answer any more: then the lane closes.
    while let Ok(job) = queue.recv() {
        match job {
            Job::Print {
                number,
                document,
                done,
            } => {
                let printed = printer.print(number, &document);
                let printed = printed.map_err(|trouble| NotPrinted {
                    came_out: came_out(&trouble, printer.has_begun(number)),
                    why: trouble.to_string(),
                });
                drop(done.send(printed));
            }
            Job::OpenDrawer { done } => {
                let opened = printer.open_drawer();
                drop(done.send(opened.map_err(|trouble| trouble.to_string())));
            }
        }
    }
}

fn came_out(trouble: &PrintTrouble, has_begun: bool) -> CameOut {
    match (trouble, has_begun) {
        (PrintTrouble::Lost { .. }, _) => CameOut::Unknown,
        (_, true) => CameOut::Part,
        (_, false) => CameOut::Nothing,
    }
}

const ENDED: &str = "the printer's thread has ended: start the lane again";

impl ReceiptPrinter for EscposPrinter {
    fn name(&self) -> &str {
        &self.name
    }

    fn print(&self, number: u64, document: Document) -> BoxFuture<'static, Result<(), NotPrinted>> {
        let (done, printed) = oneshot::channel();
        let job = Job::Print {
            number,
            document,
            done,
        };
        // What cannot be handed over is never answered.
        drop(self.jobs.send(job));
        Box::pin(async move {
            printed.await.unwrap_or_else(|_| {
                Err(NotPrinted {
                    why: ENDED.to_owned(),
                    came_out: CameOut::Nothing,
                })
            })
        })
    }

    fn open_drawer(&self) -> BoxFuture<'static, Result<(), String>> {
        let (done, opened) = oneshot::channel();
        drop(self.jobs.send(Job::OpenDrawer { done }));
        Box::pin(async move { opened.await.unwrap_or_else(|_| Err(ENDED.to_owned())) })
    }
}
