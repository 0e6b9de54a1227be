//! What is refused, in German.

use catalog::{CodeError, CustomerField, Language, Role};
use money::{Money, MoneyError, QuantityError};

use super::{Refusal, Why};
use crate::name_of_tender;

fn amount(amount: &Money) -> String {
    Language::German.decimal(&amount.to_string())
}

fn day(iso: &str) -> String {
    Language::German.day(iso)
}

/// As it follows "mit".
fn tender(kind: &str) -> &str {
    match kind {
        "cash" => "Bargeld",
        "account" => "Kauf auf Rechnung",
        "points" => "Punkten",
        _ => name_of_tender(kind, Language::German).unwrap_or(kind),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Cashier => "einer Kassenkraft",
        Role::Supervisor => "der Kassenaufsicht",
        Role::Manager => "der Marktleitung",
    }
}

/// The message, and what the person can do next.
pub(super) fn said(refusal: &Refusal) -> (String, &'static str) {
    match refusal {
        Refusal::NotSignedIn => (
            "An dieser Kasse ist niemand angemeldet.".to_owned(),
            "Mit Nummer und PIN anmelden.",
        ),
        Refusal::AlreadySignedIn { name } => (
            format!("An dieser Kasse ist {name} angemeldet."),
            "Zuerst abmelden.",
        ),
        Refusal::WrongPin => (
            "Nummer und PIN passen nicht zusammen.".to_owned(),
            "Beide noch einmal eingeben. Die Marktleitung kann eine neue PIN vergeben.",
        ),
        Refusal::TooManyWrongPins { seconds } => (
            format!("Zu viele falsche PINs für diese Nummer. In {seconds} s erneut versuchen."),
            "Warten, dann beide noch einmal eingeben. Die Marktleitung kann eine neue PIN vergeben.",
        ),
        Refusal::NotInStoreYet { lanes } => (
            format!("Eine ältere Version auf {lanes} kennt das noch nicht."),
            "Ohne es weitermachen, bis diese Version aktualisiert ist.",
        ),
        Refusal::SaleOpen => (
            "Ein Verkauf ist offen.".to_owned(),
            "Den Verkauf zuerst abschließen oder stornieren.",
        ),
        Refusal::NoSale => (
            "Kein Verkauf ist offen.".to_owned(),
            "Einen Artikel scannen, um zu beginnen.",
        ),
        Refusal::Paying { paid, due } => (
            format!(
                "Das Bezahlen hat begonnen: {} von {} sind gezahlt.",
                amount(paid),
                amount(due)
            ),
            "Den Rest kassieren oder zum Verkauf zurückgehen.",
        ),
        Refusal::NotPaying => (
            "Das Bezahlen hat noch nicht begonnen.".to_owned(),
            "Zuerst Bezahlen drücken.",
        ),
        Refusal::UnknownCode { scanned } => (
            format!("Kein Artikel hat den Code {scanned}."),
            "Die Nummer prüfen oder den Artikel nach Namen suchen.",
        ),
        Refusal::BadCode { reason, .. } => (
            why(reason),
            "Noch einmal scannen oder die Nummer unter den Strichen eingeben.",
        ),
        Refusal::WeightNeeded { description, .. } => (
            format!("{description} wird nach Gewicht verkauft."),
            "Auf die Waage legen oder das Gewicht in Kilogramm eingeben.",
        ),
        Refusal::PriceNeeded { description, .. } => (
            format!("{description} hat keinen eigenen Preis."),
            "Den Preis eingeben.",
        ),
        Refusal::PriceIsSet { description } => (
            format!("{description} hat einen eigenen Preis."),
            "Ohne Preis scannen. Die Kassenaufsicht kann auf der Zeile einen anderen setzen.",
        ),
        Refusal::SerialNeeded { description, .. } => (
            format!("{description} wird mit Seriennummer verkauft."),
            "Die Seriennummer des Stücks scannen oder eingeben.",
        ),
        Refusal::SerialTwice {
            description,
            serial,
        } => (
            format!("{description} mit der Seriennummer {serial} ist schon in diesem Verkauf."),
            "Das nächste Stück nehmen oder die Nummer prüfen.",
        ),
        Refusal::OtherSerial { description } => (
            format!("{description} auf diesem Bon hat eine andere Seriennummer."),
            "Die Zeile mit der Nummer auf der Ware suchen; keine andere Ware zurücknehmen.",
        ),
        Refusal::LinkedLine { with } => (
            format!("Das wird mit Zeile {with} zusammen verkauft."),
            "Jene Zeile ändern oder stornieren: Diese geht mit.",
        ),
        Refusal::LinkedMissing { description, item } => (
            format!(
                "{description} wird zusammen mit Artikel {item} verkauft, der so nicht verkauft werden kann."
            ),
            "Die Marktleitung muss diesen Artikel einspielen, stückweise und mit Preis.",
        ),
        Refusal::BadBirth { born } => (
            format!("{born} ist kein Geburtsdatum."),
            "So schreiben: 1999-12-31.",
        ),
        Refusal::AgeCheck {
            description, years, ..
        } => (
            format!("{description}: Wer das kauft, muss mindestens {years} Jahre alt sein."),
            "Das Alter prüfen, dann bestätigen.",
        ),
        Refusal::Expired {
            description,
            expires,
        } => (
            format!("{description} ist am {} abgelaufen.", day(expires)),
            "Aus dem Regal nehmen und der Kundschaft ein anderes anbieten.",
        ),
        Refusal::Recalled {
            description,
            reason,
        } => (
            format!("{description} wurde zurückgerufen: {reason}"),
            "Nicht herausgeben und der Marktleitung melden.",
        ),
        Refusal::CouponUnknown { coupon } => (
            format!("Keine Aktion nimmt hier den Coupon {coupon}."),
            "Zurückgeben; die Marktleitung kann bei der Zentrale nachfragen.",
        ),
        Refusal::CouponNotNow { coupon, good } => (
            format!("Der Coupon {coupon} gilt {}.", why(good)),
            "Der Kundschaft zurückgeben.",
        ),
        Refusal::CouponTwice { coupon } => (
            format!("Der Coupon {coupon} wurde schon abgegeben."),
            "Mit dem Verkauf weitermachen.",
        ),
        Refusal::CouponUsed { coupon, receipt } => (
            format!("Der Coupon {coupon} wurde auf Bon {receipt} eingelöst."),
            "Einbehalten; bei Einwänden die Kassenaufsicht fragen.",
        ),
        Refusal::NoSuchOffer { number } => (
            format!("In diesem Verkauf gibt es keinen Coupon oder Rabatt {number}."),
            "Einen von denen wählen, die zu sehen sind.",
        ),
        Refusal::DiscountTooLarge => (
            "Das ist mehr, als irgendjemand von Hand nachlassen darf.".to_owned(),
            "Weniger nachlassen. Was jede Rolle geben darf, steht in den Aktionen des Markts.",
        ),
        Refusal::BadTender => (
            "Das ist kein Name einer Zahlungsart.".to_owned(),
            "So schreiben: store-card.",
        ),
        Refusal::OtherPrice {
            tender: kind,
            told,
            due,
        } => (
            format!(
                "Mit {} bezahlt kostet es {}; genannt wurden {}.",
                tender(kind),
                amount(due),
                amount(told)
            ),
            "Zuerst den Preis damit nennen, dann kassieren.",
        ),
        Refusal::NoNewerPrices => (
            "Der Verkauf hat schon die neuesten Preise.".to_owned(),
            "Mit dem Verkauf weitermachen.",
        ),
        Refusal::BadQuantity { reason } => (why(reason), "Eine Zahl über null eingeben."),
        Refusal::BadAmount { reason } => (why(reason), "Einen Betrag wie 20.00 eingeben."),
        Refusal::NoSuchLine { line } => (
            format!("In diesem Verkauf gibt es keine Zeile {line}."),
            "Eine Zeile wählen, die zu sehen ist.",
        ),
        Refusal::UnknownCustomer { customer } => (
            format!("Es gibt keinen Kunden {customer}."),
            "Die Nummer prüfen oder ohne Kunden weitermachen.",
        ),
        Refusal::CustomerNeeded => (
            "Zu einer Bestellung gehört ein Kunde.".to_owned(),
            "Den Kunden angeben oder zuerst anlegen.",
        ),
        Refusal::CustomerExists { customer } => (
            format!("Es gibt schon einen Kunden {customer}."),
            "Sagen, was bei diesem Kunden neu ist, oder die Nummer weglassen: Die Kasse vergibt eine.",
        ),
        Refusal::BadCustomer { field, reason } => (
            format!("{}: {}.", field_name(*field), why(reason)),
            "So schreiben oder weglassen.",
        ),
        Refusal::CustomerAsKnown { name } => (
            format!("Das ist von {name} schon bekannt."),
            "Es bleibt nichts zu tun.",
        ),
        Refusal::SameCustomer { customer } => (
            format!("Beide Nummern gehören dem Kunden {customer}."),
            "Es bleibt nichts zu tun.",
        ),
        Refusal::NotAllowed { needs } => (
            format!("Das ist Sache {}.", role(*needs)),
            "Kassenaufsicht oder Marktleitung an dieser Kasse um die Freigabe bitten.",
        ),
        Refusal::CartFull { lines } => (
            format!("Der Verkauf hat {lines} Zeilen, mehr kann einer nicht haben."),
            "Diesen Verkauf abschließen und einen neuen beginnen.",
        ),
        Refusal::NothingToPay => (
            "In diesem Verkauf ist nichts zu bezahlen.".to_owned(),
            "Zuerst einen Artikel scannen oder den Verkauf stornieren.",
        ),
        Refusal::TaxMissing { tax } => (
            format!("Die Steuerklasse {tax} des Markts fehlt."),
            "Die Marktleitung muss die Steuerklassen des Markts einspielen.",
        ),
        Refusal::ReasonNeeded => (
            "Ein Grund ist nötig.".to_owned(),
            "In wenigen Worten sagen, warum.",
        ),
        Refusal::NotApprovable => (
            "Das kann nicht für andere freigegeben werden.".to_owned(),
            "Die Person nach der Anmeldung selbst machen lassen.",
        ),
        Refusal::BadNote { reason } => (why(reason), "Etwas anderes schreiben."),
        Refusal::UnknownSlip { slip } => (
            format!("Kein geparkter Verkauf hat den Parkbon {slip}."),
            "Die Nummer prüfen. Er kann an einer anderen Kasse fortgesetzt worden oder noch nicht hier sein.",
        ),
        Refusal::DayOpen { day: open } => (
            format!("Der Geschäftstag {} ist offen.", day(&open.0)),
            "Ihn zuerst abschließen.",
        ),
        Refusal::NoDayOpen => (
            "An dieser Kasse wurde kein Geschäftstag eröffnet.".to_owned(),
            "Den Tag zuerst eröffnen; sonst folgen die Tage dem Kalender.",
        ),
        Refusal::BadDay { day } => (format!("{day} ist kein Tag."), "So schreiben: 2026-11-27."),
        Refusal::DrawerOpen => (
            "Die Kassenlade ist in Gebrauch und nicht gezählt.".to_owned(),
            "Zuerst die Lade zählen.",
        ),
        Refusal::NoDrawer => (
            "An dieser Kasse ist keine Kassenlade in Gebrauch.".to_owned(),
            "Die Lade zuerst mit ihrem Wechselgeld eröffnen.",
        ),
        Refusal::DrawerOfAnother { employee } => (
            format!("Die Kassenlade gehört {employee}."),
            "Die Lade zuweisen lassen oder eine andere Zahlungsart nehmen.",
        ),
        Refusal::UnknownEmployee { employee } => (
            format!("Es gibt keinen Mitarbeiter {employee}."),
            "Die Nummer prüfen.",
        ),
        Refusal::UnknownReceipt { receipt } => (
            format!("An dieser Kasse ist kein Bon {receipt} bekannt."),
            "Die Nummer prüfen. Eine abgeschnittene Kasse kann ihn haben und noch nicht weitergegeben haben.",
        ),
        Refusal::NotReturnable { description } => (
            format!("{description} wird nicht zurückgenommen."),
            "Was sonst angeboten wird, entscheidet die Marktleitung.",
        ),
        Refusal::AlreadyReturned { description, left } => (
            format!(
                "{description}: Davon können noch {} zurückgenommen werden.",
                Language::German.decimal(left)
            ),
            "Die Zeile stornieren und nicht mehr als das zurücknehmen.",
        ),
        Refusal::NotIdentified => (
            "Ohne Bon wird Ware nur von jemandem zurückgenommen, der sich ausgewiesen hat."
                .to_owned(),
            "Den Kunden angeben oder sagen, welcher Ausweis gezeigt wurde.",
        ),
        Refusal::ReturnLimit { left } => (
            format!("Ohne Bon werden höchstens {} zurückgegeben.", amount(left)),
            "Nach dem Bon fragen oder weniger zurücknehmen. Wie viel geht, steht in den Einstellungen des Markts.",
        ),
        Refusal::RefundLimit { tender: kind, left } => (
            format!(
                "Ohne Bon werden mit {} höchstens {} zurückgegeben.",
                tender(kind),
                amount(left)
            ),
            "Den Rest auf einem anderen erlaubten Weg geben oder die Zeile stornieren.",
        ),
        Refusal::KitStock { description } => (
            format!("{description} ist ein Set: Im Bestand stehen seine Teile."),
            "Seine Teile buchen.",
        ),
        Refusal::PlaceNeeded => (
            "Eine Umlagerung nennt den Markt, in den sie geht oder aus dem sie kommt.".to_owned(),
            "Den Markt mit Namen oder Nummer nennen.",
        ),
        Refusal::InTraining => (
            "An dieser Kasse läuft eine Schulung.".to_owned(),
            "Zuerst die Schulung beenden.",
        ),
        Refusal::NotInTraining => (
            "An dieser Kasse läuft keine Schulung.".to_owned(),
            "Weiter verkaufen.",
        ),
        Refusal::ReturnLine => (
            "Diese Zeile nimmt Ware zurück.".to_owned(),
            "Die Zeile stornieren und die Ware neu zurücknehmen.",
        ),
        Refusal::OverTender { left } => (
            format!("Es können höchstens {} angenommen werden.", amount(left)),
            "So viel nehmen. Worauf herausgegeben wird, steht in den Einstellungen des Markts.",
        ),
        Refusal::TenderTooSmall {
            tender: kind,
            least,
        } => (
            format!(
                "Mit {} werden mindestens {} bezahlt.",
                tender(kind),
                amount(least)
            ),
            TAKE_THAT,
        ),
        Refusal::TenderTooLarge { tender: kind, left } => (
            format!(
                "Mit {} können in diesem Verkauf höchstens {} bezahlt werden.",
                tender(kind),
                amount(left)
            ),
            TAKE_THAT,
        ),
        Refusal::TenderWhole { tender: kind, left } => (
            format!(
                "Mit {} werden die {} ganz bezahlt.",
                tender(kind),
                amount(left)
            ),
            TAKE_THAT,
        ),
        Refusal::NotForRefunds => (
            "Auf diesem Weg wird kein Geld zurückgegeben.".to_owned(),
            "Bargeld oder Guthaben geben oder vom Kundenkonto abziehen.",
        ),
        Refusal::CurrencyNotTaken { currency } => (
            format!("{currency} wird hier nicht angenommen."),
            "Eine Währung nehmen, für die in den Einstellungen ein Kurs steht.",
        ),
        Refusal::BadNumber => (
            "Diese Nummer kann nicht aufbewahrt werden.".to_owned(),
            "Buchstaben, Ziffern und Striche eingeben, höchstens 40, und keine Kartennummer.",
        ),
        Refusal::UnknownCredit { number } => (
            format!("Es gibt keine Gutschrift {number}."),
            "Die Nummer auf der Gutschrift prüfen.",
        ),
        Refusal::CreditTooSmall { left } => (
            format!("Auf der Gutschrift sind noch {}.", amount(left)),
            REST_OTHERWISE,
        ),
        Refusal::UnknownGiftCard { number } => (
            format!("Es gibt keine Geschenkkarte {number}."),
            "Die Nummer auf der Karte prüfen; Guthaben hat sie, sobald sie verkauft und bezahlt ist.",
        ),
        Refusal::GiftCardTooSmall { left } => (
            format!("Auf der Geschenkkarte sind noch {}.", amount(left)),
            REST_OTHERWISE,
        ),
        Refusal::GiftCardCutOff => (
            "Diese Kasse ist vom Markt abgeschnitten: Die Geschenkkarte kann anderswo eingelöst werden."
                .to_owned(),
            UNTIL_TOGETHER,
        ),
        Refusal::GiftCardNeeded { description, .. } => (
            format!("{description} wird auf eine Karte geladen, deren Nummer gebraucht wird."),
            "Die Nummer der Karte scannen oder eingeben.",
        ),
        Refusal::GiftCardLine { description } => (
            format!("{description} kostet, was auf die Karte geladen wird."),
            "Die Zeile stornieren und einen anderen Betrag laden.",
        ),
        Refusal::NoPoints => (
            "Mit Punkten wird in diesem Verkauf nichts bezahlt.".to_owned(),
            "Zuerst den Kunden angeben. Was Punkte wert sind, steht in den Einstellungen des Markts.",
        ),
        Refusal::PointsTooFew { points, step } => (
            format!("Der Kunde hat {points} Punkte; bezahlt wird mit mindestens {step}."),
            "Nicht mehr als das nehmen und den Rest anders kassieren.",
        ),
        Refusal::PointsCutOff => (
            "Diese Kasse ist vom Markt abgeschnitten: Die Punkte können anderswo eingelöst werden."
                .to_owned(),
            UNTIL_TOGETHER,
        ),
        Refusal::NoAccount => (
            "Zum Verkauf gehört kein Kunde, der auf Rechnung kaufen darf.".to_owned(),
            "Zuerst den Kunden angeben oder eine andere Zahlungsart nehmen.",
        ),
        Refusal::NoSuchTender { number } => (
            format!("In diesem Verkauf gibt es keine Zahlung {number}."),
            "Eine Zahlung wählen, die zu sehen ist.",
        ),
        Refusal::NoTerminal => (
            "Zu dieser Kasse gehört kein Kartenterminal.".to_owned(),
            "Eine andere Zahlungsart nehmen. Ihr Terminal wird der Kasse beim Start genannt.",
        ),
        Refusal::CardOpen { amount: open } => (
            format!("Das Kartenterminal ist mit {} beschäftigt.", amount(open)),
            "Seine Antwort abwarten. Es lässt sich abbrechen, und was zweifelhaft bleibt, entscheidet ein Mensch.",
        ),
        Refusal::NoCardOpen => (
            "Das Kartenterminal hat nichts zu tun.".to_owned(),
            "Mit dem Verkauf weitermachen.",
        ),
        Refusal::CardPaid { number } => (
            format!("Zahlung {number} kam von einer Karte."),
            "Zuerst diese Zahlung zurückgeben.",
        ),
        Refusal::CardRefunded => (
            "Das wurde der Karte gutgeschrieben.".to_owned(),
            "Die Rücknahme abschließen; ein neuer Verkauf kann die Karte wieder belasten.",
        ),
        Refusal::NoCardToRefund => (
            "Für das, was zurückkommt, hat keine Karte bezahlt, oder sie hat alles zurück."
                .to_owned(),
            "Den Rest bar oder als Guthaben geben.",
        ),
        Refusal::NoTips => (
            "Hier wird kein Trinkgeld genommen.".to_owned(),
            "Ohne Trinkgeld belasten. Die Einstellungen des Markts können es erlauben.",
        ),
    }
}

const TAKE_THAT: &str =
    "So viel nehmen oder eine andere Zahlungsart. So steht es in den Einstellungen des Markts.";
const REST_OTHERWISE: &str = "So viel nehmen und den Rest anders kassieren.";
const UNTIL_TOGETHER: &str =
    "Eine andere Zahlungsart nehmen oder den Verkauf parken, bis die Kassen wieder verbunden sind.";

fn why(why: &Why) -> String {
    match why {
        Why::Money(error) => amount_error(error),
        Why::Quantity(error) => quantity_error(error),
        Why::Code(error) => code_error(error),
        Why::Field { field, .. } => format!("so schreiben: {}", field_form(*field)),
        Why::LooksLikeCard => "das sieht aus wie eine Kartennummer".to_owned(),
        Why::CardNumber => {
            "Das sieht aus wie eine Kartennummer, und keine darf aufbewahrt werden.".to_owned()
        }
        Why::CouponNoGoods => "Das ist ein Coupon und keine Ware.".to_owned(),
        Why::GoodFrom(from) => format!("ab {}", day(from)),
        Why::GoodUntil(until) => format!("bis {}", day(until)),
        Why::Negative(what) => format!("{} ist negativ.", amount(what)),
        Why::LineTooDear { quantity, price } => format!(
            "{} zu {} ist mehr, als eine Zeile kosten kann.",
            Language::German.decimal(&quantity.to_string()),
            amount(price)
        ),
        Why::TendersFull(most) => format!("Ein Verkauf wird in höchstens {most} Teilen bezahlt."),
        Why::TooMuchCash(what) => {
            format!("{} ist mehr Bargeld, als eine Lade fasst.", amount(what))
        }
        Why::GiveBackAtMost(most) => {
            format!("Höchstens {} sind zurückzugeben.", amount(most))
        }
        Why::NothingHandedOver => "Es wurde nichts gegeben.".to_owned(),
        Why::SayHowMuch(currency) => format!("Angeben, wie viel {currency} gegeben wurde."),
        Why::ForeignNotTaken(given) => format!(
            "{} {} kann nicht angenommen werden.",
            amount(given),
            given.currency()
        ),
        Why::NoRate(currency) => format!("Der Kurs von {currency} ist nicht verwendbar."),
        Why::NothingToCharge => "Es ist nichts zu belasten.".to_owned(),
        Why::TipTooLarge => "Ein Trinkgeld ist höchstens so hoch wie die Zahlung.".to_owned(),
        Why::ToCard(most) => {
            format!("Auf diese Karte gehen 0,01 bis {} zurück.", amount(most))
        }
        Why::NothingMoved => "Es würde nichts bewegt.".to_owned(),
        Why::MoreThanInDrawer(what) => {
            format!("{} ist mehr, als in der Lade sein sollte.", amount(what))
        }
        Why::MoreThanHeld(what) => format!("{} ist mehr, als eine Lade fasst.", amount(what)),
        Why::CountTooLong(most) => format!("Eine Zählung hat höchstens {most} Werte."),
        Why::NotCountable { pieces, value } => {
            format!("{pieces} Stück zu {value} können nicht gezählt werden.")
        }
        Why::PointSteps(one) => {
            format!("Mit Punkten wird in Schritten von {} bezahlt.", amount(one))
        }
        Why::NothingCharged => "Es würde nichts berechnet.".to_owned(),
        Why::DiscountsFull(most) => format!("In einem Verkauf gibt es höchstens {most} Rabatte."),
        Why::PercentOrAmount => "Entweder einen Prozentsatz oder einen Betrag angeben.".to_owned(),
        Why::NothingOff => "Es würde nichts nachgelassen.".to_owned(),
        Why::CouponsOneByOne => "Coupons werden einzeln abgegeben.".to_owned(),
        Why::PiecesOneByOne => "Jedes Stück hat eine eigene Nummer: einzeln verkaufen.".to_owned(),
        Why::OnlyPacking { gross, grams } => format!(
            "{} ist nicht mehr als die Verpackung von {grams} g.",
            Language::German.decimal(&gross.to_string())
        ),
        Why::NotesFull(most) => format!("Es gibt schon {most} Notizen."),
        Why::NoteEmpty => "Die Notiz ist leer.".to_owned(),
        Why::DocumentTooLong(most) => {
            format!("Ein Ausweis wird in höchstens {most} Zeichen genannt.")
        }
        Why::Told(words) => words.clone(),
    }
}

fn amount_error(error: &MoneyError) -> String {
    match error {
        MoneyError::NotACurrency(text) => {
            format!("„{text}“ ist keine Währung: ihren ISO-4217-Code schreiben, etwa EUR")
        }
        MoneyError::NotAnAmount(text) => {
            format!("„{text}“ ist kein Betrag: so schreiben: 12.34")
        }
        MoneyError::TooPrecise {
            text,
            digits,
            currency,
        } => format!("„{text}“ hat mehr als {digits} Nachkommastellen, mehr hat {currency} nicht"),
        MoneyError::OutOfRange(text) => format!("„{text}“ liegt außerhalb des Möglichen"),
        MoneyError::NotARate(text) => {
            format!("„{text}“ ist kein Satz: Prozent von 0 bis 100 schreiben, etwa 8.25")
        }
    }
}

fn quantity_error(error: &QuantityError) -> String {
    match error {
        QuantityError::NotAQuantity(text) => {
            format!("„{text}“ ist keine Menge: eine Zahl wie 3 oder 0.455 schreiben")
        }
        QuantityError::OutOfRange(text) => {
            format!("„{text}“ geht nicht: Eine Menge liegt über 0 und höchstens bei 100000")
        }
        QuantityError::NotWhole(text) => {
            format!("Dieser Artikel wird stückweise verkauft: „{text}“ muss eine ganze Zahl sein")
        }
        QuantityError::TooPrecise(text) => {
            format!("„{text}“ hat mehr als drei Nachkommastellen, feiner als ein Gramm")
        }
    }
}

fn code_error(error: &CodeError) -> String {
    match error {
        CodeError::Empty => "Es wurde nichts gescannt".to_owned(),
        CodeError::WrongCheckDigit { text, expected } => {
            format!("Die Prüfziffer von {text} stimmt nicht (sie wäre {expected})")
        }
        CodeError::TooLong => "Der Code ist zu lang: immer nur einen Code scannen".to_owned(),
        CodeError::NotACode(text) => {
            format!("„{text}“ ist kein Code: nur Ziffern, Buchstaben und Striche")
        }
        CodeError::NotAPlu(text) => format!(
            "{text} ist kein PLU-Code: Sie gehen von 3000 bis 4999, manche mit einer 8 oder 9 davor"
        ),
        CodeError::NothingEmbedded(text) => format!(
            "Auf dem Etikett {text} steht weder Preis noch Gewicht: neu wiegen oder den Preis eingeben"
        ),
        CodeError::WrongValueDigit {
            text,
            found,
            expected,
        } => format!(
            "Preis oder Gewicht in {text} wurde falsch gelesen (Prüfziffer {found}, sie wäre {expected})"
        ),
        CodeError::WrongElement { ai, .. } => {
            format!("Der Teil ({ai}) des Codes ist nicht verwendbar")
        }
    }
}

fn field_name(field: CustomerField) -> &'static str {
    match field {
        CustomerField::Name => "Name",
        CustomerField::Phone => "Telefon",
        CustomerField::Email => "E-Mail",
        CustomerField::Birthday => "Geburtstag",
        CustomerField::Consent => "Einwilligung",
        CustomerField::Tier => "Stufe",
        CustomerField::Groups => "Gruppen",
        CustomerField::Contracts => "Verträge",
        CustomerField::Employee => "Mitarbeiter",
        CustomerField::OnAccount => "Auf Rechnung",
        CustomerField::Exemption => "Steuerbefreiung",
    }
}

fn field_form(field: CustomerField) -> &'static str {
    match field {
        CustomerField::Name => "nicht leer, eine Zeile, höchstens 200 Zeichen",
        CustomerField::Phone => "eine Nummer wie +49 555 0123",
        CustomerField::Email => "eine Adresse wie ada@example.org",
        CustomerField::Birthday => "Monat und Tag, wie 04-27",
        CustomerField::Consent | CustomerField::Groups | CustomerField::Contracts => {
            "höchstens 20 Namen mit Leerzeichen dazwischen, wie club-a club-b"
        }
        CustomerField::Tier => "basic, silver oder gold",
        CustomerField::Employee | CustomerField::OnAccount => "yes oder no",
        CustomerField::Exemption => "eine Zeile, höchstens 200 Zeichen",
    }
}
