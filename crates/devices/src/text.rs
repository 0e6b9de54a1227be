//! A document as plain text.

use crate::document::wrap;
use crate::{Align, Block, COLUMNS, Document};

pub(crate) fn render(document: &Document) -> String {
    let mut out = String::new();
    for block in document.blocks() {
        let rows = match block {
            Block::Row { align, text, .. } => vec![aligned(*align, text)],
            Block::Rule => vec!["-".repeat(COLUMNS)],
            Block::Blank => vec![String::new()],
            Block::Barcode(text) => vec![aligned(Align::Center, &format!("*{text}*"))],
            Block::Qr(text) => {
                let rows = wrap(text, COLUMNS);
                rows.iter().map(|row| aligned(Align::Center, row)).collect()
            }
            Block::Picture(_) => Vec::new(),
        };
        for row in rows {
            out.push_str(row.trim_end());
            out.push('\n');
        }
    }
    out
}

fn aligned(align: Align, text: &str) -> String {
    match align {
        Align::Left => text.to_owned(),
        Align::Center => {
            let free = COLUMNS.saturating_sub(text.chars().count());
            format!("{}{text}", " ".repeat(free / 2))
        }
    }
}
