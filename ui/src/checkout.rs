//! The checkout of one lane: model, update and view put together, without a window around them.
//!
//! Whoever owns the frame calls [`Checkout::show`] in it: the real window, or a test.

use std::time::Duration;

use api::Lane;
use egui::{Context, Ui, ViewportCommand};

use crate::keys;
use crate::message::{Effect, Message};
use crate::model::{Model, RETRY_MS, SLOW_MS};
use crate::update::update;
use crate::view::view;

/// How often a lane that answers at once is asked again within one frame.
const POLLS_MAX: usize = 64;

pub struct Checkout {
    model: Model,
    lane: Box<dyn Lane>,
}

impl Checkout {
    pub fn new(lane: Box<dyn Lane>) -> Checkout {
        Checkout {
            model: Model::new(),
            lane,
        }
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Takes in what the lane has said and how late it is. Works without a visible window.
    pub fn poll(&mut self, ctx: &Context) {
        let open_s = ctx.input(|input| input.time);
        self.take(ctx, Message::Clock((open_s * 1000.0) as u64));
        self.listen(ctx);
        self.wake_later(ctx);
    }

    /// One frame: the lane's news, the keyboard, then the screen and what was touched on it.
    pub fn show(&mut self, ui: &mut Ui) {
        let ctx = ui.ctx().clone();
        self.poll(&ctx);
        for event in ctx.input(|input| input.events.clone()) {
            for input in keys::inputs(&event) {
                if let Some(message) = keys::message(self.model.place(), input) {
                    self.take(&ctx, message);
                }
            }
        }
        self.listen(&ctx);
        let mut touched = Vec::new();
        view(&self.model, ui, &mut touched);
        if !touched.is_empty() {
            // What was drawn is out of date now.
            ctx.request_repaint();
        }
        for message in touched {
            self.take(&ctx, message);
        }
        self.listen(&ctx);
        self.wake_later(&ctx);
    }

    fn take(&mut self, ctx: &Context, message: Message) {
        for effect in update(&mut self.model, message) {
            match effect {
                Effect::Submit { ticket, command } => self.lane.submit(ticket, command),
                Effect::Search { ticket, words } => self.lane.search(ticket, &words),
                Effect::Print { receipt } => self.lane.print(&receipt),
                Effect::ToggleFullscreen => {
                    let is_full = ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
                    ctx.send_viewport_cmd(ViewportCommand::Fullscreen(!is_full));
                }
            }
        }
    }

    fn listen(&mut self, ctx: &Context) {
        for _ in 0..POLLS_MAX {
            let updates = self.lane.poll();
            if updates.is_empty() {
                return;
            }
            for update in updates {
                self.take(ctx, Message::Lane(update));
            }
        }
        ctx.request_repaint();
    }

    /// Nothing moves by itself but the clock, so there is no reason to draw before it does.
    fn wake_later(&self, ctx: &Context) {
        let later = |ms: u64| ctx.request_repaint_after(Duration::from_millis(ms));
        if let Some(ms) = self.model.ms_to_next_minute() {
            later(ms);
        }
        if self.model.sent.is_some() && !self.model.is_slow() {
            later(SLOW_MS);
        }
        if self.model.lane_down.is_some() && !self.model.outbox.is_empty() {
            later(RETRY_MS);
        }
    }
}
