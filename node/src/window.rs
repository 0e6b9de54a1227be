//! This lane for its checkout window: channels between the window's thread and the lane's tasks.

use std::sync::Arc;
use std::sync::mpsc;

use api::{Answer, CommandRequest, ItemFound, Problem, Ticket, Update};
use sale::Command;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc as queue;
use ui::{Context, WindowError, WindowOptions};

use crate::commands::asked_to_stop;
use crate::lane::Lane;

/// Commands the window may have under way; more wait in the window.
const COMMANDS_MAX: usize = 1024;

/// Shows the checkout window on this thread until it is closed or the process is asked to stop.
/// `shown` is called once, when the first frame is on the screen.
pub fn show(
    runtime: &Runtime,
    lane: &Lane,
    shown: impl FnOnce() + 'static,
) -> Result<(), WindowError> {
    let identity = lane.identity();
    let options = WindowOptions {
        title: format!("{} · {}", identity.lane_name, identity.store_name),
        ..WindowOptions::default()
    };
    let handle = runtime.handle().clone();
    let lane = lane.clone();
    let connect = move |context| -> Box<dyn api::Lane> {
        Box::new(WindowLane::connect(&handle, lane, context))
    };
    ui::run(options, connect, shown)
}

struct WindowLane {
    handle: Handle,
    lane: Lane,
    commands: queue::Sender<(Ticket, Command)>,
    updates: mpsc::Receiver<Update>,
    sender: Updates,
}

/// Hands updates to the window and wakes it.
#[derive(Clone)]
struct Updates {
    sender: mpsc::Sender<Update>,
    context: Context,
}

impl Updates {
    fn send(&self, update: Update) {
        if self.sender.send(update).is_ok() {
            self.context.request_repaint();
        }
    }

    fn answer(&self, ticket: Ticket, answer: Answer) {
        self.send(Update::Answer { ticket, answer });
    }
}

impl WindowLane {
    fn connect(handle: &Handle, lane: Lane, context: Context) -> WindowLane {
        let (sender, updates) = mpsc::channel();
        let sender = Updates { sender, context };
        let (commands, queue) = queue::channel(COMMANDS_MAX);
        handle.spawn(carry_out(lane.clone(), queue, sender.clone()));
        handle.spawn(watch_view(lane.clone(), sender.clone()));
        let context = sender.context.clone();
        handle.spawn(async move {
            asked_to_stop().await;
            ui::close(&context);
        });
        WindowLane {
            handle: handle.clone(),
            lane,
            commands,
            updates,
            sender,
        }
    }
}

/// Carries commands out one after the other, so that fast scans keep their order.
async fn carry_out(lane: Lane, mut queue: queue::Receiver<(Ticket, Command)>, updates: Updates) {
    while let Some((ticket, command)) = queue.recv().await {
        let request = CommandRequest { id: None, command };
        let answer = lane.command(request).await;
        updates.answer(ticket, answer);
    }
}

async fn watch_view(lane: Lane, updates: Updates) {
    let mut view = lane.view();
    loop {
        let now = Arc::clone(&view.borrow_and_update());
        updates.send(Update::View(now));
        if view.changed().await.is_err() {
            return;
        }
    }
}

impl api::Lane for WindowLane {
    fn submit(&mut self, ticket: Ticket, command: Command) {
        if self.commands.try_send((ticket, command)).is_err() {
            let message = "The lane is not answering. Nothing was changed.".to_owned();
            self.sender
                .answer(ticket, Err(Problem::Unavailable { message }));
        }
    }

    fn search(&mut self, ticket: Ticket, words: &str) {
        let (lane, words, updates) = (self.lane.clone(), words.to_owned(), self.sender.clone());
        self.handle.spawn(async move {
            let found: Result<Vec<ItemFound>, _> = lane.search(&words).await;
            let items = found.unwrap_or_else(|error| {
                tracing::error!(%error, "a search failed");
                Vec::new()
            });
            updates.send(Update::Found { ticket, items });
        });
    }

    fn print(&mut self, receipt: &str) {
        let (lane, receipt, updates) = (self.lane.clone(), receipt.to_owned(), self.sender.clone());
        self.handle.spawn(async move {
            let kept = lane.print_receipt(&receipt).await;
            let kept = kept.map(drop).map_err(|error| error.to_string());
            updates.send(Update::Printing(kept));
        });
    }

    fn poll(&mut self) -> Vec<Update> {
        self.updates.try_iter().collect()
    }
}
