//! Importing: what files give, and what is said about what is wrong in them.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::path::PathBuf;

use catalog::{Import, ImportKind, ImportProblem, MapPin, Record, Selling, TaxPart, TaxThreshold};
use money::Currency;
use proptest::prelude::*;

fn map_pin() -> MapPin {
    Box::new(|pin| format!("$hash${}", pin.len()))
}

fn import<R: Read>(file: R, kind: Option<ImportKind>) -> Import<R> {
    Import::new(file, kind, Currency::USD, map_pin())
}

fn selling(how: &Selling) -> String {
    let linked: Vec<&str> = how.linked.iter().map(|id| id.0.as_str()).collect();
    let parts = how.kit.iter();
    let parts: Vec<String> = parts.map(|p| format!("{} {}", p.item, p.milli)).collect();
    format!(
        "{} {} {} {linked:?} {parts:?} {}{}",
        how.open_price,
        how.ask_serial,
        how.not_returnable,
        how.tare_grams,
        how.floor
            .map_or(String::new(), |floor| format!(" floor {floor}"))
    )
}

fn part(part: &TaxPart) -> String {
    let threshold = match part.threshold {
        None => String::new(),
        Some(TaxThreshold::ExemptBelow(price)) => format!(" from {price}"),
        Some(TaxThreshold::OnlyAbove(price)) => format!(" above {price}"),
    };
    let holidays = part.holidays.iter().map(|holiday| {
        let price = holiday.price_max;
        let price = price.map_or(String::new(), |price| format!(" up to {price}"));
        format!(" not {}..{}{price}", holiday.first_day, holiday.last_day)
    });
    let holidays: String = holidays.collect();
    format!(", {} {}{threshold}{holidays}", part.name, part.rate)
}

/// One line per record or problem, short enough to read in a test.
fn shown(answer: Result<Record, ImportProblem>) -> String {
    match answer {
        Err(problem) => problem.to_string(),
        Ok(Record::Item(item)) => {
            let codes: Vec<String> = item.codes.iter().map(|code| code.key()).collect();
            let mut text = format!(
                "item {} '{}' in {}, {} per {:?}, tax {}",
                item.id, item.description, item.department, item.price, item.sold_by, item.tax
            );
            for (word, value) in [
                ("brand", item.brand),
                ("age", item.age_min.map(|age| age.to_string())),
                ("deposit", item.deposit.map(|deposit| deposit.to_string())),
                (
                    "sold so:",
                    (!item.selling.is_plain()).then(|| selling(&item.selling)),
                ),
                ("codes", Some(codes.join(" ")).filter(|c| !c.is_empty())),
            ] {
                if let Some(value) = value {
                    text += &format!(", {word} {value}");
                }
            }
            text
        }
        Ok(Record::Department(d)) => format!("department {} '{}'", d.id, d.name),
        Ok(Record::Tax(t)) => {
            let parts: String = t.parts.iter().map(part).collect();
            format!("tax {} '{}' {} {}{parts}", t.id, t.name, t.rate, t.included)
        }
        Ok(Record::Employee(e)) => {
            format!("employee {} {} {:?} {}", e.id, e.name, e.role, e.pin_hash)
        }
        Ok(Record::Customer(c)) => {
            let d = &c.detail;
            let groups: Vec<&str> = d
                .groups
                .iter()
                .chain(&d.contracts)
                .map(String::as_str)
                .collect();
            let detail = match d.is_empty() {
                true => String::new(),
                false => {
                    let certificate = d.exemption.as_ref().map(|own| format!(" {own}"));
                    let certificate = certificate.unwrap_or_default();
                    let email = d.email.as_ref().map(|email| format!(" <{email}>"));
                    let email = email.unwrap_or_default();
                    let account = if d.on_account { " on account" } else { "" };
                    format!(
                        " {groups:?} {} {:?}{certificate}{email}{account}",
                        d.employee, d.birthday
                    )
                }
            };
            format!(
                "customer {} {} {:?} {:?}{detail}",
                c.id, c.name, c.tier, c.phone
            )
        }
        Ok(Record::Recall(r)) => {
            format!(
                "recall {} {} {:?} '{}'",
                r.item, r.all_lots, r.lots, r.reason
            )
        }
        Ok(other) => format!("{other:?}"),
    }
}

fn check(file: impl AsRef<[u8]>, expected: &[&str]) {
    let got: Vec<String> = import(file.as_ref(), None).map(shown).collect();
    assert_eq!(got, expected, "{}", String::from_utf8_lossy(file.as_ref()));
}

#[test]
fn items_are_read_with_all_they_have() {
    check(
        "item_id,gtin,plu,codes,description,department,brand,price,price_per_kg,sold_by,tax,age_min,deposit\n\
         1001,4006381333931,,,Pilsner,Beer & Cider,Old Mill,1.99,,,standard,21,0.10\n\
         1002,,4011;94011,,Bananas,Produce,,,1.52,,,,\n\
         1003,,,e:12345;HAM-2,Ham,Produce,,0,,each,Reduced,0,0\n\
         1004,,,,Loose nuts,produce,,9.5,,KG,,,\n",
        &[
            "department beer-cider 'Beer & Cider'",
            "item 1001 'Pilsner' in beer-cider, 1.99 per Each, tax standard, brand Old Mill, age 21, deposit 0.10, codes g:04006381333931",
            "tax none 'No tax' 0% false",
            "department produce 'Produce'",
            "item 1002 'Bananas' in produce, 1.52 per Kilogram, tax none, codes p:4011 p:94011",
            "item 1003 'Ham' in produce, 0.00 per Each, tax reduced, codes e:12345 i:HAM-2",
            "item 1004 'Loose nuts' in produce, 9.50 per Kilogram, tax none",
        ],
    );
}

#[test]
fn items_of_another_system_get_a_description() {
    check(
        "\u{feff}product_id;Department;product_type;brand;package_size;manufacturer_id;regular price\r\n\
         25671;DRUG GM;ICE - CRUSHED/CUBED;National;22 LB;2;3.49\r\n\
         26093;DRUG GM;;Private;;69;1.8\r\n",
        &[
            "tax none 'No tax' 0% false",
            "department drug-gm 'Drug GM'",
            "item 25671 'Ice - Crushed/Cubed, National, 22 lb' in drug-gm, 3.49 per Each, tax none, brand National",
            "item 26093 'Drug GM 26093, Private' in drug-gm, 1.80 per Each, tax none, brand Private",
        ],
    );
}

/// Whoever mends a row should have to do it once.
#[test]
fn everything_that_is_wrong_with_a_row_is_named() {
    check(
        "item_id,gtin,plu,department,description,price,deposit,age_min,tax\n\
         ,4006381333932,12,,,one,-1,200,x\n\
         2,,,x,,1,,,x\n",
        &[
            "line 2, item_id: it is empty",
            "line 2, department: it is empty",
            "line 2, age_min '200': write whole years from 1 to 99, or nothing",
            "line 2, gtin '4006381333932': the check digit of 4006381333932 does not match: it would be 1",
            "line 2, plu '12': PLU codes run from 3000 to 4999, with an 8 or a 9 in front for some: write other short codes into the column codes",
            "line 2, price 'one': write an amount such as 12.34, as USD has it",
            "line 2, deposit '-1': it is below zero",
            "department x 'X'",
            "item 2 'X 2' in x, 1.00 per Each, tax x",
        ],
    );
    check(
        "employee_id,name,role,pin\n1,,boss,12\n",
        &[
            "line 2, name: it is empty",
            "line 2, role 'boss': write cashier, supervisor or manager",
            "line 2, pin: a PIN has 4 to 8 digits and nothing else",
        ],
    );
    check(
        "customer_id,name,tier,phone\n1,,best,call me\n",
        &[
            "line 2, name: it is empty",
            "line 2, phone 'call me': write a number such as +1 555-0123",
            "line 2, tier 'best': write basic, silver or gold",
        ],
    );
    check(
        "tax_id,name,rate,included\n-,A,much,perhaps\n",
        &[
            "line 2, tax_id '-': it has no letter or digit",
            "line 2, rate 'much': write a percentage from 0 to 100, such as 8.25",
            "line 2, included 'perhaps': write yes or no",
        ],
    );
}

#[test]
fn a_wrong_row_is_named_and_the_others_are_kept() {
    let header =
        "sku,gtin,plu,codes,description,department,price,price_per_kg,sold_by,age_min,deposit";
    let check = |row: &str, expected: &str| {
        let file = format!("{header}\n1,,,,A,x,1,,,,\n{row}\n9,,,,Z,x,1,,,,\n");
        let got: Vec<String> = import(file.as_bytes(), None).map(shown).collect();
        assert_eq!(got.len(), 5, "{row}: {got:?}");
        assert_eq!(got[3], expected, "{row}");
        assert!(got[4].starts_with("item 9"), "{row}: {got:?}");
    };
    check(",,,,B,x,1,,,,", "line 3, sku: it is empty");
    check(
        "a/b,,,,B,x,1,,,,",
        "line 3, sku 'a/b': write at most 48 letters, digits and dashes",
    );
    check(
        "1,,,,B,x,1,,,,",
        "line 3, sku '1': line 2 has it already: change one of the two",
    );
    check("2,,,,B,,1,,,,", "line 3, department: it is empty");
    check(
        "2,,,,B,&,1,,,,",
        "line 3, department '&': it has no letter or digit",
    );
    check("2,,,,B,x,,,,,", "line 3, price: there is no price");
    check(
        "2,,,,B,x,0,,,,",
        "line 3, price '0': a price of 0 would give it away; only items with an e: code or an open price may have it",
    );
    check("2,,,,B,x,-1,,,,", "line 3, price '-1': it is below zero");
    check(
        "2,,,,B,x,1.999,,,,",
        "line 3, price '1.999': write an amount such as 12.34, as USD has it",
    );
    check(
        "2,,,,B,x,\"1,5\",,,,",
        "line 3, price '1,5': write an amount such as 12.34, as USD has it",
    );
    check(
        "2,,,,B,x,1,2,,,",
        "line 3, price_per_kg '2': there are two prices: leave one out",
    );
    check(
        "2,,,,B,x,1,,dozen,,",
        "line 3, sold_by 'dozen': write each or kg",
    );
    check(
        "2,,,,B,x,,1,each,,",
        "line 3, sold_by 'each': it says each, but the price is per kilogram",
    );
    check(
        "2,,,,B,x,1,,,old,",
        "line 3, age_min 'old': write whole years from 1 to 99, or nothing",
    );
    check(
        "2,,,,B,x,1,,,,x",
        "line 3, deposit 'x': write an amount such as 12.34, as USD has it",
    );
    check(
        "2,,,,B,x,1,,kg,,0.1",
        "line 3, deposit '0.1': what is sold by weight has no deposit per piece",
    );
    check(
        "2,4006381333932,,,B,x,1,,,,",
        "line 3, gtin '4006381333932': the check digit of 4006381333932 does not match: it would be 1",
    );
    check(
        "2,36000291452,,,B,x,1,,,,",
        "line 3, gtin '36000291452': a GTIN has 8, 12, 13 or 14 digits: did a spreadsheet take the zeros in front away?",
    );
    check(
        "2,,123,,B,x,1,,,,",
        "line 3, plu '123': PLU codes run from 3000 to 4999, with an 8 or a 9 in front for some: write other short codes into the column codes",
    );
    check(
        "2,,,a b,B,x,1,,,,",
        "line 3, codes 'a b': write codes like 4006381333931, 4011, HAM-2 or e:12345, several divided by ;",
    );
    check(
        "2,,,i:1,B,x,1,,,,",
        "line 3, codes 'i:1': line 2 has it already: change one of the two",
    );
    check(
        "2,,,,B,x,1",
        "line 3: the row has 7 cells and the header 11: is a comma missing, or not in quotes?",
    );
    check(
        "2,,,,B,x,1,,,,,y",
        "line 3: the row has 12 cells and the header 11: is a comma missing, or not in quotes?",
    );
    check(
        "2,,,,\"B,x,1,,,,",
        "line 3: a quote is opened in this row and not closed",
    );
    check(
        &format!("2,,,,{},x,1,,,,", "B".repeat(201)),
        &format!(
            "line 3, description '{}': it is longer than 200 characters",
            "B".repeat(60)
        ),
    );
}

#[test]
fn a_damaged_cell_is_named_and_the_others_are_kept() {
    check(
        b"item_id,description,department,price\n1,B\xffd,x,1\n2,\"two\nlines\",x,1\n\n4,Fine,x,1,\n",
        &[
            "line 2, description 'B\u{fffd}d': it is not UTF-8 text: save the file as UTF-8",
            "line 3, description 'twolines': it has a line break or another control character",
            "tax none 'No tax' 0% false",
            "department x 'X'",
            "item 4 'Fine' in x, 1.00 per Each, tax none",
        ],
    );
}

#[test]
fn a_refused_row_does_not_count_as_seen() {
    check(
        "item_id,gtin,description,department,price\n\
         1,4006381333931,A,x,1\n2,4006381333931,B,x,1\n2,,B again,x,1\n",
        &[
            "tax none 'No tax' 0% false",
            "department x 'X'",
            "item 1 'A' in x, 1.00 per Each, tax none, codes g:04006381333931",
            "line 3, gtin '4006381333931': line 2 has it already: change one of the two",
            "item 2 'B again' in x, 1.00 per Each, tax none",
        ],
    );
}

#[test]
fn how_an_item_is_sold_is_read() {
    check(
        "item_id,department,description,price,open_price,ask_serial,not_returnable,linked,kit,tare\n\
         1,x,Gift,0,yes,,,,,\n\
         2,x,Phone,299,no,yes,Yes,,,\n\
         3,x,Water,0.90,,,,bottle; bag,,\n\
         4,x,Hamper,25,,,,,milk x 2; nuts x 0.5;card,20\n\
         5,x,Bad,1,perhaps,,,no one,milk x lots,much\n",
        &[
            "tax none 'No tax' 0% false",
            "department x 'X'",
            "item 1 'Gift' in x, 0.00 per Each, tax none, sold so: true false false [] [] 0",
            "item 2 'Phone' in x, 299.00 per Each, tax none, sold so: false true true [] [] 0",
            "item 3 'Water' in x, 0.90 per Each, tax none, sold so: false false false [\"bottle\", \"bag\"] [] 0",
            "item 4 'Hamper' in x, 25.00 per Each, tax none, sold so: false false false [] [\"milk 2000\", \"nuts 500\", \"card 1000\"] 20",
            "line 6, open_price 'perhaps': write yes or no",
            "line 6, linked 'no one': write item numbers divided by ;",
            "line 6, kit 'milk x lots': write parts like: 4711 x 2; 4712 x 0.5",
            "line 6, tare 'much': write whole grams",
        ],
    );
}

#[test]
fn the_floor_of_a_price_is_read() {
    check(
        "item_id,department,description,price,floor\n\
         1,x,Lamp,50,45.00\n\
         2,x,Mug,5,5\n\
         3,x,Rug,50,51\n\
         4,x,Pot,5,0\n\
         5,x,Pan,5,much\n",
        &[
            "tax none 'No tax' 0% false",
            "department x 'X'",
            "item 1 'Lamp' in x, 50.00 per Each, tax none, sold so: false false false [] [] 0 floor 45.00",
            "item 2 'Mug' in x, 5.00 per Each, tax none, sold so: false false false [] [] 0 floor 5.00",
            "line 4, floor '51': write an amount such as 2.49, over zero and at most the price",
            "line 5, floor '0': write an amount such as 2.49, over zero and at most the price",
            "line 6, floor 'much': write an amount such as 2.49, over zero and at most the price",
        ],
    );
}

#[test]
fn people_taxes_and_departments_are_read() {
    check(
        "employee_id,name,role,pin\n101,Ada Reed,Manager,48213\n102,Ben,boss,1111\n103,Cy,cashier,12a4\n101,Di,cashier,7777\n",
        &[
            "employee 101 Ada Reed Manager $hash$5",
            "line 3, role 'boss': write cashier, supervisor or manager",
            "line 4, pin: a PIN has 4 to 8 digits and nothing else",
            "line 5, employee_id: line 2 has it already: change one of the two",
        ],
    );
    check(
        "customer_id,name,tier,phone\nC1,Eve,gold,555-0101\nC2,Fay,,\nC3,Gus,iron,\nC4,Hal,,call me\n",
        &[
            "customer C1 Eve Gold Some(\"555-0101\")",
            "customer C2 Fay Basic None",
            "line 4, tier 'iron': write basic, silver or gold",
            "line 5, phone 'call me': write a number such as +1 555-0123",
        ],
    );
    check(
        "customer_id,name,groups,contracts,employee,birthday\nC1,Eve,club north,acme,yes,02-29\nC2,Fay,,,no,\nC3,Gus,,,maybe,04-31\n",
        &[
            "customer C1 Eve Basic None [\"club\", \"north\", \"acme\"] true Some((2, 29))",
            "customer C2 Fay Basic None",
            "line 4, birthday '04-31': write month and day such as 04-27",
            "line 4, employee 'maybe': write yes or no",
        ],
    );
    check(
        "tax_id,name,rate,included\nstandard,Sales tax,8.25,no\nvat,,20%,yes\nx,,lots,\nnone,,5,\n",
        &[
            "tax standard 'Sales tax' 8.25% false",
            "tax vat 'Vat' 20% true",
            "line 4, rate 'lots': write a percentage from 0 to 100, such as 8.25",
            "line 5, tax_id 'none': 'none' is the tax of items without one: its rate is 0",
        ],
    );
    check(
        "customer_id,name,email,on_account\nC1,Eve,eve@example.org,yes\nC2,Fay,fay,perhaps\nC3,Gus,@example.org,\n",
        &[
            "customer C1 Eve Basic None [] false None <eve@example.org> on account",
            "line 3, email 'fay': write an address such as ada@example.org",
            "line 3, on_account 'perhaps': write yes or no",
            "line 4, email '@example.org': write an address such as ada@example.org",
        ],
    );
    check(
        "customer_id,name,exemption\nC1,Eve,EX-17\n",
        &["customer C1 Eve Basic None [] false None EX-17"],
    );
    check(
        "tax_id,name,rate,included,parts\n\
         ny,Sales tax,8.875,no,State 4%; City of New York 4.5 exempt-below 110; District 9 0.375 holiday 2026-08-01 2026-08-07 up-to 100 holiday 2026-12-24 2026-12-24\n\
         ma,,6.25,,State 6.25 only-above 175\n\
         sum,,8,,State 4; City 3\nday,,4,,State 4 holiday 2026-02-29 2026-03-01\n\
         order,,4,,State 4 holiday 2026-03-02 2026-03-01\nword,,4,,State 4 except 10\n\
         none,,4,,4\nzero,,4,,State 4 exempt-below 0\n",
        &[
            "tax ny 'Sales tax' 8.875% false, State 4%, City of New York 4.5% from 110.00, District 9 0.375% not 2026-08-01..2026-08-07 up to 100.00 not 2026-12-24..2026-12-24",
            "tax ma 'Ma' 6.25% false, State 6.25% above 175.00",
            "line 4, parts 'State 4; City 3': the rates of the parts do not add up to the rate",
            "line 5, parts 'State 4 holiday 2026-02-29 2026-03-01': write parts like: State 4; City 4.5 exempt-below 110 holiday 2026-08-01 2026-08-07 up-to 100",
            "line 6, parts 'State 4 holiday 2026-03-02 2026-03-01': write parts like: State 4; City 4.5 exempt-below 110 holiday 2026-08-01 2026-08-07 up-to 100",
            "line 7, parts 'State 4 except 10': the rates of the parts do not add up to the rate",
            "line 8, parts '4': write parts like: State 4; City 4.5 exempt-below 110 holiday 2026-08-01 2026-08-07 up-to 100",
            "line 9, parts 'State 4 exempt-below 0': write parts like: State 4; City 4.5 exempt-below 110 holiday 2026-08-01 2026-08-07 up-to 100",
        ],
    );
    check(
        "department_id,name\nproduce,Fruit & Vegetables\nDRUG GM,\n",
        &[
            "department produce 'Fruit & Vegetables'",
            "department drug-gm 'Drug GM'",
        ],
    );
}

#[test]
fn a_pin_never_shows() {
    // Every way of putting 48213 where it does not belong.
    for row in [
        "101,Ann,48213,cashier",
        "48213,Ann,boss,x",
        "101,48213\u{1},cashier,x",
        "101,Ann,cashier,48213,9",
        "101,Ann,cashier,\"48213",
        "101,Ann,cashier,482 13",
        "101,Ann cashier 48213",
        "48213,Ann,cashier,1234\n48213,Bo,cashier,1234",
    ] {
        let file = format!("employee_id,name,role,pin\n{row}\n");
        let problems: Vec<_> = import(file.as_bytes(), None)
            .filter_map(Result::err)
            .collect();
        assert!(!problems.is_empty(), "{row}");
        for problem in problems {
            let said = format!("{problem:?} {problem}");
            assert!(!said.contains("482"), "{row}: {said}");
        }
    }
}

#[test]
fn a_header_that_cannot_be_used_says_what_could() {
    let check = |file: &[u8], kind, parts: &[&str]| {
        let answers: Vec<_> = import(file, kind).collect();
        let [Err(problem)] = answers.as_slice() else {
            panic!("{answers:?}");
        };
        for part in parts {
            assert!(problem.message.contains(part), "{part}: {problem}");
        }
    };
    let items = "for items: item_id/product_id/sku, gtin/upc/ean/barcode, plu";
    check(b"", None, &["the file is empty", items]);
    check(
        b"a,b\n1,2\n",
        None,
        &["not understood", items, "for employees: employee_id"],
    );
    check(
        b"item_id,description,department\n1,2,3\n",
        Some(ImportKind::Items),
        &["no column price or price_per_kg", items],
    );
    check(
        b"tax_id,rate,rate\nx,1,2\n",
        Some(ImportKind::Taxes),
        &["the column rate is there twice", "for taxes: tax_id"],
    );
    check(b"\xff\xfea\0,\0", None, &["not UTF-8"]);
}

#[test]
fn the_caller_sees_kind_and_columns_left_out() {
    let file = b"product_id,department,shelf,product_type,regular_price,age_mn\n";
    let import = import(&file[..], None);
    assert_eq!(import.kind(), Some(ImportKind::Items));
    assert_eq!(import.ignored_columns(), ["shelf", "age_mn"]);
}

#[test]
fn departments_the_store_knows_keep_their_names() {
    let file = b"item_id,description,department,price,tax\n1,A,produce,1,low\n2,B,deli,1,low\n";
    let records = import(&file[..], None).with_departments(["produce".into()]);
    let got: Vec<String> = records.map(shown).collect();
    assert_eq!(got.len(), 3);
    assert_eq!(got[1], "department deli 'Deli'");
}

proptest! {
    /// Whatever the bytes are, the import ends, and a good row after a line break is found.
    #[test]
    fn no_bytes_stop_an_import(damage in "[a1,;\"'\\\\\r\n\u{0}é]{0,80}", bytes in any::<[u8; 4]>()) {
        let mut file = b"item_id,description,department,price\n".to_vec();
        file.extend_from_slice(damage.as_bytes());
        file.extend_from_slice(&bytes);
        // More lines than a row may span, in case the damage left a quote open.
        file.extend_from_slice(&b"\n".repeat(20));
        file.extend_from_slice(b"good-1,Good,x,1\n");
        let last = import(file.as_slice(), None).last();
        let last = last.map(shown).unwrap_or_default();
        prop_assert!(last.starts_with("item good-1"), "{last}");
    }
}

/// A real catalog of 68,222 items, where there is one to try.
#[test]
fn a_large_catalog_imports_without_a_problem() {
    let Some(folder) = std::env::var_os("LANEMESH_DATA").map(PathBuf::from) else {
        println!(
            "left out: set LANEMESH_DATA to a folder with catalog.csv.gz (product_id, department, product_type, regular_price, ...)"
        );
        return;
    };
    let file = std::fs::File::open(folder.join("catalog.csv.gz")).unwrap();
    let unpacked = flate2::read::GzDecoder::new(BufReader::new(file));
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for record in import(unpacked, None) {
        let word = match record.unwrap() {
            Record::Item(item) => {
                assert!(!item.description.is_empty() && !item.price.is_zero());
                "items"
            }
            Record::Department(_) => "departments",
            Record::Tax(_) => "taxes",
            other => panic!("{other:?}"),
        };
        *counts.entry(word).or_default() += 1;
    }
    let expected = [("departments", 30), ("items", 68_222), ("taxes", 1)];
    assert_eq!(counts, BTreeMap::from(expected));
}

#[test]
fn recalls_are_read() {
    check(
        "item_id,recalled_lots,reason\n1,L7;L8,glass\n2,*,salmonella\n3,,lifted\n1,L9,again\n",
        &[
            r#"recall 1 false ["L7", "L8"] 'glass'"#,
            "recall 2 true [] 'salmonella'",
            "recall 3 false [] 'lifted'",
            "line 5, item_id '1': line 2 has it already: change one of the two",
        ],
    );
}
