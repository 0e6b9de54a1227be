//! A document as a web page that needs nothing else: for a mail, or a screen.

use std::fmt::Write;

use crate::bars::code_128;
use crate::picture::Qr;
use crate::{Align, Block, COLUMNS, Document, Emphasis, Picture};

/// The height of a barcode, in its modules.
const BARS_HIGH: u32 = 40;
/// The space that must be free on either side of a Code 128, in its modules.
const QUIET: u32 = 10;

const STYLE: &str = "\
body{margin:0;background:#eee;color:#000}\
main{box-sizing:content-box;margin:1rem auto;padding:1.2rem 1rem;background:#fff;\
font:14px/1.35 ui-monospace,'DejaVu Sans Mono','Courier New',monospace}\
p{margin:0;min-height:1.35em;white-space:pre}\
.center{text-align:center}.bold,.tall{font-weight:bold}\
.tall{transform:scaleY(1.6);padding:.4em 0}\
hr{margin:.4em 0;border:0;border-top:1px dashed}\
svg,img{display:block;width:70%;margin:.4em auto 0}\
svg.qr{width:45%}img{height:auto;image-rendering:pixelated}\
@media print{body{background:#fff}main{margin:0}}";

/// `title` is the page's, which a browser shows and a printed file is called by.
pub(crate) fn render(document: &Document, title: &str) -> String {
    let title = escaped(title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>{STYLE}main{{width:{COLUMNS}ch}}</style>\n</head>\n<body>\n<main>\n",
        document.language().code()
    );
    for block in document.blocks() {
        match block {
            Block::Row {
                align,
                emphasis,
                text,
            } => row(&mut out, *align, *emphasis, text),
            Block::Rule => out.push_str("<hr>\n"),
            Block::Blank => out.push_str("<p></p>\n"),
            Block::Barcode(text) => barcode(&mut out, text),
            Block::Qr(text) => qr(&mut out, text),
            Block::Picture(dots) => picture(&mut out, dots),
        }
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn row(out: &mut String, align: Align, emphasis: Emphasis, text: &str) {
    let align = match align {
        Align::Left => None,
        Align::Center => Some("center"),
    };
    let emphasis = match emphasis {
        Emphasis::Plain => None,
        Emphasis::Bold => Some("bold"),
        Emphasis::Tall => Some("tall"),
    };
    let classes: Vec<&str> = align.into_iter().chain(emphasis).collect();
    let class = match classes.as_slice() {
        [] => String::new(),
        classes => format!(" class=\"{}\"", classes.join(" ")),
    };
    let text = escaped(text);
    writeln!(out, "<p{class}>{text}</p>").expect("a String takes all");
}

fn barcode(out: &mut String, text: &str) {
    if let Some(runs) = code_128(text) {
        let mut at = QUIET;
        let mut path = String::new();
        for (place, run) in runs.iter().enumerate() {
            if place % 2 == 0 {
                write!(path, "M{at} 0h{run}v{BARS_HIGH}h-{run}z").expect("a String takes all");
            }
            at += u32::from(*run);
        }
        let wide = at + QUIET;
        let label = escaped(text);
        writeln!(
            out,
            "<svg viewBox=\"0 0 {wide} {BARS_HIGH}\" role=\"img\" aria-label=\"{label}\" \
             shape-rendering=\"crispEdges\"><path d=\"{path}\"/></svg>"
        )
        .expect("a String takes all");
    }
    row(out, Align::Center, Emphasis::Plain, text);
}

/// A QR code; where it is a link, it can be followed as well.
fn qr(out: &mut String, text: &str) {
    let Some(qr) = Qr::of(text) else {
        return;
    };
    let mut path = String::new();
    for (x, y, run) in qr.runs() {
        let (x, y) = (x + Qr::QUIET, y + Qr::QUIET);
        write!(path, "M{x} {y}h{run}v1h-{run}z").expect("a String takes all");
    }
    let wide = qr.side() + 2 * Qr::QUIET;
    let label = escaped(text);
    let svg = format!(
        "<svg class=\"qr\" viewBox=\"0 0 {wide} {wide}\" role=\"img\" aria-label=\"{label}\" \
         shape-rendering=\"crispEdges\"><path d=\"{path}\"/></svg>"
    );
    match text.starts_with("https://") {
        true => writeln!(out, "<a href=\"{label}\">{svg}</a>"),
        false => writeln!(out, "{svg}"),
    }
    .expect("a String takes all");
}

/// Dots of the paper that all columns are wide: 12 each.
const PAPER_DOTS: u32 = COLUMNS as u32 * 12;

fn picture(out: &mut String, picture: &Picture) {
    let percent = picture.wide() * 100 / PAPER_DOTS;
    let file = picture.to_base64();
    writeln!(
        out,
        "<img style=\"width:{percent}%\" alt=\"\" src=\"data:image/png;base64,{file}\">"
    )
    .expect("a String takes all");
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_taken_for_markup() {
        let mut document = Document::default();
        document.text(Align::Center, Emphasis::Bold, "<b>\"Salt & Vinegar\"</b>");
        document.push(Block::Barcode("a\"b<c".to_owned()));
        document.push(Block::Qr("https://a\"><b".to_owned()));
        let html = render(&document, "</title><script>");
        assert!(
            html.contains(
                "<p class=\"center bold\">&lt;b&gt;&quot;Salt &amp; Vinegar&quot;&lt;/b&gt;</p>"
            ),
            "{html}"
        );
        assert!(
            html.contains("<title>&lt;/title&gt;&lt;script&gt;</title>"),
            "{html}"
        );
        assert!(html.contains("aria-label=\"a&quot;b&lt;c\""), "{html}");
        assert!(
            html.contains("<a href=\"https://a&quot;&gt;&lt;b\"><svg"),
            "{html}"
        );
    }
}
