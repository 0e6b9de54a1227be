//! The words of papers in the languages of stores, and how each language writes numbers and dates.

use catalog::Language;
use money::{Money, Quantity, Rate};
use sale::{LocalTime, Tender, name_of_tender};

/// Says each phrase in every language, in the order of [`Language::ALL`]; `{}` stands for what is filled in.
macro_rules! phrases {
    ($($name:ident: $english:literal, $german:literal, $french:literal, $spanish:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Phrase {
            $($name,)*
        }

        impl Phrase {
            #[cfg(test)]
            const ALL: &[Phrase] = &[$(Phrase::$name),*];

            fn said(self, language: Language) -> &'static str {
                let said = match self {
                    $(Phrase::$name => [$english, $german, $french, $spanish],)*
                };
                match language {
                    Language::English => said[0],
                    Language::German => said[1],
                    Language::French => said[2],
                    Language::Spanish => said[3],
                }
            }
        }
    };
}

phrases! {
    Reprint: "*** REPRINT ***", "*** NACHDRUCK ***", "*** DUPLICATA ***", "*** COPIA ***";
    Training: "*** TRAINING ***", "*** SCHULUNG ***", "*** FORMATION ***", "*** FORMACIÓN ***";
    NoReceipt: "NOT A RECEIPT", "KEIN KASSENBON", "CE N'EST PAS UN TICKET", "NO ES UN TICKET";
    Receipt: "Receipt {}", "Bon {}", "Ticket {}", "Ticket {}";
    Cashier: "Cashier {}", "Es bediente Sie {}", "Servi par {}", "Le atendió {}";
    Customer: "Customer {}", "Kunde {}", "Client {}", "Cliente {}";
    Reference: "Reference", "Referenz", "Référence", "Referencia";
    TaxExemption: "Tax exemption", "Steuerbefreiung", "Exonération", "Exención fiscal";
    LessPacking: "less packing {} g", "abzüglich Tara {} g", "tare déduite {} g", "menos tara {} g";
    Serial: "serial number {}", "Seriennummer {}", "n° de série {}", "n.º de serie {}";
    LoadedOnto: "loaded onto gift card {}", "auf Geschenkkarte {} geladen", "chargé sur la carte cadeau {}", "cargado en la tarjeta regalo {}";
    PriceSetBy: "price set by {}: {}", "Preis geändert von {}: {}", "prix modifié par {} : {}", "precio cambiado por {}: {}";
    TaxSetBy: "tax set by {}: {}", "Steuer geändert von {}: {}", "taxe modifiée par {} : {}", "impuesto cambiado por {}: {}";
    Returned: "returned, receipt {} line {}", "Rückgabe, Bon {} Zeile {}", "retour, ticket {} ligne {}", "devolución, ticket {} línea {}";
    ReturnedWithout: "returned without a receipt", "Rückgabe ohne Bon", "retour sans ticket", "devolución sin ticket";
    DepositOf: "deposit {} × {}", "Pfand {} × {}", "consigne {} × {}", "depósito {} × {}";
    Items: "Items", "Artikel", "Articles", "Artículos";
    Discounts: "Discounts", "Rabatte", "Remises", "Descuentos";
    Deposits: "Deposits", "Pfand", "Consignes", "Depósitos";
    Tax: "Tax", "Steuer", "Taxes", "Impuestos";
    Total: "TOTAL {}", "SUMME {}", "TOTAL {}", "TOTAL {}";
    Change: "Change", "Rückgeld", "Rendu", "Cambio";
    Saved: "You saved {}", "Sie haben {} gespart", "Vous avez économisé {}", "Ha ahorrado {}";
    PointsEarned: "Points earned: {}", "Gesammelte Punkte: {}", "Points gagnés : {}", "Puntos obtenidos: {}";
    NextCoupon: "A coupon for next time", "Ein Coupon für das nächste Mal", "Un bon pour la prochaine fois", "Un cupón para la próxima vez";
    Approval: "approval {}", "Genehmigung {}", "autorisation {}", "autorización {}";
    ApprovalOffline: "approval {}, offline", "Genehmigung {}, offline", "autorisation {}, hors ligne", "autorización {}, sin conexión";
    Tip: "Tip", "Trinkgeld", "Pourboire", "Propina";
    Charged: "Charged to the card", "Karte belastet mit", "Débité de la carte", "Cargado a la tarjeta";
    ForeignRate: "{} {} at {}", "{} {} zum Kurs {}", "{} {} au cours de {}", "{} {} al cambio de {}";
    Worth: "{} worth {}", "{} im Wert von {}", "{} d'une valeur de {}", "{} por valor de {}";
    CreditNote: "Credit note {}", "Gutschrift {}", "Avoir {}", "Nota de abono {}";
    Holds: "{} holds {}", "{}, Guthaben {}", "{}, solde {}", "{}, saldo {}";
    PointsSpent: "{} spent, {} left", "{} eingelöst, {} übrig", "{} utilisés, {} restants", "{} usados, quedan {}";
    PointsGiven: "{} given, {} left", "{} gutgeschrieben, {} übrig", "{} crédités, {} restants", "{} abonados, quedan {}";
    Included: "incl.", "inkl.", "dont", "incl.";
    Exempt: "exempt", "befreit", "exonéré", "exento";
    Of: "{} of {}", "{} von {}", "{} sur {}", "{} de {}";
    GiftReceipt: "GIFT RECEIPT", "GESCHENKBON", "TICKET CADEAU", "TICKET REGALO";
    CardSlip: "CARD SLIP", "KARTENBELEG", "TICKET CARTE", "COMPROBANTE DE TARJETA";
    CardPayment: "Card payment {}", "Kartenzahlung {}", "Paiement par carte {}", "Pago con tarjeta {}";
    CardTransaction: "Transaction {}", "Transaktion {}", "Transaction {}", "Transacción {}";
    CardRefunded: "Given back to the card", "Der Karte gutgeschrieben", "Remboursé sur la carte", "Devuelto a la tarjeta";
    CreditNoteTitle: "CREDIT NOTE", "GUTSCHRIFT", "AVOIR", "NOTA DE ABONO";
    SuspendedSale: "SUSPENDED SALE - NOT A RECEIPT", "GEPARKTER BON - KEIN KASSENBON", "VENTE EN ATTENTE - PAS UN TICKET", "VENTA APARCADA - NO ES UN TICKET";
    QuoteTitle: "QUOTE - NOT A RECEIPT", "ANGEBOT - KEIN KASSENBON", "DEVIS - PAS UN TICKET", "PRESUPUESTO - NO ES UN TICKET";
    OrderTitle: "ORDER - NOT A RECEIPT", "BESTELLUNG - KEIN KASSENBON", "COMMANDE - PAS UN TICKET", "PEDIDO - NO ES UN TICKET";
    ValidUntil: "Valid until {}", "Gültig bis {}", "Valable jusqu'au {}", "Válido hasta el {}";
    CollectOn: "To be collected on {}", "Abholung am {}", "À retirer le {}", "Recogida el {}";
    StillToPay: "Still to pay", "Noch zu zahlen", "Reste à payer", "Pendiente de pago";
    Slip: "Slip {}", "Parkbon {}", "Attente {}", "Resguardo {}";
    PaidSoFar: "Paid so far", "Bisher gezahlt", "Déjà payé", "Pagado hasta ahora";
    ReportX: "X report", "X-Bericht", "Rapport X", "Informe X";
    ReportZ: "Z report {}", "Z-Bericht {}", "Rapport Z {}", "Informe Z {}";
    Sales: "SALES", "UMSATZ", "VENTES", "VENTAS";
    Receipts: "Receipts", "Bons", "Tickets", "Tickets";
    TaxAdded: "Tax added", "Steuer, zusätzlich", "Taxes ajoutées", "Impuestos añadidos";
    TaxIncluded: "Tax included", "Steuer, enthalten", "Taxes incluses", "Impuestos incluidos";
    Tenders: "TENDERS", "ZAHLUNGSARTEN", "MOYENS DE PAIEMENT", "FORMAS DE PAGO";
    TipsBesides: "Tips, besides the tenders", "Trinkgelder, zusätzlich", "Pourboires, en plus", "Propinas, aparte";
    Drawer: "DRAWER", "KASSENLADE", "TIROIR-CAISSE", "CAJÓN";
    Floats: "Floats", "Wechselgeld", "Fonds de caisse", "Fondo de caja";
    PaidIn: "Paid in", "Einlagen", "Entrées", "Entradas";
    PaidOut: "Paid out", "Entnahmen", "Sorties", "Salidas";
    Drops: "Drops", "Abschöpfungen", "Prélèvements", "Retiradas";
    OverShort: "Over and short", "Kassendifferenz", "Écart de caisse", "Descuadre";
    SetAside: "Paid on sales put aside", "Auf geparkte Bons gezahlt", "Payé sur ventes en attente", "Pagado en ventas aparcadas";
    Departments: "DEPARTMENTS", "WARENGRUPPEN", "RAYONS", "SECCIONES";
    Taxes: "TAXES", "STEUERN", "TAXES", "IMPUESTOS";
    Taxed: "TAXED", "STEUERBASIS", "BASE TAXABLE", "BASE IMPONIBLE";
    TaxesByAuthority: "TAXES BY AUTHORITY", "STEUERN JE BEHÖRDE", "TAXES PAR AUTORITÉ", "IMPUESTOS POR AUTORIDAD";
    TaxedByAuthority: "TAXED BY AUTHORITY", "STEUERBASIS JE BEHÖRDE", "BASE PAR AUTORITÉ", "BASE POR AUTORIDAD";
    Promotions: "PROMOTIONS", "AKTIONEN", "PROMOTIONS", "PROMOCIONES";
    Hours: "HOURS", "STUNDEN", "HEURES", "HORAS";
    Cashiers: "CASHIERS", "KASSIERER", "CAISSIERS", "CAJEROS";
    Counts: "COUNTS", "ZÄHLER", "COMPTEURS", "RECUENTOS";
    SalesVoided: "Sales voided", "Bons storniert", "Ventes annulées", "Ventas anuladas";
    LinesVoided: "Lines voided", "Zeilen storniert", "Lignes annulées", "Líneas anuladas";
    PriceOverrides: "Price overrides", "Preisänderungen", "Prix modifiés", "Cambios de precio";
    TaxOverrides: "Tax overrides", "Steueränderungen", "Taxes modifiées", "Cambios de impuesto";
    SalesSuspended: "Sales suspended", "Bons geparkt", "Ventes mises en attente", "Ventas aparcadas";
    SalesResumed: "Sales resumed", "Bons fortgesetzt", "Ventes reprises", "Ventas reanudadas";
    Approvals: "Approvals", "Genehmigungen", "Autorisations", "Autorizaciones";
    NoSales: "Drawer opened without a sale", "Lade ohne Verkauf geöffnet", "Ouvertures sans vente", "Aperturas sin venta";
}

/// Writes a paper in one language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words(pub Language);

impl Words {
    /// A phrase with nothing to fill in.
    pub fn say(self, phrase: Phrase) -> &'static str {
        phrase.said(self.0)
    }

    /// A phrase with what is filled in, in its order.
    pub fn fill(self, phrase: Phrase, with: &[&str]) -> String {
        let mut parts = phrase.said(self.0).split("{}");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for (part, text) in parts.zip(with) {
            out.push_str(text);
            out.push_str(part);
        }
        out
    }

    pub fn money(self, amount: Money) -> String {
        self.decimal(&amount.to_string())
    }

    pub fn quantity(self, quantity: Quantity) -> String {
        self.decimal(&quantity.to_string())
    }

    /// A number that is written with a point.
    pub fn decimal(self, number: &str) -> String {
        self.0.decimal(number)
    }

    pub fn rate(self, rate: Rate) -> String {
        match self.0 {
            Language::English => rate.to_string(),
            Language::German | Language::French | Language::Spanish => {
                self.decimal(&rate.to_string()).replace('%', " %")
            }
        }
    }

    /// A day and a time to the minute.
    pub fn time(self, at: LocalTime) -> String {
        let iso = at.to_string();
        match iso.split_once(' ') {
            Some((day, time)) => format!("{} {time}", self.day(day)),
            None => iso,
        }
    }

    /// A day that is written as ISO 8601 says.
    pub fn day(self, iso: &str) -> String {
        self.0.day(iso)
    }

    /// What a tender is called.
    pub fn tender(self, tender: &Tender) -> &'static str {
        let kind = tender.kind();
        name_of_tender(kind, self.0).unwrap_or(kind)
    }

    /// What a kind of tender is called, by its name in totals and reports; the name itself where a later
    /// release has a kind that this one does not know.
    pub fn kind_of_tender(self, kind: &str) -> String {
        name_of_tender(kind, self.0).unwrap_or(kind).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use money::Currency;

    use super::*;
    use crate::COLUMNS;

    #[test]
    fn every_language_says_every_phrase_with_the_same_to_fill_in() {
        for phrase in Phrase::ALL {
            let said = Language::ALL.map(|language| phrase.said(language));
            let holes = said.map(|text| text.matches("{}").count());
            assert_eq!(holes, [holes[0]; 4], "{phrase:?}");
            for text in said {
                assert!(
                    !text.is_empty() && text.chars().count() <= COLUMNS - 8,
                    "{text}"
                );
                assert!(
                    text.chars()
                        .all(|c| crate::code_page::byte(c) != b'?' || c == '?'),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn phrases_are_filled_in_in_their_order() {
        let check = |phrase, with: &[&str], expected: [&str; 4]| {
            let said = Language::ALL.map(|language| Words(language).fill(phrase, with));
            assert_eq!(said, expected);
        };
        check(
            Phrase::PriceSetBy,
            &["102", "{}"],
            [
                "price set by 102: {}",
                "Preis geändert von 102: {}",
                "prix modifié par 102 : {}",
                "precio cambiado por 102: {}",
            ],
        );
    }

    #[test]
    fn numbers_and_dates_are_written_as_in_each_language() {
        let at = LocalTime {
            unix_ms: 1_795_773_600_000,
            offset_minutes: -300,
        };
        let written = Language::ALL.map(|language| {
            let words = Words(language);
            [
                words.money(Money::from_minor(-123_456, Currency::USD)),
                words.quantity(Quantity::grams(455)),
                words.rate(Rate::parse_percent("8.25").unwrap()),
                words.time(at),
            ]
        });
        let comma = |date: &str| ["-1234,56", "0,455 kg", "8,25 %", date].map(str::to_owned);
        assert_eq!(
            written,
            [
                ["-1234.56", "0.455 kg", "8.25%", "2026-11-27 05:00"].map(str::to_owned),
                comma("27.11.2026 05:00"),
                comma("27/11/2026 05:00"),
                comma("27/11/2026 05:00"),
            ]
        );
    }
}
