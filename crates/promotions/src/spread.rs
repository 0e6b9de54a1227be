//! Spreads a discount over units, so that the parts are the whole and no unit goes below its floor.

use crate::Spread;

/// Units that are alike, for the spreading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    /// What its part is in proportion to: its price.
    pub weight: i64,
    /// The most that one may bear.
    pub room: i64,
    pub count: i64,
    /// Whether it received the reward: of equal remainders, it comes first.
    pub rewarded: bool,
}

/// For each of the shares, discounts and the number of its units that bear them, the units that
/// bear more first. The discounts sum to `total`, or to all the room where that is less.
pub(crate) fn spread(total: i64, shares: &[Share], rule: Spread) -> Vec<Vec<(i64, i64)>> {
    let mut parts: Vec<Vec<(i64, i64)>> = vec![Vec::new(); shares.len()];
    let mut open: Vec<usize> = (0..shares.len())
        .filter(|at| shares[*at].count > 0 && shares[*at].room > 0 && shares[*at].weight > 0)
        .collect();
    let mut left = i128::from(total);
    // Whoever cannot bear its share bears what it can; the others share the rest.
    loop {
        let sum = weight_of(shares, &open);
        let over = |at: &usize| {
            left * i128::from(shares[*at].weight) / sum.max(1) > i128::from(shares[*at].room)
        };
        let (full, rest): (Vec<usize>, Vec<usize>) = open.iter().partition(|at| over(at));
        if full.is_empty() {
            break;
        }
        for at in full {
            parts[at].push((shares[at].room, shares[at].count));
            left -= i128::from(shares[at].room) * i128::from(shares[at].count);
        }
        open = rest;
    }
    let sum = weight_of(shares, &open);
    if sum > 0 {
        let base = |at: usize| {
            let share = left * i128::from(shares[at].weight);
            (share / sum, share % sum)
        };
        let given = open
            .iter()
            .map(|&at| base(at).0 * i128::from(shares[at].count));
        let mut rest = left - given.sum::<i128>();
        let order = order(shares, &open, rule, |at| base(at).1);
        for (place, &at) in order.iter().enumerate() {
            let (share, own) = (&shares[at], base(at).0 as i64);
            let all_to_one = rule != Spread::LargestRemainder && place == 0;
            parts[at] = match all_to_one {
                true => rest_to_one(share, own, &mut rest),
                false => one_more_each(share, own, &mut rest),
            };
        }
        // Where rooms held the rest back, whoever has room bears it.
        for at in order {
            bear_rest(&shares[at], &mut parts[at], &mut rest);
        }
    }
    parts
}

fn weight_of(shares: &[Share], open: &[usize]) -> i128 {
    let weights = open.iter().map(|at| {
        let share = &shares[*at];
        i128::from(share.weight) * i128::from(share.count)
    });
    weights.sum()
}

/// The order in which units bear what does not divide.
fn order(
    shares: &[Share],
    open: &[usize],
    rule: Spread,
    remainder: impl Fn(usize) -> i128,
) -> Vec<usize> {
    let mut order = open.to_vec();
    match rule {
        Spread::LargestRemainder => {
            order.sort_by_key(|&at| (-remainder(at), !shares[at].rewarded, at));
        }
        Spread::Last => order.reverse(),
        Spread::First => {}
    }
    order
}

/// A minor unit more for as many units as there are minor units left, and room for them.
fn one_more_each(share: &Share, own: i64, rest: &mut i128) -> Vec<(i64, i64)> {
    let more = match own < share.room {
        true => i128::from(share.count).min(*rest).max(0) as i64,
        false => 0,
    };
    *rest -= i128::from(more);
    pieces([(own + 1, more), (own, share.count - more)])
}

/// The whole rest for one unit, as far as it has room.
fn rest_to_one(share: &Share, own: i64, rest: &mut i128) -> Vec<(i64, i64)> {
    let more = i128::from(share.room - own).min(*rest).max(0);
    *rest -= more;
    pieces([(own + more as i64, 1), (own, share.count - 1)])
}

fn bear_rest(share: &Share, parts: &mut Vec<(i64, i64)>, rest: &mut i128) {
    if *rest <= 0 {
        return;
    }
    let mut borne = Vec::new();
    for &(off, count) in parts.iter() {
        let room = i128::from(share.room - off);
        let whole = i64::try_from((*rest / room.max(1)).min(i128::from(count))).unwrap_or(count);
        let whole = if room > 0 { whole } else { 0 };
        *rest -= room * i128::from(whole);
        let mut plain = count - whole;
        borne.extend(pieces([(share.room, whole), (0, 0)]));
        if plain > 0 && room > 0 && *rest > 0 {
            borne.push((off + *rest as i64, 1));
            *rest = 0;
            plain -= 1;
        }
        borne.extend(pieces([(off, plain), (0, 0)]));
    }
    *parts = borne;
}

fn pieces(pieces: [(i64, i64); 2]) -> Vec<(i64, i64)> {
    pieces.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `weight`, or `weight<room`, or `weight*count`, or `weight!` for a rewarded unit.
    fn shares(text: &str) -> Vec<Share> {
        let share = |word: &str| {
            let rewarded = word.ends_with('!');
            let word = word.trim_end_matches('!');
            let (word, count) = word.split_once('*').unwrap_or((word, "1"));
            let (weight, room) = word.split_once('<').unwrap_or((word, word));
            Share {
                weight: weight.parse().unwrap(),
                room: room.parse().unwrap(),
                count: count.parse().unwrap(),
                rewarded,
            }
        };
        text.split(' ').map(share).collect()
    }

    fn check(total: i64, units: &str, rule: Spread, expected: &str) {
        let parts = spread(total, &shares(units), rule);
        let one = |part: &(i64, i64)| match part.1 {
            1 => part.0.to_string(),
            count => format!("{}*{count}", part.0),
        };
        let shown: Vec<String> = parts
            .iter()
            .map(|parts| parts.iter().map(one).collect::<Vec<_>>().join("+"))
            .collect();
        assert_eq!(shown.join(" "), expected, "{total} over {units}");
        let sum: i64 = parts.iter().flatten().map(|(off, count)| off * count).sum();
        let room: i64 = shares(units)
            .iter()
            .map(|share| share.room * share.count)
            .sum();
        assert_eq!(sum, total.min(room), "{total} over {units}");
    }

    #[test]
    fn the_parts_are_the_whole() {
        use Spread::*;
        check(299, "4300 1400 2300", LargestRemainder, "161 52 86");
        check(400, "200 200 200", LargestRemainder, "134 133 133");
        check(400, "200 200 200", Last, "133 133 134");
        check(400, "200 200 200", First, "134 133 133");
        check(50, "50*3", Last, "18+16*2");
        check(100, "1000 1000 1000!", LargestRemainder, "33 33 34");
        check(100, "7*3 7*3", LargestRemainder, "7*3 7*3");
        check(10, "10*4", LargestRemainder, "3*2+2*2");
    }

    #[test]
    fn what_a_floor_holds_back_goes_to_the_others() {
        use Spread::*;
        check(2500, "5000<500 2000*3", LargestRemainder, "500 667*2+666");
        check(9000, "5000<500 2000*3", LargestRemainder, "500 2000*3");
        check(10, "100<3 100<3 100", LargestRemainder, "3 3 4");
        check(5, "100<1 100<1 100<9", Last, "1 1 3");
        check(7, "100<3*2 100<2", First, "3+2 2");
        check(0, "5 5", LargestRemainder, "0 0");
    }
}
