//! Taking money: what is due, what a customer is likely to hand over, and any other amount.

use egui::{Align2, Ui, vec2};

use super::sale;
use super::widgets::{
    Button, Field, Pad, card, cell, field, inside, keypad, label, notices, notices_height,
    show_notices, split_bottom, split_right, split_top,
};
use crate::commands::{Action, info};
use crate::message::Message;
use crate::model::{Model, suggested_cash};
use crate::theme::{self, ButtonKind};

const DUE_HEIGHT: f32 = 206.0;
const BACK_HEIGHT: f32 = 64.0;
const BACK_WIDTH: f32 = 280.0;
const CASH_HEIGHT: f32 = 208.0;

pub fn show(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let (left, side) = split_right(ui.max_rect(), sale::SIDE_WIDTH, theme::GAP);
    let (due, rest) = split_top(left, DUE_HEIGHT, theme::GAP);
    let (rest, back) = split_bottom(rest, BACK_HEIGHT, theme::GAP);
    let (cash, words) = split_top(rest, CASH_HEIGHT, theme::GAP);
    inside(ui, "due", due, |ui| amounts(model, ui));
    inside(ui, "cash", cash, |ui| quick_cash(model, ui, out));
    let shown = notices(model);
    let (_, words) = split_bottom(words, notices_height(ui, &shown, words.width()), 0.0);
    inside(ui, "notices", words, |ui| {
        show_notices(ui, words, &shown, out);
    });
    let label = if model.is_paying() {
        "Give the money back"
    } else {
        "Back to the sale"
    };
    let place = back.with_max_x(back.left() + BACK_WIDTH);
    if Button::of(Action::Back).label(label).show(ui, place) {
        out.push(Message::Do(Action::Back));
    }
    inside(ui, "side", side, |ui| typed(model, ui, out));
}

fn amounts(model: &Model, ui: &mut Ui) {
    let rect = ui.max_rect();
    card(ui, rect);
    let rect = rect.shrink2(vec2(theme::GAP * 2.0, theme::GAP * 1.5));
    let (Some(due), Some(rest)) = (model.due(), model.rest()) else {
        return;
    };
    let font = theme::text(theme::SIZE_LARGE);
    let words = format!("To pay, {}", due.currency());
    label(
        ui,
        rect,
        Align2::LEFT_TOP,
        &words,
        font.clone(),
        theme::INK_SOFT,
    );
    let huge = theme::strong(theme::SIZE_HUGE);
    label(
        ui,
        rect.translate(vec2(0.0, theme::GAP)),
        Align2::LEFT_CENTER,
        &rest.to_string(),
        huge,
        theme::INK,
    );
    if let Some(paid) = model.paid() {
        let words = format!("{paid} of {due} is paid");
        label(ui, rect, Align2::LEFT_BOTTOM, &words, font, theme::GO);
    }
}

/// Exactly what is due, and the notes that are likely.
fn quick_cash(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let rect = ui.max_rect();
    let Some(rest) = model.rest() else {
        return;
    };
    let exact = format!("Exact {rest}");
    let place = cell(rect, 3, 2, (0, 0), 1);
    let button = Button::of(Action::CashExact).label(&exact);
    let button = button.kind(ButtonKind::Go).size(theme::SIZE_LARGE);
    if button.show(ui, place) {
        out.push(Message::Do(Action::CashExact));
    }
    for (i, amount) in suggested_cash(rest).iter().enumerate() {
        let place = cell(rect, 3, 2, ((i + 1) % 3, (i + 1) / 3), 1);
        let text = amount.to_string();
        let mut button = Button::new(&text).size(theme::SIZE_TITLE);
        if let Some(row) = info(Action::CashSuggested(i)) {
            button = button.key(row.key);
        }
        if button.show(ui, place) {
            out.push(Message::TakeCash(text.clone()));
        }
    }
}

/// Any other amount.
fn typed(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    // Entry and keypad are where they are in the sale; the place of Pay stays empty, so that a
    // second touch there takes no money.
    let (total, rest) = split_top(ui.max_rect(), sale::TOTAL_HEIGHT, theme::GAP);
    let (rest, _) = split_bottom(rest, sale::PAY_HEIGHT, theme::GAP);
    inside(ui, "total", total, |ui| sale::sums(model, ui));
    let (entry, pad) = split_top(rest, theme::FIELD_HEIGHT, theme::GAP);
    let cash = Field {
        name: "Cash",
        text: model.entry.text(),
        hint: "Cash handed over",
        active: true,
    };
    field(ui, entry, &cash, out);
    inside(ui, "pad", pad, |ui| {
        keypad(ui, pad, Pad::Amount, "Take", out);
    });
}
