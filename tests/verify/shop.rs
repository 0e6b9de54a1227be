//! A store of three lanes and a head office as they lie on the disk, built by the store's own rules
//! without running a lane, and the means to damage it.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catalog::{BookVersion, DepartmentId, EmployeeId, Item, ItemId, Record, TaxId};
use futures::executor::block_on;
use hq::{HqStore, SqliteStore};
use ledger::{Command, Entry, EntryBody, Epoch, Fact, Head, Hlc, LaneId, StoreId, apply};
use money::{Currency, Money, Quantity, Rate, Unit};
use providers::SharedDisk;
use rusqlite::Connection;
use sale::{BusinessDay, CartId, Event, Line, LineTax, LocalTime, Receipt, Tender, Totals};
use storage::{FileDisk, Journal, RaftLogDb, Room, StateDb, StateTransaction, StorageError};
use wire::{HqBatch, HqEntry, HqLane};

const DAY: &str = "2026-11-27";
pub const LANES: usize = 3;
/// Ten in the morning of [`DAY`].
const OPENED_MS: u64 = 1_795_773_600_000;
/// The log index behind creation, admissions and the first item.
const BORN: u64 = 6;

/// A lane's side of the store.
struct Lane {
    id: LaneId,
    head: Head,
    sales: u64,
}

/// A store, its folders below a temporary one.
pub struct Shop {
    root: tempfile::TempDir,
    pub store: StoreId,
    lanes: Vec<Lane>,
    /// Every entry, in the order in which the store commits them.
    pub entries: Vec<Entry>,
}

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

/// What is sold: two pieces of the same item.
fn line() -> Line {
    Line {
        number: 1,
        item: ItemId::from("4711"),
        code: "4711".to_owned(),
        description: "Apple juice".to_owned(),
        department: DepartmentId::from("drinks"),
        brand: None,
        quantity: Quantity::each(2),
        unit_price: usd(100),
        deposit: None,
        tax: LineTax {
            id: TaxId::from("standard"),
            name: "Standard".to_owned(),
            rate: Rate::ZERO,
            included: false,
            parts: Vec::new(),
        },
        price_override: None,
        voided: false,
        detail: Default::default(),
    }
}

pub fn receipt(lane: LaneId, id: &str, minor: i64) -> Receipt {
    let at = LocalTime {
        unix_ms: OPENED_MS,
        offset_minutes: 0,
    };
    let zero = usd(0);
    Receipt {
        id: id.to_owned(),
        cart: CartId { lane, number: 1 },
        lane_name: "Lane".to_owned(),
        store_name: "Corner shop".to_owned(),
        cashier: EmployeeId::from("101"),
        cashier_name: "Ada".to_owned(),
        customer: None,
        day: BusinessDay(DAY.to_owned()),
        opened_at: at,
        priced_at: at,
        book: BookVersion(1),
        reference: None,
        lines: vec![line()],
        totals: Totals {
            lines: Vec::new(),
            promotions: Vec::new(),
            taxes: Vec::new(),
            gross: usd(minor),
            discount: zero,
            deposits: zero,
            tax_added: zero,
            tax_included: zero,
            total: usd(minor),
            points: Vec::new(),
            next_coupons: Vec::new(),
        },
        tenders: vec![Tender::Cash { amount: usd(minor) }],
        change: zero,
        detail: Default::default(),
    }
}

pub fn sold(receipt: Receipt) -> Fact {
    Fact::Register {
        event: Event::Completed {
            cart: receipt.cart,
            receipt: Box::new(receipt),
        },
        request: None,
    }
}

fn item() -> Item {
    Item {
        id: ItemId::from("4711"),
        description: "Apple juice".to_owned(),
        department: DepartmentId::from("drinks"),
        brand: None,
        sold_by: Unit::Each,
        price: usd(100),
        earlier_prices: Vec::new(),
        price_since: BookVersion(0),
        tax: TaxId::from("standard"),
        age_min: None,
        deposit: None,
        codes: Vec::new(),
        selling: Default::default(),
    }
}

impl Shop {
    /// The store `id`, in which each lane has started and sold three times. Nothing is on the disk.
    fn new(id: u8) -> Shop {
        let lane = |number: usize| Lane {
            id: LaneId([id * 16 + number as u8; 16]),
            head: Head::default(),
            sales: 0,
        };
        let mut shop = Shop {
            root: tempfile::tempdir().unwrap(),
            store: StoreId([id; 16]),
            lanes: (1..=LANES).map(lane).collect(),
            entries: Vec::new(),
        };
        for lane in 0..LANES {
            let (name, release) = (format!("Lane {}", lane + 1), "1".to_owned());
            shop.happen(
                lane,
                Fact::LaneStarted {
                    name,
                    release,
                    reads: ledger::ENTRY_FORMAT,
                },
            );
        }
        for _ in 0..3 {
            (0..LANES).for_each(|lane| shop.sell(lane));
        }
        shop
    }

    /// The same store, complete on the disk: everything applied, copied and at head office.
    pub fn built(id: u8) -> Shop {
        let shop = Shop::new(id);
        shop.build();
        shop
    }

    /// A store to which `happens` before it is put on the disk.
    pub fn built_after(happens: impl FnOnce(&mut Shop)) -> Shop {
        let mut shop = Shop::new(1);
        happens(&mut shop);
        shop.build();
        shop
    }

    pub fn build(&self) {
        for lane in 0..LANES {
            self.write_lane_file(lane);
            self.write_journal(lane, &self.entries);
            self.apply(lane, &self.entries);
        }
        self.send(self.entries.len());
    }

    pub fn lane(&self, lane: usize) -> LaneId {
        self.lanes[lane].id
    }

    pub fn dir(&self, lane: usize) -> PathBuf {
        self.root.path().join(format!("lane-{}", lane + 1))
    }

    pub fn hq_dir(&self) -> PathBuf {
        self.root.path().join("hq")
    }

    pub fn dirs(&self) -> Vec<PathBuf> {
        (0..LANES).map(|lane| self.dir(lane)).collect()
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// An entry of `lane` behind `head`.
    fn seal(&self, v: u16, lane: usize, head: Head, fact: Fact) -> Entry {
        Entry::seal(&EntryBody {
            v,
            store: self.store,
            lane: self.lane(lane),
            seq: head.next_seq,
            prev: head.hash,
            hlc: Hlc {
                wall_ms: OPENED_MS + self.entries.len() as u64,
                counter: 0,
            },
            fact,
        })
    }

    /// Something happens on a lane.
    pub fn happen(&mut self, lane: usize, fact: Fact) {
        self.happen_in_format(1, lane, fact);
    }

    pub fn happen_in_format(&mut self, v: u16, lane: usize, fact: Fact) {
        let head = self.lanes[lane].head;
        let entry = self.seal(v, lane, head, fact);
        self.lanes[lane].head = entry.check_follows(self.store, &head).unwrap();
        self.entries.push(entry);
    }

    pub fn sell(&mut self, lane: usize) {
        self.lanes[lane].sales += 1;
        let sales = self.lanes[lane].sales;
        let id = format!("{}-{sales:06}", lane + 1);
        let receipt = receipt(self.lane(lane), &id, 200 + sales as i64);
        self.happen(lane, sold(receipt));
    }

    /// A lane's entries, in order.
    pub fn own(&self, lane: usize) -> Vec<&Entry> {
        let id = self.lane(lane);
        self.entries.iter().filter(|e| e.lane == id).collect()
    }

    /// The number of a lane's last entry.
    pub fn last(&self, lane: usize) -> u64 {
        self.lanes[lane].head.next_seq - 1
    }

    /// Another last entry of a lane, which continues its chain just as well.
    pub fn other_last(&self, lane: usize) -> Entry {
        let own = self.own(lane);
        let before = own[own.len() - 2];
        let head = Head {
            next_seq: before.seq + 1,
            hash: before.hash(),
        };
        let receipt = receipt(self.lane(lane), "9-000009", 999);
        self.seal(1, lane, head, sold(receipt))
    }

    /// Takes a folder, once whoever had it before has let go of it.
    pub fn disk(&self, dir: &Path) -> SharedDisk {
        loop {
            match FileDisk::new(dir) {
                Ok(disk) => return Arc::new(disk),
                Err(error) if error.source.kind() == std::io::ErrorKind::ResourceBusy => {
                    std::thread::yield_now();
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn write_lane_file(&self, lane: usize) {
        let text = format!(
            "format = 1\nstore = \"{}\"\nstore_name = \"Corner shop\"\nlane = \"{}\"\n\
             lane_name = \"Lane\"\nnumber = {}\nnode = {}\n",
            self.store,
            self.lane(lane),
            lane + 1,
            lane + 1,
        );
        fs::create_dir_all(self.dir(lane)).unwrap();
        fs::write(self.dir(lane).join("lane.toml"), text).unwrap();
    }

    /// Writes entries into a lane's journal, its own and copies of the others'.
    pub fn write_journal(&self, lane: usize, entries: &[Entry]) {
        let disk = self.disk(&self.dir(lane));
        let (journal, _) = Journal::open(disk.clone(), self.store).unwrap();
        block_on(journal.append(entries.to_vec())).unwrap();
        let (raft, _) = RaftLogDb::open(disk, Room::never_waited_for()).unwrap();
        drop((journal, raft));
        self.disk(&self.dir(lane));
    }

    /// Applies the store's beginning, if that is still to come, and entries, one log index each.
    pub fn apply(&self, lane: usize, entries: &[Entry]) {
        let (mut state, _) = StateDb::open(self.disk(&self.dir(lane))).unwrap();
        let index = state.writer.applied_index().unwrap();
        let beginning = match index {
            0 => self.beginning(),
            _ => Vec::new(),
        };
        let ingest = |entry: &Entry| Command::Ingest {
            entries: vec![entry.clone()],
        };
        let commands = beginning.into_iter().chain(entries.iter().map(ingest));
        for (index, command) in (index + 1..).zip(commands) {
            state
                .writer
                .transaction(|tables| {
                    apply(tables, index, &command).unwrap();
                    tables.set_applied_index(index)
                })
                .unwrap();
        }
        drop(state);
        self.disk(&self.dir(lane));
    }

    fn beginning(&self) -> Vec<Command> {
        let peer = |lane: usize| format!("peer {lane}");
        let mut commands = vec![Command::CreateStore {
            store: self.store,
            name: "Corner shop".to_owned(),
            lane: self.lane(0),
            lane_name: "Lane 1".to_owned(),
            peer: peer(0),
            reads: ledger::ENTRY_FORMAT,
        }];
        for lane in 1..LANES {
            commands.push(Command::Invite {
                invitation: lane as u32,
                code_hash: [0; 32],
                expires_ms: 10,
                by: self.lane(0),
            });
            commands.push(Command::Admit {
                invitation: lane as u32,
                lane: self.lane(lane),
                lane_name: format!("Lane {}", lane + 1),
                peer: peer(lane),
                now_ms: 5,
            });
        }
        commands.push(Command::Reference {
            author: "Ada".to_owned(),
            records: vec![Record::Item(item())],
        });
        assert_eq!(commands.len() as u64, BORN);
        commands
    }

    /// The first `count` entries as a batch for head office.
    pub fn batch(&self, count: usize) -> HqBatch {
        let name = |lane: &Lane, number: u32| HqLane {
            lane: lane.id,
            number,
            name: format!("Lane {number}"),
        };
        HqBatch {
            store: self.store,
            store_name: "Corner shop".to_owned(),
            epoch: Epoch::FIRST,
            lanes: self
                .lanes
                .iter()
                .zip(1..)
                .map(|(lane, number)| name(lane, number))
                .collect(),
            entries: self.entries[..count]
                .iter()
                .zip(1..)
                .map(|(entry, global)| HqEntry {
                    global,
                    entry: entry.clone(),
                })
                .collect(),
        }
    }

    /// Sends the first `count` entries to head office.
    pub fn send(&self, count: usize) {
        self.send_batch(self.batch(count));
    }

    pub fn send_batch(&self, batch: HqBatch) {
        let opened = SqliteStore::open(self.disk(&self.hq_dir())).unwrap();
        block_on(opened.store.take(batch, 0)).unwrap();
        drop(opened.store);
        block_on(opened.closed.wait());
        self.disk(&self.hq_dir());
    }

    /// Changes rows behind everyone's back; says how many.
    pub fn sql(&self, file: &Path, sql: &str, values: impl rusqlite::Params) {
        let connection = Connection::open(file).unwrap();
        let changed = connection.execute(sql, values).unwrap();
        assert_eq!(changed, 1, "{sql} changes one row");
    }

    pub fn journal(&self, lane: usize) -> PathBuf {
        self.dir(lane).join("journal.db")
    }

    pub fn state(&self, lane: usize) -> PathBuf {
        self.dir(lane).join("store.db")
    }

    /// Puts other bytes in the place of an entry of `of` in the journal of `lane`.
    pub fn replace(&self, lane: usize, of: usize, seq: u64, bytes: &[u8]) {
        self.sql(
            &self.journal(lane),
            "UPDATE entry SET bytes = ?3 WHERE lane = ?1 AND seq = ?2",
            (&self.lane(of).0[..], seq as i64, bytes),
        );
    }

    /// Takes an entry of `of` out of the journal of `lane`.
    pub fn remove(&self, lane: usize, of: usize, seq: u64) {
        self.sql(
            &self.journal(lane),
            "DELETE FROM entry WHERE lane = ?1 AND seq = ?2",
            (&self.lane(of).0[..], seq as i64),
        );
    }

    /// Writes to a lane's state by the rules of the state hash, but of no command.
    pub fn write_state(&self, lane: usize, table: ledger::Table, key: &[u8], value: &[u8]) {
        self.in_state(lane, |tables, index| {
            let mut hashed = ledger::Hashed::new(tables).unwrap();
            ledger::Tables::set(&mut hashed, table, key, Some(value)).unwrap();
            hashed.seal(index).unwrap();
        });
    }

    /// Writes a row to a lane's state as the disk would take it, past the state hash.
    pub fn write_past_the_rules(
        &self,
        lane: usize,
        table: ledger::Table,
        key: &[u8],
        value: &[u8],
    ) {
        self.in_state(lane, |tables, _| {
            ledger::Tables::set(tables, table, key, Some(value)).unwrap();
        });
    }

    fn in_state(&self, lane: usize, write: impl Fn(&mut StateTransaction<'_>, u64)) {
        let (mut state, _) = StateDb::open(self.disk(&self.dir(lane))).unwrap();
        let index = state.writer.applied_index().unwrap();
        state
            .writer
            .transaction(|tables| {
                write(tables, index);
                Ok::<(), StorageError>(())
            })
            .unwrap();
        drop(state);
        self.disk(&self.dir(lane));
    }
}

/// Writes over a part of a file.
pub fn overwrite(file: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}
