//! Head office's books, read from its folder or over its address.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use hq::{
    ENTRIES_PAGE_MAX, HeldEntries, LaneSummary, OfflineHq, SetAsideEntry, StoreSummary, TotalRow,
    TotalsFilter,
};
use ledger::{LaneId, Seq, StoreId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use super::tally::Totals;

/// How long head office may take for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// How often the counts are asked for again because they changed while the totals were read.
const TRIES_MAX: u32 = 50;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// A head office that can be asked.
pub struct HeadOffice {
    name: String,
    at: At,
}

enum At {
    Folder(PathBuf),
    Address(Address),
}

struct Address {
    runtime: Runtime,
    http: reqwest::Client,
    url: String,
    token: String,
}

/// What head office says of one store, as of one moment.
#[derive(Default)]
pub struct Books {
    pub lanes: BTreeMap<LaneId, LaneSummary>,
    pub totals: Totals,
    pub set_aside: Vec<SetAsideEntry>,
}

impl HeadOffice {
    /// `place` is a folder, or an address that begins with http. The token is that of the file,
    /// or else of the first lane that knows one.
    pub fn new(
        place: &str,
        token_file: Option<&Path>,
        lanes: &[PathBuf],
    ) -> anyhow::Result<HeadOffice> {
        let at = match place.starts_with("http://") || place.starts_with("https://") {
            true => At::Address(Address {
                runtime: super::super::runtime()?,
                http: reqwest::Client::builder().timeout(ANSWER_MAX).build()?,
                url: place.trim_end_matches('/').to_owned(),
                token: token(token_file, lanes)?,
            }),
            false => At::Folder(PathBuf::from(place)),
        };
        Ok(HeadOffice {
            name: format!("head office ({place})"),
            at,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks the file of the books, where it can be reached.
    pub fn check_file(&self) -> anyhow::Result<()> {
        match &self.at {
            At::Folder(folder) => Ok(OfflineHq::open(folder)?.check()?),
            At::Address(_) => Ok(()),
        }
    }

    /// What it holds of a store now. A store it never heard of has empty books.
    pub fn books(&self, store: StoreId) -> anyhow::Result<Books> {
        match &self.at {
            At::Folder(folder) => {
                // One moment: the books are opened anew each time, in one transaction.
                let hq = OfflineHq::open(folder)?;
                Ok(Books {
                    lanes: lanes_of(hq.stores()?, store),
                    totals: by_day(hq.totals(&TotalsFilter {
                        store: Some(store),
                        day: None,
                    })?),
                    set_aside: hq.set_aside(Some(store))?,
                })
            }
            At::Address(address) => address.books(store),
        }
    }

    /// A page of a lane's entries. What was once there never changes.
    pub fn entries(&self, store: StoreId, lane: LaneId, from: Seq) -> anyhow::Result<HeldEntries> {
        match &self.at {
            At::Folder(folder) => {
                Ok(OfflineHq::open(folder)?.lane_entries(store, lane, from, ENTRIES_PAGE_MAX)?)
            }
            At::Address(address) => address.get(&format!(
                "/v1/lanes/{lane}/entries?store={store}&from={from}&limit={ENTRIES_PAGE_MAX}"
            )),
        }
    }
}

/// Head office's token from a file of its own, or as a lane keeps it.
fn token(file: Option<&Path>, lanes: &[PathBuf]) -> anyhow::Result<String> {
    let read = |path: &Path| std::fs::read_to_string(path).map(|text| text.trim().to_owned());
    if let Some(file) = file {
        return read(file)
            .with_context(|| format!("head office's token in {} cannot be read", file.display()));
    }
    let known = lanes.iter().map(|lane| lane.join(hq::TOKEN_FILE));
    known
        .filter_map(|path| read(&path).ok())
        .next()
        .ok_or_else(|| {
            anyhow!(
                "none of these lanes knows head office's token: name its file with --hq-token-file"
            )
        })
}

fn lanes_of(stores: Vec<StoreSummary>, store: StoreId) -> BTreeMap<LaneId, LaneSummary> {
    let summary = stores.into_iter().find(|summary| summary.store == store);
    let lanes = summary.map(|summary| summary.lanes).unwrap_or_default();
    lanes.into_iter().map(|lane| (lane.lane, lane)).collect()
}

fn by_day(rows: Vec<TotalRow>) -> Totals {
    // A day on which nothing could be counted is no day.
    rows.into_iter()
        .filter(|row| row.total.receipts > 0)
        .map(|row| ((row.day, row.lane), row.total))
        .collect()
}

#[derive(Deserialize)]
struct Stores {
    stores: Vec<StoreSummary>,
}

#[derive(Deserialize)]
struct TotalRows {
    totals: Vec<TotalRow>,
}

#[derive(Deserialize)]
struct SetAside {
    set_aside: Vec<SetAsideEntry>,
}

impl Address {
    fn books(&self, store: StoreId) -> anyhow::Result<Books> {
        for _ in 0..TRIES_MAX {
            let before: Stores = self.get("/v1/stores")?;
            let totals: TotalRows = self.get(&format!("/v1/totals?store={store}"))?;
            let after: Stores = self.get("/v1/stores")?;
            let lanes = lanes_of(before.stores, store);
            // Three answers are one moment if nothing came in between.
            if lanes == lanes_of(after.stores, store) {
                let aside: SetAside = self.get(&format!("/v1/set-aside?store={store}"))?;
                return Ok(Books {
                    lanes,
                    totals: by_day(totals.totals),
                    set_aside: aside.set_aside,
                });
            }
            std::thread::sleep(TRY_AGAIN_AFTER);
        }
        bail!("it takes in entries faster than they can be checked; verify again in a quieter hour")
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let request = self.http.get(format!("{}{path}", self.url));
        let request = request.bearer_auth(&self.token);
        self.runtime.block_on(async {
            let answer = request
                .send()
                .await
                .map_err(|error| anyhow!("it does not answer: {}", causes(&error)))?;
            let status = answer.status();
            let bytes = answer.bytes().await?;
            if !status.is_success() {
                let said: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
                let said = said["error"].as_str().unwrap_or_default();
                bail!("it answered {status}. {said}");
            }
            serde_json::from_slice(&bytes).context("its answer is not that of a head office")
        })
    }
}

/// An error with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
