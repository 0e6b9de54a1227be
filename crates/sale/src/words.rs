//! What tenders are called, in the languages of stores.

use catalog::Language;

/// The kinds of tenders, as [`crate::Tender::kind`] names them, in the order of [`Language::ALL`].
const TENDERS: [(&str, [&str; 4]); 10] = [
    ("cash", ["Cash", "Bar", "Espèces", "Efectivo"]),
    ("rounding", ["Rounding", "Rundung", "Arrondi", "Redondeo"]),
    (
        "foreign-cash",
        [
            "Foreign cash",
            "Fremdwährung bar",
            "Espèces en devises",
            "Efectivo en divisas",
        ],
    ),
    ("voucher", ["Voucher", "Gutschein", "Bon d'achat", "Vale"]),
    ("cheque", ["Cheque", "Scheck", "Chèque", "Cheque"]),
    (
        "store-credit",
        ["Store credit", "Guthaben", "Avoir", "Saldo a favor"],
    ),
    (
        "gift-card",
        [
            "Gift card",
            "Geschenkkarte",
            "Carte cadeau",
            "Tarjeta regalo",
        ],
    ),
    ("points", ["Points", "Punkte", "Points", "Puntos"]),
    (
        "account",
        ["On account", "Auf Rechnung", "Sur compte", "A cuenta"],
    ),
    ("card", ["Card", "Karte", "Carte", "Tarjeta"]),
];

/// What a kind of tender is called; `None` for one that this release does not know.
pub fn name_of_tender(kind: &str, language: Language) -> Option<&'static str> {
    let (_, said) = TENDERS.iter().find(|(known, _)| *known == kind)?;
    let place = Language::ALL.iter().position(|known| *known == language)?;
    said.get(place).copied()
}
