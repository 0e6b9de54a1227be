//! Head office over HTTP: CBOR batches up, CBOR cursors and publications down, a bearer token.
//!
//! `https` URLs are checked against the machine's own certificates. A token is never logged.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use ledger::StoreId;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wire::{HqAck, HqBatch, HqNext, HqPublication, MESSAGE_BYTES_MAX};

use crate::{HqError, HqLink};

/// How long a request may take, answer included.
const REQUEST_MAX: Duration = Duration::from_secs(10);
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// The largest answer to a batch that is read, in bytes: a cursor, or a few lines about what is wrong.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The largest part of an answer that is no JSON of head office's own which is shown, in characters.
const SHOWN_CHARS_MAX: usize = 200;

/// A head office at a URL.
pub struct HttpHqLink {
    client: Client,
    base: Url,
    token: String,
}

/// What head office says when it does not take a batch.
#[derive(Deserialize)]
struct Problem {
    error: String,
}

impl HttpHqLink {
    /// Prepares for the head office at `url` (`https://hq.example.com/lanemesh` or
    /// `http://10.0.0.5:7800`), which knows the store by `token`. Connects to nothing yet.
    ///
    /// Fails with [`HqError::Refused`] when the URL or the token cannot be used.
    pub fn new(url: &str, token: &str) -> Result<HttpHqLink, HqError> {
        let unusable = |reason: &str| {
            HqError::Refused(format!(
                "{url} is not the address of a head office ({reason}): write it like \
                 http://10.0.0.5:7800"
            ))
        };
        let mut base = Url::parse(url).map_err(|error| unusable(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(unusable("it begins with neither http: nor https:"));
        }
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            let reason = "the token is empty or has odd characters: copy it from hq-token";
            return Err(HqError::Refused(reason.to_owned()));
        }
        // Without it `join` would replace the last part of the path.
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let mut client = Client::builder()
            .connect_timeout(CONNECT_MAX)
            .timeout(REQUEST_MAX);
        if is_loopback(&base) {
            client = client.no_proxy();
        }
        Ok(HttpHqLink {
            client: client
                .build()
                .map_err(|error| HqError::Refused(in_full(&error)))?,
            base,
            token: token.to_owned(),
        })
    }
}

impl HttpHqLink {
    fn url(&self, path: &str) -> Result<Url, HqError> {
        let joined = self.base.join(path);
        joined.map_err(|error| HqError::Refused(error.to_string()))
    }

    /// What an answer of at most `bytes_max` bytes says.
    async fn read<T: DeserializeOwned>(
        &self,
        answer: Response,
        bytes_max: usize,
    ) -> Result<T, HqError> {
        let status = answer.status();
        let bytes = read_bounded(answer, bytes_max).await?;
        if status == StatusCode::OK {
            return wire::decode(&bytes).map_err(|error| {
                HqError::Unreachable(format!("{} answered oddly: {error}", self.base))
            });
        }
        let problem = problem(status, &bytes);
        Err(match status.is_client_error() {
            true => HqError::Refused(problem),
            false => HqError::Unreachable(problem),
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[async_trait]
impl HqLink for HttpHqLink {
    async fn deliver(&self, batch: HqBatch) -> Result<HqAck, HqError> {
        let url = self.url(&format!("v1/stores/{}/batches", batch.store))?;
        let body = wire::encode(&batch).map_err(|error| HqError::Refused(error.to_string()))?;
        let answer = self
            .client
            .post(url)
            .bearer_auth(&self.token)
            .header(CONTENT_TYPE, "application/cbor")
            .body(body)
            .send()
            .await
            .map_err(|error| HqError::Unreachable(in_full(&error)))?;
        self.read(answer, ANSWER_BYTES_MAX).await
    }

    async fn published(
        &self,
        store: StoreId,
        after: u64,
    ) -> Result<Option<HqPublication>, HqError> {
        let url = self.url(&format!("v1/stores/{store}/publications?after={after}"))?;
        let asked = self.client.get(url).bearer_auth(&self.token).send().await;
        let answer = asked.map_err(|error| HqError::Unreachable(in_full(&error)))?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(HqError::PublishesNothing);
        }
        let next: HqNext = self.read(answer, MESSAGE_BYTES_MAX).await?;
        Ok(next.publication)
    }
}

async fn read_bounded(mut answer: Response, bytes_max: usize) -> Result<Vec<u8>, HqError> {
    let unreachable = |error| HqError::Unreachable(in_full(&error));
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > bytes_max {
            let reason = "its answer is too large to be head office's";
            return Err(HqError::Unreachable(reason.to_owned()));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn problem(status: StatusCode, body: &[u8]) -> String {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => problem.error,
        Err(_) => {
            let text = String::from_utf8_lossy(body);
            let shown: String = text.trim().chars().take(SHOWN_CHARS_MAX).collect();
            format!("it answered {status} {shown}")
                .trim_end()
                .to_owned()
        }
    }
}

/// The error with its causes: reqwest's own text leaves out what a person needs.
fn in_full(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
