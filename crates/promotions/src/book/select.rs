//! Which units a promotion is for, in numbers instead of names.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use indexmap::IndexMap;

use crate::{BasketLine, Selector};

/// Numbers by name, in the order in which they came.
pub(crate) type Numbers<K> = IndexMap<K, u32, BuildHasherDefault<Folded>>;

/// The names that promotions use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    items: Numbers<String>,
    departments: Numbers<String>,
    brands: Numbers<String>,
    attributes: Numbers<(String, String)>,
}

/// A hash that multiplies eight bytes at a time and folds the product (as wyhash does): quick for
/// short names, and the same in every run.
#[derive(Clone, Copy, Default)]
pub(crate) struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let rest = rest.iter().rev();
        self.write_u64(rest.fold(1, |word, byte| word << 8 | u64::from(*byte)));
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = u128::from(self.0 ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xbf58_476d_1ce4_e5b9;
        self.0 = (mixed as u64) ^ (mixed >> 64) as u64;
    }
}

/// A line's names that promotions use, as numbers.
#[derive(Clone, Debug)]
pub(crate) struct LineKeys {
    pub item: Option<u32>,
    pub department: Option<u32>,
    pub brand: Option<u32>,
    attributes: Vec<u32>,
    pub fee: bool,
}

/// `Selector` in numbers; lists ascending.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub items: Vec<u32>,
    pub departments: Vec<u32>,
    pub brands: Vec<u32>,
    all: bool,
    /// One of each list.
    attributes: Vec<Vec<u32>>,
    price_from: Option<i64>,
    price_to: Option<i64>,
    everything: bool,
    fees: bool,
    except: Option<Box<Select>>,
    /// The one name that is asked for, where nothing else is.
    only: Option<Only>,
}

/// One name.
#[derive(Clone, Copy, Debug)]
enum Only {
    Item(u32),
    Department(u32),
    Brand(u32),
}

fn number<K: Eq + Hash>(names: &mut Numbers<K>, name: K) -> u32 {
    let next = names.len() as u32;
    *names.entry(name).or_insert(next)
}

impl Names {
    pub fn item(&mut self, item: &str) -> u32 {
        number(&mut self.items, item.to_owned())
    }

    pub fn counts(&self) -> (usize, usize, usize) {
        (self.items.len(), self.departments.len(), self.brands.len())
    }

    /// Numbers for a selector's names, new ones where a name is new.
    pub fn select(&mut self, selector: &Selector, price: [Option<i64>; 2]) -> Select {
        let list = |names: &mut dyn Iterator<Item = u32>| {
            let mut list: Vec<u32> = names.collect();
            list.sort_unstable();
            list
        };
        let items = selector.items.iter();
        let departments = selector.departments.iter();
        let brands = selector.brands.iter();
        Select {
            items: list(&mut items.map(|item| number(&mut self.items, item.0.clone()))),
            departments: list(
                &mut departments.map(|name| number(&mut self.departments, name.0.clone())),
            ),
            brands: list(&mut brands.map(|name| number(&mut self.brands, name.clone()))),
            all: selector.all,
            attributes: selector
                .attributes
                .iter()
                .map(|(key, values)| {
                    let pairs = values.iter().map(|value| (key.clone(), value.clone()));
                    list(&mut pairs.map(|pair| number(&mut self.attributes, pair)))
                })
                .collect(),
            price_from: price[0],
            price_to: price[1],
            everything: selector.everything,
            fees: selector.fees,
            except: None,
            only: None,
        }
    }

    pub fn of_line(&self, line: &BasketLine) -> LineKeys {
        let brand = line.brand.as_ref();
        let pairs = line.attributes.iter();
        LineKeys {
            item: self.items.get(&line.item.0).copied(),
            department: self.departments.get(&line.department.0).copied(),
            brand: brand.and_then(|brand| self.brands.get(brand).copied()),
            attributes: match self.attributes.is_empty() {
                true => Vec::new(),
                false => pairs
                    .filter_map(|(key, value)| {
                        self.attributes.get(&(key.clone(), value.clone())).copied()
                    })
                    .collect(),
            },
            fee: line.fee,
        }
    }
}

impl Select {
    pub fn with_except(mut self, except: Option<Select>) -> Select {
        self.except = except.map(Box::new);
        self.only = self.only_name();
        self
    }

    fn only_name(&self) -> Option<Only> {
        let lists = [&self.items[..], &self.departments[..], &self.brands[..]];
        match lists {
            _ if self.everything || !self.is_plain() => None,
            [[item], [], []] => Some(Only::Item(*item)),
            [[], [department], []] => Some(Only::Department(*department)),
            [[], [], [brand]] => Some(Only::Brand(*brand)),
            _ => None,
        }
    }

    /// Whether a line that costs `price` a unit is selected.
    pub fn takes(&self, line: &LineKeys, price: impl Fn() -> i64 + Copy) -> bool {
        match self.only {
            None => {}
            Some(Only::Item(item)) => return line.item == Some(item) && !line.fee,
            Some(Only::Department(name)) => return line.department == Some(name) && !line.fee,
            Some(Only::Brand(brand)) => return line.brand == Some(brand) && !line.fee,
        }
        if line.fee != self.fees
            || self.price_from.is_some_and(|from| price() < from)
            || self.price_to.is_some_and(|to| price() > to)
        {
            return false;
        }
        let has = |list: &[u32], name: Option<u32>| {
            name.is_some_and(|name| list.binary_search(&name).is_ok())
        };
        let unnamed =
            self.items.is_empty() && self.departments.is_empty() && self.brands.is_empty();
        let named = match self.all {
            _ if unnamed => true,
            true => {
                let fits = |list: &[u32], name| list.is_empty() || has(list, name);
                fits(&self.items, line.item)
                    && fits(&self.departments, line.department)
                    && fits(&self.brands, line.brand)
            }
            false => {
                self.everything
                    || has(&self.items, line.item)
                    || has(&self.departments, line.department)
                    || has(&self.brands, line.brand)
            }
        };
        let described = self
            .attributes
            .iter()
            .all(|values| values.iter().any(|value| line.attributes.contains(value)));
        named
            && described
            && !self
                .except
                .as_ref()
                .is_some_and(|e| e.excludes(line, &price))
    }

    /// `takes`, behind a pointer, so that what is excepted from exceptions is of one type.
    fn excludes(&self, line: &LineKeys, price: &dyn Fn() -> i64) -> bool {
        self.takes(line, price)
    }

    /// Whether it takes every line that is found by it, fees apart: nothing but names is asked for,
    /// and any of them will do.
    pub fn is_plain(&self) -> bool {
        let lists = [&self.items, &self.departments, &self.brands];
        let named = lists.iter().filter(|list| !list.is_empty()).count();
        !self.fees
            && (!self.all || named <= 1 && !self.everything)
            && self.attributes.is_empty()
            && self.price_from.is_none()
            && self.price_to.is_none()
            && self.except.is_none()
    }

    /// The lists of names under one of which every line that is selected can be found. Where a line
    /// must be of all of them, one is enough: that which says most.
    pub fn found_by(&self) -> [&[u32]; 3] {
        let lists = [&self.items[..], &self.departments[..], &self.brands[..]];
        let first = lists.iter().position(|list| !list.is_empty());
        let mut found = lists;
        for (at, list) in found.iter_mut().enumerate() {
            if self.all && Some(at) != first {
                *list = &[];
            }
        }
        found
    }

    /// Whether a line can be found by its item, department or brand.
    pub fn is_named(&self) -> bool {
        let named = [&self.items, &self.departments, &self.brands];
        !self.everything && named.iter().any(|list| !list.is_empty())
    }
}
