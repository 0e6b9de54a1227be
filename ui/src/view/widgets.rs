//! The few widgets everything is made of. None of them takes keyboard focus: the keyboard belongs to
//! the entry field alone.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, Color32, FontId, Galley, Id, Pos2, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, WidgetInfo, WidgetType, pos2, vec2,
};

use crate::commands::{Action, Key, info};
use crate::message::Message;
use crate::model::{Model, Notice, NoticeKind};
use crate::theme::{self, ButtonKind};

/// Draws inside a rectangle, and never outside of it.
pub fn inside<R>(ui: &mut Ui, salt: &str, rect: Rect, add: impl FnOnce(&mut Ui) -> R) -> R {
    let builder = UiBuilder::new().id_salt(salt).max_rect(rect);
    ui.scope_builder(builder, |ui| {
        ui.set_clip_rect(ui.clip_rect().intersect(rect.expand(theme::EDGE)));
        add(ui)
    })
    .inner
}

/// Cuts `height` off the top; `gap` is left between the parts.
pub fn split_top(rect: Rect, height: f32, gap: f32) -> (Rect, Rect) {
    let at = (rect.top() + height).min(rect.bottom());
    let below = (at + gap).min(rect.bottom());
    (rect.with_max_y(at), rect.with_min_y(below))
}

/// Cuts `height` off the bottom: the rest, then the bottom.
pub fn split_bottom(rect: Rect, height: f32, gap: f32) -> (Rect, Rect) {
    let at = (rect.bottom() - height).max(rect.top());
    let above = (at - gap).max(rect.top());
    (rect.with_max_y(above), rect.with_min_y(at))
}

/// Cuts `width` off the right: the rest, then the right.
pub fn split_right(rect: Rect, width: f32, gap: f32) -> (Rect, Rect) {
    let at = (rect.right() - width).max(rect.left());
    let before = (at - gap).max(rect.left());
    (rect.with_max_x(before), rect.with_min_x(at))
}

/// The cell of an even grid; `span` counts the rows it is high.
pub fn cell(rect: Rect, columns: usize, rows: usize, at: (usize, usize), span: usize) -> Rect {
    let gap = theme::GAP_SMALL;
    let width = (rect.width() - gap * (columns as f32 - 1.0)) / columns as f32;
    let height = (rect.height() - gap * (rows as f32 - 1.0)) / rows as f32;
    let (column, row) = at;
    let min = pos2(
        rect.left() + (width + gap) * column as f32,
        rect.top() + (height + gap) * row as f32,
    );
    let high = height * span as f32 + gap * (span as f32 - 1.0);
    Rect::from_min_size(min, vec2(width, high))
}

/// Text of at most `rows` rows, ended by an ellipsis where it does not fit.
pub fn galley(
    ui: &Ui,
    text: &str,
    font: FontId,
    color: Color32,
    width: f32,
    rows: usize,
) -> Arc<Galley> {
    let mut job = LayoutJob::simple(text.to_owned(), font, color, width);
    job.wrap = TextWrapping {
        max_width: width.max(1.0),
        max_rows: rows,
        break_anywhere: rows == 1,
        overflow_character: Some('…'),
    };
    ui.painter().layout_job(job)
}

/// One row of text at a place in a rectangle. Read aloud as a label.
pub fn label(
    ui: &mut Ui,
    rect: Rect,
    align: Align2,
    text: &str,
    font: FontId,
    color: Color32,
) -> Rect {
    paragraph(ui, rect, align, text, font, color, 1)
}

/// Several rows of text at a place in a rectangle. Answers where they are.
pub fn paragraph(
    ui: &mut Ui,
    rect: Rect,
    align: Align2,
    text: &str,
    font: FontId,
    color: Color32,
    rows: usize,
) -> Rect {
    let galley = galley(ui, text, font, color, rect.width(), rows);
    let place = align.align_size_within_rect(galley.size(), rect);
    read_aloud(ui, place.min, galley, text)
}

/// Text that is laid out already, as a label.
fn read_aloud(ui: &mut Ui, at: Pos2, galley: Arc<Galley>, text: &str) -> Rect {
    let place = Rect::from_min_size(at, galley.size());
    // The place names the widget: two labels are never in one place.
    let id = ui.id().with((
        place.min.x.to_bits(),
        place.min.y.to_bits(),
        place.max.x.to_bits(),
    ));
    let response = ui.interact(place, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, text));
    ui.painter().galley(place.min, galley, theme::INK);
    place
}

/// A white card with a hairline.
pub fn card(ui: &Ui, rect: Rect) {
    ui.painter().rect(
        rect,
        theme::RADIUS,
        theme::SURFACE,
        Stroke::new(theme::EDGE, theme::LINE),
        StrokeKind::Inside,
    );
}

/// A button to be drawn with [`Button::show`].
pub struct Button<'a> {
    label: &'a str,
    key: Option<&'a str>,
    kind: ButtonKind,
    size: f32,
}

impl<'a> Button<'a> {
    pub fn new(label: &'a str) -> Button<'a> {
        Button {
            label,
            key: None,
            kind: ButtonKind::Plain,
            size: theme::SIZE_BODY,
        }
    }

    /// The button of a row of the command table, with its key on it.
    pub fn of(action: Action) -> Button<'static> {
        let row = info(action);
        let mut button = Button::new(row.map_or("", |row| row.label));
        button.key = row.map(|row| row.key.name());
        button
    }

    pub fn label(mut self, label: &'a str) -> Button<'a> {
        self.label = label;
        self
    }

    pub fn key(mut self, key: Key) -> Button<'a> {
        self.key = Some(key.name());
        self
    }

    pub fn kind(mut self, kind: ButtonKind) -> Button<'a> {
        self.kind = kind;
        self
    }

    pub fn size(mut self, size: f32) -> Button<'a> {
        self.size = size;
        self
    }

    /// Draws it; true when it was pressed.
    pub fn show(self, ui: &mut Ui, rect: Rect) -> bool {
        let id = ui.make_persistent_id(("button", self.label));
        let response = ui.interact(rect, id, Sense::CLICK);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, self.label));
        let colors = theme::button_colors(self.kind);
        let state = match (response.is_pointer_button_down_on(), response.hovered()) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        };
        ui.painter().rect(
            rect,
            theme::RADIUS_SMALL,
            colors.fill[state],
            Stroke::new(theme::EDGE, colors.edge),
            StrokeKind::Inside,
        );
        self.words(ui, rect, colors.words, colors.key);
        response.clicked()
    }

    /// The label, and the key under it where the button is high enough, else beside it.
    fn words(&self, ui: &Ui, rect: Rect, words: Color32, key: Color32) {
        let room = rect.width() - 2.0 * theme::GAP_SMALL;
        let name = galley(ui, self.label, theme::strong(self.size), words, room, 1);
        let Some(key_name) = self.key else {
            let place = Align2::CENTER_CENTER.align_size_within_rect(name.size(), rect);
            ui.painter().galley(place.min, name, words);
            return;
        };
        let key_text = galley(ui, key_name, theme::text(theme::SIZE_SMALL), key, room, 1);
        let stacked = name.size().y + key_text.size().y + theme::GAP_SMALL <= rect.height();
        let top = if stacked {
            rect.center().y - (name.size().y + key_text.size().y) / 2.0
        } else {
            rect.center().y - name.size().y / 2.0
        };
        let (name_at, key_at) = if stacked {
            (
                pos2(rect.center().x - name.size().x / 2.0, top),
                pos2(
                    rect.center().x - key_text.size().x / 2.0,
                    top + name.size().y,
                ),
            )
        } else {
            let wide = name.size().x + theme::GAP_SMALL + key_text.size().x;
            let left = rect.center().x - wide / 2.0;
            let key_left = left + name.size().x + theme::GAP_SMALL;
            let key_top = rect.center().y - key_text.size().y / 2.0;
            (pos2(left, top), pos2(key_left, key_top))
        };
        ui.painter().galley(name_at, name, words);
        ui.painter().galley(key_at, key_text, key);
    }
}

/// A button of the command table that sends its action.
pub fn command(ui: &mut Ui, rect: Rect, action: Action, kind: ButtonKind, out: &mut Vec<Message>) {
    if Button::of(action).kind(kind).show(ui, rect) {
        out.push(Message::Do(action));
    }
}

/// What an entry field shows.
pub struct Field<'a> {
    pub name: &'a str,
    pub text: &'a str,
    /// Shown while nothing is typed.
    pub hint: &'a str,
    pub active: bool,
}

/// The entry field: drawn here, typed into through the model. Has a button that clears it.
pub fn field(ui: &mut Ui, rect: Rect, field: &Field<'_>, out: &mut Vec<Message>) {
    let edge = if field.active {
        Stroke::new(theme::FOCUS, theme::ACCENT)
    } else {
        Stroke::new(theme::EDGE, theme::LINE)
    };
    ui.painter().rect(
        rect,
        theme::RADIUS_SMALL,
        theme::SURFACE,
        edge,
        StrokeKind::Inside,
    );
    let id = ui.make_persistent_id(("field", field.name));
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(WidgetType::TextEdit, true, field.name);
        info.current_text_value = Some(field.text.to_owned());
        info
    });
    let clearable = field.active && !field.text.is_empty();
    let (mut room, eraser) = split_right(rect, rect.height().max(theme::TOUCH_MIN), 0.0);
    if !clearable {
        room = rect;
    }
    let room = room.shrink2(vec2(theme::GAP, 0.0));
    let caret = if field.text.is_empty() {
        label(
            ui,
            room.translate(vec2(theme::FOCUS * 3.0, 0.0)),
            Align2::LEFT_CENTER,
            field.hint,
            theme::text(theme::SIZE_BODY),
            theme::INK_SOFT,
        );
        room.left_center()
    } else {
        tail_end(ui, room, field.text)
    };
    if field.active {
        let half = vec2(0.0, theme::SIZE_LARGE / 2.0);
        let stroke = Stroke::new(theme::FOCUS, theme::ACCENT);
        ui.painter()
            .line_segment([caret - half, caret + half], stroke);
    }
    if clearable && glyph_button(ui, eraser, "Clear", Glyph::Cross) {
        out.push(Message::Do(Action::Clear));
    }
}

/// Shows the end of the text, because that is where one types; answers where the caret stands.
fn tail_end(ui: &Ui, room: Rect, text: &str) -> Pos2 {
    let font = theme::strong(theme::SIZE_LARGE);
    let mut shown = text;
    let galley = loop {
        let galley = ui
            .painter()
            .layout_no_wrap(shown.to_owned(), font.clone(), theme::INK);
        let mut rest = shown.chars();
        if galley.size().x <= room.width() || rest.next().is_none() {
            break galley;
        }
        shown = rest.as_str();
    };
    let place = Align2::LEFT_CENTER.align_size_within_rect(galley.size(), room);
    let caret = pos2(place.right() + theme::FOCUS, place.center().y);
    ui.painter().galley(place.min, galley, theme::INK);
    caret
}

/// Signs that are drawn, so that they do not depend on a font.
#[derive(Clone, Copy)]
pub enum Glyph {
    Cross,
    /// The erase key: a box that points left, with a cross in it.
    Erase,
}

/// A button that shows a sign and is read aloud by its name.
pub fn glyph_button(ui: &mut Ui, rect: Rect, name: &str, glyph: Glyph) -> bool {
    let id = ui.make_persistent_id(("glyph", name));
    let response = ui.interact(rect, id, Sense::CLICK);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, name));
    let color = if response.hovered() {
        theme::INK
    } else {
        theme::INK_SOFT
    };
    let stroke = Stroke::new(theme::FOCUS, color);
    let center = rect.center();
    let arm = |size: f32, from: Pos2| {
        let a = vec2(size, size);
        let b = vec2(size, -size);
        [[from - a, from + a], [from - b, from + b]]
    };
    match glyph {
        Glyph::Cross => {
            for segment in arm(6.0, center) {
                ui.painter().line_segment(segment, stroke);
            }
        }
        Glyph::Erase => {
            let (left, top) = (center.x - 16.0, center.y - 10.0);
            let (right, bottom) = (center.x + 14.0, center.y + 10.0);
            let outline = vec![
                pos2(left, center.y),
                pos2(left + 9.0, top),
                pos2(right, top),
                pos2(right, bottom),
                pos2(left + 9.0, bottom),
            ];
            ui.painter().add(egui::Shape::closed_line(outline, stroke));
            for segment in arm(4.0, center + vec2(3.0, 0.0)) {
                ui.painter().line_segment(segment, stroke);
            }
        }
    }
    response.clicked()
}

/// Which keys a keypad has besides the digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pad {
    /// Codes, quantities: `×`, `.` and `00`.
    Sale,
    /// Amounts and weights: `.` and `00`.
    Amount,
    /// Numbers and PINs: digits only.
    Digits,
}

/// A keypad for a finger. `enter` names its Enter key.
pub fn keypad(ui: &mut Ui, rect: Rect, pad: Pad, enter: &str, out: &mut Vec<Message>) {
    const ROWS: usize = 4;
    const COLUMNS: usize = 4;
    let digits = [
        ("7", 0, 0),
        ("8", 1, 0),
        ("9", 2, 0),
        ("4", 0, 1),
        ("5", 1, 1),
        ("6", 2, 1),
        ("1", 0, 2),
        ("2", 1, 2),
        ("3", 2, 2),
        ("0", 0, 3),
    ];
    let more: &[(&str, usize, usize)] = match pad {
        Pad::Sale => &[("00", 1, 3), (".", 2, 3), ("×", 3, 1)],
        Pad::Amount => &[("00", 1, 3), (".", 2, 3)],
        Pad::Digits => &[],
    };
    for (text, column, row) in digits.iter().chain(more) {
        let span_wide = pad == Pad::Digits && *text == "0";
        let mut place = cell(rect, COLUMNS, ROWS, (*column, *row), 1);
        if span_wide {
            place = place.union(cell(rect, COLUMNS, ROWS, (2, *row), 1));
        }
        if Button::new(text).size(theme::SIZE_TITLE).show(ui, place) {
            let typed = if *text == "×" { "*" } else { *text };
            out.push(Message::Typed(typed.to_owned()));
        }
    }
    let erase_rows = if pad == Pad::Sale { 1 } else { 2 };
    let erase = cell(rect, COLUMNS, ROWS, (3, 0), erase_rows);
    card_key(ui, erase);
    if glyph_button(ui, erase, "Erase", Glyph::Erase) {
        out.push(Message::Do(Action::Erase));
    }
    let enter_at = cell(rect, COLUMNS, ROWS, (3, 2), 2);
    let enter = Button::new(enter).kind(ButtonKind::Accent);
    if enter.size(theme::SIZE_LARGE).show(ui, enter_at) {
        out.push(Message::Do(Action::Submit));
    }
}

fn card_key(ui: &Ui, rect: Rect) {
    ui.painter().rect(
        rect,
        theme::RADIUS_SMALL,
        theme::SURFACE,
        Stroke::new(theme::EDGE, theme::LINE),
        StrokeKind::Inside,
    );
}

/// The stamp of a notice that goes when its cause goes; what a cashier entered counts from 1.
const PASSES_BY_ITSELF: u64 = 0;

/// What stands in the place for notices, newest last, and how high each is.
pub fn notices(model: &Model) -> Vec<Notice> {
    let mut shown = model.notices.clone();
    if let Some(down) = &model.lane_down {
        let waiting = match model.outbox.len() {
            0 => String::new(),
            1 => "1 input waits and is entered as soon as it can be. ".to_owned(),
            n => format!("{n} inputs wait and are entered as soon as they can be. "),
        };
        shown.insert(0, words(NoticeKind::Failed, &down.message, &waiting));
    } else if model.is_slow() {
        let count = model.outbox.len();
        let hint = if count == 0 {
            String::new()
        } else {
            format!("{count} more wait in order.")
        };
        shown.insert(0, words(NoticeKind::Info, "Waiting for the lane …", &hint));
    }
    shown
}

fn words(kind: NoticeKind, message: &str, hint: &str) -> Notice {
    Notice {
        kind,
        message: message.to_owned(),
        hint: hint.to_owned(),
        stamp: PASSES_BY_ITSELF,
    }
}

/// How high all notices together are, with the gaps between them.
pub fn notices_height(ui: &Ui, notices: &[Notice], width: f32) -> f32 {
    let heights = notices.iter().map(|notice| {
        let (message, hint) = notice_words(ui, notice, width);
        notice_height(&message, &hint) + theme::GAP_SMALL
    });
    (heights.sum::<f32>() - theme::GAP_SMALL).max(0.0)
}

/// A notice's message and hint, wrapped to fit beside its cross.
fn notice_words(ui: &Ui, notice: &Notice, width: f32) -> (Arc<Galley>, Arc<Galley>) {
    const ROWS_MAX: usize = 3;
    let (_, strong) = theme::notice_colors(notice.kind);
    let room = width - theme::TOUCH_MIN - theme::GAP;
    let font = theme::strong(theme::SIZE_BODY);
    let message = galley(ui, &notice.message, font, strong, room, ROWS_MAX);
    let font = theme::text(theme::SIZE_SMALL);
    let hint = galley(ui, &notice.hint, font, theme::INK, room, ROWS_MAX);
    (message, hint)
}

fn notice_height(message: &Galley, hint: &Galley) -> f32 {
    let words = message.size().y + hint.size().y;
    (words + theme::GAP_SMALL * 2.0).max(theme::NOTICE_HEIGHT)
}

/// Draws notices from the bottom of a rectangle upwards. A touch puts them away.
pub fn show_notices(ui: &mut Ui, rect: Rect, notices: &[Notice], out: &mut Vec<Message>) {
    let mut rest = rect;
    for notice in notices.iter().rev() {
        let (message, hint) = notice_words(ui, notice, rect.width());
        let height = notice_height(&message, &hint);
        let (above, place) = split_bottom(rest, height, theme::GAP_SMALL);
        rest = above;
        if show_notice(ui, place, notice) {
            out.push(Message::PutNoticesAway);
        }
    }
}

fn show_notice(ui: &mut Ui, rect: Rect, notice: &Notice) -> bool {
    let (wash, strong) = theme::notice_colors(notice.kind);
    let stroke = Stroke::new(theme::EDGE, strong);
    ui.painter()
        .rect(rect, theme::RADIUS_SMALL, wash, stroke, StrokeKind::Inside);
    let (text, cross) = split_right(rect, theme::TOUCH_MIN, 0.0);
    let text = text.with_min_x(text.left() + theme::GAP);
    let (message, hint) = notice_words(ui, notice, rect.width());
    let hint_height = if notice.hint.is_empty() {
        0.0
    } else {
        hint.size().y
    };
    let top = text.center().y - (message.size().y + hint_height) / 2.0;
    let below = top + message.size().y;
    read_aloud(ui, pos2(text.left(), top), message, &notice.message);
    if !notice.hint.is_empty() {
        read_aloud(ui, pos2(text.left(), below), hint, &notice.hint);
    }
    if notice.stamp == PASSES_BY_ITSELF {
        return false;
    }
    let id = Id::new(&notice.message);
    ui.push_id(id, |ui| glyph_button(ui, cross, "Put away", Glyph::Cross))
        .inner
}

/// A scroll area that keys scroll too: it goes where the model says whenever that has changed, and
/// else stays where a finger left it. `row` is the height of one step.
pub fn scrolled(model: &Model, ui: &Ui, salt: &str, row: f32) -> ScrollArea {
    let memory = Id::new(("scrolled", salt));
    let before = ui.data(|data| data.get_temp::<usize>(memory)).unwrap_or(0);
    let area = ScrollArea::vertical().id_salt(salt).auto_shrink(false);
    if before == model.scrolled {
        return area;
    }
    ui.data_mut(|data| data.insert_temp(memory, model.scrolled));
    area.vertical_scroll_offset(row * model.scrolled as f32)
}
