//! Which paper comes of what happens at a register, and when the drawer opens.

use std::sync::Arc;

use catalog::{Reference, Settings};
use devices::{Document, PrintKind, ReceiptStyle, ReportHead, ReportKind};
use ledger::StoreView;
use sale::{Event, Receipt, Tender};
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
    /// The paper that an event leads to, with its title.
    pub fn paper_of(&self, event: &Event) -> Option<(Title, Document)> {
        match event {
            Event::Training { event } => self.paper_of(event),
            Event::Completed { receipt, .. } => {
                let settings = self.settings();
                (!settings.receipts_on_request).then(|| {
                    self.papers.hand_out_receipt(&receipt.id, Some(&receipt.id));
                    let kind = PrintKind::Original;
                    (title_of(receipt), receipt_on_paper(receipt, settings, kind))
                })
            }
            Event::Suspended { slip, open, at, .. } => {
                let Settings {
                    store_name,
                    language,
                    ..
                } = self.settings();
                let document = devices::slip(slip, open, &store_name, *at, language);
                Some((format!("Slip {slip}"), document))
            }
            Event::ReportedZ {
                number, report, at, ..
            } => {
                let settings = self.settings();
                let head = ReportHead {
                    store_name: settings.store_name,
                    kind: ReportKind::Z(*number),
                    lane_name: self.lane_name.clone(),
                    at: *at,
                    language: settings.language,
                    reprint: self.papers.hand_out_z(*number),
                };
                let document = devices::report(&head, report, settings.currency);
                Some((format!("Z report {number}"), document))
            }
            _ => None,
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

pub fn title_of(receipt: &Receipt) -> String {
    format!("Receipt {}", receipt.id)
}

/// A receipt as the store has it look.
pub fn receipt_on_paper(receipt: &Receipt, settings: Settings, kind: PrintKind) -> Document {
    let style = ReceiptStyle {
        address: settings.address,
        footer: settings.receipt_footer,
        language: settings.language,
        kind,
    };
    devices::document(receipt, &style)
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
