//! The design tokens: every colour, size, radius and font of the window is named here and nowhere
//! else.

use std::sync::Arc;

use egui::{Color32, Context, FontData, FontDefinitions, FontFamily, FontId, Stroke, Visuals};

use crate::model::NoticeKind;
use crate::status::Level;

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Behind everything.
pub const CANVAS: Color32 = rgb(0xEE_F1F4);
/// Cards, lists, keys.
pub const SURFACE: Color32 = rgb(0xFF_FFFF);
pub const SURFACE_HOVER: Color32 = rgb(0xF4_F7FA);
pub const SURFACE_PRESSED: Color32 = rgb(0xDF_E6ED);
pub const LINE: Color32 = rgb(0xD5_DCE4);
pub const LINE_SOFT: Color32 = rgb(0xE8_ECF1);
pub const INK: Color32 = rgb(0x12_1A24);
/// Secondary text; 7:1 on `SURFACE`.
pub const INK_SOFT: Color32 = rgb(0x4A_5868);
pub const ON_DARK: Color32 = rgb(0xFF_FFFF);
pub const ON_DARK_SOFT: Color32 = rgb(0xC3_CFDC);
/// The status bar.
pub const BAR: Color32 = rgb(0x16_2231);
/// The status bar while nothing counts that is rung up.
pub const TRAINING: Color32 = rgb(0x5B_1A8F);
pub const ACCENT: Color32 = rgb(0x0F_5FBF);
pub const ACCENT_HOVER: Color32 = rgb(0x0C_54AB);
pub const ACCENT_PRESSED: Color32 = rgb(0x0A_468F);
pub const ACCENT_WASH: Color32 = rgb(0xE5_F0FC);
pub const GO: Color32 = rgb(0x12_7A45);
pub const GO_HOVER: Color32 = rgb(0x0F_6C3D);
pub const GO_PRESSED: Color32 = rgb(0x0B_5A32);
pub const GO_WASH: Color32 = rgb(0xE3_F5EA);
pub const WARN: Color32 = rgb(0x9A_5B00);
pub const WARN_WASH: Color32 = rgb(0xFF_F3DB);
pub const DANGER: Color32 = rgb(0xB4_1F24);
pub const DANGER_HOVER: Color32 = rgb(0x9F_1A1F);
pub const DANGER_PRESSED: Color32 = rgb(0x88_1418);
pub const DANGER_WASH: Color32 = rgb(0xFD_EAEA);
pub const BACKDROP: Color32 = Color32::from_black_alpha(120);

/// On the dark status bar.
const BAR_GOOD: Color32 = rgb(0x3D_D68C);
const BAR_NOTICE: Color32 = rgb(0xFF_B83D);
const BAR_ALONE: Color32 = rgb(0x1F_5FA8);
pub const BAR_OFF: Color32 = rgb(0x5B_6B7D);
pub const BAR_KEY: Color32 = rgb(0x2B_3A4C);
/// The ring around the leader's dot.
pub const LEADER: Color32 = rgb(0xFF_C94D);

/// The smallest thing a finger must hit, in points.
pub const TOUCH_MIN: f32 = 48.0;
pub const GAP: f32 = 12.0;
pub const GAP_SMALL: f32 = 8.0;
pub const RADIUS: f32 = 10.0;
pub const RADIUS_SMALL: f32 = 6.0;
/// Width of a hairline.
pub const EDGE: f32 = 1.0;
/// Width of what marks the place that takes input.
pub const FOCUS: f32 = 2.0;
pub const BAR_HEIGHT: f32 = 48.0;
pub const STATE_HEIGHT: f32 = 34.0;
pub const STOP_HEIGHT: f32 = 92.0;
/// A notice of one row and a hint.
pub const NOTICE_HEIGHT: f32 = 58.0;
pub const FIELD_HEIGHT: f32 = 60.0;

pub const SIZE_SMALL: f32 = 15.0;
pub const SIZE_BODY: f32 = 18.0;
pub const SIZE_LARGE: f32 = 22.0;
pub const SIZE_TITLE: f32 = 28.0;
pub const SIZE_TOTAL: f32 = 54.0;
pub const SIZE_QUESTION: f32 = 38.0;
pub const SIZE_HUGE: f32 = 96.0;
pub const SIZE_CHANGE: f32 = 128.0;
pub const SIZE_LINE: f32 = 19.0;
pub const SIZE_DOT: f32 = 13.0;
pub const SIZE_RECEIPT: f32 = 15.0;

const STRONG: &str = "strong";

pub fn text(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

pub fn strong(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(STRONG.into()))
}

pub fn mono(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

/// The colours of a button at rest, under the pointer and pressed, and of its words.
#[derive(Clone, Copy, Debug)]
pub struct ButtonColors {
    pub fill: [Color32; 3],
    pub words: Color32,
    pub key: Color32,
    pub edge: Color32,
}

/// What a button is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ButtonKind {
    Plain,
    Accent,
    /// Takes money or finishes a sale.
    Go,
    Danger,
}

pub fn button_colors(kind: ButtonKind) -> ButtonColors {
    let full = |fill| ButtonColors {
        fill,
        words: ON_DARK,
        key: ON_DARK,
        edge: Color32::TRANSPARENT,
    };
    match kind {
        ButtonKind::Plain => ButtonColors {
            fill: [SURFACE, SURFACE_HOVER, SURFACE_PRESSED],
            words: INK,
            key: INK_SOFT,
            edge: LINE,
        },
        ButtonKind::Accent => full([ACCENT, ACCENT_HOVER, ACCENT_PRESSED]),
        ButtonKind::Go => full([GO, GO_HOVER, GO_PRESSED]),
        ButtonKind::Danger => full([DANGER, DANGER_HOVER, DANGER_PRESSED]),
    }
}

/// The colour of a state's mark.
pub fn level_color(level: Level) -> Color32 {
    match level {
        Level::Good => BAR_GOOD,
        Level::Notice => BAR,
        Level::Alone => ON_DARK,
        Level::Stop => ON_DARK,
    }
}

/// The state's row: its background, its words, and the quieter words beside them. Calm while all is
/// well.
pub fn state_colors(level: Level) -> (Color32, Color32, Color32) {
    match level {
        Level::Good => (BAR_KEY, ON_DARK, ON_DARK_SOFT),
        Level::Notice => (BAR_NOTICE, BAR, BAR),
        Level::Alone => (BAR_ALONE, ON_DARK, ON_DARK),
        Level::Stop => (DANGER, ON_DARK, ON_DARK),
    }
}

/// A notice's background and its strong colour.
pub fn notice_colors(kind: NoticeKind) -> (Color32, Color32) {
    match kind {
        NoticeKind::Info => (ACCENT_WASH, ACCENT),
        NoticeKind::Typed | NoticeKind::Refused => (WARN_WASH, WARN),
        NoticeKind::Failed => (DANGER_WASH, DANGER),
    }
}

/// Fonts, colours and what egui itself should leave alone.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    ctx.set_theme(egui::Theme::Light);
    let mut visuals = Visuals::light();
    visuals.override_text_color = Some(INK);
    visuals.panel_fill = CANVAS;
    visuals.window_fill = SURFACE;
    visuals.extreme_bg_color = SURFACE;
    visuals.selection.bg_fill = ACCENT_WASH;
    visuals.selection.stroke = Stroke::new(1.0, ACCENT);
    ctx.set_visuals_of(egui::Theme::Light, visuals);
    ctx.global_style_mut(|style| {
        style.interaction.selectable_labels = false;
        style.spacing.item_spacing = egui::vec2(GAP_SMALL, GAP_SMALL);
        style.spacing.scroll.bar_width = 12.0;
        style.animation_time = 0.0;
    });
    // A scanner that sends Ctrl must not zoom the window.
    ctx.options_mut(|options| options.zoom_with_keyboard = false);
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let regular = include_bytes!("../assets/fonts/Roboto-Regular.ttf");
    let medium = include_bytes!("../assets/fonts/Roboto-Medium.ttf");
    let mut add = |name: &str, bytes: &'static [u8]| {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    };
    add("Roboto", regular);
    add("Roboto Medium", medium);
    let fallback = fonts
        .families
        .get(&FontFamily::Proportional)
        .cloned()
        .unwrap_or_default();
    let led_by = |name: &str| {
        let mut family = vec![name.to_owned()];
        family.extend(fallback.iter().cloned());
        family
    };
    fonts
        .families
        .insert(FontFamily::Proportional, led_by("Roboto"));
    fonts
        .families
        .insert(FontFamily::Name(STRONG.into()), led_by("Roboto Medium"));
    fonts
}
