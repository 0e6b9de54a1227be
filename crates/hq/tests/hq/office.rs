//! A head office on a free port of this machine, and a client for it.

use std::net::SocketAddr;
use std::path::Path;

use hq::{HeldEntries, HqConfig, RunningHq, SetAsideEntry, StoreSummary, TotalRow, serve};
use ledger::{LaneId, StoreId};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;
use wire::{HqAck, HqBatch};

pub struct Office {
    pub folder: TempDir,
    pub running: RunningHq,
    client: Client,
}

pub fn config(folder: &Path) -> HqConfig {
    HqConfig {
        dir: folder.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
    }
}

impl Office {
    pub async fn open() -> Office {
        Office::open_in(tempfile::tempdir().unwrap()).await
    }

    pub async fn open_in(folder: TempDir) -> Office {
        let running = serve(config(folder.path())).await.unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        Office {
            folder,
            running,
            client,
        }
    }

    /// Stops it; its folder stays.
    pub async fn close(self) -> TempDir {
        self.running.shutdown().await;
        self.folder
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.local_addr())
    }

    pub fn post(&self, store: StoreId, body: Vec<u8>) -> RequestBuilder {
        let url = self.url(&format!("/v1/stores/{store}/batches"));
        self.client.post(url).body(body)
    }

    /// Delivers a batch; gives the cursor that comes back.
    pub async fn deliver(&self, batch: &HqBatch) -> u64 {
        let body = wire::encode(batch).unwrap();
        let request = self.post(batch.store, body);
        let answer = request.bearer_auth(self.running.token()).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let bytes = answer.bytes().await.unwrap();
        wire::decode::<HqAck>(&bytes).unwrap().cursor
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        let request = self.client.get(self.url(path));
        request.bearer_auth(self.running.token())
    }

    async fn json<T: DeserializeOwned>(&self, path: &str, field: &str) -> T {
        let answer = self.get(path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let mut value: Value = answer.json().await.unwrap();
        serde_json::from_value(value[field].take()).unwrap()
    }

    pub async fn stores(&self) -> Vec<StoreSummary> {
        self.json("/v1/stores", "stores").await
    }

    pub async fn totals(&self, query: &str) -> Vec<TotalRow> {
        self.json(&format!("/v1/totals{query}"), "totals").await
    }

    pub async fn set_aside(&self) -> Vec<SetAsideEntry> {
        self.json("/v1/set-aside", "set_aside").await
    }

    /// A lane's whole journal, page by page.
    pub async fn journal(&self, store: StoreId, lane: LaneId, limit: usize) -> Vec<(u64, Vec<u8>)> {
        let mut journal = Vec::new();
        let mut from = Some(1);
        while let Some(seq) = from {
            let path = format!("/v1/lanes/{lane}/entries?store={store}&from={seq}&limit={limit}");
            let answer = self.get(&path).send().await.unwrap();
            let page: HeldEntries = answer.json().await.unwrap();
            assert!(page.entries.len() <= limit);
            for entry in page.entries {
                assert_eq!(entry.hash, entry.entry(lane).hash());
                journal.push((entry.seq, entry.bytes));
            }
            from = page.next;
        }
        journal
    }

    /// Sends a request that fails; gives its status and head office's words.
    pub async fn fails(&self, request: RequestBuilder) -> (StatusCode, String) {
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let value: Value = answer.json().await.unwrap();
        (status, value["error"].as_str().unwrap().to_owned())
    }
}
