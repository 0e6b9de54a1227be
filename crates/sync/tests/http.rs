//! The HTTP way to head office against servers that answer well, oddly, or not at all.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ledger::{Epoch, StoreId};
use sync::{HqError, HqLink, HttpHqLink};
use wire::{HqAck, HqBatch, HqNext, HqPublication};

fn question() -> HqBatch {
    HqBatch {
        store: StoreId([0xab; 16]),
        store_name: "Corner shop".to_owned(),
        epoch: Epoch::FIRST,
        lanes: Vec::new(),
        entries: Vec::new(),
    }
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

async fn deliver_to(url: &str) -> Result<HqAck, HqError> {
    let link = HttpHqLink::new(url, "secret").unwrap();
    link.deliver(question()).await
}

#[tokio::test]
async fn a_batch_goes_up_and_a_cursor_comes_down() {
    async fn take(Path(store): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
        assert_eq!(store, "ab".repeat(16));
        assert_eq!(headers["authorization"], "Bearer secret");
        assert_eq!(headers["content-type"], "application/cbor");
        assert_eq!(wire::decode::<HqBatch>(&body).unwrap(), question());
        wire::encode(&HqAck {
            cursor: 42,
            published: 0,
        })
        .unwrap()
        .into_response()
    }
    let routes = Router::new().route("/v1/stores/{store}/batches", post(take));
    let plain = serve(routes.clone()).await;
    assert_eq!(
        deliver_to(&plain).await,
        Ok(HqAck {
            cursor: 42,
            published: 0
        })
    );
    // Head office may live under a path of a shared server.
    let nested = serve(Router::new().nest("/lanemesh", routes)).await;
    for url in [format!("{nested}/lanemesh"), format!("{nested}/lanemesh/")] {
        assert_eq!(
            deliver_to(&url).await,
            Ok(HqAck {
                cursor: 42,
                published: 0
            })
        );
    }
}

#[tokio::test]
async fn answers_that_are_no_cursor_become_words() {
    async fn check(status: u16, body: impl Into<Vec<u8>>, expected: &str) {
        let (status, body) = (StatusCode::from_u16(status).unwrap(), body.into());
        let url = serve(Router::new().fallback(move || async move { (status, body) })).await;
        let message = deliver_to(&url).await.unwrap_err().to_string();
        let message = message.replace(&url, "URL");
        assert!(message.starts_with(expected), "{message}");
    }
    let refused = "head office refused the store:";
    let unreachable = "head office cannot be reached:";
    check(
        401,
        r#"{"error": "The token is wrong."}"#,
        &format!("{refused} The token is wrong."),
    )
    .await;
    check(
        404,
        "not here",
        &format!("{refused} it answered 404 Not Found not here"),
    )
    .await;
    check(
        503,
        r#"{"error": "The disk is full."}"#,
        &format!("{unreachable} The disk is full."),
    )
    .await;
    check(
        200,
        "<html>log in to the hotel's network</html>",
        &format!("{unreachable} URL/ answered oddly:"),
    )
    .await;
    check(
        200,
        vec![1; 100_000],
        &format!("{unreachable} its answer is too large"),
    )
    .await;
}

#[tokio::test]
async fn a_head_office_that_is_down_is_an_error_with_its_cause() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let message = deliver_to(&url).await.unwrap_err().to_string();
    assert!(message.contains("cannot be reached"), "{message}");
    assert!(message.contains("refused"), "the cause is told: {message}");
}

#[tokio::test]
async fn what_cannot_be_an_address_or_a_token_is_refused_at_once() {
    let check = |url: &str, token: &str, expected: &str| {
        let message = HttpHqLink::new(url, token).err().unwrap().to_string();
        assert!(message.contains(expected), "{message}");
    };
    check("hq.example.com:7800", "t", "write it like http://");
    check("ftp://hq.example.com", "t", "write it like http://");
    check("", "t", "write it like http://");
    check("http://hq.example.com", "", "copy it from hq-token");
    check("http://hq.example.com", "a b", "copy it from hq-token");
    HttpHqLink::new("https://hq.example.com/stores", "t").unwrap();
}

#[tokio::test]
async fn https_is_spoken_where_it_is_asked_for() {
    let url = serve(Router::new()).await.replace("http:", "https:");
    let answer = tokio::time::timeout(Duration::from_secs(20), deliver_to(&url)).await;
    let message = answer.unwrap().unwrap_err().to_string();
    assert!(message.contains("corrupt message"), "{message}");
}

#[tokio::test]
async fn an_older_head_office_publishes_nothing_and_a_newer_one_answers() {
    let after = |uri: Uri| async move {
        assert_eq!(uri.query(), Some("after=4"));
        let publication = HqPublication {
            number: 7,
            author: "Ada".to_owned(),
            records: Vec::new(),
        };
        let next = HqNext {
            publication: Some(publication),
        };
        wire::encode(&next).unwrap().into_response()
    };
    let newer = Router::new().route("/v1/stores/{store}/publications", get(after));
    let ask = async |routes| {
        let link = HttpHqLink::new(&serve(routes).await, "secret").unwrap();
        let next = link.published(StoreId([0xab; 16]), 4).await;
        next.map(|next| next.map(|publication| publication.number))
    };
    assert_eq!(ask(newer).await, Ok(Some(7)));
    let older = Router::new().fallback(async || StatusCode::NOT_FOUND);
    assert_eq!(ask(older).await, Err(HqError::PublishesNothing));
    let refuses = Router::new().fallback(async || StatusCode::UNAUTHORIZED);
    assert!(matches!(ask(refuses).await, Err(HqError::Refused(_))));
}
