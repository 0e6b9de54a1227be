//! Sign-in: a number and a PIN.

use egui::{Align2, Ui};
use sale::Command;

use super::widgets::{
    Field, Pad, card, field, inside, keypad, label, notices, notices_height, show_notices,
    split_bottom, split_top,
};
use crate::message::Message;
use crate::model::Model;
use crate::theme;

const WIDTH: f32 = 440.0;
const HEIGHT: f32 = 596.0;
const TITLE_HEIGHT: f32 = 44.0;
const NAME_HEIGHT: f32 = 24.0;

pub fn show(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let body = ui.max_rect();
    let shown = notices(model);
    // Room for one notice is kept under the card, so that the keypad stays where it is.
    let under = theme::NOTICE_HEIGHT + theme::GAP_SMALL;
    let size = egui::vec2(WIDTH, (HEIGHT + under).min(body.height()));
    let room = Align2::CENTER_CENTER.align_size_within_rect(size, body);
    let (place, words) = split_bottom(room, theme::NOTICE_HEIGHT, theme::GAP_SMALL);
    card(ui, place);
    inside(ui, "card", place.shrink(theme::GAP * 2.0), |ui| {
        form(model, ui, out);
    });
    if let Some(newest) = shown.last() {
        let newest = std::slice::from_ref(newest);
        let height = notices_height(ui, newest, words.width());
        let words = words.with_max_y(words.top() + height);
        inside(ui, "notices", words, |ui| {
            show_notices(ui, words, newest, out);
        });
    }
}

fn form(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let (title, rest) = split_top(ui.max_rect(), TITLE_HEIGHT, 0.0);
    let checking = model
        .sent
        .as_ref()
        .is_some_and(|sent| matches!(sent.command, Command::SignIn { .. }));
    let words = if checking { "Checking …" } else { "Sign in" };
    let font = theme::strong(theme::SIZE_TITLE);
    label(ui, title, Align2::LEFT_TOP, words, font, theme::INK);

    let number = model.sign_in.employee.as_deref();
    let dots = "•".repeat(model.entry.text().chars().count());
    let first = Field {
        name: "Employee number",
        text: number.unwrap_or(model.entry.text()),
        hint: "Type your number",
        active: number.is_none(),
    };
    let second = Field {
        name: "PIN",
        text: number.map_or("", |_| dots.as_str()),
        hint: if number.is_some() {
            "Type your PIN"
        } else {
            ""
        },
        active: number.is_some(),
    };
    let mut rest = rest;
    for entry in [first, second] {
        let (name, below) = split_top(rest, NAME_HEIGHT, 0.0);
        let font = theme::text(theme::SIZE_SMALL);
        label(
            ui,
            name,
            Align2::LEFT_CENTER,
            entry.name,
            font,
            theme::INK_SOFT,
        );
        let (place, below) = split_top(below, theme::FIELD_HEIGHT, theme::GAP);
        field(ui, place, &entry, out);
        rest = below;
    }
    let enter = if number.is_some() { "Sign in" } else { "Next" };
    inside(ui, "pad", rest, |ui| {
        keypad(ui, rest, Pad::Digits, enter, out);
    });
}
