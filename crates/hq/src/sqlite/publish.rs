//! What head office publishes: a numbered list, and how far each store has come in it.
//!
//! Invariant: numbers rise in the order of publishing and none is given out twice, also not by books
//! that were restored from a backup, once the stores have asked.

use ledger::StoreId;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};
use wire::{
    HQ_AUTHOR_CHARS_MAX, HQ_PUBLICATION_BYTES_MAX, HQ_PUBLICATION_RECORDS_MAX, HQ_STORES_NAMED_MAX,
    HqPublication, HqPublish,
};

use super::take::NUMBER_MAX;
use crate::{HqError, PUBLICATIONS_LISTED_MAX, PublicationSummary, Publications, TakenByStore};

/// Publications that are for a store: `?1`.
const FOR_STORE: &str = "(NOT named OR EXISTS (SELECT 1 FROM publication_store
    WHERE publication_store.number = publication.number AND publication_store.store = ?1))";

/// Checks what every store needs: something to publish, within bounds, that this release reads.
pub fn check(publish: &HqPublish) -> Result<(), HqError> {
    let bad = |reason: String| Err(HqError::BadPublication(reason));
    let records = &publish.records;
    let bytes: usize = records.iter().map(|record| record.0.len()).sum();
    if records.is_empty() {
        return bad("there are no records".to_owned());
    }
    if records.len() > HQ_PUBLICATION_RECORDS_MAX {
        return bad(format!(
            "there are {} records, more than {HQ_PUBLICATION_RECORDS_MAX}: cut them into several \
             publications",
            records.len()
        ));
    }
    if bytes > HQ_PUBLICATION_BYTES_MAX {
        return bad(format!(
            "the records have {bytes} bytes, more than {HQ_PUBLICATION_BYTES_MAX}: cut them into \
             several publications"
        ));
    }
    let author = publish.author.chars().count();
    if author == 0 || author > HQ_AUTHOR_CHARS_MAX {
        return bad(format!(
            "an author has 1 to {HQ_AUTHOR_CHARS_MAX} characters"
        ));
    }
    match publish.stores.as_ref().map(Vec::len) {
        Some(0) => return bad("it is for no store".to_owned()),
        Some(stores) if stores > HQ_STORES_NAMED_MAX => {
            return bad(format!("it names more than {HQ_STORES_NAMED_MAX} stores"));
        }
        _ => {}
    }
    for (record, number) in records.iter().zip(1..) {
        if let Err(error) = record.record() {
            return bad(format!(
                "record {number} cannot be read ({error}): if it was made by a newer release, \
                 upgrade head office"
            ));
        }
    }
    Ok(())
}

/// Publishes inside a transaction; gives the number.
pub fn publish(connection: &Connection, publish: HqPublish, now_ms: u64) -> rusqlite::Result<u64> {
    let last: u64 = connection.query_row(
        "SELECT max(coalesce((SELECT max(number) FROM publication), 0),
                    coalesce((SELECT max(number) FROM taken), 0))",
        [],
        |row| row.get(0),
    )?;
    let number = last + 1;
    let records = publish.records.len() as u64;
    let body = HqPublication {
        number,
        author: publish.author,
        records: publish.records,
    };
    let bytes = wire::encode(&body)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection.execute(
        "INSERT INTO publication (number, author, published_ms, records, named, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            number,
            body.author,
            now_ms.min(NUMBER_MAX),
            records,
            publish.stores.is_some(),
            bytes
        ],
    )?;
    let mut name = connection.prepare_cached(
        "INSERT INTO publication_store (number, store) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    for store in publish.stores.iter().flatten() {
        name.execute(params![number, store.0])?;
    }
    Ok(number)
}

/// Notes what a store says it has taken.
pub fn note_taken(
    connection: &Connection,
    store: StoreId,
    after: u64,
    now_ms: u64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO taken (store, number, asked_ms) VALUES (?1, ?2, ?3)
             ON CONFLICT (store) DO UPDATE SET number = ?2, asked_ms = ?3",
        )?
        .execute(params![store.0, after, now_ms.min(NUMBER_MAX)])?;
    Ok(())
}

/// The first publication for a store behind number `after`.
pub fn next(
    connection: &Connection,
    store: StoreId,
    after: u64,
) -> rusqlite::Result<Option<HqPublication>> {
    let skips = planted::is("publication-skipped") && after % 3 == 2;
    let after = after + u64::from(skips);
    let sql = format!(
        "SELECT body FROM publication WHERE number > ?2 AND {FOR_STORE} ORDER BY number LIMIT 1"
    );
    let body: Option<Vec<u8>> = connection
        .prepare_cached(&sql)?
        .query_row(params![store.0, after], |row| row.get(0))
        .optional()?;
    body.map(|body| {
        wire::decode(&body).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(error))
        })
    })
    .transpose()
}

/// The number of the last publication for a store; 0 where there is none.
pub fn last_for(connection: &Connection, store: StoreId) -> rusqlite::Result<u64> {
    let sql =
        format!("SELECT number FROM publication WHERE {FOR_STORE} ORDER BY number DESC LIMIT 1");
    let last = connection
        .prepare_cached(&sql)?
        .query_row(params![store.0], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or(0))
}

/// The newest publications, oldest first, and how far each store has come.
pub fn list(connection: &Connection) -> rusqlite::Result<Publications> {
    let mut statement = connection.prepare_cached(
        "SELECT number, author, published_ms, records, named FROM publication
         ORDER BY number DESC LIMIT ?1",
    )?;
    let rows = statement.query_map(params![PUBLICATIONS_LISTED_MAX as u64], |row| {
        let summary = PublicationSummary {
            number: row.get(0)?,
            author: row.get(1)?,
            published_ms: row.get(2)?,
            records: row.get(3)?,
            stores: None,
        };
        Ok((summary, row.get::<_, bool>(4)?))
    })?;
    let mut publications = Vec::new();
    for row in rows {
        let (mut summary, named) = row?;
        if named {
            summary.stores = Some(named_in(connection, summary.number)?);
        }
        publications.push(summary);
    }
    publications.reverse();
    Ok(Publications {
        publications,
        stores: stores(connection)?,
    })
}

fn named_in(connection: &Connection, number: u64) -> rusqlite::Result<Vec<StoreId>> {
    let mut statement = connection
        .prepare_cached("SELECT store FROM publication_store WHERE number = ?1 ORDER BY store")?;
    let rows = statement.query_map(params![number], |row| row.get(0).map(StoreId))?;
    rows.collect()
}

fn stores(connection: &Connection) -> rusqlite::Result<Vec<TakenByStore>> {
    let mut statement = connection.prepare_cached(
        "SELECT known.store, coalesce(store.name, ''), coalesce(taken.number, 0),
                coalesce(taken.asked_ms, 0)
         FROM (SELECT store FROM store UNION SELECT store FROM taken) AS known
         LEFT JOIN store ON store.store = known.store
         LEFT JOIN taken ON taken.store = known.store
         ORDER BY known.store",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(TakenByStore {
            store: StoreId(row.get(0)?),
            name: row.get(1)?,
            last: 0,
            taken: row.get(2)?,
            asked_ms: row.get(3)?,
        })
    })?;
    let mut stores: Vec<TakenByStore> = rows.collect::<rusqlite::Result<_>>()?;
    for store in &mut stores {
        store.last = last_for(connection, store.store)?;
    }
    Ok(stores)
}
