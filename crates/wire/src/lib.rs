//! What lanes say to each other and to head office: versioned, bounded CBOR.
//!
//! Every message begins with a format byte. A lane one version older or newer still talks: fields
//! are only ever added with a default, and a message of an unknown kind is answered with
//! `Answer::Refused`, not with silence. Nothing here does I/O.

mod codec;
mod hq;
mod lanes;

pub use codec::{MESSAGE_BYTES_MAX, WIRE_FORMAT, WireError, decode, encode};
pub use hq::{
    HQ_AUTHOR_CHARS_MAX, HQ_BATCH_ENTRIES_MAX, HQ_PUBLICATION_BYTES_MAX,
    HQ_PUBLICATION_RECORDS_MAX, HQ_STORES_NAMED_MAX, HqAck, HqBatch, HqEntry, HqLane, HqNext,
    HqPublication, HqPublish, HqRecord,
};
pub use lanes::{
    Answer, Ask, Frame, Heads, Hello, JoinRefusal, JoinRequest, LaneContact, SeenRun, Standing,
    Verdict, Welcome, question_id,
};
