//! The sale: what was scanned, what it costs, and everything a cashier does with it.

use api::LaneView;
use egui::{Align2, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType, vec2};
use money::{Money, Unit};
use sale::{Line, LineTotal, Totals};

use super::widgets::{
    Field, Pad, card, cell, command, field, galley, inside, keypad, label, notices, notices_height,
    show_notices, split_bottom, split_right, split_top,
};
use crate::commands::Action;
use crate::message::Message;
use crate::model::Model;
use crate::theme::{self, ButtonKind};

pub const SIDE_WIDTH: f32 = 356.0;
const ACTIONS_HEIGHT: f32 = 136.0;
const HEADER_HEIGHT: f32 = 40.0;
const ROW_HEIGHT: f32 = 52.0;
const NOTE_HEIGHT: f32 = 22.0;
const NAME_ROWS: usize = 3;
pub const PAY_HEIGHT: f32 = 76.0;
pub const TOTAL_HEIGHT: f32 = 200.0;

/// Right edges of the columns, measured from the right end of the list.
const AMOUNT_WIDTH: f32 = 104.0;
const PRICE_WIDTH: f32 = 112.0;
const QUANTITY_WIDTH: f32 = 92.0;

/// The commands under the list, in reading order.
const ACTIONS: [(Action, ButtonKind); 8] = [
    (Action::Search, ButtonKind::Plain),
    (Action::Quantity, ButtonKind::Plain),
    (Action::VoidLine, ButtonKind::Plain),
    (Action::Customer, ButtonKind::Plain),
    (Action::Price, ButtonKind::Plain),
    (Action::LastReceipt, ButtonKind::Plain),
    (Action::VoidSale, ButtonKind::Plain),
    (Action::SignOut, ButtonKind::Plain),
];

pub fn show(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let (left, side) = split_right(ui.max_rect(), SIDE_WIDTH, theme::GAP);
    let (list_and_notices, actions) = split_bottom(left, ACTIONS_HEIGHT, theme::GAP);
    let shown = notices(model);
    let height = notices_height(ui, &shown, left.width());
    let gap = if shown.is_empty() { 0.0 } else { theme::GAP };
    let (list, words) = split_bottom(list_and_notices, height, gap);
    inside(ui, "list", list, |ui| lines(model, ui, out));
    inside(ui, "notices", words, |ui| {
        show_notices(ui, words, &shown, out);
    });
    inside(ui, "actions", actions, |ui| {
        for (i, (action, kind)) in ACTIONS.into_iter().enumerate() {
            let place = cell(actions, 4, 2, (i % 4, i / 4), 1);
            command(ui, place, action, kind, out);
        }
    });
    inside(ui, "side", side, |ui| beside(model, ui, out));
}

/// Total, entry, keypad, and the way to the money.
fn beside(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let (total, rest) = split_top(ui.max_rect(), TOTAL_HEIGHT, theme::GAP);
    let (rest, pay) = split_bottom(rest, PAY_HEIGHT, theme::GAP);
    let (entry, pad) = split_top(rest, theme::FIELD_HEIGHT, theme::GAP);
    let stopped = model.is_stopped();
    inside(ui, "total", total, |ui| sums(model, ui));
    field(
        ui,
        entry,
        &Field {
            name: "Item",
            text: model.entry.text(),
            hint: if stopped {
                "This lane has stopped"
            } else {
                "Scan, or type a code"
            },
            active: true,
        },
        out,
    );
    inside(ui, "pad", pad, |ui| {
        keypad(ui, pad, Pad::Sale, "Enter", out);
    });
    let kind = if stopped {
        ButtonKind::Plain
    } else {
        ButtonKind::Go
    };
    command(ui, pay, Action::Pay, kind, out);
}

pub fn sums(model: &Model, ui: &mut Ui) {
    let rect = ui.max_rect();
    card(ui, rect);
    let rect = rect.shrink2(vec2(theme::GAP * 1.5, theme::GAP));
    let Some(view) = &model.view else {
        return;
    };
    let zero = Money::zero(view.currency);
    let totals = view.totals.as_ref();
    let total = totals.map_or(zero, |totals| totals.total);
    let (above, below) = split_bottom(rect, theme::SIZE_TOTAL + theme::GAP, 0.0);
    let words = format!("Total {}", view.currency);
    let font = theme::text(theme::SIZE_BODY);
    label(
        ui,
        below,
        Align2::LEFT_BOTTOM,
        &words,
        font,
        theme::INK_SOFT,
    );
    let font = theme::strong(theme::SIZE_TOTAL);
    label(
        ui,
        below,
        Align2::RIGHT_BOTTOM,
        &total.to_string(),
        font,
        theme::INK,
    );
    let rows = sum_rows(model, view, totals, zero);
    for (i, (name, amount)) in rows.iter().enumerate() {
        let height = above.height() / rows.len() as f32;
        let top = above.top() + height * i as f32;
        let row = Rect::from_min_size(egui::pos2(above.left(), top), vec2(above.width(), height));
        let font = theme::text(theme::SIZE_BODY);
        let (ink, soft) = (theme::INK, theme::INK_SOFT);
        let at = label(ui, row, Align2::RIGHT_CENTER, amount, font.clone(), ink);
        let room = row.with_max_x(at.left() - theme::GAP);
        label(ui, room, Align2::LEFT_CENTER, name, font, soft);
    }
}

/// The rows over the total; always as many, so that the total never moves.
fn sum_rows(
    model: &Model,
    view: &LaneView,
    totals: Option<&Totals>,
    zero: Money,
) -> [(String, String); 5] {
    let of = |amount: &dyn Fn(&Totals) -> Money| totals.map_or(zero, amount).to_string();
    let pieces: i64 = model
        .lines()
        .iter()
        .map(|line| line.quantity.pieces().unwrap_or(1))
        .sum();
    let items = match pieces {
        1 => "1 item".to_owned(),
        n => format!("{n} items"),
    };
    let customer = view
        .register
        .cart
        .as_ref()
        .and_then(|cart| cart.customer.as_ref());
    let customer = customer.map_or("none".to_owned(), |(_, name, tier)| {
        format!("{name}, {tier:?}")
    });
    let discount = totals.map_or(zero, |totals| totals.discount);
    [
        ("Customer".to_owned(), customer),
        (items, of(&|totals| totals.gross)),
        ("Discounts".to_owned(), negative(discount)),
        ("Deposits".to_owned(), of(&|totals| totals.deposits)),
        ("Tax".to_owned(), of(&|totals| totals.tax_added)),
    ]
}

/// A discount as the customer sees it.
fn negative(amount: Money) -> String {
    if amount.is_zero() {
        amount.to_string()
    } else {
        format!("−{amount}")
    }
}

fn lines(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let rect = ui.max_rect();
    card(ui, rect);
    let (head, body) = split_top(rect, HEADER_HEIGHT, 0.0);
    header(ui, head.shrink2(vec2(theme::GAP * 1.5, 0.0)));
    let hairline = Stroke::new(theme::EDGE, theme::LINE);
    ui.painter()
        .hline(rect.x_range().shrink(1.0), head.bottom(), hairline);
    let lines = model.lines();
    if lines.is_empty() {
        return empty(ui, body);
    }
    let body = body.shrink2(vec2(theme::EDGE, theme::EDGE));
    inside(ui, "lines", body, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical()
            .id_salt("lines")
            .auto_shrink(false)
            .show(ui, |ui| {
                for line in &lines {
                    one_line(model, ui, line, body, out);
                }
                promotions(model, ui);
                hints(model, ui);
                used_up(model, ui);
            });
    });
}

fn empty(ui: &mut Ui, rect: Rect) {
    let font = theme::text(theme::SIZE_LARGE);
    label(
        ui,
        rect,
        Align2::CENTER_CENTER,
        "Scan the first item to begin.",
        font,
        theme::INK_SOFT,
    );
}

/// Where a row's columns are.
struct Columns {
    item: Rect,
    quantity: Rect,
    price: Rect,
    amount: Rect,
}

fn columns(rect: Rect) -> Columns {
    let (rest, amount) = split_right(rect, AMOUNT_WIDTH, theme::GAP_SMALL);
    let (rest, price) = split_right(rest, PRICE_WIDTH, theme::GAP_SMALL);
    let (item, quantity) = split_right(rest, QUANTITY_WIDTH, theme::GAP_SMALL);
    Columns {
        item,
        quantity,
        price,
        amount,
    }
}

fn header(ui: &mut Ui, rect: Rect) {
    let at = columns(rect);
    let font = theme::text(theme::SIZE_SMALL);
    for (place, align, name) in [
        (at.item, Align2::LEFT_CENTER, "Item"),
        (at.quantity, Align2::RIGHT_CENTER, "Quantity"),
        (at.price, Align2::RIGHT_CENTER, "Price"),
        (at.amount, Align2::RIGHT_CENTER, "Amount"),
    ] {
        label(ui, place, align, name, font.clone(), theme::INK_SOFT);
    }
}

/// What is said under a line, and whether it is in the customer's favour.
fn line_notes(line: &Line, total: Option<&LineTotal>, totals: &Totals) -> Vec<(String, bool)> {
    let mut notes = Vec::new();
    let parts = total.map_or(&[][..], |total| &total.promotions);
    for part in parts {
        notes.push((format!("{}: {}", part.name, negative(part.amount)), true));
    }
    if let Some(total) = total.filter(|total| !total.discount.is_zero() && parts.is_empty()) {
        let words = match totals.promotions.as_slice() {
            [only] => format!("{}: −{}", only.name, total.discount),
            _ => format!("Discount: −{}", total.discount),
        };
        notes.push((words, true));
    }
    if let Some(total) = total.filter(|total| !total.deposit.is_zero()) {
        notes.push((format!("Deposit: {}", total.deposit), false));
    }
    if let Some(changed) = &line.price_override {
        notes.push((format!("Price changed: {}", changed.reason), false));
    }
    notes
}

fn one_line(model: &Model, ui: &mut Ui, line: &Line, list: Rect, out: &mut Vec<Message>) {
    let totals = model.view.as_ref().and_then(|view| view.totals.as_ref());
    let total = totals.and_then(|totals| totals.lines.iter().find(|t| t.line == line.number));
    let notes = totals.map_or(Vec::new(), |totals| line_notes(line, total, totals));
    let height = name_height(ui, line) + NOTE_HEIGHT * notes.len() as f32;
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
    let id = ui.make_persistent_id(("line", line.number));
    let response = ui.interact(rect, id, Sense::CLICK);
    let marked = model.marked().map(|marked| marked.number) == Some(line.number);
    let amount = total.map_or(line.unit_price, |total| total.extended);
    response.widget_info(|| {
        let mut words = format!("{} × {}: {amount}", line.quantity, line.description);
        for (note, _) in &notes {
            words.push_str(", ");
            words.push_str(note);
        }
        WidgetInfo::selected(WidgetType::SelectableLabel, true, marked, words)
    });
    if response.clicked() {
        out.push(Message::MarkLine(line.number));
    }
    reveal(ui, rect, line.number, marked, list);
    if ui.is_rect_visible(rect) {
        background(model, ui, rect, line.number, marked);
        paint_line(ui, rect, line, amount, &notes);
    }
}

/// Scrolls to the marked line when the mark, the line's place or the room for the list has changed.
fn reveal(ui: &Ui, rect: Rect, line: u32, marked: bool, list: Rect) {
    if !marked {
        return;
    }
    let memory = egui::Id::new("revealed line");
    let now = (line, rect.height() as i32, list.height() as i32);
    let before = ui.data(|data| data.get_temp::<(u32, i32, i32)>(memory));
    if before != Some(now) {
        ui.scroll_to_rect(rect, None);
        ui.data_mut(|data| data.insert_temp(memory, now));
    }
}

fn background(model: &Model, ui: &Ui, rect: Rect, line: u32, marked: bool) {
    let fresh = model.fresh == Some(line);
    if fresh {
        ui.painter().rect_filled(rect, 0.0, theme::ACCENT_WASH);
    }
    if marked && model.selected.is_some() {
        let stroke = Stroke::new(theme::FOCUS, theme::ACCENT);
        ui.painter()
            .rect_stroke(rect.shrink(1.0), 0.0, stroke, StrokeKind::Inside);
    }
    if fresh || marked {
        let bar = rect.with_max_x(rect.left() + 5.0);
        ui.painter().rect_filled(bar, 0.0, theme::ACCENT);
    }
    let hairline = Stroke::new(theme::EDGE, theme::LINE_SOFT);
    ui.painter()
        .hline(rect.x_range(), rect.bottom() - theme::EDGE, hairline);
}

/// The height of a line without its notes: more than one row where the name is long.
fn name_height(ui: &Ui, line: &Line) -> f32 {
    let row = Rect::from_min_size(egui::Pos2::ZERO, vec2(ui.available_width(), ROW_HEIGHT));
    let width = columns(row.shrink2(vec2(theme::GAP * 1.5, 0.0)))
        .item
        .width();
    let name = name_galley(ui, line, width);
    ROW_HEIGHT.max(name.size().y + theme::GAP * 2.0)
}

fn name_galley(ui: &Ui, line: &Line, width: f32) -> std::sync::Arc<egui::Galley> {
    let font = theme::strong(theme::SIZE_LINE);
    galley(ui, &line.description, font, theme::INK, width, NAME_ROWS)
}

fn paint_line(ui: &Ui, rect: Rect, line: &Line, amount: Money, notes: &[(String, bool)]) {
    let (top, _) = split_bottom(rect, NOTE_HEIGHT * notes.len() as f32, 0.0);
    let at = columns(top.shrink2(vec2(theme::GAP * 1.5, 0.0)));
    let text = theme::text(theme::SIZE_BODY);
    let strong = theme::strong(theme::SIZE_LINE);
    let price = match line.quantity.unit() {
        Unit::Each => line.unit_price.to_string(),
        Unit::Kilogram => format!("{} /kg", line.unit_price),
    };
    let paint = |place: Rect, align: Align2, words: &str, font, color| {
        let galley = galley(ui, words, font, color, place.width(), 1);
        let at = align.align_size_within_rect(galley.size(), place);
        ui.painter().galley(at.min, galley, color);
    };
    let (left, right) = (Align2::LEFT_CENTER, Align2::RIGHT_CENTER);
    let name = name_galley(ui, line, at.item.width());
    let name_at = left.align_size_within_rect(name.size(), at.item);
    ui.painter().galley(name_at.min, name, theme::INK);
    let quantity = line.quantity.to_string();
    paint(at.quantity, right, &quantity, strong.clone(), theme::INK);
    paint(at.price, right, &price, text, theme::INK_SOFT);
    paint(at.amount, right, &amount.to_string(), strong, theme::INK);
    for (i, (words, good)) in notes.iter().enumerate() {
        let top = at.item.bottom() - theme::GAP_SMALL + NOTE_HEIGHT * i as f32;
        let place = Rect::from_min_size(
            egui::pos2(at.item.left(), top),
            vec2(at.amount.right() - at.item.left(), NOTE_HEIGHT),
        );
        let color = if *good { theme::GO } else { theme::INK_SOFT };
        paint(place, left, words, theme::text(theme::SIZE_SMALL), color);
    }
}

/// What the customer could still get, under the lines.
fn hints(model: &Model, ui: &mut Ui) {
    let hints = model.view.as_ref().map_or(&[][..], |view| &view.hints);
    for hint in hints {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), theme::SIZE_BODY * 2.0));
        let rect = rect.shrink2(vec2(theme::GAP * 1.5, 0.0));
        let words = hint.to_string();
        let font = theme::text(theme::SIZE_BODY);
        label(ui, rect, Align2::LEFT_CENTER, &words, font, theme::ACCENT);
    }
}

/// What the customer does not get because it was given as often as it may be.
fn used_up(model: &Model, ui: &mut Ui) {
    let used_up = model.view.as_ref().map_or(&[][..], |view| &view.used_up);
    for used_up in used_up {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), theme::SIZE_BODY * 2.0));
        let rect = rect.shrink2(vec2(theme::GAP * 1.5, 0.0));
        let words = used_up.to_string();
        let font = theme::text(theme::SIZE_BODY);
        label(ui, rect, Align2::LEFT_CENTER, &words, font, theme::INK_SOFT);
    }
}

/// What each promotion takes off the sale, under the lines as on the receipt.
fn promotions(model: &Model, ui: &mut Ui) {
    let totals = model.view.as_ref().and_then(|view| view.totals.as_ref());
    for promotion in totals.map_or(&[][..], |totals| &totals.promotions) {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), theme::SIZE_BODY * 2.0));
        let rect = rect.shrink2(vec2(theme::GAP * 1.5, 0.0));
        let font = theme::text(theme::SIZE_BODY);
        let amount = negative(promotion.amount);
        let at = label(
            ui,
            rect,
            Align2::RIGHT_CENTER,
            &amount,
            font.clone(),
            theme::GO,
        );
        let room = rect.with_max_x(at.left() - theme::GAP);
        label(
            ui,
            room,
            Align2::LEFT_CENTER,
            &promotion.name,
            font,
            theme::GO,
        );
    }
}
