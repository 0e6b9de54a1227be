//! The lane's card terminal on the network.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use devices::nexo::{Terminal, TerminalSettings};
use futures::future::BoxFuture;
use sale::{CardAnswer, CardAsk};
use tokio::sync::oneshot;

use super::RELEASE;
use crate::lane::{CardTerminal, Heard, Identity};

/// Which terminal a lane has: `NAME@ADDRESS:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalAt {
    /// The terminal's own name.
    pub name: String,
    pub address: SocketAddr,
}

impl FromStr for TerminalAt {
    type Err = String;

    fn from_str(text: &str) -> Result<TerminalAt, String> {
        let wrong = || "write it as POI-1@192.168.1.20:10000".to_owned();
        let (name, address) = text.rsplit_once('@').ok_or_else(wrong)?;
        let name_fits = !name.is_empty() && name.chars().count() <= 40;
        match address.parse() {
            Ok(address) if name_fits => Ok(TerminalAt {
                name: name.to_owned(),
                address,
            }),
            _ => Err(wrong()),
        }
    }
}

/// A terminal that speaks nexo. Each question has a thread of its own, which ends with the process.
pub struct NexoTerminal {
    name: String,
    terminal: Terminal,
}

impl NexoTerminal {
    pub fn new(at: &TerminalAt, lane: &Identity) -> NexoTerminal {
        let settings = TerminalSettings {
            address: at.address,
            // A lane that joins anew counts its questions from 1 again.
            sale_id: format!("{}-{}", lane.number, lane.lane.short()),
            poi_id: at.name.clone(),
            connect_limit: Duration::from_secs(3),
            answer_limit: Duration::from_secs(150),
            doubt_limit: Duration::from_secs(15),
            ask_again_every: Duration::from_secs(2),
        };
        NexoTerminal {
            name: at.name.clone(),
            terminal: Terminal::new(settings),
        }
    }
}

impl CardTerminal for NexoTerminal {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, ask: &CardAsk, heard: Heard) -> BoxFuture<'static, CardAnswer> {
        let (terminal, ask) = (self.terminal.clone(), ask.clone());
        let (said, answer) = oneshot::channel();
        std::thread::spawn(move || {
            let answer = match heard {
                Heard::Never => terminal.carry_out(&ask, &iso_8601(&ask), RELEASE),
                Heard::Perhaps => terminal.what_became_of(&ask),
            };
            // Nobody waits for it any more where the lane closes: it is asked for at the next start.
            let _ = said.send(answer);
        });
        Box::pin(async move {
            let reason = "the question's thread ended".to_owned();
            answer.await.unwrap_or(CardAnswer::Doubtful { reason })
        })
    }

    fn give_up(&self, number: u64) {
        let terminal = self.terminal.clone();
        std::thread::spawn(move || {
            if let Err(error) = terminal.give_up(number) {
                tracing::warn!(%error, "the card terminal was not asked to give up");
            }
        });
    }
}

fn iso_8601(ask: &CardAsk) -> String {
    jiff::Timestamp::from_millisecond(i64::try_from(ask.at.unix_ms).unwrap_or(i64::MAX))
        .unwrap_or_default()
        .to_string()
}
