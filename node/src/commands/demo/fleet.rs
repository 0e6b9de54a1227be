//! All processes of the demo: head office and the lanes. What has died is started again.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use super::folder::DemoFolder;
use super::process::Process;
use crate::processes::End;

/// How long a dead process stays dead, so that a person sees what the others do meanwhile.
const RESTART_AFTER: Duration = Duration::from_secs(10);
/// Starts that fail one after the other before the demo gives up on a process.
const FAILURES_MAX: u32 = 3;
/// How long a process may take to close in good order.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);
/// Notes kept for the board.
const NOTES_MAX: usize = 3;

/// A process and what became of it.
pub struct Member {
    pub process: Process,
    /// Empty for head office.
    pub folder: PathBuf,
    /// Lane number by folder; 0 for head office.
    pub number: u32,
    window: bool,
    died: Option<Instant>,
    failures: u32,
}

/// Where a process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Running {
        pid: u32,
    },
    /// Started again in so long.
    Down {
        back_in: Duration,
    },
    GivenUp,
}

impl Member {
    fn new(title: String, args: Vec<OsString>, log: PathBuf) -> Member {
        Member {
            process: Process::new(title, args, log),
            folder: PathBuf::new(),
            number: 0,
            window: false,
            died: None,
            failures: 0,
        }
    }

    pub fn standing(&self) -> Standing {
        match (self.process.pid(), self.died) {
            (Some(pid), _) => Standing::Running { pid },
            (None, Some(died)) if self.failures < FAILURES_MAX => Standing::Down {
                back_in: RESTART_AFTER.saturating_sub(died.elapsed()),
            },
            _ => Standing::GivenUp,
        }
    }

    /// Whether no window is open or about to open.
    pub fn is_unseen(&self) -> bool {
        !self.window
    }

    pub fn start(&mut self) -> anyhow::Result<()> {
        self.died = None;
        let window: &[&str] = if self.window { &["--window"] } else { &[] };
        self.process.start(window)
    }

    /// Notices an end, and starts what has been dead for long enough; answers what to tell.
    fn tend(&mut self) -> Option<String> {
        if let Some((lived, end)) = self.process.look() {
            return Some(self.ended(lived, end));
        }
        match self.standing() {
            Standing::Down { back_in } if back_in.is_zero() => {
                let title = self.process.title.clone();
                Some(match self.start() {
                    Ok(()) => format!("{title} is started again."),
                    Err(error) => self.failed(&format!("{error:#}")),
                })
            }
            _ => None,
        }
    }

    fn ended(&mut self, lived: Duration, end: End) -> String {
        let title = self.process.title.clone();
        let wait = RESTART_AFTER.as_secs();
        if lived >= RESTART_AFTER {
            self.failures = 0;
        }
        self.died = Some(Instant::now());
        match end {
            End::Closed if self.window => {
                self.window = false;
                match self.start() {
                    Ok(()) => format!("The window was closed. {title} goes on without one."),
                    Err(error) => self.failed(&format!("{error:#}")),
                }
            }
            End::Closed => format!("{title} was closed; it is started again in {wait} s."),
            End::Killed(signal) => {
                format!("{title} was killed (signal {signal}); it is started again in {wait} s.")
            }
            End::Failed(_) => {
                let words = self.process.last_words();
                self.failed(&words)
            }
        }
    }

    fn failed(&mut self, why: &str) -> String {
        self.failures += 1;
        self.died = Some(Instant::now());
        let title = &self.process.title;
        match self.failures < FAILURES_MAX {
            true => format!("{title} ended: {why}"),
            false => format!("{title} does not run: {why}"),
        }
    }

    /// Notices that the lane could not open its window.
    fn no_window(&mut self) -> Option<String> {
        let said = |line: &str| line.starts_with("no window: ");
        if !self.window || !self.process.printed().lines().any(said) {
            return None;
        }
        self.window = false;
        let (title, log) = (&self.process.title, self.process.log());
        let log = log.file_name().unwrap_or_default().display().to_string();
        Some(format!(
            "{title} could not open its window and goes on without; see logs/{log}."
        ))
    }
}

/// The processes, head office first.
pub struct Fleet {
    pub hq: Member,
    /// By number, from 1.
    pub lanes: Vec<Member>,
    /// What happened last, with the seconds since the demo began; newest last.
    notes: VecDeque<(u64, String)>,
    began: Instant,
}

impl Fleet {
    /// A fleet of which nothing is started yet. `window` is for lane 1.
    pub fn new(folder: &DemoFolder, lanes: u32, window: bool) -> Fleet {
        let lanes = (1..=lanes).map(|number| {
            let dir = folder.lane(number);
            let args = vec!["lane".into(), dir.clone().into(), UNTIL_STDIN_CLOSES.into()];
            let log = folder.logs().join(format!("lane-{number}.log"));
            Member {
                folder: dir,
                number,
                window: window && number == 1,
                ..Member::new(format!("Lane {number}"), args, log)
            }
        });
        Fleet {
            hq: Fleet::head_office(folder),
            lanes: lanes.collect(),
            notes: VecDeque::new(),
            began: Instant::now(),
        }
    }

    /// Head office on the folder's port.
    pub fn head_office(folder: &DemoFolder) -> Member {
        let args = vec![
            "hq".into(),
            folder.hq().into(),
            "--listen".into(),
            format!("127.0.0.1:{}", folder.hq_port()).into(),
            UNTIL_STDIN_CLOSES.into(),
        ];
        let log = folder.logs().join("hq.log");
        Member::new("Head office".to_owned(), args, log)
    }

    fn members(&mut self) -> impl Iterator<Item = &mut Member> {
        std::iter::once(&mut self.hq).chain(&mut self.lanes)
    }

    /// Looks after every process once; answers what happened, which the board has, too.
    pub fn tend(&mut self) -> Vec<String> {
        let news: Vec<String> = self
            .members()
            .flat_map(|member| [member.tend(), member.no_window()])
            .flatten()
            .collect();
        for note in &news {
            self.note(note.clone());
        }
        news
    }

    pub fn note(&mut self, text: String) {
        if self.notes.len() >= NOTES_MAX {
            self.notes.pop_front();
        }
        let at = self.began.elapsed().as_secs();
        self.notes.push_back((at, text));
    }

    pub fn notes(&self) -> impl Iterator<Item = (u64, &str)> {
        self.notes.iter().map(|(at, text)| (*at, text.as_str()))
    }

    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Closes everything in good order: the lanes together, so that they share each other's last
    /// entries, then head office.
    pub async fn close(&mut self) {
        let lanes = self.lanes.iter_mut();
        futures::future::join_all(lanes.map(|lane| lane.process.close(CLOSE_LIMIT))).await;
        self.hq.process.close(CLOSE_LIMIT).await;
    }

    /// Ends everything at once.
    pub fn kill(&mut self) {
        for member in self.members() {
            member.process.kill();
        }
    }
}

/// The flag with which a child ends when the demo does.
const UNTIL_STDIN_CLOSES: &str = "--until-stdin-closes";
