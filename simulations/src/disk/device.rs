//! The device under a lane's data folder: files in memory, and what of them a power cut spares.
//!
//! Invariants: what was synced survives everything but rot and wiping; what was not survives the end
//! of a process, and of a power cut any part of it, write by write and sector by sector; after a
//! sync that failed, what it should have made durable never becomes so, as on real devices.
//!
//! A device that is slow answers a sync before it has done it, because virtual time cannot pass
//! inside SQLite; whoever answers others waits for `done_at`. What was written behind a sync that is
//! not done yet had in truth not been written, and a power cut takes all of it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::content::Content;
use crate::random::Dice;

/// What a power cut leaves whole or not at all, in bytes.
const SECTOR_BYTES: usize = 512;

/// A write that no sync has reached.
struct Unsynced {
    number: u64,
    what: Change,
}

enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Default)]
struct File {
    /// As every process sees it.
    now: Content,
    /// As the device has it; `None` while its name is not durable.
    durable: Option<Content>,
    unsynced: Vec<Unsynced>,
    /// A sync has failed: `now` has what will never be durable.
    has_lost: bool,
}

impl File {
    /// One that is durable as it stands.
    fn of(content: Content) -> File {
        File {
            durable: Some(content.clone()),
            now: content,
            unsynced: Vec::new(),
            has_lost: false,
        }
    }
}

/// A sync that the device has not done yet.
struct Pending {
    file: String,
    /// The last write that it makes durable.
    up_to: u64,
    done_at: Instant,
}

/// What fails, each of a thousand operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    pub reads_permille: u64,
    pub writes_permille: u64,
    pub syncs_permille: u64,
}

/// What a power cut leaves of a write that was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spared {
    /// All of it, nothing, or some of its sectors.
    AnyPart,
    /// Some of its sectors.
    TornWrites,
}

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// EIO.
    Broken,
    /// ENOSPC.
    Full,
    Absent,
}

/// What was done to a device, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    pub reads: u64,
    pub writes: u64,
    pub syncs: u64,
}

/// A lane's device.
pub struct Device {
    dice: Dice,
    files: BTreeMap<String, File>,
    /// Files whose removal is not durable.
    removed: BTreeMap<String, File>,
    writes: u64,
    pending: Vec<Pending>,
    pub errors: Errors,
    /// Bytes that all files may take together.
    pub room: Option<usize>,
    /// How long a sync takes, from and to.
    pub sync_takes: Option<(Duration, Duration)>,
    /// A bit of what it holds has flipped, and nobody has seen to that yet.
    pub has_rot: bool,
    /// When it last began or ceased to fail, to be full or to hold what has rotted.
    bad_at: Option<Instant>,
    pub work: Work,
}

impl Device {
    pub fn new(dice: Dice) -> Device {
        Device {
            dice,
            files: BTreeMap::new(),
            removed: BTreeMap::new(),
            writes: 0,
            pending: Vec::new(),
            errors: Errors::default(),
            room: None,
            sync_takes: None,
            has_rot: false,
            bad_at: None,
            work: Work::default(),
        }
    }

    pub fn mark_bad(&mut self) {
        self.bad_at = Some(Instant::now());
    }

    /// Whether it fails, is full or has rotted, or did, was or had at some moment of this last while.
    pub fn was_bad_within(&self, last: Duration) -> bool {
        self.errors != Errors::default()
            || self.room.is_some()
            || self.has_rot
            || self.bad_at.is_some_and(|at| at.elapsed() <= last)
    }

    pub fn exists(&self, file: &str) -> bool {
        self.files.contains_key(file)
    }

    pub fn names(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    pub fn len(&self, file: &str) -> Result<usize, Failure> {
        let file = self.files.get(file).ok_or(Failure::Absent)?;
        Ok(file.now.len())
    }

    /// Makes the file if there is none.
    pub fn create(&mut self, file: &str) {
        self.files.entry(file.to_owned()).or_default();
    }

    fn fails(&mut self, permille: u64) -> Result<(), Failure> {
        match permille > 0 && self.dice.chance(permille) {
            true => Err(Failure::Broken),
            false => Ok(()),
        }
    }

    /// Fills `into` from `offset` on; how many bytes there were.
    pub fn read(&mut self, file: &str, offset: usize, into: &mut [u8]) -> Result<usize, Failure> {
        self.work.reads += 1;
        self.fails(self.errors.reads_permille)?;
        let now = &self.files.get(file).ok_or(Failure::Absent)?.now;
        Ok(now.read(offset, into))
    }

    pub fn read_whole(&mut self, file: &str) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; self.len(file)?];
        self.read(file, 0, &mut bytes)?;
        Ok(bytes)
    }

    pub fn write(&mut self, file: &str, offset: usize, bytes: &[u8]) -> Result<(), Failure> {
        self.work.writes += 1;
        self.fails(self.errors.writes_permille)?;
        self.make_room(file, offset + bytes.len())?;
        self.change(
            file,
            Change::Write {
                offset,
                bytes: bytes.to_vec(),
            },
        )
    }

    pub fn truncate(&mut self, file: &str, len: usize) -> Result<(), Failure> {
        self.work.writes += 1;
        self.change(file, Change::Truncate(len))
    }

    fn make_room(&self, file: &str, len: usize) -> Result<(), Failure> {
        let Some(room) = self.room else {
            return Ok(());
        };
        let taken: usize = self.files.values().map(|file| file.now.len()).sum();
        let grows = len.saturating_sub(self.len(file)?);
        match grows > 0 && taken + grows > room {
            true => Err(Failure::Full),
            false => Ok(()),
        }
    }

    fn change(&mut self, file: &str, what: Change) -> Result<(), Failure> {
        self.settle();
        let file = self.files.get_mut(file).ok_or(Failure::Absent)?;
        apply(&mut file.now, &what);
        self.writes += 1;
        file.unsynced.push(Unsynced {
            number: self.writes,
            what,
        });
        Ok(())
    }

    /// Makes what was written to the file durable, with its name.
    pub fn sync(&mut self, file: &str) -> Result<(), Failure> {
        self.work.syncs += 1;
        self.settle();
        let up_to = self.writes;
        if let Err(failure) = self.fails(self.errors.syncs_permille) {
            // The pages count as clean from now on, and are nowhere.
            if let Some(file) = self.files.get_mut(file) {
                file.unsynced.clear();
                file.has_lost = true;
            }
            return Err(failure);
        }
        if !self.exists(file) {
            return Err(Failure::Absent);
        }
        let takes = self.sync_takes.map_or(Duration::ZERO, |(low, high)| {
            let us = |duration: Duration| duration.as_micros() as u64;
            Duration::from_micros(self.dice.between(us(low), us(high)))
        });
        // A device does one sync after the other.
        let begins = self.done_at().unwrap_or_else(Instant::now);
        self.pending.push(Pending {
            file: file.to_owned(),
            up_to,
            done_at: begins + takes,
        });
        self.settle();
        Ok(())
    }

    /// When all syncs that were asked for are done; `None` if they are.
    pub fn done_at(&self) -> Option<Instant> {
        self.pending.last().map(|pending| pending.done_at)
    }

    /// Does the syncs that are due.
    fn settle(&mut self) {
        while let Some(first) = self.pending.first() {
            if first.done_at > Instant::now() {
                return;
            }
            let Pending { file, up_to, .. } = self.pending.remove(0);
            if let Some(file) = self.files.get_mut(&file) {
                let later = file.unsynced.partition_point(|write| write.number <= up_to);
                let durable = file.durable.get_or_insert_default();
                let is_all = later == file.unsynced.len() && !file.has_lost;
                for write in file.unsynced.drain(..later) {
                    match write.what {
                        // Once all is durable, what was written is as the processes see it.
                        Change::Write { offset, bytes } if is_all => {
                            let len = bytes.len().min(file.now.len().saturating_sub(offset));
                            durable.share(&file.now, offset, len);
                        }
                        what => apply(durable, &what),
                    }
                }
            }
        }
    }

    /// Removes a file; its removal is `durable` or may be taken back by a power cut.
    pub fn remove(&mut self, file: &str, durable: bool) -> Result<(), Failure> {
        let removed = self.files.remove(file).ok_or(Failure::Absent)?;
        match durable {
            true => drop(self.removed.remove(file)),
            false => drop(self.removed.insert(file.to_owned(), removed)),
        }
        Ok(())
    }

    /// Gives a file another name, durably.
    pub fn rename(&mut self, file: &str, name: &str) -> Result<(), Failure> {
        let renamed = self.files.remove(file).ok_or(Failure::Absent)?;
        self.files.insert(name.to_owned(), renamed);
        Ok(())
    }

    /// Replaces a small file whole and durably.
    pub fn replace(&mut self, file: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.work.writes += 1;
        self.work.syncs += 1;
        self.fails(self.errors.writes_permille)?;
        self.fails(self.errors.syncs_permille)?;
        self.create(file);
        let made = self.make_room(file, bytes.len());
        if made.is_err() && self.files[file].durable.is_none() {
            self.files.remove(file);
        }
        made?;
        self.files
            .insert(file.to_owned(), File::of(Content::of(bytes)));
        Ok(())
    }

    /// The power fails: what was not synced is lost, kept or torn, write by write.
    pub fn power_cut(&mut self, spared: Spared) {
        self.settle();
        // Nothing behind a sync that is not done had been written.
        let written_to = self.pending.first().map_or(u64::MAX, |sync| sync.up_to);
        self.pending.clear();
        for (name, file) in std::mem::take(&mut self.removed) {
            if self.dice.chance(500) && !self.exists(&name) {
                self.files.insert(name, file);
            }
        }
        for (name, mut file) in std::mem::take(&mut self.files) {
            let had_name = file.durable.is_some() || self.dice.chance(500);
            let mut durable = file.durable.take().unwrap_or_default();
            for write in std::mem::take(&mut file.unsynced) {
                if write.number <= written_to {
                    self.spare(&mut durable, write.what, spared);
                }
            }
            if had_name {
                self.files.insert(name, File::of(durable));
            }
        }
    }

    /// What a power cut spares of one write.
    fn spare(&mut self, durable: &mut Content, what: Change, spared: Spared) {
        let drawn = match spared {
            Spared::AnyPart => self.dice.between(1, 100),
            Spared::TornWrites => 100,
        };
        match what {
            _ if drawn <= 40 => {}
            Change::Write { offset, bytes } if drawn > 70 => {
                for (place, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                    if self.dice.chance(500) {
                        let bytes = sector.to_vec();
                        let offset = offset + place * SECTOR_BYTES;
                        apply(durable, &Change::Write { offset, bytes });
                    }
                }
            }
            what => apply(durable, &what),
        }
    }

    /// Flips one bit of a file, behind its first page; where, or `None` in a file of one page.
    pub fn rot(&mut self, file: &str) -> Option<usize> {
        const PAGE_BYTES: usize = 4096;
        let len = self.len(file).ok()?;
        if len <= PAGE_BYTES {
            return None;
        }
        let place = PAGE_BYTES + self.dice.index(len - PAGE_BYTES);
        let bit = 1 << self.dice.index(8);
        let file = self.files.get_mut(file)?;
        file.now.flip(place, bit);
        if let Some(durable) = &mut file.durable {
            durable.flip(place, bit);
        }
        Some(place)
    }

    /// An empty device takes this one's place.
    pub fn wipe(&mut self) {
        self.files.clear();
        self.removed.clear();
        self.pending.clear();
    }

    /// The durable content of another device takes the place of this one's.
    pub fn become_copy_of(&mut self, other: &mut Device) {
        other.settle();
        self.wipe();
        for (name, file) in &other.files {
            if let Some(durable) = &file.durable {
                self.files.insert(name.clone(), File::of(durable.clone()));
            }
        }
    }
}

fn apply(content: &mut Content, change: &Change) {
    match change {
        Change::Write { offset, bytes } => content.write(*offset, bytes),
        Change::Truncate(len) => content.truncate(*len),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(seed: u64) -> Device {
        Device::new(Dice::new(seed))
    }

    fn content(device: &mut Device, file: &str) -> Option<Vec<u8>> {
        device.read_whole(file).ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_power_cut_spares_what_was_synced_and_any_part_of_the_rest() {
        let (mut lost, mut kept, mut torn) = (0, 0, 0);
        for seed in 0..200 {
            let mut device = device(seed);
            device.create("a");
            device.write("a", 0, &[1; 2048]).unwrap();
            device.sync("a").unwrap();
            device.write("a", 0, &[2; 2048]).unwrap();
            assert_eq!(content(&mut device, "a"), Some(vec![2; 2048]));
            device.power_cut(Spared::AnyPart);
            let after = content(&mut device, "a").unwrap();
            let sectors: Vec<u8> = after.chunks(512).map(|sector| sector[0]).collect();
            assert!(after.chunks(512).all(|s| s == [s[0]; 512]), "seed {seed}");
            match sectors.iter().filter(|byte| **byte == 2).count() {
                0 => lost += 1,
                4 => kept += 1,
                _ => torn += 1,
            }
        }
        assert!(lost > 20 && kept > 20 && torn > 20, "{lost} {kept} {torn}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_sync_counts_once_it_is_done() {
        for seed in 0..50 {
            let mut device = device(seed);
            let takes = Duration::from_millis(30);
            device.create("a");
            device.write("a", 0, b"old").unwrap();
            device.sync("a").unwrap();
            device.sync_takes = Some((takes, takes));
            device.write("a", 0, b"new").unwrap();
            device.sync("a").unwrap();
            // Written while the process stands in its sync: not written at all.
            device.write("a", 0, b"too").unwrap();
            if seed % 2 == 0 {
                tokio::time::sleep_until(device.done_at().unwrap()).await;
                device.power_cut(Spared::AnyPart);
                let after = content(&mut device, "a").unwrap();
                assert!(after == b"new" || after == b"too", "seed {seed}");
            } else {
                device.power_cut(Spared::AnyPart);
                let after = content(&mut device, "a").unwrap();
                assert!(after == b"old" || after == b"new", "seed {seed}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_failed_sync_left_behind_never_becomes_durable() {
        let mut device = device(1);
        device.create("a");
        device.write("a", 0, b"first").unwrap();
        device.errors.syncs_permille = 1_000;
        assert_eq!(device.sync("a"), Err(Failure::Broken));
        device.errors = Errors::default();
        device.write("a", 5, b"second").unwrap();
        device.sync("a").unwrap();
        assert_eq!(content(&mut device, "a"), Some(b"firstsecond".to_vec()));
        device.power_cut(Spared::AnyPart);
        assert_eq!(
            content(&mut device, "a"),
            Some(b"\0\0\0\0\0second".to_vec())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_device_takes_no_growth_and_keeps_what_it_has() {
        let mut device = device(1);
        device.create("a");
        device.write("a", 0, &[1; 1000]).unwrap();
        device.room = Some(1100);
        assert_eq!(device.write("a", 1000, &[2; 200]), Err(Failure::Full));
        device.write("a", 900, &[3; 100]).unwrap();
        assert_eq!(device.replace("b", &[4; 200]), Err(Failure::Full));
        assert!(!device.exists("b"));
        assert_eq!(device.len("a"), Ok(1000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_removal_that_was_not_synced_may_be_taken_back() {
        let mut back = 0;
        for seed in 0..100 {
            let mut device = device(seed);
            device.replace("a", b"here").unwrap();
            device.remove("a", false).unwrap();
            assert!(!device.exists("a"));
            device.power_cut(Spared::AnyPart);
            back += usize::from(device.exists("a"));
        }
        assert!((20..80).contains(&back), "{back}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_is_torn_where_the_power_fails_while_it_is_made() {
        let mut torn = 0;
        for seed in 0..50 {
            let mut device = device(seed);
            device.replace("a", &[1; 4096]).unwrap();
            device.write("a", 0, &[2; 4096]).unwrap();
            device.power_cut(Spared::TornWrites);
            let after = content(&mut device, "a").unwrap();
            torn += usize::from(after.contains(&1) && after.contains(&2));
        }
        assert!(torn > 45, "{torn}");
    }

    #[test]
    fn one_bit_behind_the_first_page_rots_and_stays_so() {
        const LEN: usize = 3 * 4096;
        let mut places = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let mut device = device(seed);
            device.replace("a", &[0; LEN]).unwrap();
            device.replace("small", &[0; 4096]).unwrap();
            assert_eq!(device.rot("small"), None);
            assert_eq!(device.rot("none"), None);
            let place = device.rot("a").unwrap();
            // It is not in what a process has written only: the power takes nothing of it back.
            device.power_cut(Spared::AnyPart);
            let after = content(&mut device, "a").unwrap();
            let flipped: Vec<usize> = (0..LEN).filter(|at| after[*at] != 0).collect();
            assert_eq!(flipped, [place], "seed {seed}");
            assert!(
                place >= 4096 && after[place].count_ones() == 1,
                "seed {seed}"
            );
            places.insert(place);
        }
        assert!(places.len() > 40, "{places:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_counts_as_bad_while_it_is_and_for_a_while_after() {
        let mut device = device(1);
        let last = Duration::from_secs(5);
        assert!(!device.was_bad_within(last));
        device.room = Some(0);
        assert!(device.was_bad_within(last));
        device.room = None;
        device.has_rot = true;
        assert!(device.was_bad_within(last));
        device.has_rot = false;
        device.mark_bad();
        tokio::time::sleep(last).await;
        assert!(device.was_bad_within(last));
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(!device.was_bad_within(last));
    }
}
