//! Receipts as a table: a row for each line and each tender, and one for the change.

use std::io::Write;

use money::Money;
use sale::{Line, LineTotal, Receipt};

use super::bare;

/// The columns; amounts are in the store's currency, with its decimal places and no thousands signs.
const COLUMNS: [&str; 25] = [
    "receipt",
    "lane",
    "business_day",
    "time",
    "cashier",
    "customer",
    "kind",
    "line",
    "item",
    "code",
    "description",
    "department",
    "quantity",
    "unit",
    "unit_price",
    "extended",
    "discount",
    "promotions",
    "deposit",
    "tax",
    "tax_amount",
    "tax_included",
    "tender",
    "amount",
    "currency",
];

pub struct Table<W: Write> {
    out: csv::Writer<W>,
}

impl<W: Write> Table<W> {
    pub fn begin(out: W) -> csv::Result<Table<W>> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(COLUMNS)?;
        Ok(Table { out })
    }

    pub fn end(mut self) -> std::io::Result<()> {
        self.out.flush()
    }

    pub fn receipt(&mut self, lane: u32, receipt: &Receipt) -> csv::Result<()> {
        for (line, total) in receipt.lines.iter().zip(&receipt.totals.lines) {
            let kind = match line.detail.returned {
                None => "sale",
                Some(_) => "return",
            };
            self.row(lane, receipt, kind, line_cells(line, total), None)?;
        }
        for tender in &receipt.tenders {
            let paid = Some((tender.kind(), tender.amount()));
            self.row(lane, receipt, "tender", Default::default(), paid)?;
        }
        if !receipt.change.is_zero() {
            let paid = Some(("cash", -receipt.change));
            self.row(lane, receipt, "change", Default::default(), paid)?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        lane: u32,
        receipt: &Receipt,
        kind: &str,
        line: [String; 15],
        paid: Option<(&str, Money)>,
    ) -> csv::Result<()> {
        let customer = receipt.customer.as_ref();
        let sale = [
            receipt.id.clone(),
            lane.to_string(),
            receipt.day.0.clone(),
            receipt.priced_at.iso(),
            receipt.cashier.to_string(),
            customer.map_or(String::new(), ToString::to_string),
            kind.to_owned(),
        ];
        let tender = paid.map_or("", |(tender, _)| tender);
        let amount = paid.map_or(String::new(), |(_, amount)| amount.to_string());
        let currency = receipt.totals.total.currency();
        let paid = [tender.to_owned(), amount, currency.code().to_owned()];
        self.out.write_record(sale.iter().chain(&line).chain(&paid))
    }
}

fn line_cells(line: &Line, total: &LineTotal) -> [String; 15] {
    let promotions: Vec<&str> = total
        .promotions
        .iter()
        .map(|p| p.promotion.as_str())
        .collect();
    [
        line.number.to_string(),
        line.item.to_string(),
        line.code.clone(),
        line.description.clone(),
        line.department.to_string(),
        bare(line.quantity),
        match line.quantity.unit() {
            money::Unit::Each => "each",
            money::Unit::Kilogram => "kg",
        }
        .to_owned(),
        line.unit_price.to_string(),
        total.extended.to_string(),
        total.discount.to_string(),
        promotions.join(" "),
        total.deposit.to_string(),
        line.tax.id.to_string(),
        total.tax.to_string(),
        line.tax.included.to_string(),
    ]
}
