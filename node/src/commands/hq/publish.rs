//! `lanemesh hq publish` and `lanemesh hq publications`: head office's way down to its stores.
//!
//! Files are read here, as `lanemesh import` reads them; head office is sent records. What is larger
//! than one publication goes up as several, in order, each of which takes effect by itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use catalog::{Record, Settings};
use hq::{PublicationSummary, Publications, TakenByStore};
use ledger::StoreId;
use money::Currency;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wire::{HQ_PUBLICATION_RECORDS_MAX, HqPublish, HqRecord};

use crate::cli::{Exit, HeadOfficeArgs, PublishArgs, Report};
use crate::commands::import::{content, describe, kind_by_name};
use crate::import::{ImportReport, Source, read_records};
use crate::production::SystemRandom;

/// The bytes of records of one publication, so that it gets through a slow line; one record may have
/// more.
const PUBLICATION_BYTES: usize = 256 * 1024;

/// How long head office may take for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);

pub fn publish(args: &PublishArgs) -> anyhow::Result<Report> {
    let stores = stores(&args.store)?;
    let (records, reports) = read(args)?;
    let parts = cut(&records)?;
    let count = parts.len();
    let office = HeadOffice::new(&args.office)?;
    let mut numbers: Vec<u64> = Vec::new();
    for records in parts {
        let publish = HqPublish {
            author: args.author.clone(),
            stores: stores.clone(),
            records,
        };
        let number = office.publish(&publish).with_context(|| match &numbers[..] {
            [] => "nothing is known to be published: `lanemesh hq publications` lists what is"
                .to_owned(),
            done => format!(
                "only {} of {count} parts are known to be published (numbers {} to {}); publish \
                 the files again",
                done.len(),
                done[0],
                done[done.len() - 1]
            ),
        })?;
        numbers.push(number);
    }
    Ok(report(args, &numbers, reports))
}

/// What was published, and what of each file was left out.
fn report(args: &PublishArgs, numbers: &[u64], reports: Vec<ImportReport>) -> Report {
    let text = match (numbers.first(), numbers.last()) {
        (Some(first), Some(last)) if first == last => format!("Published as number {first}."),
        (Some(first), Some(last)) => format!("Published as numbers {first} to {last}."),
        _ => "Nothing was published.".to_owned(),
    };
    let left_out: u64 = reports.iter().map(|report| report.rows_left_out).sum();
    let mut lines = vec![text];
    for (file, report) in args.files.iter().zip(&reports) {
        lines.push(describe(file, &json!(report), "published"));
    }
    Report {
        text: lines.join("\n"),
        json: json!({ "ok": left_out == 0, "numbers": numbers, "files": reports }),
        exit: match left_out {
            0 => Exit::Done,
            _ => Exit::RowsLeftOut,
        },
    }
}

fn stores(ids: &[String]) -> anyhow::Result<Option<Vec<StoreId>>> {
    let parsed: Result<Vec<StoreId>, _> = ids.iter().map(|id| id.parse()).collect();
    let parsed = parsed.context("--store takes the id of a store")?;
    Ok((!parsed.is_empty()).then_some(parsed))
}

/// The records of all files, in order.
fn read(args: &PublishArgs) -> anyhow::Result<(Vec<Record>, Vec<ImportReport>)> {
    let mut currency = args.currency.unwrap_or(Settings::default().currency);
    let (mut records, mut reports) = (Vec::new(), Vec::new());
    for file in &args.files {
        let (mut found, report) = read_file(args, file, currency)
            .with_context(|| format!("nothing was published, because of {}", file.display()))?;
        for record in &found {
            if let (Record::Settings(settings), None) = (record, args.currency) {
                currency = settings.currency;
            }
        }
        records.append(&mut found);
        reports.push(report);
    }
    Ok((records, reports))
}

fn read_file(
    args: &PublishArgs,
    file: &Path,
    currency: Currency,
) -> anyhow::Result<(Vec<Record>, ImportReport)> {
    let bytes = content(file)?;
    let source = Source {
        kind: args.kind.clone().or_else(|| kind_by_name(file)),
        author: args.author.clone(),
        bytes: bytes.into(),
    };
    Ok(read_records(&source, currency, Arc::new(SystemRandom))?)
}

/// Cuts records into publications.
fn cut(records: &[Record]) -> anyhow::Result<Vec<Vec<HqRecord>>> {
    let mut parts: Vec<Vec<HqRecord>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        let record = HqRecord::of(record)?;
        bytes += record.0.len();
        match parts.last_mut() {
            Some(part) if part.len() < HQ_PUBLICATION_RECORDS_MAX && bytes <= PUBLICATION_BYTES => {
                part.push(record);
            }
            _ => {
                bytes = record.0.len();
                parts.push(vec![record]);
            }
        }
    }
    Ok(parts)
}

pub fn publications(args: &HeadOfficeArgs) -> anyhow::Result<Report> {
    let listed: Publications = HeadOffice::new(args)?.publications()?;
    let mut lines: Vec<String> = listed.publications.iter().map(publication_line).collect();
    if lines.is_empty() {
        lines.push("Nothing was published.".to_owned());
    }
    lines.extend(listed.stores.iter().map(store_line));
    let json = json!({
        "ok": true,
        "publications": listed.publications,
        "stores": listed.stores,
    });
    Ok(Report::done(lines.join("\n"), json))
}

fn publication_line(publication: &PublicationSummary) -> String {
    let PublicationSummary {
        number,
        author,
        records,
        ..
    } = publication;
    let stores = match &publication.stores {
        None => "every store".to_owned(),
        Some(stores) => {
            let ids: Vec<String> = stores.iter().map(StoreId::to_string).collect();
            ids.join(", ")
        }
    };
    format!("{number:>6}  {records} records by {author}, for {stores}")
}

fn store_line(store: &TakenByStore) -> String {
    let name = match store.name.as_str() {
        "" => "a store that has sent nothing yet",
        name => name,
    };
    let stands = match (store.taken, store.last) {
        (taken, last) if taken > last => format!(
            "has taken {taken}, of which head office knows nothing: were its books restored from a \
             backup, publish again"
        ),
        (taken, last) if taken == last => format!("has taken all up to {taken}"),
        (taken, last) => format!("has taken {taken}, and {last} waits for it"),
    };
    format!("{name} ({}): {stands}", store.store)
}

/// A head office at an address.
struct HeadOffice {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    url: String,
    token: String,
}

#[derive(Deserialize)]
struct Published {
    number: u64,
}

impl HeadOffice {
    fn new(args: &HeadOfficeArgs) -> anyhow::Result<HeadOffice> {
        let token = std::fs::read_to_string(&args.token_file);
        let token = token.with_context(|| {
            let file = args.token_file.display();
            format!("head office's token in {file} cannot be read")
        })?;
        Ok(HeadOffice {
            runtime: crate::commands::runtime()?,
            http: reqwest::Client::builder().timeout(ANSWER_MAX).build()?,
            url: args.url.trim_end_matches('/').to_owned(),
            token: token.trim().to_owned(),
        })
    }

    fn publish(&self, publish: &HqPublish) -> anyhow::Result<u64> {
        let request = self.http.post(format!("{}/v1/publications", self.url));
        let published: Published = self.answer(request.body(wire::encode(publish)?))?;
        Ok(published.number)
    }

    fn publications(&self) -> anyhow::Result<Publications> {
        self.answer(self.http.get(format!("{}/v1/publications", self.url)))
    }

    fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let request = request.bearer_auth(&self.token);
        self.runtime.block_on(async {
            let answer = request.send().await;
            read_answer(answer.with_context(|| format!("{} does not answer", self.url))?).await
        })
    }
}

async fn read_answer<T: DeserializeOwned>(answer: Response) -> anyhow::Result<T> {
    let status = answer.status();
    let bytes = answer.bytes().await?;
    if status.is_success() {
        return serde_json::from_slice(&bytes).context("the answer is not that of a head office");
    }
    let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let said = said["error"].as_str().unwrap_or_default();
    match status {
        StatusCode::NOT_FOUND => {
            bail!("head office has a release that publishes nothing: upgrade it")
        }
        _ => Err(anyhow!("head office answered {status}. {said}")),
    }
}
