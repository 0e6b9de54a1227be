//! Whether this release can use what a file or head office says: what would leave every lane without
//! promotions or unable to read codes is told before it takes effect.
//!
//! Only what the ledger's own rules do not check is checked here: their answers must not depend on the
//! release.

use catalog::{Record, Settings, TenderRule, UnreceiptedReturns};
use devices::{Picture, QR_BYTES_MAX};
use money::Currency;
use promotions::{CompiledBook, PromotionFile};

/// Why this release cannot use a record, for a person.
pub fn unusable(record: &Record, currency: Currency) -> Option<String> {
    match record {
        Record::Promotions(text) => {
            let checked =
                PromotionFile::parse(text).and_then(|file| CompiledBook::compile(&file, currency));
            let problems = checked.err()?;
            let first = problems.first().map(|problem| {
                format!(
                    ": line {}: {} {}",
                    problem.line, problem.message, problem.hint
                )
            });
            let first = first.unwrap_or_default();
            Some(format!("The promotions cannot be used{first}"))
        }
        Record::Settings(settings) => {
            let wrong = unsound(settings)?;
            Some(format!("The settings cannot be used: {wrong}."))
        }
        _ => None,
    }
}

/// The longest logo, as it stands in settings: more than any picture that fits paper takes.
const LOGO_CHARS_MAX: usize = 24_000;

/// What is wrong with settings.
pub fn unsound(settings: &Settings) -> Option<String> {
    if jiff::tz::TimeZone::get(&settings.time_zone).is_err() {
        return Some(format!(
            "'{}' is not a time zone: write one such as Europe/Berlin",
            settings.time_zone
        ));
    }
    if !settings.unreceipted_returns.is_sound() {
        return Some(format!(
            "unreceipted_returns has a limit below zero, or a tender that gives no money back: write \
             limits in minor units, and tenders out of {}",
            UnreceiptedReturns::TENDERS.join(", ")
        ));
    }
    if !settings.points.is_sound() {
        return Some(
            "points are worth less than nothing, or their step is none: write a step of 1 to 1000000, and \
             its worth in minor units"
                .to_owned(),
        );
    }
    if let Some(wrong) = unsound_pictures(settings) {
        return Some(wrong);
    }
    let rules = settings.tenders.iter();
    let mut unsound = rules.filter(|(kind, rule)| !rule.is_sound(kind));
    if let Some((kind, _)) = unsound.next() {
        return Some(format!(
            "the rule of the tender '{kind}' cannot be one: it has a limit below zero, or over_minor and is \
             none of {}, or is not among {}",
            TenderRule::KINDS_OVER.join(", "),
            TenderRule::KINDS.join(", ")
        ));
    }
    // A layout that cannot be read would make every code of its kind unknown at the lanes.
    let mut codes = settings.embedded_codes.iter();
    let layout = codes.find(|code| !code.is_sound())?;
    Some(format!(
        "the embedded code with prefix '{}' does not come out: prefix, item digits and value digits, \
         and one for value_check, must be 12 digits together; items have 1 to 9 of them, and a value \
         with a check digit of its own 4 or 5",
        layout.prefix
    ))
}

fn unsound_pictures(settings: &Settings) -> Option<String> {
    let logo = &settings.receipt_logo;
    if logo.len() > LOGO_CHARS_MAX {
        return Some(
            "receipt_logo is longer than a picture on paper is: import it as a file".to_owned(),
        );
    }
    if let Some(error) = Picture::from_base64(logo)
        .err()
        .filter(|_| !logo.is_empty())
    {
        return Some(format!("receipt_logo is no picture: {error}"));
    }
    // A receipt's number is longer than the word that stands for it by a few characters at most.
    let qr_max = QR_BYTES_MAX - 20;
    let qr = &settings.receipt_qr;
    (qr.len() > qr_max || qr.chars().any(char::is_control)).then(|| {
        format!("receipt_qr is longer than {qr_max} bytes, or has control characters: write a shorter link")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_receipts_are_looked_at() {
        let check = |logo: &str, qr: &str, expected: Option<&str>| {
            let settings = Settings {
                receipt_logo: logo.to_owned(),
                receipt_qr: qr.to_owned(),
                ..Settings::default()
            };
            let told = unsound(&settings);
            match expected {
                None => assert_eq!(told, None),
                Some(expected) => assert!(told.as_ref().unwrap().contains(expected), "{told:?}"),
            }
        };
        let logo = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQAAAAA3iMLMAAAAF0lEQVR42mNgYGCo/4dAFXLoCFmWgQEAcXEPbTZYubMAAAAASUVORK5CYII=";
        check("", "", None);
        check(logo, "https://example.com/{receipt}", None);
        check(&logo[..40], "", Some("receipt_logo"));
        check("logo.png", "", Some("Base64"));
        check(
            &"A".repeat(LOGO_CHARS_MAX + 1),
            "",
            Some("import it as a file"),
        );
        check("", &"x".repeat(281), Some("receipt_qr"));
        check("", "a\nb", Some("receipt_qr"));
    }
}
