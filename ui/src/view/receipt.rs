//! After the sale: the change, as large as it can be said, and the receipt.

use egui::{Align2, Rect, Ui, vec2};
use money::Money;
use sale::Receipt;

use super::widgets::{
    Field, card, command, field, inside, label, notices, notices_height, paragraph, scrolled,
    show_notices, split_bottom, split_right, split_top,
};
use crate::commands::Action;
use crate::message::Message;
use crate::model::Model;
use crate::theme::{self, ButtonKind};

/// A receipt's 42 columns, and margins.
pub const PAPER_WIDTH: f32 = 432.0;
const CHANGE_HEIGHT: f32 = 280.0;
const NEXT_HEIGHT: f32 = 88.0;
const PRINT_WIDTH: f32 = 160.0;

pub fn show(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let Some(receipt) = &model.receipt else {
        return;
    };
    let (left, paper_place) = split_right(ui.max_rect(), PAPER_WIDTH, theme::GAP);
    let (change, rest) = split_top(left, CHANGE_HEIGHT, theme::GAP);
    let (rest, next) = split_bottom(rest, NEXT_HEIGHT, theme::GAP);
    let (rest, entry) = split_bottom(rest, theme::FIELD_HEIGHT, theme::GAP);
    inside(ui, "change", change, |ui| change_due(receipt, ui));
    let shown = notices(model);
    let (_, words) = split_bottom(rest, notices_height(ui, &shown, rest.width()), 0.0);
    inside(ui, "notices", words, |ui| {
        show_notices(ui, words, &shown, out);
    });
    let next_item = Field {
        name: "Item",
        text: model.entry.text(),
        hint: "Scan to begin the next sale",
        active: true,
    };
    field(ui, entry, &next_item, out);
    let (next, print) = split_right(next, PRINT_WIDTH, theme::GAP);
    command(ui, next, Action::NextCustomer, ButtonKind::Accent, out);
    command(ui, print, Action::Print, ButtonKind::Plain, out);
    inside(ui, "paper", paper_place, |ui| paper(model, ui));
}

fn change_due(receipt: &Receipt, ui: &mut Ui) {
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, theme::RADIUS, theme::GO);
    let rect = rect.shrink2(vec2(theme::GAP * 2.0, theme::GAP * 2.0));
    let font = theme::text(theme::SIZE_TITLE);
    let words = if receipt.change.is_zero() {
        "No change"
    } else {
        "Change"
    };
    label(ui, rect, Align2::LEFT_TOP, words, font, theme::ON_DARK);
    let huge = theme::strong(theme::SIZE_CHANGE);
    label(
        ui,
        rect,
        Align2::LEFT_CENTER,
        &receipt.change.to_string(),
        huge,
        theme::ON_DARK,
    );
    let paid = receipt
        .tenders
        .iter()
        .fold(Money::zero(receipt.change.currency()), |sum, tender| {
            sum + tender.amount()
        });
    let mut words = format!("Total {}, paid {paid}", receipt.totals.total);
    if !receipt.totals.discount.is_zero() && !receipt.totals.discount.is_negative() {
        words.push_str(&format!(", saved {}", receipt.totals.discount));
    }
    let font = theme::text(theme::SIZE_LARGE);
    paragraph(
        ui,
        rect,
        Align2::LEFT_BOTTOM,
        &words,
        font,
        theme::ON_DARK,
        1,
    );
}

/// The receipt's text on paper, scrolled by a finger or by keys where it is long.
pub fn paper(model: &Model, ui: &mut Ui) {
    let text = model.paper().unwrap_or_default();
    let rect: Rect = ui.max_rect();
    card(ui, rect);
    inside(ui, "text", rect.shrink(theme::GAP), |ui| {
        let font = theme::mono(theme::SIZE_RECEIPT);
        let row = ui.fonts_mut(|fonts| fonts.row_height(&font));
        scrolled(model, ui, "paper", row).show(ui, |ui| {
            let text = egui::RichText::new(text).font(font).color(theme::INK);
            ui.add(egui::Label::new(text).wrap_mode(egui::TextWrapMode::Extend));
        });
    });
}
