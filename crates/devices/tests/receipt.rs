//! Receipts against golden files. After a change that is meant, run with `UPDATE_GOLDEN=1` and read
//! the difference.

use std::path::PathBuf;

use catalog::{BookVersion, CustomerId, EmployeeId, Language, TaxId};
use devices::{Beside, Document, PaperFormat, Picture, PrintKind, ReceiptStyle, document, text_of};
use money::{Currency, Money, Quantity, Rate, Rounding};
use sale::{
    CardApproval, CardPaid, CardTransaction, CartId, LaneId, Line, LineTax, LineTotal, LocalTime,
    OverrideReason, PartTotal, PointsTotal, PromotionTotal, Receipt, TaxDetail, TaxTotal, Tender,
    Totals,
};

fn money(text: &str) -> Money {
    Money::parse(text, Currency::USD).expect("a literal amount")
}

struct Sold {
    description: &'static str,
    quantity: Quantity,
    unit_price: &'static str,
    discount: &'static str,
    deposit: Option<&'static str>,
    tax: (&'static str, &'static str, &'static str, bool),
}

const FOOD: (&str, &str, &str, bool) = ("food", "Food", "2.25", false);
const STANDARD: (&str, &str, &str, bool) = ("standard", "Sales tax", "8.25", false);
const VAT: (&str, &str, &str, bool) = ("vat", "VAT", "19", true);

fn plain(description: &'static str, unit_price: &'static str) -> Sold {
    Sold {
        description,
        quantity: Quantity::ONE,
        unit_price,
        discount: "0",
        deposit: None,
        tax: FOOD,
    }
}

fn line(number: u32, sold: &Sold) -> Line {
    let (id, name, rate, included) = sold.tax;
    Line {
        number,
        item: "1".into(),
        code: "1".to_owned(),
        description: sold.description.to_owned(),
        department: "grocery".into(),
        brand: None,
        quantity: sold.quantity,
        unit_price: money(sold.unit_price),
        deposit: sold.deposit.map(money),
        tax: LineTax {
            id: TaxId::from(id),
            name: name.to_owned(),
            rate: Rate::parse_percent(rate).expect("a literal rate"),
            included,
            parts: Vec::new(),
        },
        price_override: None,
        voided: false,
        detail: Default::default(),
    }
}

fn line_total(number: u32, sold: &Sold, line: &Line) -> LineTotal {
    let extended = line
        .unit_price
        .for_quantity(line.quantity, Rounding::HalfUp);
    let net = extended - money(sold.discount);
    LineTotal {
        line: number,
        extended,
        discount: money(sold.discount),
        deposit: line.deposit.map_or(money("0"), |deposit| {
            deposit.times(line.quantity.pieces().unwrap_or(1))
        }),
        tax: if line.tax.included {
            net.share_included(line.tax.rate, Rounding::HalfUp)
        } else {
            net.share(line.tax.rate, Rounding::HalfUp)
        },
        promotions: Vec::new(),
        tax_detail: TaxDetail::default(),
    }
}

fn taxes(lines: &[Line], totals: &[LineTotal]) -> Vec<TaxTotal> {
    let mut taxes: Vec<TaxTotal> = Vec::new();
    for (line, total) in lines.iter().zip(totals) {
        let net = total.net();
        match taxes.iter_mut().find(|tax| tax.tax == line.tax.id) {
            Some(tax) => {
                tax.taxable += net;
                tax.amount += total.tax;
            }
            None => taxes.push(TaxTotal {
                tax: line.tax.id.clone(),
                name: line.tax.name.clone(),
                rate: line.tax.rate,
                included: line.tax.included,
                taxable: net,
                amount: total.tax,
                exempt: false,
                parts: Vec::new(),
            }),
        }
    }
    taxes
}

fn receipt(sold: &[Sold], promotions: &[(&str, &str)], cash: &[&str]) -> Receipt {
    let lines: Vec<Line> = (1..).zip(sold).map(|(n, s)| line(n, s)).collect();
    let line_totals: Vec<LineTotal> = sold
        .iter()
        .zip(&lines)
        .map(|(sold, line)| line_total(line.number, sold, line))
        .collect();
    let sum = |of: &dyn Fn(&LineTotal) -> Money| {
        line_totals
            .iter()
            .fold(money("0"), |sum, total| sum + of(total))
    };
    let taxes = taxes(&lines, &line_totals);
    let tax_of = |included: bool| {
        let wanted = taxes.iter().filter(|tax| tax.included == included);
        wanted.fold(money("0"), |sum, tax| sum + tax.amount)
    };
    let (gross, discount) = (sum(&|t| t.extended), sum(&|t| t.discount));
    let deposits = sum(&|t| t.deposit);
    let total = gross - discount + deposits + tax_of(false);
    let tenders: Vec<Tender> = cash
        .iter()
        .map(|amount| Tender::Cash {
            amount: money(amount),
        })
        .collect();
    let handed_over = tenders.iter().fold(money("0"), |sum, t| sum + t.amount());
    let at = LocalTime {
        unix_ms: 1_795_873_620_000,
        offset_minutes: -300,
    };
    Receipt {
        id: "1-000042".to_owned(),
        cart: CartId {
            lane: LaneId([7; 16]),
            number: 42,
        },
        lane_name: "Lane 1".to_owned(),
        store_name: "Harbour Street Market".to_owned(),
        cashier: EmployeeId::from("101"),
        cashier_name: "Ann Miller".to_owned(),
        customer: None,
        day: at.business_day(),
        opened_at: at,
        priced_at: at,
        book: BookVersion(3),
        reference: None,
        lines,
        totals: Totals {
            promotions: promotions
                .iter()
                .map(|(name, amount)| PromotionTotal {
                    promotion: (*name).to_owned(),
                    name: (*name).to_owned(),
                    amount: money(amount),
                    times: 1,
                })
                .collect(),
            tax_added: tax_of(false),
            tax_included: tax_of(true),
            lines: line_totals,
            taxes,
            gross,
            discount,
            deposits,
            total,
            points: Vec::new(),
            next_coupons: Vec::new(),
        },
        tenders,
        change: handed_over - total,
        detail: Default::default(),
    }
}

fn style() -> ReceiptStyle {
    ReceiptStyle {
        language: Language::English,
        address: vec!["12 Harbour Street".to_owned(), "Tel. 555 0100".to_owned()],
        footer: "Thank you. Please come again.".to_owned(),
        kind: PrintKind::Original,
        ..ReceiptStyle::default()
    }
}

/// A square in a square, 16 dots wide, as a PNG file in Base64.
const LOGO: &str = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQAAAAA3iMLMAAAAF0lEQVR42mNgYGCo/4dAFXLoCFmWgQEAcXEPbTZYubMAAAAASUVORK5CYII=";

/// Compares bytes with a golden file, or writes the file where `UPDATE_GOLDEN` is set.
fn golden(name: &str, got: &[u8]) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "golden", name]
        .iter()
        .collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, got).expect("the golden file can be written");
    }
    let expected = std::fs::read(&path).expect("the golden file is there");
    assert!(
        got == expected,
        "{name} differs:\n{}",
        String::from_utf8_lossy(got)
    );
}

fn check(name: &str, receipt: &Receipt, style: &ReceiptStyle) {
    check_paper(name, receipt, &document(receipt, style));
}

fn check_paper(name: &str, receipt: &Receipt, document: &Document) {
    let text = text_of(document);
    for row in text.lines() {
        assert!(row.chars().count() <= devices::COLUMNS, "{row}");
    }
    golden(&format!("{name}.txt"), text.as_bytes());
    let formats = match name {
        "everything" | "letters" | "pictures" => PaperFormat::ALL.to_vec(),
        _ => vec![PaperFormat::Escpos],
    };
    for format in formats.into_iter().filter(|f| *f != PaperFormat::Text) {
        let bytes = format.render(document, &format!("Receipt {}", receipt.id));
        golden(&format!("{name}.{}", format.name()), &bytes);
    }
}

#[test]
fn one_item_paid_exactly() {
    let mut receipt = receipt(&[plain("Whole wheat bread 500 g", "2.79")], &[], &["2.85"]);
    receipt.reference = Some("kiosk-7".to_owned());
    check("one_item", &receipt, &style());
}

fn everything() -> Receipt {
    let sold = [
        Sold {
            quantity: Quantity::grams(455),
            ..plain("Bananas", "1.99")
        },
        Sold {
            quantity: Quantity::each(3),
            discount: "1.49",
            deposit: Some("0.25"),
            tax: STANDARD,
            ..plain("Cola 0.5 l", "1.49")
        },
        plain(
            "Extra virgin olive oil from the southern hills, cold pressed, 750 ml",
            "14.90",
        ),
        Sold {
            tax: VAT,
            ..plain("Gift wrap", "1.19")
        },
    ];
    let mut receipt = receipt(&sold, &[("3 for 2 on cola", "1.49")], &["10.00", "20.00"]);
    receipt.customer = Some(CustomerId::from("900017"));
    receipt.lines[2].price_override = Some(OverrideReason {
        by: EmployeeId::from("201"),
        reason: "shelf label".to_owned(),
    });
    receipt
}

#[test]
fn everything_a_receipt_can_show() {
    check("everything", &everything(), &style());
}

#[test]
fn a_receipt_is_written_in_the_language_of_the_store() {
    for language in Language::ALL
        .into_iter()
        .filter(|l| *l != Language::English)
    {
        let style = ReceiptStyle {
            footer: String::new(),
            language,
            ..style()
        };
        let name = format!("everything-{}", language.code());
        check(&name, &everything(), &style);
    }
}

#[test]
fn what_a_card_paid_is_told_without_its_number() {
    let mut receipt = receipt(&[plain("Milk 1 l", "1.09")], &[], &["0.10"]);
    receipt
        .tenders
        .push(card("1.00", "1.20", Some("0.20"), true));
    receipt.tenders.push(card("-0.01", "0.01", None, false));
    check("card", &receipt, &style());
}

fn card(amount: &str, charged: &str, tip: Option<&str>, said: bool) -> Tender {
    Tender::Card {
        amount: money(amount),
        card: Box::new(CardPaid {
            number: 7,
            terminal: "POI-1".to_owned(),
            approval: CardApproval {
                amount: money(charged),
                tip: tip.map(money),
                transaction: CardTransaction {
                    id: "4242".to_owned(),
                    time: "2026-11-27T10:00:00Z".to_owned(),
                },
                brand: said.then(|| "VISA".to_owned()),
                last_four: said.then(|| "0119".to_owned()),
                token: Some("tok-1".to_owned()),
                approval_code: said.then(|| "000001".to_owned()),
                offline: said,
            },
            refund_of: None,
        }),
    }
}

#[test]
fn a_receipt_has_the_logo_and_the_link_of_the_store() {
    let style = ReceiptStyle {
        logo: Some(Picture::from_base64(LOGO).unwrap()),
        qr: "https://example.com/r/{receipt}".to_owned(),
        ..style()
    };
    let mut receipt = receipt(&[plain("Milk 1 l", "1.09")], &[], &["5.00"]);
    check("pictures", &receipt, &style);
    receipt.detail.training = true;
    let text = text_of(&document(&receipt, &style));
    assert!(!text.contains("example.com"), "{text}");
}

#[test]
fn papers_that_go_with_a_receipt() {
    let mut receipt = everything();
    receipt.lines[1].detail.marks.serial = Some("SN-1".to_owned());
    let style = style();
    let paper = |beside: Beside, receipt: &Receipt| beside.document(receipt, &style);
    assert_eq!(paper(Beside::CardSlip, &receipt), None);
    assert_eq!(paper(Beside::CreditNote, &receipt), None);
    receipt.tenders = vec![
        card("1.00", "1.20", Some("0.20"), true),
        card("-0.01", "0.01", None, false),
        Tender::StoreCredit {
            number: "C1-000007".to_owned(),
            amount: money("2.00"),
        },
        Tender::StoreCredit {
            number: "C1-000042".to_owned(),
            amount: money("-12.50"),
        },
    ];
    let mut in_training = receipt.clone();
    in_training.detail.training = true;
    for (name, beside) in [
        ("gift", Beside::GiftReceipt),
        ("card_slip", Beside::CardSlip),
        ("credit_note", Beside::CreditNote),
    ] {
        check_paper(name, &receipt, &paper(beside, &receipt).unwrap());
        assert_eq!(paper(beside, &in_training), None, "{name} of a training");
    }
    let gift = text_of(&paper(Beside::GiftReceipt, &receipt).unwrap());
    assert!(!gift.contains("14.90"), "{gift}");
}

#[test]
fn a_reprint_says_so() {
    let receipt = receipt(&[plain("Milk 1 l", "1.09")], &[], &["5.00"]);
    let style = ReceiptStyle {
        kind: PrintKind::Reprint,
        ..ReceiptStyle::default()
    };
    check("reprint", &receipt, &style);
}

#[test]
fn what_is_printed_in_training_is_no_receipt() {
    let mut receipt = receipt(&[plain("Milk 1 l", "1.09")], &[], &["5.00"]);
    receipt.id = "T3-000042".to_owned();
    receipt.totals.next_coupons = vec!["SPRING".to_owned()];
    receipt.detail.training = true;
    check("training", &receipt, &style());
    let text = text_of(&document(&receipt, &style()));
    assert_eq!(text.matches("*** TRAINING ***").count(), 2, "{text}");
    // Nothing on it can be scanned.
    assert!(!text.contains("SPRING") && !text.contains("*T3-"), "{text}");
}

#[test]
fn foreign_letters_and_commands_in_a_description_are_tamed() {
    let sold = [
        plain("Crème brûlée à la café €", "3.50"),
        plain("Żubrówka łosoś 漢字", "4.00"),
        plain("Bell\x07 and \x1b@ reset", "1.00"),
    ];
    let receipt = receipt(&sold, &[], &["8.70"]);
    check("letters", &receipt, &style());
    let bytes = PaperFormat::Escpos.render(&document(&receipt, &style()), "");
    let resets = bytes.windows(2).filter(|w| w == b"\x1b@").count();
    assert_eq!(resets, 1, "a description must not command the printer");
}

#[test]
fn each_authority_and_each_exemption_is_told() {
    let sold = [
        Sold {
            tax: STANDARD,
            ..plain("Winter coat", "120.00")
        },
        Sold {
            tax: STANDARD,
            ..plain("Shirt, exempt when it was bought", "60.00")
        },
    ];
    let mut receipt = receipt(&sold, &[], &["200.00"]);
    receipt.detail.terms.standing.exemption = Some("EX-17".to_owned());
    receipt.lines[0].detail.marks.serial = Some("SN-1".to_owned());
    receipt.lines[1].detail.tare_grams = 20;
    receipt.totals.lines[1].tax_detail.exempt = true;
    let part = |name: &str, percent: &str, amount: &str| PartTotal {
        name: name.to_owned(),
        rate: Rate::parse_percent(percent).unwrap(),
        taxable: money("120.00"),
        amount: money(amount),
    };
    let shared = &mut receipt.totals.taxes[0];
    shared.taxable = money("120.00");
    shared.amount = money("9.90");
    shared.parts = vec![
        part("State", "4", "4.80"),
        part("City of New York, transport district", "4.25", "5.10"),
    ];
    let mut exempt = shared.clone();
    exempt.exempt = true;
    exempt.parts.clear();
    exempt.taxable = money("60.00");
    exempt.amount = money("0");
    receipt.totals.taxes.push(exempt);
    receipt.totals.tax_added = money("9.90");
    receipt.totals.total = money("189.90");
    receipt.change = money("10.10");
    check("taxes", &receipt, &style());
}

#[test]
fn each_line_says_what_it_got() {
    let sold = [
        Sold {
            discount: "1.60",
            ..plain("Soap", "4.00")
        },
        plain("Milk 1 l", "1.09"),
    ];
    let mut receipt = receipt(&sold, &[("Soap week", "1.00")], &["5.00"]);
    let part = |name: &str, amount: &str| PromotionTotal {
        promotion: name.to_owned(),
        name: name.to_owned(),
        amount: money(amount),
        times: 0,
    };
    receipt.totals.lines[0].promotions = vec![part("Soap week", "1.00"), part("Dented", "0.60")];
    receipt.totals.points = vec![PointsTotal {
        promotion: "double".to_owned(),
        name: "Double points".to_owned(),
        points: 18,
    }];
    receipt.totals.next_coupons = vec!["AUTUMN".to_owned()];
    check("promotions", &receipt, &style());
}
