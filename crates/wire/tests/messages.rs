//! What goes over the wire, byte for byte, and what is made of bytes that are no message.
//!
//! Lanes of two releases talk to each other while a store is upgraded, so the golden messages of a
//! format stay readable for as long as the format is spoken.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};

use catalog::Record;
use expect_test::expect_file;
use ledger::{Entry, EntryHash, Epoch, Head, Hlc, LaneId, Run, StoreId};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::{
    Answer, Ask, Frame, HQ_BATCH_ENTRIES_MAX, Hello, HqAck, HqBatch, HqEntry, HqLane, HqNext,
    HqPublication, HqPublish, HqRecord, JoinRefusal, JoinRequest, LaneContact, MESSAGE_BYTES_MAX,
    SeenRun, Standing, Verdict, WIRE_FORMAT, Welcome, WireError, decode, encode, question_id,
};

const LANE: LaneId = LaneId([0xa0; 16]);
const STORE: StoreId = StoreId([0x5a; 16]);
const EPOCH: Epoch = Epoch {
    number: 2,
    mark: 0xfeed_f00d,
};
const STAMP: Hlc = Hlc {
    wall_ms: 1_795_773_600_000,
    counter: 3,
};

fn entry() -> Entry {
    Entry {
        lane: LANE,
        seq: 300,
        bytes: vec![1, 2, 3],
    }
}

fn contact() -> LaneContact {
    LaneContact {
        peer: "12D3KooW".to_owned(),
        addresses: vec!["/ip4/10.0.0.5/udp/7801/quic-v1".to_owned()],
    }
}

fn asks() -> Vec<(&'static str, Ask)> {
    let join = JoinRequest {
        invitation: 4711,
        proof: [7; 32],
        lane: LANE,
        lane_name: "Lane 2".to_owned(),
        reads: 3,
    };
    vec![
        ("ask-raft", Ask::Raft(vec![1, 2, 3].into())),
        ("ask-heads", Ask::Heads),
        (
            "ask-copy",
            Ask::Copy {
                entries: vec![entry()],
            },
        ),
        ("ask-propose", Ask::Propose(vec![4, 5].into())),
        (
            "ask-contacts",
            Ask::Contacts {
                known: vec![contact()],
            },
        ),
        ("ask-join", Ask::Join(join)),
        ("ask-standing", hello(Hlc::default())),
        ("ask-standing-stamped", hello(STAMP)),
        ("ask-standing-started", started()),
        ("ask-which-run", Ask::WhichRun { lane: LANE }),
    ]
}

const HEAD: Head = Head {
    next_seq: 301,
    hash: EntryHash([9; 32]),
};

fn hello(stamp: Hlc) -> Ask {
    Ask::Standing(Hello {
        lane: LANE,
        epoch: EPOCH,
        run: Run(u64::MAX),
        ticket: 4711,
        stamp,
        started: None,
    })
}

/// From a lane that says where its journal stood when it started.
fn started() -> Ask {
    match hello(STAMP) {
        Ask::Standing(hello) => Ask::Standing(Hello {
            started: Some(HEAD),
            ..hello
        }),
        other => other,
    }
}

fn standing(verdict: Verdict, stamp: Hlc) -> Answer {
    Answer::Standing(Standing {
        lane: LANE,
        epoch: EPOCH,
        verdict,
        ticket: 4712,
        applied: 90_000,
        stamp,
        run: None,
        seated: false,
        started: None,
    })
}

/// From a lane that names its process and deals with the one that asked.
fn seated() -> Answer {
    match standing(Verdict::Member, Hlc::default()) {
        Answer::Standing(standing) => Answer::Standing(Standing {
            run: Some(Run(42)),
            seated: true,
            ..standing
        }),
        other => other,
    }
}

fn answers() -> Vec<(&'static str, Answer)> {
    let head = HEAD;
    let welcome = Welcome {
        store: STORE,
        store_name: "Corner shop".to_owned(),
        epoch: Epoch::FIRST,
        node: 17,
        number: 2,
        members: vec![contact()],
        hq: Some(("http://10.0.0.9:7800".to_owned(), "token".to_owned())),
        proof: [8; 32],
    };
    let left = Verdict::Left {
        why: "A manager took this lane out of the store.".to_owned(),
    };
    let not_leader = |leader: Option<&str>| Answer::NotLeader {
        leader: leader.map(str::to_owned),
    };
    vec![
        ("answer-raft", Answer::Raft(vec![1, 2, 3].into())),
        ("answer-heads", Answer::Heads([(LANE, head)].into())),
        (
            "answer-copied",
            Answer::Copied {
                next: BTreeMap::from([(LANE, 301)]),
            },
        ),
        ("answer-proposed", Answer::Proposed(vec![6].into())),
        ("answer-not-leader", not_leader(Some("12D3KooW"))),
        ("answer-no-leader", not_leader(None)),
        (
            "answer-contacts",
            Answer::Contacts {
                known: vec![contact()],
            },
        ),
        ("answer-welcome", Answer::Welcome(welcome)),
        (
            "answer-join-refused",
            Answer::JoinRefused(JoinRefusal {
                reason: "This invitation was used.".to_owned(),
            }),
        ),
        (
            "answer-refused",
            Answer::Refused {
                reason: "That is not understood.".to_owned(),
            },
        ),
        (
            "answer-standing-member",
            standing(Verdict::Member, Hlc::default()),
        ),
        ("answer-standing-left", standing(left, Hlc::default())),
        (
            "answer-standing-copied",
            standing(Verdict::Copied, Hlc::default()),
        ),
        (
            "answer-standing-parted",
            standing(Verdict::Parted, Hlc::default()),
        ),
        ("answer-standing-stamped", standing(Verdict::Member, STAMP)),
        ("answer-standing-seated", seated()),
        ("answer-no-run", Answer::Run(None)),
        (
            "answer-run",
            Answer::Run(Some(SeenRun {
                run: Run(42),
                seated: true,
            })),
        ),
    ]
}

/// A new kind of message needs a sample above: these two are what reminds of it.
fn ask_name(ask: &Ask) -> &'static str {
    match ask {
        Ask::Raft(_) => "ask-raft",
        Ask::Heads => "ask-heads",
        Ask::Copy { .. } => "ask-copy",
        Ask::Propose(_) => "ask-propose",
        Ask::Contacts { .. } => "ask-contacts",
        Ask::Join(_) => "ask-join",
        Ask::Standing(Hello { stamp, .. }) if *stamp == Hlc::default() => "ask-standing",
        Ask::Standing(Hello {
            started: Some(_), ..
        }) => "ask-standing-started",
        Ask::Standing(_) => "ask-standing-stamped",
        Ask::WhichRun { .. } => "ask-which-run",
    }
}

fn answer_name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Raft(_) => "answer-raft",
        Answer::Heads(_) => "answer-heads",
        Answer::Copied { .. } => "answer-copied",
        Answer::Proposed(_) => "answer-proposed",
        Answer::NotLeader { leader: Some(_) } => "answer-not-leader",
        Answer::NotLeader { leader: None } => "answer-no-leader",
        Answer::Contacts { .. } => "answer-contacts",
        Answer::Welcome(_) => "answer-welcome",
        Answer::JoinRefused(_) => "answer-join-refused",
        Answer::Refused { .. } => "answer-refused",
        Answer::Standing(Standing { stamp, .. }) if *stamp != Hlc::default() => {
            "answer-standing-stamped"
        }
        Answer::Standing(Standing { seated: true, .. }) => "answer-standing-seated",
        Answer::Standing(Standing { verdict, .. }) => match verdict {
            Verdict::Member => "answer-standing-member",
            Verdict::Left { .. } => "answer-standing-left",
            Verdict::Copied => "answer-standing-copied",
            Verdict::Parted => "answer-standing-parted",
        },
        Answer::Run(None) => "answer-no-run",
        Answer::Run(Some(_)) => "answer-run",
    }
}

fn frames() -> Vec<(&'static str, Frame)> {
    let asks = asks().into_iter().map(|(name, ask)| {
        assert_eq!(name, ask_name(&ask));
        (name, Frame::Ask { id: 1, ask })
    });
    let answers = answers().into_iter().map(|(name, answer)| {
        assert_eq!(name, answer_name(&answer));
        let id = u64::MAX;
        (name, Frame::Answer { id, answer })
    });
    asks.chain(answers).collect()
}

fn batch() -> HqBatch {
    HqBatch {
        store: STORE,
        store_name: "Corner shop".to_owned(),
        epoch: Epoch::FIRST,
        lanes: vec![HqLane {
            lane: LANE,
            number: 2,
            name: "Lane 2".to_owned(),
        }],
        entries: vec![HqEntry {
            global: 70_000,
            entry: entry(),
        }],
    }
}

/// Of a store that was recovered.
fn recovered_batch() -> HqBatch {
    let epoch = Epoch {
        number: 2,
        mark: 70_000,
    };
    HqBatch { epoch, ..batch() }
}

fn ack(published: u64) -> HqAck {
    HqAck {
        cursor: 70_000,
        published,
    }
}

fn records() -> Vec<HqRecord> {
    let promotions = Record::Promotions("schema = 1".to_owned());
    vec![HqRecord::of(&promotions).unwrap()]
}

fn publish(stores: Option<Vec<StoreId>>) -> HqPublish {
    HqPublish {
        author: "Ada".to_owned(),
        stores,
        records: records(),
    }
}

fn next() -> HqNext {
    let publication = HqPublication {
        number: 7,
        author: "Ada".to_owned(),
        records: records(),
    };
    HqNext {
        publication: Some(publication),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().collect();
    let pairs = digits.chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

fn written<T: Serialize>(name: &str, message: &T) -> String {
    format!("{name} {}\n", hex(&encode(message).unwrap()))
}

const GOLDEN: &str = include_str!("golden/messages-1.txt");

/// The golden message of this name means this.
fn check_read<T: DeserializeOwned + PartialEq + Debug>(name: &str, expected: &T) {
    let mut lines = GOLDEN.lines().filter_map(|line| line.split_once(' '));
    let (_, bytes) = lines.find(|(found, _)| *found == name).unwrap();
    assert_eq!(&decode::<T>(&unhex(bytes)).unwrap(), expected, "{name}");
}

#[test]
fn messages_of_format_1_are_read() {
    for (name, frame) in frames() {
        check_read(name, &frame);
    }
    check_read("hq-batch", &batch());
    check_read("hq-batch-recovered", &recovered_batch());
    check_read("hq-ack", &ack(0));
    check_read("hq-ack-published", &ack(7));
    check_read("hq-publish-all", &publish(None));
    check_read("hq-publish-named", &publish(Some(vec![STORE])));
    check_read("hq-next", &next());
    check_read("hq-next-none", &HqNext { publication: None });
}

#[test]
fn messages_are_written_in_format_1() {
    let mut text = String::new();
    for (name, frame) in frames() {
        text += &written(name, &frame);
    }
    text += &written("hq-batch", &batch());
    text += &written("hq-batch-recovered", &recovered_batch());
    text += &written("hq-ack", &ack(0));
    text += &written("hq-ack-published", &ack(7));
    text += &written("hq-publish-all", &publish(None));
    text += &written("hq-publish-named", &publish(Some(vec![STORE])));
    text += &written("hq-next", &next());
    text += &written("hq-next-none", &HqNext { publication: None });
    expect_file!["golden/messages-1.txt"].assert_eq(&text);
}

#[test]
fn bytes_that_are_no_message_are_told_apart() {
    let good = encode(&batch()).unwrap();
    let check = |bytes: &[u8], expected: &str| {
        let message = decode::<HqBatch>(bytes).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    check(&[], "it is empty");
    check(&[0], "a message of format 0; this release speaks 1");
    check(&[2, 1, 2, 3], "a message of format 2");
    check(&[WIRE_FORMAT], "cannot be read");
    check(b"\x01GET / HTTP/1.1", "cannot be read");
    for end in 1..good.len() {
        check(&good[..end], "cannot be read");
    }
    let frame = encode(&frames()[0].1).unwrap();
    check(&frame, "cannot be read");
}

/// A field that is passed over is still walked through: a hostile one must not exhaust the stack.
#[test]
fn endless_nesting_is_refused() {
    let mut bytes = vec![WIRE_FORMAT];
    bytes.extend(b"\xa1\x63Ask\xa2\x62id\x07\x61x");
    let nested = |depth: usize| [bytes.clone(), vec![0x81; depth], vec![0]].concat();
    assert_eq!(question_id(&nested(3)), Some(7));
    assert_eq!(question_id(&nested(MESSAGE_BYTES_MAX / 2)), None);
}

#[test]
fn what_is_too_large_is_neither_sent_nor_read() {
    let message = |bytes: usize| Frame::Ask {
        id: 1,
        ask: Ask::Raft(vec![0; bytes].into()),
    };
    let around = encode(&message(100_000)).unwrap().len() - 100_000;
    let largest = encode(&message(MESSAGE_BYTES_MAX - around)).unwrap();
    assert_eq!(largest.len(), MESSAGE_BYTES_MAX);
    decode::<Frame>(&largest).unwrap();
    let bytes = MESSAGE_BYTES_MAX + 1;
    let too_large = encode(&message(bytes - around));
    assert_eq!(too_large, Err(WireError::TooLarge { bytes }));
    let read = decode::<Frame>(&vec![WIRE_FORMAT; bytes]);
    assert_eq!(read, Err(WireError::TooLarge { bytes }));
}

#[test]
fn a_full_batch_of_ordinary_entries_fits() {
    let mut full = batch();
    full.entries = (1..=HQ_BATCH_ENTRIES_MAX as u64)
        .map(|global| HqEntry {
            global,
            entry: Entry {
                bytes: vec![0xff; 1_000],
                ..entry()
            },
        })
        .collect();
    assert_eq!(decode::<HqBatch>(&encode(&full).unwrap()).unwrap(), full);
}

/// Messages as a later release may send them.
mod later {
    use serde::Serialize;

    #[derive(Serialize)]
    pub struct HqAck {
        pub cursor: u64,
        pub load_percent: u8,
        pub notices: Vec<String>,
    }

    #[derive(Serialize)]
    pub enum Record {
        Weather(String),
    }

    #[derive(Serialize)]
    pub enum Frame {
        Ask { id: u64, ask: Ask },
        Tell { id: u64 },
    }

    #[derive(Serialize)]
    pub enum Ask {
        Heads,
        Weather { where_to: Vec<String> },
    }
}

#[test]
fn fields_of_a_later_release_are_passed_over() {
    let bytes = encode(&later::HqAck {
        cursor: 5,
        load_percent: 80,
        notices: vec!["closed on Sunday".to_owned()],
    });
    assert_eq!(
        decode(&bytes.unwrap()),
        Ok(HqAck {
            cursor: 5,
            published: 0
        })
    );
}

#[test]
fn a_record_of_a_later_release_is_told_from_the_others() {
    let later = HqRecord(encode(&later::Record::Weather("rain".to_owned())).unwrap());
    let mut message = next();
    if let Some(publication) = &mut message.publication {
        publication.records.push(later);
    }
    let read: HqNext = decode(&encode(&message).unwrap()).unwrap();
    let records = read.publication.unwrap().records;
    let readable: Vec<bool> = records.iter().map(|r| r.record().is_ok()).collect();
    assert_eq!(readable, [true, false]);
}

#[test]
fn a_question_of_a_later_release_can_be_answered() {
    let check = |frame: &later::Frame, understood: bool, id: Option<u64>| {
        let bytes = encode(frame).unwrap();
        assert_eq!(decode::<Frame>(&bytes).is_ok(), understood);
        assert_eq!(question_id(&bytes), id);
    };
    let heads = later::Ask::Heads;
    check(&later::Frame::Ask { id: 7, ask: heads }, true, Some(7));
    let ask = later::Ask::Weather {
        where_to: vec!["here".to_owned()],
    };
    check(&later::Frame::Ask { id: 8, ask }, false, Some(8));
    check(&later::Frame::Tell { id: 9 }, false, None);
    for (name, frame) in frames() {
        let expected = name.starts_with("ask").then_some(1);
        assert_eq!(question_id(&encode(&frame).unwrap()), expected, "{name}");
    }
    assert_eq!(question_id(b"\x01garbage"), None);
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(mut bytes in prop::collection::vec(any::<u8>(), 1..600)) {
        bytes[0] = WIRE_FORMAT;
        // Random bytes may be a message by chance; all that matters is an answer.
        let _ = decode::<Frame>(&bytes);
        let _ = decode::<HqBatch>(&bytes);
        let _ = question_id(&bytes);
    }

    #[test]
    fn no_damage_makes_reading_panic(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        to: u8,
    ) {
        let (_, frame) = which.get(&frames()).clone();
        let mut bytes = encode(&frame).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _ = decode::<Frame>(&bytes);
        let _ = question_id(&bytes);
    }

    #[test]
    fn entries_arrive_as_they_were_sent(
        seqs in prop::collection::vec((any::<u64>(), prop::collection::vec(any::<u8>(), 0..50)), 0..20),
    ) {
        let entries = seqs.into_iter().map(|(seq, bytes)| Entry { lane: LANE, seq, bytes });
        let ask = Ask::Copy { entries: entries.collect() };
        let frame = Frame::Ask { id: 3, ask };
        prop_assert_eq!(decode::<Frame>(&encode(&frame).unwrap()).unwrap(), frame);
    }
}
