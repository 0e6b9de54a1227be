//! Fits the checkout on whatever screen there is: where the screen is small, everything is drawn
//! smaller, and nothing is cut off.
//!
//! Invariant: every screen of the checkout has at least [`ROOM_MIN`] points to lie in.

use egui::{Context, Vec2, vec2};

/// The room that every screen is laid out for at least, in points.
pub const ROOM_MIN: Vec2 = vec2(1024.0, 760.0);

/// The zoom of a window of `size`, in points at zoom 1, whose user wishes for the zoom `wished`:
/// what is wished, but not so large that something would be cut off, and smaller than 1 only where
/// it must be.
pub fn zoom(size: Vec2, wished: f32) -> f32 {
    let largest = (size / ROOM_MIN).min_elem();
    match largest.is_finite() && largest > 0.0 {
        true => wished.max(1.0).min(largest),
        // A window that is put away has no size.
        false => 1.0,
    }
}

/// Fits what is drawn from the next frame on.
pub fn fit(context: &Context) {
    let now = context.zoom_factor();
    let fitting = zoom(context.content_rect().size() * now, now);
    if (fitting - now).abs() > f32::EPSILON {
        context.set_zoom_factor(fitting);
        context.request_repaint();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zoom_leaves_room_enough() {
        let check = |size: [f32; 2], wished: f32, expected: f32| {
            let zoom = zoom(size.into(), wished);
            assert!((zoom - expected).abs() < 1e-4, "{size:?} {wished}: {zoom}");
        };
        check([1280.0, 800.0], 1.0, 1.0);
        check([1024.0, 768.0], 1.0, 1.0);
        check([1024.0, 600.0], 1.0, 0.7895);
        check([800.0, 480.0], 1.0, 0.6316);
        check([1920.0, 1080.0], 1.2, 1.2);
        // A key pressed by mistake takes no button away.
        check([1920.0, 1080.0], 3.0, 1.4211);
        check([1280.0, 800.0], 0.5, 1.0);
        check([0.0, 0.0], 1.0, 1.0);
        check([f32::NAN, 600.0], 1.0, 0.7895);
    }
}
