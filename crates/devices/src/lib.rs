//! What a lane's devices are sent, and customers by mail: papers as text, as ESC/POS bytes, as a web page
//! and as PDF, and the pulse that opens the cash drawer.
//!
//! A receipt is laid out once, as a [`Document`], and rendered from there, so the screen and the
//! paper say the same. Laying out and rendering does no I/O. The card terminal in [`nexo`] is spoken
//! to over TCP, the receipt printer in [`printer`] over TCP, a serial line or a device file.

mod bars;
mod beside;
mod code_page;
mod document;
mod escpos;
mod html;
pub mod nexo;
mod paper;
mod pdf;
mod picture;
pub mod printer;
mod receipt;
mod report;
mod slip;
mod text;
mod words;

pub use beside::Beside;
pub use document::{Align, Block, COLUMNS, Document, DocumentError, Emphasis};
pub use paper::PaperFormat;
pub use picture::{Picture, PictureError, QR_BYTES_MAX};
pub use receipt::{PrintKind, ReceiptStyle, document};
pub use report::{ReportHead, ReportKind, report};
pub use slip::slip;

/// Any document as plain text, [`COLUMNS`] wide, each line ended by a line feed.
pub fn text_of(document: &Document) -> String {
    text::render(document)
}
