//! Ids and pleasant names out of what stands in other systems' files.

/// A short code out of a name: `DRUG GM` gives `drug-gm`. Empty where there is no letter or digit.
pub(super) fn slug(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

/// A name as a person would write it. What has both cases is left alone; `DRUG GM` and `drug-gm`
/// become `Drug GM` and `Drug GM`.
pub(super) fn nice(text: &str) -> String {
    let text = text.trim();
    if text == slug(text) {
        return title(&text.replace('-', " "));
    }
    if text.chars().any(char::is_lowercase) {
        return text.to_owned();
    }
    title(text)
}

/// A package size as it is printed on packages: `22 LB` gives `22 lb`.
pub(super) fn size(text: &str) -> String {
    text.split_whitespace()
        .map(|word| match word {
            "L" => word.to_owned(),
            _ => word.to_lowercase(),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || c == '\'' {
            word.push(c);
        } else {
            out.push_str(&title_word(&word));
            word.clear();
            out.push(c);
        }
    }
    out.push_str(&title_word(&word));
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `GROCERY` gives `Grocery`; two letters without a vowel, such as `GM`, are an abbreviation.
fn title_word(word: &str) -> String {
    let abbreviation = word.chars().count() == 2
        && word
            .chars()
            .all(|c| c.is_alphabetic() && !"aeiouyAEIOUY".contains(c));
    if abbreviation {
        return word.to_uppercase();
    }
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().collect::<String>() + &chars.as_str().to_lowercase(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_pleasant() {
        let check = |text: &str, id: &str, name: &str| {
            assert_eq!((slug(text).as_str(), nice(text).as_str()), (id, name));
        };
        check("DRUG GM", "drug-gm", "Drug GM");
        check("drug-gm", "drug-gm", "Drug GM");
        check("ELECT &PLUMBING", "elect-plumbing", "Elect &Plumbing");
        check("Dairy & Eggs", "dairy-eggs", "Dairy & Eggs");
        check(
            "BREAD:ITALIAN/FRENCH",
            "bread-italian-french",
            "Bread:Italian/French",
        );
        check("CHEF'S  SHOP", "chef-s-shop", "Chef's Shop");
        check("ÖL", "öl", "ÖL");
        check(" - ", "", "-");
        check("", "", "");
        assert_eq!(size("1/2 GAL"), "1/2 gal");
        assert_eq!(size("2 L"), "2 L");
    }
}
