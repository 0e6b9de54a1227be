//! The units of a basket while they are priced.

use std::collections::BTreeMap;
use std::rc::Rc;

use money::{Money, Rounding};

use crate::best::{Search, WORK_MAX, Work};
use crate::book::{LineKeys, Select};
use crate::{Basket, BasketLine, CompiledBook, Of, TaxBasis};

/// Units of one line that cost the same and got the same discounts.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// Place in `State::lines`.
    pub at: usize,
    pub count: i64,
    /// What one costs in minor units: before anything, before promotions, and now.
    pub listed: i64,
    pub list: i64,
    pub now: i64,
    /// The least that one may cost.
    pub floor: i64,
    /// What promotions took off one, by place in the book.
    pub offs: Vec<(usize, i64)>,
    /// Whether a promotion of higher priority has it already.
    pub closed: bool,
}

impl Cell {
    pub fn room(&self) -> i64 {
        (self.now - self.floor).max(0)
    }

    /// The cell for some of its units, with a discount more.
    pub fn with_off(&self, promotion: usize, off: i64, count: i64) -> Cell {
        let mut cell = self.clone();
        cell.count = count;
        cell.take_off(promotion, off);
        cell
    }

    pub fn take_off(&mut self, promotion: usize, off: i64) {
        if off == 0 {
            return;
        }
        self.now -= off;
        match self.offs.iter_mut().find(|(known, _)| *known == promotion) {
            Some((_, sum)) => *sum += off,
            None => self.offs.push((promotion, off)),
        }
    }
}

/// How often a promotion was given, and whether something was held back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Note {
    pub times: u32,
    pub capped: bool,
}

/// A basket on its way through the phases.
#[derive(Clone)]
pub(crate) struct State<'b> {
    /// What is for sale, by line number.
    pub lines: Rc<[&'b BasketLine]>,
    pub keys: Rc<[LineKeys]>,
    /// The promotions that each line may meet, by place in the book, ascending.
    pub met: Rc<[Vec<u32>]>,
    pub search: Search,
    /// What the search may still do, in this phase and those that follow.
    pub work: Work,
    pub cells: Vec<Cell>,
    pub notes: BTreeMap<usize, Note>,
    pub proven: bool,
}

impl<'b> State<'b> {
    pub fn new(book: &CompiledBook, basket: &'b Basket) -> State<'b> {
        let for_sale = |line: &&BasketLine| {
            line.quantity.milli() > 0
                && line.extended.minor() > 0
                && line.extended.currency() == basket.currency
        };
        let mut lines: Vec<&BasketLine> = basket.lines.iter().filter(for_sale).collect();
        lines.sort_by_key(|line| line.line);
        let mut cells = Vec::with_capacity(lines.len());
        for (at, line) in lines.iter().enumerate() {
            add_cells(at, line, &mut cells);
        }
        let keys: Rc<[LineKeys]> = lines.iter().map(|line| book.names.of_line(line)).collect();
        State {
            met: keys.iter().map(|keys| book.met_by(keys)).collect(),
            keys,
            search: Search::Best,
            work: Work::new(WORK_MAX),
            lines: lines.into(),
            cells,
            notes: BTreeMap::new(),
            proven: true,
        }
    }

    pub fn line(&self, cell: &Cell) -> &'b BasketLine {
        self.lines[cell.at]
    }

    pub fn takes(&self, select: &Select, cell: &Cell) -> bool {
        // A range of prices is of what a piece or kilogram costs.
        let price = || {
            let line = self.lines[cell.at];
            match line.quantity.pieces() {
                Some(_) => cell.list,
                None => line.unit_price.minor(),
            }
        };
        select.takes(&self.keys[cell.at], price)
    }

    fn selected<'s>(&'s self, select: &'s Select) -> impl Iterator<Item = &'s Cell> {
        self.cells
            .iter()
            .filter(move |cell| self.takes(select, cell))
    }

    /// Pieces of what is selected; what is weighed counts as one.
    pub fn units(&self, select: &Select) -> i64 {
        self.selected(select).map(|cell| cell.count).sum()
    }

    pub fn distinct(&self, select: &Select) -> i64 {
        let items = self.selected(select).map(|cell| &self.lines[cell.at].item);
        items.collect::<std::collections::BTreeSet<_>>().len() as i64
    }

    pub fn grams(&self, select: &Select) -> i64 {
        let weighed = self
            .selected(select)
            .map(|cell| self.lines[cell.at].quantity);
        let weighed = weighed.filter(|quantity| quantity.pieces().is_none());
        weighed.map(|quantity| quantity.milli()).sum()
    }

    /// What is selected costs this, in minor units.
    pub fn spend(&self, select: &Select, of: Of, tax: TaxBasis) -> i64 {
        let cost = |cell: &Cell| {
            let each = match of {
                Of::List => cell.list,
                Of::Running => cell.now,
            };
            each.saturating_mul(cell.count)
        };
        if tax == TaxBasis::AsPriced {
            return (self.selected(select).map(cost)).fold(0, i64::saturating_add);
        }
        let mut by_line: BTreeMap<usize, i64> = BTreeMap::new();
        for cell in self.selected(select) {
            let sum = by_line.entry(cell.at).or_default();
            *sum = sum.saturating_add(cost(cell));
        }
        let with_tax = by_line.into_iter().map(|(at, minor)| {
            let line = self.lines[at];
            let whole = Money::from_minor(minor, line.extended.currency());
            match (tax, line.tax) {
                (TaxBasis::Net, Some((rate, true))) => {
                    minor - whole.share_included(rate, Rounding::HalfUp).minor()
                }
                (TaxBasis::Gross, Some((rate, false))) => {
                    minor + whole.share(rate, Rounding::HalfUp).minor()
                }
                _ => minor,
            }
        });
        with_tax.fold(0, i64::saturating_add)
    }

    pub fn note(&mut self, promotion: usize, times: i64) {
        let note = self.notes.entry(promotion).or_default();
        note.times = note
            .times
            .saturating_add(u32::try_from(times).unwrap_or(u32::MAX));
    }

    /// Something of a promotion was held back by a cap or a floor.
    pub fn note_capped(&mut self, promotion: usize) {
        self.notes.entry(promotion).or_default().capped = true;
    }

    /// What all promotions took off, in minor units.
    pub fn total_off(&self) -> i128 {
        let off = self
            .cells
            .iter()
            .map(|cell| i128::from(cell.listed - cell.now) * i128::from(cell.count));
        off.sum()
    }
}

/// The one or two cells of a line: where its price does not divide by its pieces, some of them cost
/// one minor unit more.
fn add_cells(at: usize, line: &BasketLine, cells: &mut Vec<Cell>) {
    let count = line.quantity.pieces().unwrap_or(1).max(1);
    let (each, more) = (line.extended.minor() / count, line.extended.minor() % count);
    let floor = line.floor.map_or(0, |floor| match line.quantity.pieces() {
        Some(_) => floor.minor(),
        None => floor.for_quantity(line.quantity, Rounding::Up).minor(),
    });
    for (value, count) in [(each + 1, more), (each, count - more)] {
        if value > 0 && count > 0 {
            cells.push(Cell {
                at,
                count,
                listed: value,
                list: value,
                now: value,
                floor: floor.max(0),
                offs: Vec::new(),
                closed: false,
            });
        }
    }
}
