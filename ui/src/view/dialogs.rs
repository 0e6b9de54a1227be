//! What lies over the screen: questions that must be answered, and what the cashier has opened.

use egui::{Align2, Id, Modal, Rect, Sense, Ui, Vec2, vec2};
use money::Unit;
use sale::Line;

use super::help;
use super::receipt::{PAPER_WIDTH, paper};
use super::widgets::{
    Button, Field, Pad, cell, command, field, galley, inside, keypad, label, notices_height,
    paragraph, show_notices, split_bottom, split_right, split_top,
};
use crate::commands::Action;
use crate::message::Message;
use crate::model::{Dialog, Model, Question, ReasonFor};
use crate::theme::{self, ButtonKind};

const BUTTON_HEIGHT: f32 = 72.0;
const TITLE_HEIGHT: f32 = 44.0;
const PROMPT: Vec2 = Vec2::new(420.0, 560.0);
const AGE: Vec2 = Vec2::new(620.0, 340.0);
const CHOICE: Vec2 = Vec2::new(560.0, 440.0);
const FIND: Vec2 = Vec2::new(860.0, 640.0);

pub fn show(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    match &model.question {
        Some(Question::Age {
            description, years, ..
        }) => {
            return modal(ui, "age", AGE, |ui| {
                age(model, ui, description, *years, out);
            });
        }
        Some(Question::Weight { description, .. }) => {
            return modal(ui, "weight", PROMPT, |ui| {
                let ask = Ask {
                    title: "Weight in kilograms",
                    about: description,
                    hint: "0.000",
                    pad: Pad::Amount,
                    cancel: "Leave it out",
                };
                prompt(model, ui, &ask, out);
            });
        }
        None => {}
    }
    match &model.dialog {
        None => {}
        Some(Dialog::Quantity { line }) => ask_quantity(model, ui, *line, out),
        Some(Dialog::Price { line }) => ask_price(model, ui, *line, out),
        Some(Dialog::Customer) => modal(ui, "customer", PROMPT, |ui| {
            let ask = Ask {
                title: "Customer",
                about: "The number on the customer's card",
                hint: "Scan or type it",
                pad: Pad::Digits,
                cancel: "Cancel",
            };
            prompt(model, ui, &ask, out);
        }),
        Some(Dialog::Reason { why, chosen }) => modal(ui, "reason", CHOICE, |ui| {
            choice(ui, why, *chosen, out);
        }),
        Some(Dialog::Find { .. }) => modal(ui, "find", FIND, |ui| find(model, ui, out)),
        Some(Dialog::Help) => {
            let size = ui.max_rect().size() - Vec2::splat(96.0);
            modal(ui, "help", size, |ui| help::show(model, ui, out));
        }
        Some(Dialog::LastReceipt) => last_receipt(model, ui, out),
    }
}

/// A card over everything else, which gets no touches while it is there.
fn modal(ui: &mut Ui, name: &str, size: Vec2, add: impl FnOnce(&mut Ui)) {
    let room = ui.max_rect().size() - Vec2::splat(theme::GAP * 6.0);
    let size = size.min(room);
    let frame = egui::Frame::new()
        .fill(theme::SURFACE)
        .corner_radius(theme::RADIUS)
        .inner_margin(theme::GAP * 2.0);
    Modal::new(Id::new(("modal", name)))
        .backdrop_color(theme::BACKDROP)
        .frame(frame)
        .show(ui.ctx(), |ui| {
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            inside(ui, name, rect, add);
        });
}

fn title(ui: &mut Ui, rect: Rect, words: &str) {
    let font = theme::strong(theme::SIZE_TITLE);
    label(ui, rect, Align2::LEFT_TOP, words, font, theme::INK);
}

/// What waits behind a question, so that the cashier sees that nothing is lost.
fn waiting_words(model: &Model) -> String {
    match model.waiting().as_slice() {
        [] => String::new(),
        [one] => format!("1 scan waits: {one}"),
        [first, .., last] => {
            let count = model.waiting().len();
            format!("{count} scans wait: {first} … {last}")
        }
    }
}

fn waiting(model: &Model, ui: &mut Ui, rect: Rect) {
    let words = waiting_words(model);
    if !words.is_empty() {
        let font = theme::text(theme::SIZE_BODY);
        label(ui, rect, Align2::LEFT_CENTER, &words, font, theme::ACCENT);
    }
}

fn age(model: &Model, ui: &mut Ui, description: &str, years: u8, out: &mut Vec<Message>) {
    let (head, rest) = split_top(ui.max_rect(), TITLE_HEIGHT, theme::GAP);
    title(ui, head, "Age check");
    let (rest, buttons) = split_bottom(rest, BUTTON_HEIGHT, theme::GAP);
    let (rest, queue) = split_bottom(rest, theme::SIZE_TITLE, theme::GAP);
    let (item, question) = split_top(rest, theme::SIZE_LARGE * 1.6, theme::GAP);
    let font = theme::text(theme::SIZE_LARGE);
    label(
        ui,
        item,
        Align2::LEFT_CENTER,
        description,
        font,
        theme::INK_SOFT,
    );
    let words = format!("Is the buyer {years} or older?");
    let font = theme::strong(theme::SIZE_QUESTION);
    paragraph(
        ui,
        question,
        Align2::LEFT_CENTER,
        &words,
        font,
        theme::INK,
        2,
    );
    waiting(model, ui, queue);
    let no = Button::of(Action::Back).label("No, leave it out");
    if no.show(ui, cell(buttons, 2, 1, (0, 0), 1)) {
        out.push(Message::Do(Action::Back));
    }
    let words = format!("Yes, {years} or older");
    let yes = Button::of(Action::Yes).label(&words).kind(ButtonKind::Go);
    if yes.show(ui, cell(buttons, 2, 1, (1, 0), 1)) {
        out.push(Message::Do(Action::Yes));
    }
}

/// What is asked for with a keypad.
struct Ask<'a> {
    title: &'a str,
    about: &'a str,
    hint: &'a str,
    pad: Pad,
    cancel: &'a str,
}

fn prompt(model: &Model, ui: &mut Ui, ask: &Ask<'_>, out: &mut Vec<Message>) {
    let (head, rest) = split_top(ui.max_rect(), TITLE_HEIGHT, 0.0);
    title(ui, head, ask.title);
    let (about, rest) = split_top(rest, theme::SIZE_LARGE * 1.3, theme::GAP);
    let font = theme::text(theme::SIZE_BODY);
    label(
        ui,
        about,
        Align2::LEFT_CENTER,
        ask.about,
        font,
        theme::INK_SOFT,
    );
    let (entry, rest) = split_top(rest, theme::FIELD_HEIGHT, theme::GAP);
    let typed = Field {
        name: ask.title,
        text: model.entry.text(),
        hint: ask.hint,
        active: true,
    };
    field(ui, entry, &typed, out);
    let (rest, buttons) = split_bottom(rest, theme::FIELD_HEIGHT, theme::GAP);
    if Button::of(Action::Back).label(ask.cancel).show(ui, buttons) {
        out.push(Message::Do(Action::Back));
    }
    let words = waiting_words(model);
    let newest = model.notices.last();
    let newest = newest.filter(|notice| notice.stamp >= model.asked_at);
    let height = if let Some(newest) = newest {
        notices_height(ui, std::slice::from_ref(newest), rest.width())
    } else if words.is_empty() {
        0.0
    } else {
        theme::SIZE_TITLE
    };
    let gap = if height > 0.0 { theme::GAP } else { 0.0 };
    let (pad, under) = split_bottom(rest, height, gap);
    match newest {
        Some(newest) => show_notices(ui, under, std::slice::from_ref(newest), out),
        None => waiting(model, ui, under),
    }
    inside(ui, "pad", pad, |ui| keypad(ui, pad, ask.pad, "OK", out));
}

fn line_of(model: &Model, number: u32) -> Option<&Line> {
    model.cart()?.line(number)
}

fn ask_quantity(model: &Model, ui: &mut Ui, number: u32, out: &mut Vec<Message>) {
    let Some(line) = line_of(model, number) else {
        return;
    };
    let (title, pad) = match line.quantity.unit() {
        Unit::Each => ("Quantity", Pad::Digits),
        Unit::Kilogram => ("Weight in kilograms", Pad::Amount),
    };
    let hint = line.quantity.to_string();
    modal(ui, "quantity", PROMPT, |ui| {
        let ask = Ask {
            title,
            about: &line.description,
            hint: &hint,
            pad,
            cancel: "Cancel",
        };
        prompt(model, ui, &ask, out);
    });
}

fn ask_price(model: &Model, ui: &mut Ui, number: u32, out: &mut Vec<Message>) {
    let Some(line) = line_of(model, number) else {
        return;
    };
    let title = match line.quantity.unit() {
        Unit::Each => "Price for one, or 10% off",
        Unit::Kilogram => "Price per kilogram, or 10% off",
    };
    let hint = line.unit_price.to_string();
    modal(ui, "price", PROMPT, |ui| {
        let ask = Ask {
            title,
            about: &line.description,
            hint: &hint,
            pad: Pad::Amount,
            cancel: "Cancel",
        };
        prompt(model, ui, &ask, out);
    });
}

/// One of a few reasons: touch it, type its number, or mark it and press Yes.
fn choice(ui: &mut Ui, why: &ReasonFor, chosen: usize, out: &mut Vec<Message>) {
    let words = match why {
        ReasonFor::VoidSale => "Void the whole sale? Why?".to_owned(),
        ReasonFor::Price { unit_price, .. } => format!("Change the price to {unit_price}? Why?"),
        ReasonFor::Off { percent, .. } => format!("Take {percent}% off? Why?"),
    };
    let (head, rest) = split_top(ui.max_rect(), TITLE_HEIGHT, theme::GAP);
    title(ui, head, &words);
    let (rest, buttons) = split_bottom(rest, BUTTON_HEIGHT, theme::GAP);
    let kind = match why {
        ReasonFor::VoidSale => ButtonKind::Danger,
        ReasonFor::Price { .. } | ReasonFor::Off { .. } => ButtonKind::Accent,
    };
    let reasons = why.reasons();
    for (i, reason) in reasons.iter().enumerate() {
        let place = cell(rest, 1, reasons.len(), (0, i), 1);
        let words = format!("{}   {reason}", i + 1);
        let marked = if i == chosen { kind } else { ButtonKind::Plain };
        if Button::new(&words).kind(marked).show(ui, place) {
            out.push(Message::TakeReason(i));
        }
    }
    let no = Button::of(Action::Back).label("No");
    if no.show(ui, cell(buttons, 2, 1, (0, 0), 1)) {
        out.push(Message::Do(Action::Back));
    }
    if Button::of(Action::Yes)
        .kind(kind)
        .show(ui, cell(buttons, 2, 1, (1, 0), 1))
    {
        out.push(Message::Do(Action::Yes));
    }
}

/// The search: what is typed, what was found, and letters for a finger.
fn find(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let (head, rest) = split_top(ui.max_rect(), theme::FIELD_HEIGHT, theme::GAP);
    let (name, close) = super::widgets::split_right(head, 128.0, theme::GAP);
    if Button::of(Action::Back).label("Close").show(ui, close) {
        out.push(Message::Do(Action::Back));
    }
    let typed = Field {
        name: "Find item",
        text: model.entry.text(),
        hint: "Type a part of its name",
        active: true,
    };
    field(ui, name, &typed, out);
    let (list, letters) = split_bottom(rest, 4.0 * 52.0 + 3.0 * theme::GAP_SMALL, theme::GAP);
    inside(ui, "found", list, |ui| found(model, ui, out));
    inside(ui, "letters", letters, |ui| letter_pad(ui, out));
}

fn found(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let Some(Dialog::Find {
        found,
        chosen,
        settled,
        ..
    }) = &model.dialog
    else {
        return;
    };
    if found.is_empty() {
        let words = match (model.entry.text().trim().chars().count(), settled) {
            (0 | 1, _) => "Two letters are enough to begin.",
            (_, false) => "Looking …",
            (_, true) => "Nothing has these words in its name.",
        };
        let font = theme::text(theme::SIZE_LARGE);
        let rect = ui.max_rect();
        label(
            ui,
            rect,
            Align2::CENTER_CENTER,
            words,
            font,
            theme::INK_SOFT,
        );
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    egui::ScrollArea::vertical()
        .id_salt("found")
        .auto_shrink(false)
        .show(ui, |ui| {
            for (i, item) in found.iter().enumerate() {
                found_row(ui, i, item, i == *chosen, out);
            }
        });
}

fn found_row(
    ui: &mut Ui,
    index: usize,
    item: &api::ItemFound,
    chosen: bool,
    out: &mut Vec<Message>,
) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), theme::NOTICE_HEIGHT));
    let id = ui.make_persistent_id(("found", index));
    let response = ui.interact(rect, id, Sense::CLICK);
    response.widget_info(|| {
        let words = format!("{}, {}", item.description, item.price);
        egui::WidgetInfo::selected(egui::WidgetType::SelectableLabel, true, chosen, words)
    });
    if response.clicked() {
        out.push(Message::TakeFound(index));
    }
    if chosen {
        ui.painter()
            .rect_filled(rect, theme::RADIUS_SMALL, theme::ACCENT_WASH);
        let memory = Id::new("revealed item");
        let before = ui.data(|data| data.get_temp::<usize>(memory));
        if before != Some(index) {
            ui.scroll_to_rect(rect, None);
            ui.data_mut(|data| data.insert_temp(memory, index));
        }
    }
    let rect = rect.shrink2(vec2(theme::GAP, theme::GAP_SMALL));
    let strong = theme::strong(theme::SIZE_BODY);
    let price = galley(ui, &item.price, strong.clone(), theme::INK, 160.0, 1);
    let at = Align2::RIGHT_CENTER.align_size_within_rect(price.size(), rect);
    ui.painter().galley(at.min, price, theme::INK);
    let room = rect.width() - 180.0;
    let name = galley(ui, &item.description, strong, theme::INK, room, 1);
    let at = Align2::LEFT_TOP.align_size_within_rect(name.size(), rect);
    ui.painter().galley(at.min, name, theme::INK);
    let small = theme::text(theme::SIZE_SMALL);
    let words = format!("{}   {}", item.code, item.department);
    let code = galley(ui, &words, small, theme::INK_SOFT, room, 1);
    let at = Align2::LEFT_BOTTOM.align_size_within_rect(code.size(), rect);
    ui.painter().galley(at.min, code, theme::INK_SOFT);
}

/// Letters for a finger, so that a search needs no keyboard.
fn letter_pad(ui: &mut Ui, out: &mut Vec<Message>) {
    const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
    let rect = ui.max_rect();
    for (row, letters) in ROWS.iter().enumerate() {
        for (column, letter) in letters.chars().enumerate() {
            let place = cell(rect, 10, 4, (column, row), 1);
            let name = letter.to_uppercase().to_string();
            if Button::new(&name).size(theme::SIZE_LARGE).show(ui, place) {
                out.push(Message::Typed(letter.to_string()));
            }
        }
    }
    let erase = cell(rect, 10, 4, (7, 2), 1).union(cell(rect, 10, 4, (9, 2), 1));
    if Button::new("Erase").show(ui, erase) {
        out.push(Message::Do(Action::Erase));
    }
    let space = cell(rect, 10, 4, (0, 3), 1).union(cell(rect, 10, 4, (6, 3), 1));
    if Button::new("Space").show(ui, space) {
        out.push(Message::Typed(" ".to_owned()));
    }
    let enter = cell(rect, 10, 4, (7, 3), 1).union(cell(rect, 10, 4, (9, 3), 1));
    if Button::new("Sell").kind(ButtonKind::Accent).show(ui, enter) {
        out.push(Message::Do(Action::Submit));
    }
}

fn last_receipt(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let size = vec2(PAPER_WIDTH, ui.max_rect().height());
    modal(ui, "last receipt", size, |ui| {
        let (top, buttons) = split_bottom(ui.max_rect(), theme::FIELD_HEIGHT, theme::GAP);
        inside(ui, "paper", top, |ui| paper(model, ui));
        let half = (buttons.width() - theme::GAP) / 2.0;
        let (print, button) = split_right(buttons, half, theme::GAP);
        command(ui, print, Action::Print, ButtonKind::Plain, out);
        if Button::of(Action::Back).label("Close").show(ui, button) {
            out.push(Message::Do(Action::Back));
        }
    });
}
