//! A lane's API for a caller that waits: a lane may be killed and started again, on another port,
//! between any two bytes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::{CommandRequest, Done, LaneView, Problem};
use reqwest::StatusCode;
use sale::{Command, Refusal};

use crate::client::{ClientError, LaneClient};

/// How long one answer may take before the question is asked again.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
const WAIT_MIN: Duration = Duration::from_millis(20);
const WAIT_MAX: Duration = Duration::from_millis(500);

/// Why a lane's answer is final and yet no success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("{message} {hint}")]
    Refused {
        refusal: Refusal,
        message: String,
        hint: String,
    },
    /// The lane does not understand this program.
    #[error("{0}")]
    Broken(String),
}

/// Asks a lane again and again until it answers. Has no last try: whoever has waited long enough
/// drops the future.
pub struct PatientLane {
    folder: PathBuf,
    client: Option<LaneClient>,
    retries: AtomicU64,
}

impl PatientLane {
    pub fn new(folder: &Path) -> PatientLane {
        PatientLane {
            folder: folder.to_owned(),
            client: None,
            retries: AtomicU64::new(0),
        }
    }

    /// How often something had to be asked again.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Carries a command out once, however often it has to be sent.
    pub async fn command(&mut self, id: Option<String>, command: Command) -> Result<Done, Trouble> {
        let request = CommandRequest { id, command };
        let mut wait = WAIT_MIN;
        loop {
            let sent = match self.client() {
                Ok(client) => tokio::time::timeout(ANSWER_LIMIT, client.command(&request)).await,
                Err(error) => Ok(Err(error)),
            };
            match sent {
                Ok(Ok(Ok(done))) => return Ok(done),
                Ok(Ok(Err(Problem::Refused {
                    refusal,
                    message,
                    hint,
                }))) => {
                    return Err(Trouble::Refused {
                        refusal,
                        message,
                        hint,
                    });
                }
                Ok(Ok(Err(Problem::Stopped { .. } | Problem::Unavailable { .. }))) => {}
                Ok(Err(error)) => self.forget(error)?,
                Err(_) => self.client = None,
            }
            self.pause(&mut wait).await;
        }
    }

    /// What the lane's window shows.
    pub async fn view(&mut self) -> Result<LaneView, Trouble> {
        let mut wait = WAIT_MIN;
        loop {
            let asked = match self.client() {
                Ok(client) => tokio::time::timeout(ANSWER_LIMIT, client.view()).await,
                Err(error) => Ok(Err(error)),
            };
            match asked {
                Ok(Ok(view)) => return Ok(view),
                Ok(Err(error)) => self.forget(error)?,
                Err(_) => self.client = None,
            }
            self.pause(&mut wait).await;
        }
    }

    fn client(&mut self) -> Result<&LaneClient, ClientError> {
        let client = match self.client.take() {
            Some(client) => client,
            None => LaneClient::of_folder(&self.folder)?,
        };
        Ok(self.client.insert(client))
    }

    /// Forgets the lane's address, unless the lane was reached and will never answer better. Another
    /// lane that took over the port of a killed one does not know the token.
    fn forget(&mut self, error: ClientError) -> Result<(), Trouble> {
        self.client = None;
        match &error {
            ClientError::Failed { status, .. }
                if status.is_client_error() && *status != StatusCode::UNAUTHORIZED =>
            {
                Err(Trouble::Broken(error.to_string()))
            }
            ClientError::Answer(_) => Err(Trouble::Broken(error.to_string())),
            _ => Ok(()),
        }
    }

    async fn pause(&self, wait: &mut Duration) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(*wait).await;
        *wait = (*wait * 2).min(WAIT_MAX);
    }
}
