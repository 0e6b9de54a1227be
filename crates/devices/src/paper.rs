//! The formats in which a document is handed out.

use crate::{Document, escpos, html, pdf, text};

/// How a document is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaperFormat {
    /// Plain text, [`crate::COLUMNS`] wide.
    Text,
    /// Bytes for an ESC/POS printer with an 80 mm roll, cut at the end.
    Escpos,
    /// A web page that needs nothing else.
    Html,
    /// A file as wide as the roll.
    Pdf,
}

impl PaperFormat {
    pub const ALL: [PaperFormat; 4] = [
        PaperFormat::Text,
        PaperFormat::Escpos,
        PaperFormat::Html,
        PaperFormat::Pdf,
    ];

    pub fn name(self) -> &'static str {
        match self {
            PaperFormat::Text => "text",
            PaperFormat::Escpos => "escpos",
            PaperFormat::Html => "html",
            PaperFormat::Pdf => "pdf",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            PaperFormat::Text => "text/plain; charset=utf-8",
            PaperFormat::Escpos => "application/octet-stream",
            PaperFormat::Html => "text/html; charset=utf-8",
            PaperFormat::Pdf => "application/pdf",
        }
    }

    /// The document in this format. `title` is what a page or a file is called.
    pub fn render(self, document: &Document, title: &str) -> Vec<u8> {
        match self {
            PaperFormat::Text => text::render(document).into_bytes(),
            PaperFormat::Escpos => escpos::render(document),
            PaperFormat::Html => html::render(document, title).into_bytes(),
            PaperFormat::Pdf => pdf::render(document, title),
        }
    }
}
