//! The desk's file, and which events lead to what.

use std::sync::Arc;

use devices::Document;
use providers::SharedDisk;
use sale::{Event, Tender};
use storage::FileDisk;

use super::CameOut;
use super::papers_of::opens_drawer;
use super::queue::{PAPERS_MAX, Queue, QueueFull, Title};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn disk(folder: &tempfile::TempDir) -> SharedDisk {
    Arc::new(FileDisk::new(folder.path()).expect("the folder can be used"))
}

fn paper(text: &str) -> Document {
    let row = serde_json::json!({ "align": "left", "emphasis": "plain", "text": text });
    let document = serde_json::json!({ "language": "en", "blocks": [{ "row": row }] });
    serde_json::from_value(document).expect("a document")
}

/// A paper with its title.
fn one(title: &str, text: &str) -> Vec<(Title, Document)> {
    vec![(title.to_owned(), paper(text))]
}

/// What a printer would be given next.
fn next(queue: &mut Queue) -> Option<String> {
    queue
        .begin()
        .map(|(_, document)| devices::text_of(&document))
}

#[test]
fn papers_wait_over_a_restart_and_come_out_in_order() {
    let folder = folder();
    let mut queue = Queue::open(disk(&folder), Some(7));
    assert_eq!(queue.push(one("Receipt 1", "one"), 5), Ok(1));
    assert_eq!(queue.push(one("Receipt 2", "two"), 6), Ok(2));
    drop(queue);
    let mut queue = Queue::open(disk(&folder), Some(9));
    assert_eq!(
        queue.through(),
        Some(7),
        "what came behind is still to be printed"
    );
    assert_eq!(next(&mut queue).as_deref(), Some("one\n"));
    assert!(queue.remove(1));
    assert!(!queue.remove(1));
    assert_eq!(next(&mut queue).as_deref(), Some("two\n"));
    assert!(queue.remove(2));
    assert!(queue.is_empty());
    // A number is never given twice.
    assert_eq!(queue.push(one("Receipt 3", "three"), 7), Ok(3));
}

/// The file of format 1, which later releases have to read.
const GOLDEN_1: &str = r#"{"format":1,"last":2,"through":7,"papers":[{"number":1,"title":"Receipt 1-000001","made_at_ms":1795873620000,"begun":true,"document":{"language":"de","blocks":[{"row":{"align":"center","emphasis":"tall","text":"Laden"}},"rule","blank",{"row":{"align":"left","emphasis":"bold","text":"Brötchen"}},{"barcode":"1-000001"}]}},{"number":2,"title":"Slip 4","made_at_ms":1795873621000,"document":{"language":"en","blocks":[]},"reprint":true}]}"#;

/// Of format 2: pictures and QR codes, whose blocks are all that is new.
const GOLDEN_2: &str = r#"{"format":2,"last":1,"through":7,"papers":[{"number":1,"title":"Receipt 1-000001","made_at_ms":1795873620000,"document":{"language":"de","blocks":[{"picture":"iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQAAAAA3iMLMAAAAF0lEQVR42mNgYGCo/4dAFXLoCFmWgQEAcXEPbTZYubMAAAAASUVORK5CYII="},{"qr":"https://example.com/1-000001"}]}}]}"#;

#[test]
fn a_file_with_pictures_is_read_as_it_always_was() {
    let folder = folder();
    let disk = disk(&folder);
    disk.write("papers.json", GOLDEN_2.as_bytes()).unwrap();
    let mut queue = Queue::open(disk.clone(), Some(7));
    assert_eq!(queue.waiting().len(), 1);
    queue.write();
    let written = disk.read("papers.json").unwrap().unwrap();
    // How a picture is packed is the library's; its dots are the same.
    let written = String::from_utf8(written).unwrap();
    let picture = r#""blocks":[{"picture":"iVBOR"#;
    assert!(written.contains(picture), "{written}");
    let end = r#"},{"qr":"https://example.com/1-000001"}]}}]}"#;
    assert!(written.ends_with(end), "{written}");
    assert!(written.starts_with(&GOLDEN_2[..80]), "{written}");
    let again = Queue::open(disk, Some(7));
    assert_eq!(again.waiting(), queue.waiting());
    let text = next(&mut queue).unwrap();
    assert_eq!(text.trim(), "https://example.com/1-000001");
}

#[test]
fn the_file_is_read_and_written_as_it_always_was() {
    let folder = folder();
    let disk = disk(&folder);
    disk.write("papers.json", GOLDEN_1.as_bytes()).unwrap();
    let mut queue = Queue::open(disk.clone(), Some(7));
    let kept: Vec<_> = queue
        .waiting()
        .iter()
        .map(|p| (p.number, p.begun))
        .collect();
    assert_eq!(kept, [(1, false), (2, false)]);
    queue.write();
    let written = disk.read("papers.json").unwrap().unwrap();
    let reprints = GOLDEN_1
        .replace(r#"{"format":1"#, r#"{"format":2"#)
        .replace(r#","begun":true"#, "")
        .replace(r#""1-000001"}]}}"#, r#""1-000001"}]},"reprint":true}"#);
    assert_eq!(String::from_utf8(written).unwrap(), reprints);
    assert!(next(&mut queue).unwrap().contains("NACHDRUCK"));
}

#[test]
fn what_may_have_come_out_is_marked() {
    let check = |came_out: Option<CameOut>, restarts: bool, expected: bool| {
        let folder = folder();
        let mut queue = Queue::open(disk(&folder), Some(1));
        queue.push(one("Receipt 1", "one"), 5).unwrap();
        assert_eq!(next(&mut queue).as_deref(), Some("one\n"));
        if let Some(came_out) = came_out {
            queue.not_printed(1, came_out);
        }
        if restarts {
            drop(queue);
            queue = Queue::open(disk(&folder), Some(1));
        }
        let again = next(&mut queue).unwrap();
        assert_eq!(
            again.contains("REPRINT"),
            expected,
            "{came_out:?} {restarts}"
        );
    };
    check(Some(CameOut::Nothing), false, false);
    check(Some(CameOut::Nothing), true, false);
    check(Some(CameOut::Part), false, false);
    check(Some(CameOut::Part), true, true);
    check(Some(CameOut::Unknown), false, true);
    check(Some(CameOut::Unknown), true, true);
    // The lane stopped in the middle of it.
    check(None, true, true);
}

#[test]
fn a_lane_without_a_printer_keeps_what_waits_and_prints_nothing_of_what_it_sells() {
    let folder = folder();
    let mut queue = Queue::open(disk(&folder), Some(7));
    queue.push(one("Receipt 1", "one"), 5).unwrap();
    drop(queue);
    let queue = Queue::open(disk(&folder), None);
    assert_eq!((queue.through(), queue.waiting().len()), (None, 1));
    drop(queue);
    // What it sold meanwhile stays unprinted when it has one again.
    let queue = Queue::open(disk(&folder), Some(90));
    assert_eq!((queue.through(), queue.waiting().len()), (Some(90), 1));
}

#[test]
fn a_place_behind_the_end_of_the_journal_is_not_kept() {
    let folder = folder();
    drop(Queue::open(disk(&folder), Some(90)));
    assert_eq!(Queue::open(disk(&folder), Some(3)).through(), Some(3));
}

#[test]
fn only_so_many_papers_wait() {
    let folder = folder();
    let mut queue = Queue::open(disk(&folder), Some(1));
    for _ in 0..PAPERS_MAX {
        queue.push(one("Receipt", "one"), 5).unwrap();
    }
    assert_eq!(queue.push(one("Receipt", "one"), 5), Err(QueueFull));
    queue.remove(1);
    assert!(queue.push(one("Receipt", "one"), 5).is_ok());
}

#[test]
fn a_file_of_a_later_release_is_moved_aside() {
    let folder = folder();
    let check = |bytes: &[u8]| {
        disk(&folder).write("papers.json", bytes).unwrap();
        let queue = Queue::open(disk(&folder), Some(3));
        assert!(queue.is_empty());
        drop(queue);
    };
    check(br#"{"format":3,"last":1,"through":1,"papers":[]}"#);
    check(b"nothing like it");
    let files = folder.path().read_dir().unwrap();
    let aside = files.filter(|file| {
        let name = file.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("papers.json.")
    });
    assert_eq!(aside.count(), 2);
}

#[test]
fn the_drawer_opens_for_what_lies_in_it() {
    let check = |event: &str, expected: bool| {
        let event: Event = serde_json::from_str(event).unwrap();
        assert_eq!(opens_drawer(&event), expected, "{event:?}");
        let event = Event::Training {
            event: Box::new(event),
        };
        assert!(!opens_drawer(&event), "{event:?}");
    };
    let money = money::Money::from_minor(500, money::Currency::USD);
    let tendered = |tender: &Tender| {
        let mut event = serde_json::json!({ "type": "tendered", "cart": 1, "tender": tender });
        event["cart"] = serde_json::to_value(sale::CartId {
            lane: ledger::LaneId([1; 16]),
            number: 1,
        })
        .unwrap();
        event.to_string()
    };
    check(&tendered(&Tender::Cash { amount: money }), true);
    let number = "17".to_owned();
    let cheque = Tender::Cheque {
        number: number.clone(),
        amount: money,
    };
    check(&tendered(&cheque), true);
    let credit = Tender::StoreCredit {
        number,
        amount: money,
    };
    check(&tendered(&credit), false);
    let at = r#""at":{"unix_ms":1,"offset_minutes":0}"#;
    check(
        &format!(r#"{{"type":"no-sale","reason":"change","by":"1",{at}}}"#),
        true,
    );
    check(&format!(r#"{{"type":"signed-out",{at}}}"#), false);
}
