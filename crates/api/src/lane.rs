//! The way commands go in and updates come out.

use std::sync::Arc;

use catalog::Language;
use sale::{Command, Event, Refusal};
use serde::{Deserialize, Serialize};

use crate::LaneView;

/// Tells which answer belongs to which request.
pub type Ticket = u64;

/// A command with the caller's own id for it. A command sent again under an id that the lane has
/// already carried out is answered as the first time and changes nothing; ids are remembered for
/// the lane's last 1,000 commands, across restarts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRequest {
    #[serde(default)]
    pub id: Option<String>,
    pub command: Command,
}

/// A command was carried out and is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Number of the lane's last journal entry that belongs to the command.
    pub seq: u64,
    pub events: Vec<Event>,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "kebab-case")]
pub enum Problem {
    /// Against the rules as things stand; nothing was changed.
    Refused {
        #[serde(flatten)]
        refusal: Refusal,
        /// What was refused, in the language of the store.
        message: String,
        /// What the person can do next.
        hint: String,
    },
    /// The journal could not be made durable; nothing was changed, the lane must not sell.
    Stopped { message: String },
    /// The lane is starting or closing.
    Unavailable { message: String },
}

impl Problem {
    /// A refusal, in the words of the store's language.
    pub fn refused(refusal: Refusal, language: Language) -> Problem {
        let (message, hint) = refusal.said(language);
        Problem::Refused {
            message,
            hint: hint.to_owned(),
            refusal,
        }
    }
}

pub type Answer = Result<Done, Problem>;

/// An item as a search finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemFound {
    /// What to scan to sell it.
    pub code: String,
    pub description: String,
    pub department: String,
    /// Formatted with its unit: `1.99` or `1.99 /kg`.
    pub price: String,
}

#[derive(Clone, Debug)]
pub enum Update {
    /// Something that is shown has changed.
    View(Arc<LaneView>),
    Answer {
        ticket: Ticket,
        answer: Answer,
    },
    Found {
        ticket: Ticket,
        items: Vec<ItemFound>,
    },
    /// A paper was asked for: it waits for the printer, or why it does not.
    Printing(Result<(), String>),
}

/// A lane as its window sees it. No call blocks.
pub trait Lane {
    /// Sends a command; its answer comes as an [`Update::Answer`] with the same ticket.
    fn submit(&mut self, ticket: Ticket, command: Command);
    /// Looks for items whose description has all the words; answered by [`Update::Found`].
    fn search(&mut self, ticket: Ticket, words: &str);
    /// Has a receipt printed, by its number; answered by [`Update::Printing`].
    fn print(&mut self, receipt: &str);
    /// What has come in since the last call, oldest first.
    fn poll(&mut self) -> Vec<Update>;
}
