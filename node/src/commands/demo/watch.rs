//! Looks at lanes and head office once a second, and keeps what the board needs.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use api::LaneStatus;
use money::{Currency, Money};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::board::{Board, HqRow, LaneRow, LaneState, grouped_amount};
use super::fleet::{Fleet, Member, Standing};
use super::folder::DemoFolder;
use crate::client::LaneClient;

/// How long one lane may keep the board waiting.
const ANSWER_LIMIT: Duration = Duration::from_millis(800);
/// Over how long sales per minute are counted.
const PACE_OVER: Duration = Duration::from_secs(60);

/// Head office's API.
#[derive(Clone)]
pub struct HqClient {
    http: reqwest::Client,
    url: String,
    token: String,
}

/// What head office has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub receipts: u64,
    pub lines: u64,
    pub gross_minor: i64,
    pub currency: Option<Currency>,
}

impl Counted {
    /// The gross with its currency's decimal places.
    pub fn gross(&self) -> String {
        let currency = self.currency.unwrap_or(Currency::USD);
        Money::from_minor(self.gross_minor, currency).to_string()
    }

    /// The gross with its thousands told apart, for a person.
    pub fn gross_grouped(&self) -> String {
        grouped_amount(&self.gross())
    }

    pub fn add(&mut self, total: &ledger::DayTotal) {
        self.receipts += total.receipts;
        self.lines += total.lines;
        self.gross_minor += total.gross;
        self.currency = Some(total.currency);
    }

    pub fn plus(&mut self, other: &Counted) {
        self.receipts += other.receipts;
        self.lines += other.lines;
        self.gross_minor += other.gross_minor;
        self.currency = self.currency.or(other.currency);
    }
}

impl HqClient {
    /// The head office of the folder; it has to have been started once.
    pub fn of_folder(folder: &DemoFolder) -> anyhow::Result<HqClient> {
        let token = std::fs::read_to_string(folder.hq().join(hq::TOKEN_FILE))?;
        Ok(HqClient {
            http: reqwest::Client::builder().no_proxy().build()?,
            url: hq_url(folder),
            token: token.trim().to_owned(),
        })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let request = self.http.get(format!("{}{path}", self.url));
        let answer = request.bearer_auth(&self.token).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    pub async fn counted(&self) -> anyhow::Result<Counted> {
        #[derive(Deserialize)]
        struct Totals {
            totals: Vec<hq::TotalRow>,
        }
        let totals: Totals = self.get("/v1/totals").await?;
        let mut counted = Counted::default();
        totals.totals.iter().for_each(|row| counted.add(&row.total));
        Ok(counted)
    }
}

/// Where the folder's head office is.
pub fn hq_url(folder: &DemoFolder) -> String {
    format!("http://127.0.0.1:{}", folder.hq_port())
}

/// What is known of one lane.
#[derive(Default)]
struct Seen {
    client: Option<(u32, LaneClient)>,
    /// The last status that was read, kept while the lane is down.
    status: Option<LaneStatus>,
    answers: bool,
    /// Receipts at moments of the last minute, oldest first.
    receipts: VecDeque<(Instant, u64)>,
}

/// The watcher of a fleet.
pub struct Watch {
    store: String,
    lanes: Vec<Seen>,
    hq: HqClient,
    counted: Option<Counted>,
    hq_answers: bool,
}

impl Watch {
    pub fn new(store: String, lanes: usize, hq: HqClient) -> Watch {
        Watch {
            store,
            lanes: (0..lanes).map(|_| Seen::default()).collect(),
            hq,
            counted: None,
            hq_answers: false,
        }
    }

    /// Reads every status once.
    pub async fn look(&mut self, fleet: &Fleet) {
        let looks = self.lanes.iter_mut().zip(&fleet.lanes);
        let lanes = futures::future::join_all(looks.map(|(seen, lane)| seen.look(lane)));
        let counted = tokio::time::timeout(ANSWER_LIMIT, self.hq.counted());
        let (_, counted) = tokio::join!(lanes, counted);
        self.hq_answers = matches!(&counted, Ok(Ok(_)));
        if let Ok(Ok(counted)) = counted {
            self.counted = Some(counted);
        }
    }

    /// The status of a lane that answered the last look, by its place.
    pub fn status(&self, place: usize) -> Option<&LaneStatus> {
        let seen = self.lanes.get(place)?;
        seen.status.as_ref().filter(|_| seen.answers)
    }

    fn statuses(&self) -> impl Iterator<Item = &LaneStatus> {
        (0..self.lanes.len()).filter_map(|place| self.status(place))
    }

    /// What lanes say does not work on this machine, each once.
    pub fn warnings(&self) -> BTreeSet<&str> {
        let all = self.statuses().flat_map(|status| &status.warnings);
        all.map(String::as_str).collect()
    }

    /// Entries that head office lacks, as the lane that has applied most knows it.
    fn lag(&self) -> Option<u64> {
        let ahead = self.statuses().max_by_key(|status| status.applied_index)?;
        ahead.hq.configured.then_some(ahead.hq.lag_entries)
    }

    /// Whether every lane runs and answers, and has shared all it did, and head office has it.
    pub fn is_settled(&self) -> bool {
        let mut all = (0..self.lanes.len()).map(|place| self.status(place));
        self.hq_answers
            && all.all(|status| status.is_some_and(|status| status.unshared_entries == 0))
            && self.lag() == Some(0)
    }

    pub fn hq(&self) -> &HqClient {
        &self.hq
    }

    fn counted_at_hq(&self) -> Counted {
        self.counted.unwrap_or_default()
    }

    /// The board, with a robot on each lane of which `robots` says so.
    pub fn board(&self, fleet: &Fleet, robots: &[u32], work: Option<String>) -> Board {
        let lanes = self.lanes.iter().zip(&fleet.lanes);
        Board {
            store: self.store.clone(),
            elapsed: fleet.elapsed(),
            lanes: lanes
                .map(|(seen, lane)| seen.row(lane, robots.contains(&lane.number)))
                .collect(),
            hq: self.hq_row(&fleet.hq),
            work,
            notes: fleet
                .notes()
                .map(|(at, text)| (at, text.to_owned()))
                .collect(),
        }
    }

    fn hq_row(&self, hq: &Member) -> HqRow {
        let counted = self.counted_at_hq();
        HqRow {
            pid: hq.process.pid(),
            up: self.hq_answers,
            lag: self.lag(),
            receipts: counted.receipts,
            gross: counted
                .currency
                .map(|currency| format!("{} {currency}", counted.gross_grouped())),
        }
    }
}

impl Seen {
    async fn look(&mut self, lane: &Member) {
        self.answers = false;
        let Standing::Running { pid } = lane.standing() else {
            self.client = None;
            return;
        };
        if self.client.as_ref().is_none_or(|(of, _)| *of != pid) {
            self.client = client_of(lane, pid).map(|client| (pid, client));
        }
        let Some((_, client)) = &self.client else {
            return;
        };
        if let Ok(Ok(status)) = tokio::time::timeout(ANSWER_LIMIT, client.status()).await {
            self.note(status);
        }
    }

    fn note(&mut self, status: LaneStatus) {
        let now = Instant::now();
        self.receipts.push_back((now, status.receipts));
        while self.receipts.len() > 2 && now - self.receipts[1].0 >= PACE_OVER {
            self.receipts.pop_front();
        }
        self.status = Some(status);
        self.answers = true;
    }

    fn sales_per_minute(&self) -> u64 {
        let (Some((from, before)), Some((to, now))) = (self.receipts.front(), self.receipts.back())
        else {
            return 0;
        };
        let over_ms = u64::try_from((*to - *from).as_millis()).unwrap_or(u64::MAX);
        let sold = now.saturating_sub(*before);
        (sold * 60_000 + over_ms / 2)
            .checked_div(over_ms)
            .unwrap_or(0)
    }

    fn row(&self, lane: &Member, robot: bool) -> LaneRow {
        let status = self.status.as_ref();
        let up = status.filter(|_| self.answers);
        LaneRow {
            name: lane.process.title.clone(),
            pid: lane.process.pid(),
            state: match (lane.standing(), up) {
                (Standing::Running { .. }, Some(status)) => LaneState::Up(status.mode.clone()),
                (Standing::Running { .. }, None) => LaneState::Starting,
                (Standing::Down { back_in }, _) => LaneState::Down { back_in },
                (Standing::GivenUp, _) => LaneState::GivenUp,
            },
            leader: up.is_some_and(|status| status.is_leader),
            robot,
            applied: up.map(|status| status.applied_index),
            unshared: status.map_or(0, |status| status.unshared_sales),
            receipts: status.map_or(0, |status| status.receipts),
            sales_per_minute: if up.is_some() {
                self.sales_per_minute()
            } else {
                0
            },
        }
    }
}

/// A client for the process that runs now; an address left by a killed one is not asked.
pub fn client_of(lane: &Member, pid: u32) -> Option<LaneClient> {
    let text = std::fs::read(lane.folder.join(crate::client::API_FILE)).ok()?;
    let address: crate::client::ApiAddress = serde_json::from_slice(&text).ok()?;
    (address.pid == pid).then(|| LaneClient::of_folder(&lane.folder).ok())?
}
