//! The demo's folder: whose it is, what is set up in it, and where everything lies.
//!
//! One demo at a time works on a folder. What was set up is noted after it was done, so a set-up
//! that was interrupted is finished by the next run. Nothing is ever deleted.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::lane::LANE_FILE;

const STATE_FILE: &str = "demo.json";
const LOCK_FILE: &str = "demo.lock";
const CATALOG_FILE: &str = "catalog.csv";
const FORMAT: u32 = 1;
/// Old folders kept beside the new one before a person has to tidy up.
const OLD_MAX: u32 = 1000;

/// What was set up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    format: u32,
    /// Head office listens here, on loopback.
    hq_port: u16,
    /// Files that took effect, by kind, or by `items:` and hash for a catalog of the person's own.
    imported: BTreeSet<String>,
}

/// A demo's folder, held by this process alone.
pub struct DemoFolder {
    dir: PathBuf,
    state: State,
    /// Held as long as the demo runs; the system lets go of it however the demo ends.
    _lock: File,
}

impl DemoFolder {
    /// Takes the folder, made where there is none. `fresh` moves an old one aside and answers where
    /// to. Fails where another demo is running on it, or where it holds something else.
    pub fn open(dir: &Path, fresh: bool) -> anyhow::Result<(DemoFolder, Option<PathBuf>)> {
        let dir = std::path::absolute(dir)?;
        let moved = match fresh && dir.exists() {
            true => Some(move_aside(&dir)?),
            false => None,
        };
        std::fs::create_dir_all(&dir)
            .with_context(|| format!("the folder {} cannot be made", dir.display()))?;
        refuse_foreign(&dir)?;
        let lock = lock(&dir)?;
        let state = match read_state(&dir)? {
            Some(state) => state,
            None => State {
                format: FORMAT,
                hq_port: free_port()?,
                imported: BTreeSet::new(),
            },
        };
        let folder = DemoFolder {
            dir,
            state,
            _lock: lock,
        };
        folder.keep()?;
        Ok((folder, moved))
    }

    /// The folder as it is shown to a person: short where it lies below the current one.
    pub fn shown(&self) -> &Path {
        match std::env::current_dir() {
            Ok(here) => self.dir.strip_prefix(here).unwrap_or(&self.dir),
            Err(_) => &self.dir,
        }
    }

    pub fn hq(&self) -> PathBuf {
        self.dir.join("hq")
    }

    /// The name of lane `number`'s folder, from 1.
    pub fn lane_name(number: u32) -> String {
        format!("lane-{number}")
    }

    pub fn lane(&self, number: u32) -> PathBuf {
        self.dir.join(DemoFolder::lane_name(number))
    }

    /// What the processes print.
    pub fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    /// Where robots keep their progress with a source of baskets.
    pub fn progress(&self, source: &str) -> PathBuf {
        self.dir.join("robots").join(format!("{source}.jsonl"))
    }

    /// Whether lane `number` is a member of the store.
    pub fn has_lane(&self, number: u32) -> bool {
        self.lane(number).join(LANE_FILE).exists()
    }

    /// Lanes that are members, counted from 1 on.
    pub fn lanes(&self) -> u32 {
        (1..).take_while(|number| self.has_lane(*number)).count() as u32
    }

    pub fn hq_port(&self) -> u16 {
        self.state.hq_port
    }

    /// Chooses another port for head office.
    pub fn change_hq_port(&mut self) -> anyhow::Result<()> {
        self.state.hq_port = free_port()?;
        self.keep()
    }

    pub fn is_imported(&self, what: &str) -> bool {
        self.state.imported.contains(what)
    }

    /// Whether the store sells from a catalog of the person's own.
    pub fn has_own_catalog(&self) -> bool {
        self.state
            .imported
            .iter()
            .any(|what| what.starts_with("items:"))
    }

    pub fn note_imported(&mut self, what: &str) -> anyhow::Result<()> {
        self.state.imported.insert(what.to_owned());
        self.keep()
    }

    /// Keeps the catalog, so that robots know its items in later runs.
    pub fn keep_catalog(&self, bytes: &[u8]) -> anyhow::Result<()> {
        self.write(CATALOG_FILE, bytes)
    }

    /// The catalog kept, gzip or plain.
    pub fn catalog(&self) -> anyhow::Result<Vec<u8>> {
        let path = self.dir.join(CATALOG_FILE);
        std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))
    }

    fn keep(&self) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(&self.state)?;
        self.write(STATE_FILE, text.as_bytes())
    }

    /// Replaces a file whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.dir.join(name);
        let draft = self.dir.join(format!("{name}.new"));
        std::fs::write(&draft, bytes)
            .and_then(|()| std::fs::rename(&draft, &path))
            .with_context(|| format!("{} cannot be written", path.display()))
    }
}

fn lock(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "a demo is running on {} already: stop it with Ctrl-C, or choose another folder with \
             --dir",
            dir.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}

/// A folder that was not made by a demo is left alone.
fn refuse_foreign(dir: &Path) -> anyhow::Result<()> {
    if dir.join(STATE_FILE).exists() {
        return Ok(());
    }
    let begun = [STATE_FILE, LOCK_FILE, "demo.json.new"];
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        if !begun.iter().any(|known| name == *known) {
            bail!(
                "{} holds something that is not a demo's ({}): choose another folder with --dir",
                dir.display(),
                name.display()
            );
        }
    }
    Ok(())
}

fn move_aside(dir: &Path) -> anyhow::Result<PathBuf> {
    refuse_foreign(dir)?;
    let _not_running = lock(dir)?;
    for number in 1..=OLD_MAX {
        let mut name = dir.as_os_str().to_owned();
        name.push(format!(".old-{number}"));
        let aside = PathBuf::from(name);
        if !aside.exists() {
            std::fs::rename(dir, &aside)
                .with_context(|| format!("{} cannot be moved aside", dir.display()))?;
            return Ok(aside);
        }
    }
    bail!(
        "there are {OLD_MAX} old folders beside {}: remove some",
        dir.display()
    )
}

fn read_state(dir: &Path) -> anyhow::Result<Option<State>> {
    let path = dir.join(STATE_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    let state: State = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is damaged: begin anew with --fresh, which moves the old folder aside",
            path.display()
        )
    })?;
    if state.format != FORMAT {
        bail!(
            "{} was written by a later release: begin anew with --fresh",
            path.display()
        );
    }
    Ok(Some(state))
}

/// A port of loopback that nobody listens on just now.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .context("this machine gives no port to listen on")?;
    Ok(listener.local_addr()?.port())
}

/// Whether head office could listen there.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path, fresh: bool) -> Result<(DemoFolder, Option<PathBuf>), String> {
        DemoFolder::open(dir, fresh).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_set_up_is_known_to_the_next_run() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("demo");
        let (mut first, _) = open(&dir, false).unwrap();
        first.note_imported("items").unwrap();
        let port = first.hq_port();
        drop(first);
        let (again, moved) = open(&dir, false).unwrap();
        assert_eq!((again.hq_port(), moved), (port, None));
        assert!(again.is_imported("items") && !again.is_imported("taxes"));
        assert!(!again.has_own_catalog());
    }

    #[test]
    fn one_demo_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("demo");
        let first = open(&dir, false).unwrap();
        for fresh in [false, true] {
            let error = open(&dir, fresh).err().unwrap();
            assert!(error.contains("is running on"), "{error}");
        }
        drop(first);
        assert!(open(&dir, false).is_ok());
    }

    #[test]
    fn a_fresh_demo_moves_the_old_one_aside() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("demo");
        for number in 0..3 {
            let (mut folder, moved) = open(&dir, true).unwrap();
            let expected = (number > 0).then(|| root.path().join(format!("demo.old-{number}")));
            assert_eq!(moved, expected);
            assert!(!folder.is_imported("items"));
            folder.note_imported("items").unwrap();
        }
        assert!(root.path().join("demo.old-2").join(STATE_FILE).exists());
    }

    #[test]
    fn a_folder_of_something_else_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("thesis.txt"), "years of work").unwrap();
        for fresh in [false, true] {
            let error = open(root.path(), fresh).err().unwrap();
            assert!(error.contains("thesis.txt"), "{error}");
        }
        assert!(root.path().join("thesis.txt").exists());
    }

    #[test]
    fn a_damaged_note_is_told() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("demo");
        drop(open(&dir, false).unwrap());
        std::fs::write(dir.join(STATE_FILE), "{").unwrap();
        let error = open(&dir, false).err().unwrap();
        assert!(error.contains("--fresh"), "{error}");
    }
}
