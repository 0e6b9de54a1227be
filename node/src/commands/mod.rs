//! One module per command of `lanemesh`.

pub mod bench;
pub mod demo;
pub mod export;
pub mod hq;
pub mod import;
pub mod invite;
pub mod join;
pub mod lane;
pub mod pin;
pub mod printer;
pub mod promotions;
pub mod recover;
pub mod retire;
pub mod status;
pub mod store;
pub mod terminal;
pub mod verify;

use std::sync::OnceLock;

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// The runtime of a command.
pub fn runtime() -> anyhow::Result<Runtime> {
    Runtime::new().context("this machine gives no threads to work with")
}

/// Becomes true when standard input has ended, in a process that was told to close then.
static STDIN_ENDED: OnceLock<watch::Receiver<bool>> = OnceLock::new();

/// From now on [`asked_to_stop`] also completes when standard input ends: whoever holds the other
/// end need only die for this process to close in good order.
pub fn close_with_stdin() {
    let (ended, seen) = watch::channel(false);
    if STDIN_ENDED.set(seen).is_err() {
        return;
    }
    // A thread of its own: a read that waits for ever would keep a runtime from ending.
    std::thread::spawn(move || {
        // What is sent is of no interest, and an error is an end, too.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        ended.send_replace(true);
    });
}

async fn stdin_ended() {
    match STDIN_ENDED.get() {
        // The sender lives in the thread that waits for the end: without it, it has come.
        Some(ended) => drop(ended.clone().wait_for(|ended| *ended).await),
        None => std::future::pending().await,
    }
}

/// Completes on Ctrl-C, on a polite request to end, or at the end of standard input where that was
/// asked for.
pub async fn asked_to_stop() {
    tokio::select! {
        () = signalled() => {}
        () = stdin_ended() => {}
    }
}

async fn signalled() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
