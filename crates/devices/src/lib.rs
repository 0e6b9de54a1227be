//! What a lane's devices are sent: a receipt as text and as ESC/POS bytes, and the pulse that opens
//! the cash drawer.
//!
//! A receipt is laid out once, as a [`Document`], and rendered from there, so the screen and the
//! paper say the same. Laying out and rendering does no I/O: callers write the bytes to whatever is
//! attached. The card terminal in [`nexo`] is spoken to over TCP.

mod code_page;
mod document;
mod escpos;
pub mod nexo;
mod receipt;
mod report;
mod slip;
mod text;

pub use document::{Align, Block, COLUMNS, Document, Emphasis};
pub use escpos::drawer_pulse;
pub use receipt::{PrintKind, ReceiptStyle, document};
pub use report::{ReportHead, report};
pub use slip::slip;

use sale::Receipt;

/// Any document as plain text, [`COLUMNS`] wide, each line ended by a line feed.
pub fn text_of(document: &Document) -> String {
    text::render(document)
}

/// Any document as bytes for an ESC/POS printer with an 80 mm roll, cut at the end.
pub fn escpos_of(document: &Document) -> Vec<u8> {
    escpos::render(document)
}

/// A receipt as plain text, [`COLUMNS`] wide, each line ended by a line feed.
pub fn render_text(receipt: &Receipt, style: &ReceiptStyle) -> String {
    text::render(&document(receipt, style))
}

/// A receipt as bytes for an ESC/POS printer with an 80 mm roll, cut at the end. The drawer is
/// opened by [`drawer_pulse`], because a reprint must not open it.
pub fn render_escpos(receipt: &Receipt, style: &ReceiptStyle) -> Vec<u8> {
    escpos::render(&document(receipt, style))
}
