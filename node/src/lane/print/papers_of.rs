//! Which paper comes of what happens at a register, and when the drawer opens.

use std::sync::Arc;

use catalog::{Reference, Settings};
use devices::{Beside, Document, Picture, PrintKind, ReceiptStyle, ReportHead, ReportKind};
use ledger::StoreView;
use sale::{Event, LocalTime, Receipt, Tally, Tender};
use storage::StateReader;

use super::Papers;
use super::queue::Title;

/// Lays out what is printed by itself.
pub struct Layout {
    pub state: StateReader,
    pub papers: Arc<Papers>,
    pub lane_name: String,
}

impl Layout {
    /// The papers that an event leads to, with their titles.
    pub fn papers_of(&self, event: &Event) -> Vec<(Title, Document)> {
        match event {
            Event::Training { event } => self.papers_of(event),
            Event::Completed { receipt, .. } => {
                let settings = self.settings();
                let is_printed = !settings.receipts_on_request;
                let style = style_of(settings, PrintKind::Original);
                // It is worth money, so it is printed in any case.
                let note = beside_on_paper(Beside::CreditNote, receipt, &style);
                let receipt = is_printed.then(|| {
                    self.papers.hand_out_receipt(&receipt.id, Some(&receipt.id));
                    (title_of(receipt), devices::document(receipt, &style))
                });
                receipt.into_iter().chain(note).collect()
            }
            Event::Suspended { slip, open, at, .. } => {
                let Settings {
                    store_name,
                    language,
                    ..
                } = self.settings();
                let document = devices::slip(slip, open, &store_name, *at, language);
                vec![(title_of_slip(slip), document)]
            }
            Event::ReportedZ {
                number, report, at, ..
            } => {
                let reprint = self.papers.hand_out_z(*number);
                let settings = self.settings();
                let document = z_on_paper(*number, report, *at, &self.lane_name, settings, reprint);
                vec![(title_of_z(*number), document)]
            }
            _ => Vec::new(),
        }
    }

    fn settings(&self) -> Settings {
        let read = self.state.read(|tables| StoreView::new(tables).settings());
        read.unwrap_or_else(|error| {
            tracing::warn!(%error, "a paper has the look of a new store");
            Settings::default()
        })
    }
}

pub fn title_of(receipt: &Receipt) -> Title {
    format!("Receipt {}", receipt.id)
}

pub fn title_of_slip(slip: &str) -> Title {
    format!("Slip {slip}")
}

pub fn title_of_z(number: u64) -> Title {
    format!("Z report {number}")
}

/// A Z report as the store has it look.
pub fn z_on_paper(
    number: u64,
    report: &Tally,
    at: LocalTime,
    lane_name: &str,
    settings: Settings,
    reprint: bool,
) -> Document {
    let head = ReportHead {
        store_name: settings.store_name,
        kind: ReportKind::Z(number),
        lane_name: lane_name.to_owned(),
        at,
        language: settings.language,
        reprint,
    };
    devices::report(&head, report, settings.currency)
}

/// A receipt as the store has it look.
pub fn receipt_on_paper(receipt: &Receipt, settings: Settings, kind: PrintKind) -> Document {
    devices::document(receipt, &style_of(settings, kind))
}

/// A paper that goes with a receipt, with its title; none where the receipt has nothing for it.
pub fn beside_on_paper(
    beside: Beside,
    receipt: &Receipt,
    style: &ReceiptStyle,
) -> Option<(Title, Document)> {
    let document = beside.document(receipt, style)?;
    let name = match beside {
        Beside::GiftReceipt => "Gift receipt",
        Beside::CardSlip => "Card slip",
        Beside::CreditNote => "Credit note of receipt",
    };
    Some((format!("{name} {}", receipt.id), document))
}

/// How the store has its receipts look.
pub fn style_of(settings: Settings, kind: PrintKind) -> ReceiptStyle {
    let logo = &settings.receipt_logo;
    // What settings may say was looked at before they took effect.
    let logo = (!logo.is_empty()).then(|| Picture::from_base64(logo));
    ReceiptStyle {
        address: settings.address,
        footer: settings.receipt_footer,
        logo: logo.and_then(Result::ok),
        qr: settings.receipt_qr,
        language: settings.language,
        kind,
    }
}

/// Whether the drawer opens when this has happened. In training it stays shut.
pub fn opens_drawer(event: &Event) -> bool {
    match event {
        Event::Tendered { tender, .. } => matches!(
            tender,
            Tender::Cash { .. }
                | Tender::ForeignCash { .. }
                | Tender::Cheque { .. }
                | Tender::Voucher { .. }
        ),
        Event::NoSale { .. }
        | Event::CashMoved { .. }
        | Event::DrawerOpened { .. }
        | Event::TenderVoided { .. }
        | Event::TendersReturned { .. } => true,
        _ => false,
    }
}
