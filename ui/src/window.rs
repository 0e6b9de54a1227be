//! The window around the checkout: opened, run until it is closed, and then given back.

use api::Lane;
use eframe::{App, CreationContext, Frame, NativeOptions};
use egui::{Context, Ui, ViewportBuilder, ViewportCommand, vec2};

use crate::checkout::Checkout;
use crate::fit::fit;
use crate::theme;

/// The size of a window that does not fill the screen, and the smallest it can be, in points.
const SIZE: [f32; 2] = [1280.0, 800.0];
const SIZE_MIN: [f32; 2] = [800.0, 480.0];

/// How the window is opened.
#[derive(Clone, Debug)]
pub struct WindowOptions {
    pub title: String,
    pub fullscreen: bool,
}

impl Default for WindowOptions {
    fn default() -> WindowOptions {
        WindowOptions {
            title: "Lanemesh".to_owned(),
            fullscreen: false,
        }
    }
}

/// Why there is no window. The lane itself is not concerned and sells on through its API.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    #[error(
        "there is no display to open a window on ({reason}): go on without one, or start from a desktop session"
    )]
    NoDisplay { reason: String },
    #[error(
        "this machine's graphics cannot draw the window ({reason}): install an OpenGL driver, or go on without a window"
    )]
    NoGraphics { reason: String },
    #[error("the window failed ({reason}): start it again, or go on without one")]
    Failed { reason: String },
}

impl From<eframe::Error> for WindowError {
    fn from(error: eframe::Error) -> WindowError {
        let reason = reason(&error.to_string());
        match error {
            eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => {
                WindowError::NoDisplay { reason }
            }
            eframe::Error::Glutin(_)
            | eframe::Error::NoGlutinConfigs(..)
            | eframe::Error::OpenGL(_) => WindowError::NoGraphics { reason },
            _ => WindowError::Failed { reason },
        }
    }
}

/// The part of an error that a person can use: winit puts places in its source code in front.
fn reason(error: &str) -> String {
    let last = error.rsplit(": ").next().unwrap_or(error);
    last.trim_end_matches('.').to_owned()
}

/// Opens the window and runs it until it is closed. To be called on the process's main thread, at
/// most once.
///
/// `make_lane` gets the window's context and keeps a clone: the lane calls
/// `context.request_repaint()` from any thread whenever [`Lane::poll`] has something new, because
/// the window sleeps otherwise; and whoever wants the window closed calls [`close`] with it.
/// `shown` is called once, when the first frame is on the screen.
pub fn run(
    options: WindowOptions,
    make_lane: impl FnOnce(Context) -> Box<dyn Lane>,
    shown: impl FnOnce() + 'static,
) -> Result<(), WindowError> {
    let viewport = ViewportBuilder::default()
        .with_title(&options.title)
        .with_app_id("lanemesh")
        .with_inner_size(vec2(SIZE[0], SIZE[1]))
        .with_min_inner_size(vec2(SIZE_MIN[0], SIZE_MIN[1]))
        .with_fullscreen(options.fullscreen);
    let native = NativeOptions {
        viewport,
        ..NativeOptions::default()
    };
    let create = |creation: &CreationContext<'_>| {
        let context = creation.egui_ctx.clone();
        theme::install(&context);
        let lane = make_lane(context);
        let app: Box<dyn App> = Box::new(Window {
            checkout: Checkout::new(lane),
            is_drawn: false,
            shown: Some(Box::new(shown)),
        });
        Ok(app)
    };
    eframe::run_native(&options.title, native, Box::new(create)).map_err(WindowError::from)
}

/// Closes the window from any thread; [`run`] returns soon after.
pub fn close(context: &Context) {
    context.send_viewport_cmd(ViewportCommand::Close);
    context.request_repaint();
}

struct Window {
    checkout: Checkout,
    /// A frame was drawn; it is on the screen before the next one begins.
    is_drawn: bool,
    shown: Option<Box<dyn FnOnce()>>,
}

impl App for Window {
    fn logic(&mut self, ctx: &Context, _: &mut Frame) {
        if self.is_drawn
            && let Some(shown) = self.shown.take()
        {
            shown();
        }
        self.checkout.poll(ctx);
        fit(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        self.checkout.show(ui);
        if !self.is_drawn {
            self.is_drawn = true;
            ui.ctx().request_repaint();
        }
    }

    fn clear_color(&self, _: &egui::Visuals) -> [f32; 4] {
        theme::CANVAS.to_normalized_gamma_f32()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_names_no_source_code() {
        let check = |error: &str, expected: &str| assert_eq!(reason(error), expected);
        check(
            "winit EventLoopError: os error at /src/linux/mod.rs:788: Failed to open connection to X server",
            "Failed to open connection to X server",
        );
        check("No DISPLAY is set.", "No DISPLAY is set");
        check("", "");
    }
}
