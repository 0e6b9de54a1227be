//! The formats in which the local API hands papers out.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use devices::{Document, PaperFormat};
use serde::Deserialize;

use super::{Failure, not_found};

#[derive(Deserialize)]
pub(super) struct FormatQuery {
    /// `json` (default), or one of [`PaperFormat`].
    #[serde(default)]
    pub(super) format: Option<String>,
}

/// What is asked for as JSON or on paper; `title` is what a page or a file is called.
pub(super) fn paper(
    query: &FormatQuery,
    title: &str,
    json: impl FnOnce() -> Response,
    document: impl FnOnce() -> Document,
) -> Result<Response, Failure> {
    let name = match query.format.as_deref() {
        None | Some("json") => return Ok(json()),
        Some(name) => name,
    };
    let mut formats = PaperFormat::ALL.into_iter();
    let format = formats.find(|format| format.name() == name);
    let format = format
        .ok_or_else(|| not_found("There are the formats json, text, escpos, html and pdf."))?;
    let bytes = format.render(&document(), title);
    Ok(([(header::CONTENT_TYPE, format.media_type())], bytes).into_response())
}
