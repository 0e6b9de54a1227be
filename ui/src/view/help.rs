//! The help overlay: the whole command table, how the lane stands, and its warnings.

use egui::{Align2, Rect, Stroke, StrokeKind, Ui, vec2};

use super::widgets::{Button, galley, inside, label, paragraph, scrolled, split_bottom, split_top};
use crate::commands::{Action, COMMANDS, CommandInfo};
use crate::message::Message;
use crate::model::Model;
use crate::status::lane_facts;
use crate::theme;

const ROW_HEIGHT: f32 = 34.0;
const KEY_WIDTH: f32 = 96.0;
const NAME_WIDTH: f32 = 124.0;
/// Narrower than this, the table has one column.
const TWO_COLUMNS_MIN: f32 = 860.0;

pub fn show(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let (rest, buttons) = split_bottom(ui.max_rect(), theme::FIELD_HEIGHT, theme::GAP);
    let left = buttons.with_max_x(buttons.center().x - theme::GAP_SMALL / 2.0);
    let right = buttons.with_min_x(buttons.center().x + theme::GAP_SMALL / 2.0);
    if Button::of(Action::Fullscreen).show(ui, left) {
        out.push(Message::Do(Action::Fullscreen));
    }
    if Button::of(Action::Back).label("Close").show(ui, right) {
        out.push(Message::Do(Action::Back));
    }
    inside(ui, "help", rest, |ui| {
        scrolled(model, ui, "help", ROW_HEIGHT).show(ui, |ui| {
            table(ui);
            ui.add_space(theme::GAP);
            lane(model, ui);
        });
    });
}

fn table(ui: &mut Ui) {
    let width = ui.available_width();
    let columns = if width >= TWO_COLUMNS_MIN { 2 } else { 1 };
    let rows = COMMANDS.len().div_ceil(columns);
    let height = rows as f32 * ROW_HEIGHT;
    let (_, rect) = ui.allocate_space(vec2(width, height));
    for (i, command) in COMMANDS.iter().enumerate() {
        let wide = (rect.width() - theme::GAP * 2.0) / columns as f32;
        let min = egui::pos2(
            rect.left() + (i / rows) as f32 * (wide + theme::GAP * 2.0),
            rect.top() + (i % rows) as f32 * ROW_HEIGHT,
        );
        row(
            ui,
            Rect::from_min_size(min, vec2(wide, ROW_HEIGHT)),
            command,
        );
    }
}

fn row(ui: &mut Ui, rect: Rect, command: &CommandInfo) {
    let cap = Rect::from_min_size(rect.min, vec2(KEY_WIDTH, ROW_HEIGHT)).shrink2(vec2(0.0, 3.0));
    let stroke = Stroke::new(theme::EDGE, theme::LINE);
    ui.painter().rect(
        cap,
        theme::RADIUS_SMALL,
        theme::CANVAS,
        stroke,
        StrokeKind::Inside,
    );
    let font = theme::strong(theme::SIZE_SMALL);
    label(
        ui,
        cap,
        Align2::CENTER_CENTER,
        command.key.name(),
        font,
        theme::INK,
    );
    let name = rect.with_min_x(cap.right() + theme::GAP);
    let font = theme::strong(theme::SIZE_SMALL);
    label(
        ui,
        name.with_max_x(name.left() + NAME_WIDTH),
        Align2::LEFT_CENTER,
        command.label,
        font,
        theme::INK,
    );
    let words = name.with_min_x(name.left() + NAME_WIDTH);
    let font = theme::text(theme::SIZE_SMALL);
    label(
        ui,
        words,
        Align2::LEFT_CENTER,
        command.help,
        font,
        theme::INK_SOFT,
    );
}

/// How the lane stands, for whoever is asked on the phone; then what does not work here.
fn lane(model: &Model, ui: &mut Ui) {
    let Some(view) = &model.view else {
        return;
    };
    let facts: Vec<String> = lane_facts(view)
        .into_iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let color = theme::INK_SOFT;
    block(ui, &facts.join("     "), color);
    for warning in &view.status.warnings {
        block(ui, warning, theme::WARN);
    }
}

/// Text over as many rows as it takes.
fn block(ui: &mut Ui, text: &str, color: egui::Color32) {
    const ROWS_MAX: usize = 6;
    let font = theme::text(theme::SIZE_SMALL);
    let width = ui.available_width();
    let size = galley(ui, text, font.clone(), color, width, ROWS_MAX).size();
    let (_, rect) = ui.allocate_space(vec2(width, size.y + theme::GAP_SMALL));
    let (rect, _) = split_top(rect, size.y, 0.0);
    paragraph(ui, rect, Align2::LEFT_TOP, text, font, color, ROWS_MAX);
}
