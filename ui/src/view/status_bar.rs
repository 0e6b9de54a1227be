//! The two rows on top of every screen: who and where, and which of the four states the lane is in.

use api::LaneView;
use egui::{Align2, Color32, Rect, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};

use super::widgets::{inside, label, paragraph, split_right, split_top};
use crate::commands::{Action, info};
use crate::message::Message;
use crate::model::Model;
use crate::status::{Level, STOP_HINT, StatusWords, hq_words, mode_words, printer_words};
use crate::theme;

/// How high the bar is: a lane that has stopped says so at length.
pub fn height(model: &Model) -> f32 {
    theme::BAR_HEIGHT
        + if model.is_stopped() {
            theme::STOP_HEIGHT
        } else {
            theme::STATE_HEIGHT
        }
}

pub fn show(model: &Model, ui: &mut Ui, out: &mut Vec<Message>) {
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0.0, bar_color(model));
    let (top, state) = split_top(rect, theme::BAR_HEIGHT, 0.0);
    who(model, ui, top.shrink2(vec2(theme::GAP, 0.0)), out);
    let Some(view) = &model.view else {
        return;
    };
    let words = mode_words(&view.status.mode);
    match words.level {
        Level::Stop => stopped(ui, state, &words),
        _ => standing(ui, state, view, &words),
    }
}

/// In training the bar has another colour than it ever has while goods are sold.
fn bar_color(model: &Model) -> Color32 {
    let view = model.view.as_ref();
    match view.is_some_and(|view| view.register.is_training) {
        true => theme::TRAINING,
        false => theme::BAR,
    }
}

/// Store and lane on the left; cashier, time and help on the right.
fn who(model: &Model, ui: &mut Ui, rect: Rect, out: &mut Vec<Message>) {
    let (rest, help) = split_right(rect, 96.0, theme::GAP);
    help_button(ui, help, out);
    let Some(view) = &model.view else {
        return;
    };
    let time = model.now().map(|now| now.hour_minute()).unwrap_or_default();
    let strong = theme::strong(theme::SIZE_LARGE);
    let at = label(
        ui,
        rest,
        Align2::RIGHT_CENTER,
        &time,
        strong,
        theme::ON_DARK,
    );
    let rest = rest.with_max_x(at.left() - theme::GAP * 2.0);
    let cashier = view.register.cashier.as_ref();
    let name = cashier.map_or("No one signed in", |cashier| cashier.name.as_str());
    let text = theme::text(theme::SIZE_BODY);
    let at = label(
        ui,
        rest,
        Align2::RIGHT_CENTER,
        name,
        text.clone(),
        theme::ON_DARK_SOFT,
    );
    let rest = rest.with_max_x(at.left() - theme::GAP * 2.0);
    let strong = theme::strong(theme::SIZE_LARGE);
    let training = if view.register.is_training {
        "TRAINING: nothing counts   "
    } else {
        ""
    };
    let lane = format!("{training}{}   ", view.lane_name);
    let at = label(
        ui,
        rest,
        Align2::LEFT_CENTER,
        lane.trim_end(),
        strong,
        theme::ON_DARK,
    );
    let rest = rest.with_min_x(at.right() + theme::GAP);
    label(
        ui,
        rest,
        Align2::LEFT_CENTER,
        &view.store_name,
        text,
        theme::ON_DARK_SOFT,
    );
}

fn help_button(ui: &mut Ui, rect: Rect, out: &mut Vec<Message>) {
    let Some(row) = info(Action::Help) else {
        return;
    };
    let id = ui.make_persistent_id("help");
    let response = ui.interact(rect, id, Sense::CLICK);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, row.label));
    let inner = rect.shrink2(vec2(0.0, theme::GAP_SMALL));
    let fill = if response.hovered() {
        theme::BAR_OFF
    } else {
        theme::BAR_KEY
    };
    ui.painter().rect_filled(inner, theme::RADIUS_SMALL, fill);
    let words = format!("{}  {}", row.label, row.key.name());
    let font = theme::text(theme::SIZE_SMALL);
    ui.painter().text(
        inner.center(),
        Align2::CENTER_CENTER,
        words,
        font,
        theme::ON_DARK,
    );
    if response.clicked() {
        out.push(Message::Do(Action::Help));
    }
}

/// The state in words, and on the right the lanes and head office.
fn standing(ui: &mut Ui, rect: Rect, view: &LaneView, words: &StatusWords) {
    let (fill, ink, soft) = theme::state_colors(words.level);
    ui.painter().rect_filled(rect, 0.0, fill);
    let rect = rect.shrink2(vec2(theme::GAP, 0.0));
    let rest = siblings(ui, rect, view, [fill, ink, soft]);
    let mark = pos2(rest.left() + 8.0, rest.center().y);
    let color = theme::level_color(words.level);
    ui.painter().circle_filled(mark, 6.0, color);
    let rest = rest.with_min_x(rest.left() + 24.0);
    let strong = theme::strong(theme::SIZE_BODY);
    let at = label(ui, rest, Align2::LEFT_CENTER, &words.headline, strong, ink);
    let printer = view.status.printer.as_ref().and_then(printer_words);
    let details = [Some(words.detail.clone()), printer];
    let details: Vec<String> = details
        .into_iter()
        .flatten()
        .filter(|d| !d.is_empty())
        .collect();
    if details.is_empty() {
        return;
    }
    let rest = rest.with_min_x(at.right() + theme::GAP_SMALL);
    let text = theme::text(theme::SIZE_BODY);
    let details = details.join("   ·   ");
    label(ui, rest, Align2::LEFT_CENTER, &details, text, ink);
}

/// A dot for each lane with its number, a ring around the leader's; then head office and warnings.
/// Answers the room that is left.
fn siblings(ui: &mut Ui, rect: Rect, view: &LaneView, colors: [Color32; 3]) -> Rect {
    let [fill, ink, soft] = colors;
    let mut rest = rect;
    let font = theme::text(theme::SIZE_SMALL);
    let mut words = |ui: &mut Ui, text: &str, color: Color32| {
        let at = label(ui, rest, Align2::RIGHT_CENTER, text, font.clone(), color);
        rest = rest.with_max_x(at.left() - theme::GAP * 1.5);
    };
    let warnings = match view.status.warnings.len() {
        0 => None,
        1 => Some("1 warning".to_owned()),
        n => Some(format!("{n} warnings")),
    };
    if let Some(text) = warnings {
        words(ui, &text, ink);
    }
    let (level, text) = hq_words(&view.status.hq);
    words(ui, &text, if level == Level::Good { soft } else { ink });
    for lane in view.status.lanes.iter().rev() {
        let place = Rect::from_min_max(pos2(rest.right() - 26.0, rest.top()), rest.right_bottom());
        rest = rest.with_max_x(place.left() - 2.0);
        let id = ui.make_persistent_id(("lane", lane.number));
        let response = ui.interact(place, id, Sense::hover());
        let mut name = format!(
            "{}{}, {}",
            lane.name,
            if lane.this_lane { ", this lane" } else { "" },
            if lane.reachable { "here" } else { "away" }
        );
        if lane.leader {
            name.push_str(", leader");
        }
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &name));
        lane_dot(ui, place, lane, fill, ink);
        response.on_hover_text(name);
    }
    rest.with_max_x(rest.right() - theme::GAP)
}

fn lane_dot(ui: &Ui, place: Rect, lane: &api::PeerStatus, fill: Color32, ink: Color32) {
    let center = place.center();
    let number = lane.number.to_string();
    let font = theme::strong(theme::SIZE_DOT);
    if lane.reachable {
        ui.painter().circle_filled(center, 10.0, ink);
        ui.painter()
            .text(center, Align2::CENTER_CENTER, number, font, fill);
    } else {
        let stroke = egui::Stroke::new(theme::EDGE, ink);
        ui.painter().circle_stroke(center, 9.5, stroke);
        ui.painter()
            .text(center, Align2::CENTER_CENTER, number, font, ink);
    }
    if lane.leader {
        let stroke = egui::Stroke::new(theme::FOCUS, theme::LEADER);
        ui.painter().circle_stroke(center, 12.5, stroke);
    }
}

/// Red, and as long as it takes to say why and what to do.
fn stopped(ui: &mut Ui, rect: Rect, words: &StatusWords) {
    ui.painter().rect_filled(rect, 0.0, theme::DANGER);
    let rect = rect.shrink2(vec2(theme::GAP * 2.0, theme::GAP_SMALL));
    inside(ui, "stop", rect, |ui| {
        let title = theme::strong(theme::SIZE_TITLE);
        let headline = words.headline.to_uppercase();
        let at = label(
            ui,
            rect,
            Align2::LEFT_CENTER,
            &headline,
            title,
            theme::ON_DARK,
        );
        let rest = rect.with_min_x(at.right() + theme::GAP * 2.0);
        let middle = rest.center().y;
        let font = theme::strong(theme::SIZE_BODY);
        paragraph(
            ui,
            rest.with_max_y(middle),
            Align2::LEFT_CENTER,
            &words.detail,
            font,
            theme::ON_DARK,
            2,
        );
        let font = theme::text(theme::SIZE_BODY);
        label(
            ui,
            rest.with_min_y(middle),
            Align2::LEFT_CENTER,
            STOP_HINT,
            font,
            theme::ON_DARK,
        );
    });
}
