//! Receipts on a printer: what comes out by itself, what waits, and what a restart keeps.

use std::time::{Duration, Instant};

use devices::printer::PrinterSimulator;
use sale::Command;

use crate::common::{LIMIT, Lane, Store, plain_items, run, run_json, runtime, text};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Starts the only lane of a store again with this printer.
async fn with_printer(store: &mut Store, printer: &str) {
    let lane = &mut store.lanes[0];
    lane.stop();
    *lane = Lane::start_with(&lane.folder.clone(), &["--printer", printer]).await;
    lane.sign_in().await;
}

/// Waits until that is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < LIMIT, "{what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The number of the last receipt.
async fn last_receipt(lane: &Lane) -> String {
    let view = lane.client.view().await.expect("a view");
    view.register.last_receipt.expect("a receipt").id
}

async fn waiting(lane: &Lane) -> u64 {
    lane.status()
        .await
        .printer
        .map_or(0, |printer| printer.waiting)
}

#[test]
fn a_receipt_comes_out_once_and_the_drawer_opens() {
    runtime().block_on(async {
        let simulator = PrinterSimulator::start(0).expect("a free port");
        let mut store = Store::start(1, false).await;
        // What was sold before there was a printer stays unprinted.
        store.lanes[0].sign_in().await;
        let item = plain_items(1).remove(0);
        store.lanes[0].sell(&item).await;
        store.lanes[0].done(Command::SignOut).await;
        with_printer(&mut store, &simulator.address().to_string()).await;
        let lane = &store.lanes[0];
        lane.sell(&item).await;
        until("a receipt", || simulator.papers().len() == 1).await;
        until("the drawer", || simulator.pulses() == 1).await;
        let id = last_receipt(lane).await;
        let papers = simulator.papers();
        assert!(papers[0].contains(&format!("|{id}|")), "{papers:?}");
        assert!(!papers[0].contains("REPRINT"), "{papers:?}");

        let suspended = Command::Suspend;
        lane.scan(&item).await;
        lane.done(suspended).await;
        until("a slip", || simulator.papers().len() == 2).await;
        let no_sale = Command::NoSale {
            reason: "change for a customer".to_owned(),
        };
        lane.done(no_sale).await;
        until("the drawer", || simulator.pulses() == 2).await;

        let printed = run(&["printer", text(&lane.folder), "--receipt", &id]);
        assert!(printed.status.success(), "{printed:?}");
        until("a reprint", || simulator.papers().len() == 3).await;
        assert!(simulator.papers()[2].contains("REPRINT"));
        let (code, said) = run_json(&["printer", text(&lane.folder), "--receipt", "9-9"]);
        assert_eq!((code, said["ok"].as_bool()), (1, Some(false)), "{said}");
    });
}

#[test]
fn receipts_wait_for_paper_over_a_crash() {
    runtime().block_on(async {
        let simulator = PrinterSimulator::start(0).expect("a free port");
        let mut store = Store::start(1, false).await;
        let at = simulator.address().to_string();
        with_printer(&mut store, &at).await;
        simulator.set_rows_left(Some(0));
        let item = plain_items(1).remove(0);
        for _ in 0..3 {
            store.lanes[0].sell(&item).await;
        }
        let lane = &mut store.lanes[0];
        lane.wait("the lane says why nothing comes out", |status| {
            status.printer.as_ref().is_some_and(|printer| {
                let why = printer.trouble.as_deref().unwrap_or_default();
                printer.waiting == 3 && why.contains("out of paper")
            })
        })
        .await;
        // The drawer opens all the same.
        until("the drawer", || simulator.pulses() > 0).await;

        lane.process.kill();
        let pulses = simulator.pulses();
        *lane = Lane::start_with(&lane.folder.clone(), &["--printer", &at]).await;
        assert_eq!(waiting(lane).await, 3);
        let (code, said) = run_json(&["printer", text(&lane.folder), "--cancel", "2"]);
        assert_eq!(
            (code, said["papers"].as_array().map(Vec::len)),
            (0, Some(2)),
            "{said}"
        );

        simulator.set_rows_left(None);
        until("two receipts", || simulator.papers().len() == 2).await;
        lane.wait("nothing waits", |status| {
            status
                .printer
                .as_ref()
                .is_some_and(|p| p.waiting == 0 && p.trouble.is_none())
        })
        .await;
        assert!(!simulator.papers().concat().contains("REPRINT"));
        assert_eq!(
            simulator.pulses(),
            pulses,
            "the drawer does not open for what was sold before"
        );
        lane.stop();
        store.assert_verified();
    });
}

#[test]
fn a_lane_can_print_into_a_file_and_only_on_request() {
    runtime().block_on(async {
        let mut store = Store::start(1, false).await;
        let papers = store.folder.path().join("papers.txt");
        with_printer(&mut store, text(&papers)).await;
        let lane = &store.lanes[0];
        let item = plain_items(1).remove(0);
        lane.sell(&item).await;
        let written = || std::fs::read_to_string(&papers).unwrap_or_default();
        until("a receipt", || !written().is_empty()).await;
        let settings = b"receipts_on_request = true\nstore_name = \"Quiet store\"\n".to_vec();
        let report = lane
            .client
            .import(Some("settings"), settings, &mut |_| ())
            .await;
        assert_eq!(report.expect("settings")["problem_count"], 0);
        lane.shown("the new name", |view| view.store_name == "Quiet store")
            .await;
        let before = written();
        lane.sell(&item).await;
        let id = last_receipt(lane).await;
        let asked = run(&["printer", text(&lane.folder), "--receipt", &id]);
        assert!(asked.status.success(), "{asked:?}");
        until("the receipt that was asked for", || written() != before).await;
        let fresh = written().split_off(before.len());
        assert_eq!(fresh.matches("Quiet store").count(), 1, "{fresh}");
    });
}

/// A square of 16 by 16 black dots, as a PNG file.
const LOGO: &[u8] = include_bytes!("logo.png");

#[test]
fn papers_have_the_stores_logo_and_go_with_their_receipt() {
    runtime().block_on(async {
        let simulator = PrinterSimulator::start(0).expect("a free port");
        let mut store = Store::start(1, false).await;
        with_printer(&mut store, &simulator.address().to_string()).await;
        let lane = &store.lanes[0];
        let folder = store.folder.path();
        let settings = folder.join("settings.toml");
        let said = "store_name = \"Logo store\"\nreceipt_logo = \"logo.png\"\n\
                    receipt_qr = \"https://example.com/{receipt}\"\n";
        std::fs::write(&settings, said).expect("a file");
        let import = ["import", text(&lane.folder), text(&settings)];
        let missing = run(&import);
        let told = String::from_utf8_lossy(&missing.stderr).into_owned();
        assert!(
            !missing.status.success() && told.contains("logo.png"),
            "{told}"
        );
        std::fs::write(folder.join("logo.png"), LOGO).expect("a file");
        let imported = run(&import);
        assert!(imported.status.success(), "{imported:?}");
        lane.shown("the new name", |view| view.store_name == "Logo store")
            .await;

        let item = plain_items(1).remove(0);
        lane.sell(&item).await;
        let id = last_receipt(lane).await;
        until("a receipt", || simulator.papers().len() == 1).await;
        let paper = simulator.papers().remove(0);
        // The logo, and a QR code of 29 modules of 6 dots in bands of 64 rows.
        assert!(paper.starts_with("[16 by 16 dots]\n"), "{paper}");
        assert_eq!(paper.matches("[176 by ").count(), 3, "{paper}");
        let page = lane
            .client
            .paper(&format!("/v1/receipts/{id}?format=html"))
            .await
            .expect("a page");
        assert!(page.contains("data:image/png;base64,"), "{page}");
        let link = format!("<a href=\"https://example.com/{id}\">");
        assert!(page.contains(&link), "{page}");

        let gift = run(&["printer", text(&lane.folder), "--gift-receipt", &id]);
        assert!(gift.status.success(), "{gift:?}");
        until("a gift receipt", || simulator.papers().len() == 2).await;
        let paper = simulator.papers().remove(1);
        assert!(paper.contains("GIFT RECEIPT"), "{paper}");
        assert!(paper.contains(&format!("|{id}|")), "{paper}");
        // Cash paid it, and it gave nothing back.
        let (code, said) = run_json(&["printer", text(&lane.folder), "--card-slip", &id]);
        let told = said["error"].as_str().unwrap_or_default();
        assert!(code == 1 && told.contains("no such paper"), "{said}");
        let gift = lane
            .client
            .paper(&format!("/v1/receipts/{id}?paper=gift-receipt"))
            .await
            .expect("a text");
        assert!(gift.contains("GIFT RECEIPT"), "{gift}");
    });
}
