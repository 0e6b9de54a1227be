//! A document as a PDF file as wide as a roll of paper, for a mail or an archive.
//!
//! Set in the fonts that every reader has, so it holds no font of its own; what they have no letter for is
//! shown as `?`, as on a printer. Source: ISO 32000-1.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use crate::bars::code_128;
use crate::code_page::byte;
use crate::picture::Qr;
use crate::{Align, Block, COLUMNS, Document, Emphasis, Picture};

/// All lengths are in points, 72 to the inch. A roll is 80 mm wide.
const PAGE_WIDE: f32 = 226.77;
const MARGIN: f32 = 12.0;
/// The most that one page is high; a longer document has several.
const PAGE_HIGH_MAX: f32 = 14_000.0;
/// Every letter of Courier is so wide, in parts of the font's size.
const LETTER_WIDE: f32 = 0.6;
const LEADING: f32 = 1.25;
const BARS_HIGH: f32 = 28.0;
/// The widest that a module of a barcode is drawn.
const MODULE_WIDE_MAX: f32 = 1.2;
/// A module of a QR code.
const QR_MODULE: f32 = 2.0;
/// A dot of a picture: an eighth of a millimetre.
const DOT: f32 = 72.0 / 25.4 / 8.0;

const PLAIN: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");

fn size() -> f32 {
    (PAGE_WIDE - 2.0 * MARGIN) / (f32::from(columns()) * LETTER_WIDE)
}

fn columns() -> u16 {
    u16::try_from(COLUMNS).expect("a row is short")
}

fn height(block: &Block) -> f32 {
    let row = size() * LEADING;
    match block {
        Block::Row {
            emphasis: Emphasis::Tall,
            ..
        } => 2.0 * row,
        Block::Row { .. } | Block::Rule | Block::Blank => row,
        Block::Barcode(_) => BARS_HIGH + 1.5 * row,
        Block::Qr(text) => Qr::of(text).map_or(0.0, |qr| length(qr.side()) * QR_MODULE + row),
        Block::Picture(picture) => length(picture.high()) * DOT + 0.5 * row,
    }
}

/// So many dots or modules, all of which a number of points holds exactly.
fn length(count: u32) -> f32 {
    u16::try_from(count).map_or(0.0, f32::from)
}

/// `title` is what a reader shows as the file's.
pub(crate) fn render(document: &Document, title: &str) -> Vec<u8> {
    let mut ids = (1..).map(Ref::new);
    let mut next = || ids.next().expect("there are enough numbers");
    let (catalog, tree, info, plain, bold) = (next(), next(), next(), next(), next());
    let pages = pages(document.blocks());
    let refs: Vec<(Ref, Ref)> = pages.iter().map(|_| (next(), next())).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.document_info(info)
        .title(TextStr(title))
        .producer(TextStr("Lanemesh"));
    let count = i32::try_from(refs.len()).expect("few pages");
    pdf.pages(tree)
        .kids(refs.iter().map(|(page, _)| *page))
        .count(count);
    for (font, name) in [(plain, &b"Courier"[..]), (bold, &b"Courier-Bold"[..])] {
        pdf.type1_font(font)
            .base_font(Name(name))
            .encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (blocks, (page_ref, content_ref)) in pages.into_iter().zip(refs) {
        let pictures: Vec<(String, Ref)> = blocks
            .iter()
            .filter_map(|block| match block {
                Block::Picture(picture) => Some(picture),
                _ => None,
            })
            .enumerate()
            .map(|(place, picture)| (picture_name(place), image(&mut pdf, next(), picture)))
            .collect();
        let high = blocks.iter().map(height).sum::<f32>() + 2.0 * MARGIN;
        let mut page = pdf.page(page_ref);
        page.media_box(Rect::new(0.0, 0.0, PAGE_WIDE, high));
        page.parent(tree);
        page.contents(content_ref);
        let mut resources = page.resources();
        resources.fonts().pair(PLAIN, plain).pair(BOLD, bold);
        if !pictures.is_empty() {
            let names = pictures.iter();
            let pairs = names.map(|(name, image)| (Name(name.as_bytes()), *image));
            resources.x_objects().pairs(pairs);
        }
        resources.finish();
        page.finish();
        pdf.stream(content_ref, &content(blocks, high));
    }
    pdf.finish()
}

/// What a page calls its pictures, from 0.
fn picture_name(place: usize) -> String {
    format!("P{place}")
}

fn image(pdf: &mut Pdf, id: Ref, picture: &Picture) -> Ref {
    let dots: Vec<u8> = picture.rows().flatten().copied().collect();
    let side = |dots| i32::try_from(dots).expect("a picture is no larger than paper");
    let mut image = pdf.image_xobject(id, &dots);
    image
        .width(side(picture.wide()))
        .height(side(picture.high()))
        .bits_per_component(1);
    image.color_space().device_gray();
    // A set bit is black.
    image.decode([1.0, 0.0]);
    id
}

/// The blocks of each page; there is always one.
fn pages(blocks: &[Block]) -> Vec<&[Block]> {
    let mut pages = Vec::new();
    let (mut from, mut high) = (0, 0.0);
    for (place, block) in blocks.iter().enumerate() {
        if high + height(block) + 2.0 * MARGIN > PAGE_HIGH_MAX {
            pages.push(&blocks[from..place]);
            (from, high) = (place, 0.0);
        }
        high += height(block);
    }
    pages.push(&blocks[from..]);
    pages
}

fn content(blocks: &[Block], high: f32) -> Vec<u8> {
    let mut content = Content::new();
    let mut top = high - MARGIN;
    let mut names = (0..).map(picture_name);
    for block in blocks {
        let bottom = top - height(block);
        // Letters stand a little above the bottom of their row.
        let base = bottom + size() * 0.3;
        match block {
            Block::Row {
                align,
                emphasis,
                text,
            } => row(&mut content, base, *align, *emphasis, text),
            Block::Rule => {
                let dashes = "-".repeat(COLUMNS);
                row(&mut content, base, Align::Left, Emphasis::Plain, &dashes);
            }
            Block::Blank => {}
            Block::Barcode(text) => {
                bars(&mut content, top - BARS_HIGH, text);
                row(&mut content, base, Align::Center, Emphasis::Plain, text);
            }
            Block::Qr(text) => qr(&mut content, top, text),
            Block::Picture(picture) => {
                let (wide, high) = (length(picture.wide()) * DOT, length(picture.high()) * DOT);
                let left = (PAGE_WIDE - wide) / 2.0;
                let name = names.next().unwrap_or_default();
                content
                    .save_state()
                    .transform([wide, 0.0, 0.0, high, left, top - high])
                    .x_object(Name(name.as_bytes()))
                    .restore_state();
            }
        }
        top = bottom;
    }
    content.finish().into_vec()
}

fn row(content: &mut Content, base: f32, align: Align, emphasis: Emphasis, text: &str) {
    let letters: Vec<u8> = text.chars().map(byte).collect();
    let count = u16::try_from(letters.len()).unwrap_or(u16::MAX);
    let free = f32::from(columns().saturating_sub(count)) * LETTER_WIDE * size();
    let left = match align {
        Align::Left => MARGIN,
        Align::Center => MARGIN + free / 2.0,
    };
    let (font, stretch) = match emphasis {
        Emphasis::Plain => (PLAIN, 1.0),
        Emphasis::Bold => (BOLD, 1.0),
        Emphasis::Tall => (BOLD, 2.0),
    };
    content
        .begin_text()
        .set_font(font, size())
        .set_text_matrix([1.0, 0.0, 0.0, stretch, left, base])
        .show(Str(&letters))
        .end_text();
}

fn bars(content: &mut Content, bottom: f32, text: &str) {
    let Some(runs) = code_128(text) else {
        return;
    };
    let modules: u16 = runs.iter().map(|run| u16::from(*run)).sum();
    let room = PAGE_WIDE - 2.0 * MARGIN;
    let module = (room / f32::from(modules)).min(MODULE_WIDE_MAX);
    let mut left = (PAGE_WIDE - f32::from(modules) * module) / 2.0;
    for (place, run) in runs.iter().enumerate() {
        let wide = f32::from(*run) * module;
        if place % 2 == 0 {
            content.rect(left, bottom, wide, BARS_HIGH);
        }
        left += wide;
    }
    content.fill_nonzero();
}

fn qr(content: &mut Content, top: f32, text: &str) {
    let Some(qr) = Qr::of(text) else {
        return;
    };
    let left = (PAGE_WIDE - length(qr.side()) * QR_MODULE) / 2.0;
    let top = top - size() * LEADING / 2.0;
    for (x, y, run) in qr.runs() {
        let bottom = top - length(y + 1) * QR_MODULE;
        let from = left + length(x) * QR_MODULE;
        content.rect(from, bottom, length(run) * QR_MODULE, QR_MODULE);
    }
    content.fill_nonzero();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_any_length_has_pages_that_readers_take() {
        let check = |rows: usize, expected: usize| {
            let mut document = Document::default();
            for _ in 0..rows {
                document.text(Align::Left, Emphasis::Plain, "Milk 1.99");
            }
            let pages = pages(document.blocks());
            assert_eq!(pages.len(), expected, "{rows} rows");
            assert_eq!(pages.iter().map(|page| page.len()).sum::<usize>(), rows);
            for page in pages {
                let high: f32 = page.iter().map(height).sum();
                assert!(high + 2.0 * MARGIN <= PAGE_HIGH_MAX);
            }
        };
        check(0, 1);
        check(1, 1);
        check(1_000, 1);
        check(5_000, 4);
    }
}
