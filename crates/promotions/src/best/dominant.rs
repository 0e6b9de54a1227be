//! Leaves out offers that cannot matter: those that gain nothing even with the best units that
//! there are, and those beside which another is at least as good for the same units.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, Reward, SetOffer, Shape, percent_of};

/// The most offers of one make that are compared with each other.
const COMPARED_MAX: usize = 160;

/// The kinds that each part of an offer takes, as bits.
type Bits = Vec<Vec<u64>>;

/// The kinds that each part of each offer takes, ascending, one part after the other.
struct Members {
    kinds: Vec<usize>,
    /// Where those of each part begin, and at last where all end.
    from: Vec<usize>,
    /// The first part of each offer, and at last the number of all.
    parts: Vec<usize>,
}

impl Members {
    fn of(kinds: &[Kind], offers: &[SetOffer]) -> Members {
        let mut parts = Vec::with_capacity(offers.len() + 1);
        parts.push(0);
        let mut count = 0;
        for offer in offers {
            count += match &*offer.shape {
                Shape::Parts { parts, .. } => parts.len(),
                Shape::Cheapest { .. } | Shape::Different { .. } => 1,
            };
            parts.push(count);
        }
        let places = || kinds.iter().flat_map(|kind| &kind.places);
        let mut from = vec![0; count + 1];
        places().for_each(|place| from[parts[place.offer] + place.part + 1] += 1);
        for part in 0..count {
            from[part + 1] += from[part];
        }
        let mut next = from.clone();
        let mut members = vec![0; from[count]];
        for (at, kind) in kinds.iter().enumerate() {
            for place in &kind.places {
                let next = &mut next[parts[place.offer] + place.part];
                members[*next] = at;
                *next += 1;
            }
        }
        Members {
            kinds: members,
            from,
            parts,
        }
    }

    /// The kinds of each part of an offer.
    fn parts(&self, offer: usize) -> impl Iterator<Item = &[usize]> {
        let parts = self.parts[offer]..self.parts[offer + 1];
        parts.map(|part| &self.kinds[self.from[part]..self.from[part + 1]])
    }

    /// The kinds of the first part of an offer.
    fn first(&self, offer: usize) -> &[usize] {
        let part = self.parts[offer];
        &self.kinds[self.from[part]..self.from[part + 1]]
    }

    /// The kinds of all parts of an offer, each once.
    fn merged(&self, offer: usize) -> Vec<usize> {
        let parts = self.parts[offer]..self.parts[offer + 1];
        let mut kinds = self.kinds[self.from[parts.start]..self.from[parts.end]].to_vec();
        if parts.len() > 1 {
            kinds.sort_unstable();
            kinds.dedup();
        }
        kinds
    }
}

/// What is known of offers before any search.
pub(super) struct Worth {
    /// Which offers are worth trying.
    pub trying: Vec<bool>,
    /// The most that each can gain alone: its best set, as often as there are units; 0 for those that
    /// are not worth trying.
    pub most: Vec<i64>,
    /// The kinds that each takes, ascending; none for those that are not worth trying.
    pub takers: Vec<Vec<usize>>,
}

impl Worth {
    pub fn of(kinds: &[Kind], offers: &[SetOffer]) -> Worth {
        let members = Members::of(kinds, offers);
        let best: Vec<i64> = (offers.iter().enumerate())
            .map(|(at, offer)| best_set_gains(kinds, &offer.shape, (&members, at)).unwrap_or(0))
            .collect();
        let trying = worth_trying(kinds, offers, &members, &best);
        let most = (0..offers.len()).map(|at| match trying[at] {
            true => best[at].saturating_mul(sets_at_most(kinds, &offers[at], (&members, at))),
            false => 0,
        });
        let takers = (0..offers.len()).map(|at| match trying[at] {
            true => members.merged(at),
            false => Vec::new(),
        });
        Worth {
            most: most.collect(),
            takers: takers.collect(),
            trying,
        }
    }
}

/// How often a set of the offer can be made at most.
fn sets_at_most(kinds: &[Kind], offer: &SetOffer, (members, at): (&Members, usize)) -> i64 {
    let units = |members: &[usize]| -> i64 {
        let counts = members.iter().map(|at| i64::from(kinds[*at].count));
        counts.sum()
    };
    let sets = match &*offer.shape {
        Shape::Parts { parts, .. } => {
            let sets = parts.iter().zip(members.parts(at));
            let sets = sets.map(|(part, members)| units(members) / i64::from(part.units));
            sets.min().unwrap_or(0)
        }
        Shape::Cheapest { of, .. } => units(members.first(at)) / i64::from(*of),
        Shape::Different { tiers } => {
            let fewest = tiers.first().map_or(1, |(titles, _)| (*titles).max(1));
            units(members.first(at)) / i64::from(fewest)
        }
    };
    sets.min(i64::from(offer.sets_max.unwrap_or(u32::MAX)))
}

/// Which offers are worth trying: their best sets, which gain `best`, gain something, and no other
/// offer is at least as good for all of the same units.
fn worth_trying(kinds: &[Kind], offers: &[SetOffer], members: &Members, best: &[i64]) -> Vec<bool> {
    let mut worth: Vec<bool> = best.iter().map(|gain| *gain > 0).collect();
    let mut alike: BTreeMap<Make, Vec<(i64, usize)>> = BTreeMap::new();
    for (at, offer) in offers.iter().enumerate() {
        if let Some((make, score)) = make(offer).filter(|_| worth[at]) {
            alike.entry(make).or_default().push((-score, at));
        }
    }
    for offers in alike.values_mut() {
        offers.sort_unstable();
        let mut kept: Vec<Bits> = Vec::new();
        for (_, at) in offers {
            let lists = members.parts(*at);
            let own: Bits = lists.map(|list| bits(list, kinds.len())).collect();
            match kept.iter().any(|better| is_within(&own, better)) {
                true => worth[*at] = false,
                false if kept.len() < COMPARED_MAX => kept.push(own),
                false => {}
            }
        }
    }
    worth
}

/// How a set is made up, without how much it gives: units of each part, and what kind of reward it
/// or the set has.
type Make = Vec<(u32, u8)>;

/// How an offer is made, and how good it is among those that are made alike; `None` where that is
/// not for one figure to say.
fn make(offer: &SetOffer) -> Option<(Make, i64)> {
    if offer.sets_max.is_some() || offer.cap.is_some() {
        return None;
    }
    match &*offer.shape {
        Shape::Parts {
            parts,
            whole: Reward::Nothing,
        } => {
            let mut rewarded = parts.iter().filter(|part| part.reward != Reward::Nothing);
            let (kind, score) = figure(rewarded.next()?.reward);
            let one = rewarded.next().is_none();
            let tag = |reward| if reward == Reward::Nothing { 0 } else { kind };
            let make = parts.iter().map(|part| (part.units, tag(part.reward)));
            one.then(|| (make.collect(), score))
        }
        Shape::Parts { parts, whole } => {
            let (kind, score) = figure(*whole);
            let make = parts.iter().map(|part| (part.units, 10 + kind));
            Some((make.collect(), score))
        }
        Shape::Cheapest { of, units, rate } => {
            Some((vec![(*of, 20), (*units, 20)], rate.millionths()))
        }
        Shape::Different { .. } => None,
    }
}

/// The kind of a reward, and how good it is among its kind.
fn figure(reward: Reward) -> (u8, i64) {
    match reward {
        Reward::Nothing => (0, 0),
        Reward::Percent(rate) => (1, rate.millionths()),
        Reward::Amount(off) => (2, off),
        Reward::Price(price) => (3, -price),
    }
}

fn bits(list: &[usize], of: usize) -> Vec<u64> {
    let mut bits = vec![0; of.div_ceil(64)];
    for at in list {
        bits[at / 64] |= 1 << (at % 64);
    }
    bits
}

fn is_within(own: &Bits, other: &Bits) -> bool {
    own.iter()
        .zip(other)
        .all(|(own, other)| own.iter().zip(other).all(|(a, b)| a & !b == 0))
}

/// At least what the best set gains; `None` where there are not units enough for one.
fn best_set_gains(kinds: &[Kind], shape: &Shape, (members, at): (&Members, usize)) -> Option<i64> {
    // The sum of the best so many of some values, one for each unit.
    let best = |members: &[usize], units: u32, of: &dyn Fn(&Kind) -> i64| -> Option<i64> {
        let mut values: Vec<(i64, u32)> = members
            .iter()
            .map(|at| (of(&kinds[*at]), kinds[*at].count))
            .collect();
        values.sort_unstable_by_key(|(value, _)| -value);
        let mut left = units;
        let mut sum = 0_i64;
        for (value, count) in values {
            let taken = left.min(count);
            sum = sum.saturating_add(value.saturating_mul(i64::from(taken)));
            left -= taken;
        }
        (left == 0).then_some(sum)
    };
    match shape {
        Shape::Parts { parts, whole } => {
            let mut gain = match whole {
                Reward::Price(price) => -price,
                Reward::Amount(off) => *off,
                Reward::Nothing | Reward::Percent(_) => 0,
            };
            for (part, members) in parts.iter().zip(members.parts(at)) {
                let of = |kind: &Kind| match whole {
                    Reward::Price(_) => kind.value - kind.alone,
                    Reward::Amount(_) => -kind.alone,
                    Reward::Percent(rate) => percent_of(kind.value, *rate) - kind.alone,
                    Reward::Nothing => part.reward.off(kind.value) - kind.alone,
                };
                gain += best(members, part.units, &of)?;
            }
            Some(gain)
        }
        Shape::Cheapest { of, units, rate } => {
            // The cheapest of any set cost no more than the last of the dearest `of - units + 1`.
            let dearer = best(members.first(at), of - units, &|kind| kind.value)?;
            let with_next = best(members.first(at), of - units + 1, &|kind| kind.value)?;
            let off = percent_of(with_next - dearer, *rate) * i64::from(*units);
            Some(off + best(members.first(at), *of, &|kind| -kind.alone)?)
        }
        Shape::Different { tiers } => {
            let most = tiers.iter().map(|(_, rate)| *rate).max()?;
            let titles: BTreeSet<u32> = members
                .first(at)
                .iter()
                .map(|at| kinds[*at].title)
                .collect();
            let enough = titles.len() >= tiers.first()?.0 as usize;
            // Half a minor unit for the rounding of a set as a whole.
            let gains = members.first(at).iter().map(|at| {
                let kind = &kinds[*at];
                (percent_of(kind.value, most) + 1 - kind.alone).max(0)
            });
            enough.then(|| gains.sum())
        }
    }
}
