//! A document as plain text.

use crate::{Align, Block, COLUMNS, Document};

pub(crate) fn render(document: &Document) -> String {
    let mut out = String::new();
    for block in document.blocks() {
        let row = match block {
            Block::Row { align, text, .. } => aligned(*align, text),
            Block::Rule => "-".repeat(COLUMNS),
            Block::Blank => String::new(),
            Block::Barcode(text) => aligned(Align::Center, &format!("*{text}*")),
        };
        out.push_str(row.trim_end());
        out.push('\n');
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
