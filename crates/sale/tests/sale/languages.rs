//! What is refused, in the languages of stores.

use catalog::Language;
use money::{Currency, Money, Quantity, Unit};
use sale::{Refusal, Why, name_of_tender};

fn dollars(text: &str) -> Money {
    Money::parse(text, Currency::USD).expect("an amount")
}

#[test]
fn a_refusal_has_the_words_numbers_and_days_of_the_language() {
    let check = |refusal: Refusal, expected: [&str; 4]| {
        let said = Language::ALL.map(|language| refusal.said(language).0);
        assert_eq!(said, expected);
    };
    check(
        Refusal::Paying {
            paid: dollars("12.50"),
            due: dollars("20"),
        },
        [
            "Paying has begun: 12.50 of 20.00 is paid.",
            "Das Bezahlen hat begonnen: 12,50 von 20,00 sind gezahlt.",
            "Le paiement a commencé : 12,50 payés sur 20,00.",
            "El pago ha empezado: se han pagado 12,50 de 20,00.",
        ],
    );
    check(
        Refusal::Expired {
            description: "Milk".to_owned(),
            expires: "2026-11-30".to_owned(),
        },
        [
            "Milk expired on 2026-11-30.",
            "Milk ist am 30.11.2026 abgelaufen.",
            "Milk est périmé depuis le 30/11/2026.",
            "Milk caducó el 30/11/2026.",
        ],
    );
    check(
        Refusal::RefundLimit {
            tender: "cash".to_owned(),
            left: dollars("0.05"),
        },
        [
            "Without a receipt, no more than 0.05 is given back with cash.",
            "Ohne Bon werden mit Bargeld höchstens 0,05 zurückgegeben.",
            "Sans ticket, il n'est pas rendu plus de 0,05 par espèces.",
            "Sin ticket no se devuelven más de 0,05 con efectivo.",
        ],
    );
    check(
        Refusal::CouponNotNow {
            coupon: "C-1".to_owned(),
            good: Box::new(Why::GoodUntil("2026-11-29".to_owned())),
        },
        [
            "The coupon C-1 is good until 2026-11-29.",
            "Der Coupon C-1 gilt bis 29.11.2026.",
            "Le bon C-1 est valable jusqu'au 29/11/2026.",
            "El cupón C-1 vale hasta el 29/11/2026.",
        ],
    );
    let parsed = Quantity::parse("0.5", Unit::Each);
    check(
        Refusal::BadQuantity {
            reason: Box::new(parsed.expect_err("half a piece").into()),
        },
        [
            "this item is sold by the piece: '0.5' must be a whole number",
            "Dieser Artikel wird stückweise verkauft: „0.5“ muss eine ganze Zahl sein",
            "Cet article se vend à la pièce : « 0.5 » doit être un nombre entier",
            "Este artículo se vende por piezas: «0.5» debe ser un número entero",
        ],
    );
}

/// A tender of a later release, or of a store's own, keeps its name.
#[test]
fn what_has_no_name_here_keeps_its_own() {
    let refusal = Refusal::TenderWhole {
        tender: "store-card".to_owned(),
        left: dollars("3"),
    };
    for language in Language::ALL {
        assert_eq!(name_of_tender("store-card", language), None);
        let (message, _) = refusal.said(language);
        assert!(message.contains("store-card"), "{message}");
    }
    assert_eq!(name_of_tender("cash", Language::German), Some("Bar"));
}
