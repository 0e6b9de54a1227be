//! Draws the model and collects what the cashier does. Changes nothing itself.
//!
//! Screens are laid out by rectangles rather than by flow: a checkout must not jump when a notice
//! appears, and every button stays under the finger that learned where it is.

mod dialogs;
mod help;
mod receipt;
mod sale;
mod sign_in;
mod status_bar;
mod tender;
mod widgets;

use egui::{Align2, Ui};

use crate::commands::Place;
use crate::message::Message;
use crate::model::Model;
use crate::theme;
use widgets::{inside, label, split_top};

/// Draws one frame. What the cashier did goes to `out`, in order.
pub fn view(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let full = ui.max_rect();
    ui.painter().rect_filled(full, 0.0, theme::CANVAS);
    let (bar, body) = split_top(full, status_bar::height(model), 0.0);
    inside(ui, "status", bar, |ui| status_bar::show(model, ui, out));
    let body = body.shrink(theme::GAP);
    match model.screen() {
        Place::Starting => inside(ui, "starting", body, starting),
        Place::SignIn => inside(ui, "sign-in", body, |ui| sign_in::show(model, ui, out)),
        Place::Tender => inside(ui, "tender", body, |ui| tender::show(model, ui, out)),
        Place::Receipt => inside(ui, "receipt", body, |ui| receipt::show(model, ui, out)),
        _ => inside(ui, "sale", body, |ui| sale::show(model, ui, out)),
    }
    dialogs::show(model, ui, out);
}

fn starting(ui: &mut Ui) {
    let rect = ui.max_rect();
    label(
        ui,
        rect,
        Align2::CENTER_CENTER,
        "The lane is starting …",
        theme::text(theme::SIZE_TITLE),
        theme::INK_SOFT,
    );
}
