//! A client of a running lane's local API, for the commands, the robots and the tests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use api::{CommandRequest, Done, LaneStatus, LaneView, Problem};
use futures::StreamExt;
use ledger::LaneId;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use sale::PriceCheck;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Where a running lane says how it can be reached.
pub const API_FILE: &str = "api.json";
pub const TOKEN_FILE: &str = "api-token";

const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// The content of [`API_FILE`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiAddress {
    /// `http://127.0.0.1:<port>`
    pub url: String,
    pub pid: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("no lane is running on {0}: start it with `lanemesh lane {0}`")]
    NotRunning(PathBuf),
    #[error("{path} cannot be read: {reason}")]
    Folder { path: PathBuf, reason: String },
    #[error("the lane does not answer: {0}")]
    Unreachable(String),
    #[error("the lane answered {status}: {message}")]
    Failed { status: StatusCode, message: String },
    /// An import ended before the whole file was in the store.
    #[error("it was not imported: {0}")]
    Import(String),
    #[error("the lane's answer was not understood: {0}")]
    Answer(String),
}

/// A lane's API.
#[derive(Clone)]
pub struct LaneClient {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl LaneClient {
    /// The lane whose data folder this is. Does not connect yet.
    pub fn of_folder(folder: &Path) -> Result<LaneClient, ClientError> {
        let read = |file: &str| {
            let path = folder.join(file);
            match std::fs::read_to_string(&path) {
                Ok(text) => Ok(text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    Err(ClientError::NotRunning(folder.to_owned()))
                }
                Err(error) => Err(ClientError::Folder {
                    path,
                    reason: error.to_string(),
                }),
            }
        };
        let address: ApiAddress = serde_json::from_str(&read(API_FILE)?)
            .map_err(|_| ClientError::NotRunning(folder.to_owned()))?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_LIMIT)
            .build()
            .map_err(|error| ClientError::Unreachable(error.to_string()))?;
        Ok(LaneClient {
            http,
            url: address.url,
            token: read(TOKEN_FILE)?.trim().to_owned(),
        })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        read(send(self.request(Method::GET, path)).await?).await
    }

    pub async fn view(&self) -> Result<LaneView, ClientError> {
        self.get("/v1/view").await
    }

    pub async fn status(&self) -> Result<LaneStatus, ClientError> {
        self.get("/v1/status").await
    }

    /// Reads what a path answers in JSON.
    pub async fn json(&self, path: &str) -> Result<serde_json::Value, ClientError> {
        self.get(path).await
    }

    /// Reads what a path answers as text, such as a document on paper.
    pub async fn paper(&self, path: &str) -> Result<String, ClientError> {
        let answer = send(self.request(Method::GET, path)).await?;
        if !answer.status().is_success() {
            return Err(failed(answer).await);
        }
        let text = answer.text().await;
        text.map_err(|error| ClientError::Unreachable(error.to_string()))
    }

    /// What one of what a code stands for costs, or why it is not sold.
    pub async fn price(&self, code: &str) -> Result<Result<PriceCheck, Problem>, ClientError> {
        let code: String = code.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = send(self.request(Method::GET, &format!("/v1/prices/{code}"))).await?;
        match answer.status() {
            StatusCode::OK => Ok(Ok(body(answer).await?)),
            StatusCode::CONFLICT => Ok(Err(body(answer).await?)),
            _ => Err(failed(answer).await),
        }
    }

    pub async fn totals(&self) -> Result<serde_json::Value, ClientError> {
        self.get("/v1/totals").await
    }

    /// Carries out a command. The outer error is of the connection, after which the command may or
    /// may not have been carried out: send it again under the same id.
    pub async fn command(
        &self,
        request: &CommandRequest,
    ) -> Result<Result<Done, Problem>, ClientError> {
        let answer = send(self.request(Method::POST, "/v1/commands").json(request)).await?;
        match answer.status() {
            StatusCode::OK => Ok(Ok(body(answer).await?)),
            StatusCode::CONFLICT | StatusCode::SERVICE_UNAVAILABLE => Ok(Err(body(answer).await?)),
            _ => Err(failed(answer).await),
        }
    }

    /// Waits until the store has applied the lane's journal up to `seq`, ten seconds at most.
    /// Answers how far it has.
    pub async fn shared(&self, seq: u64) -> Result<u64, ClientError> {
        let answer: serde_json::Value = self.get(&format!("/v1/shared?seq={seq}")).await?;
        let applied = answer["applied_seq"].as_u64();
        applied.ok_or_else(|| ClientError::Answer(answer.to_string()))
    }

    /// Opens an invitation.
    pub async fn invite(&self) -> Result<Invitation, ClientError> {
        read(send(self.request(Method::POST, "/v1/invitations")).await?).await
    }

    /// Takes a lane out of the store.
    pub async fn retire(&self, lane: LaneId, manager: &str, pin: &str) -> Result<(), ClientError> {
        let path = format!("/v1/lanes/{lane}/retire");
        let body = serde_json::json!({ "manager": manager, "pin": pin });
        let answer = send(self.request(Method::POST, &path).json(&body)).await?;
        match answer.status() {
            StatusCode::OK => Ok(()),
            _ => Err(failed(answer).await),
        }
    }

    /// Has a paper printed, as the API's description says it; answers its number.
    pub async fn print(&self, paper: &serde_json::Value) -> Result<u64, ClientError> {
        let request = self.request(Method::POST, "/v1/printer/papers");
        let answer: serde_json::Value = read(send(request.json(paper)).await?).await?;
        let number = answer["number"].as_u64();
        number.ok_or_else(|| ClientError::Answer(answer.to_string()))
    }

    /// Takes a paper that waits for the printer back.
    pub async fn cancel_paper(&self, number: u64) -> Result<(), ClientError> {
        let path = format!("/v1/printer/papers/{number}/cancel");
        let _: serde_json::Value = read(send(self.request(Method::POST, &path)).await?).await?;
        Ok(())
    }

    /// Imports a file; `progress` is told how many records took effect. Answers the report.
    pub async fn import(
        &self,
        kind: Option<&str>,
        bytes: Vec<u8>,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<serde_json::Value, ClientError> {
        let path = match kind {
            Some(kind) => format!("/v1/import?kind={kind}"),
            None => "/v1/import".to_owned(),
        };
        let answer = send(self.request(Method::POST, &path).body(bytes)).await?;
        if !answer.status().is_success() {
            return Err(failed(answer).await);
        }
        let mut stream = answer.bytes_stream();
        let mut rest = Vec::new();
        while let Some(chunk) = stream.next().await {
            rest.extend(chunk.map_err(|e| ClientError::Unreachable(e.to_string()))?);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let line: ImportLine = serde_json::from_slice(&line)
                    .map_err(|error| ClientError::Answer(error.to_string()))?;
                match line {
                    ImportLine::Progress(done) => progress(done),
                    ImportLine::Report(report) => return Ok(report),
                    ImportLine::Error(message) => return Err(ClientError::Import(message)),
                }
            }
        }
        Err(ClientError::Unreachable(
            "the connection ended before the import did; importing the same file again is safe"
                .to_owned(),
        ))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ImportLine {
    Progress(u64),
    Report(serde_json::Value),
    Error(String),
}

/// What `invite` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invitation {
    pub code: String,
    pub valid_minutes: u32,
    /// For networks without multicast: what to give `lanemesh join --peer`.
    pub addresses: Vec<String>,
}

async fn send(request: RequestBuilder) -> Result<Response, ClientError> {
    request
        .send()
        .await
        .map_err(|error| ClientError::Unreachable(error.to_string()))
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, ClientError> {
    match answer.status().is_success() {
        true => body(answer).await,
        false => Err(failed(answer).await),
    }
}

async fn body<T: DeserializeOwned>(answer: Response) -> Result<T, ClientError> {
    let bytes = answer
        .bytes()
        .await
        .map_err(|error| ClientError::Unreachable(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| ClientError::Answer(error.to_string()))
}

async fn failed(answer: Response) -> ClientError {
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    let message = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|value| value["message"].as_str().map(str::to_owned))
        .unwrap_or(text);
    ClientError::Failed { status, message }
}
