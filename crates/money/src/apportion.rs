//! Splitting an amount so that the parts sum to the whole.

use crate::Money;

/// Splits `total` over `weights` by largest remainder (Hamilton): each part is its exact share
/// rounded down, and the minor units left over go to the largest remainders, earlier parts first
/// among equals. Where every weight is zero the parts are equal. The parts always sum to `total`.
///
/// Weights are not negative. An empty list gives an empty list, so its caller keeps the total.
pub fn apportion(total: Money, weights: &[i64]) -> Vec<Money> {
    assert!(weights.iter().all(|w| *w >= 0), "weights are not negative");
    let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    let weight_of = |i: usize| -> i128 { if sum == 0 { 1 } else { i128::from(weights[i]) } };
    let whole = if sum == 0 {
        (weights.len() as i128).max(1)
    } else {
        sum
    };
    let sign = if total.is_negative() { -1 } else { 1 };
    let absolute = i128::from(total.minor()).abs();

    let mut parts: Vec<i128> = (0..weights.len())
        .map(|i| absolute * weight_of(i) / whole)
        .collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|&i| (-(absolute * weight_of(i) % whole), i));
    let left: i128 = absolute - parts.iter().sum::<i128>();
    for &i in by_remainder.iter().take(usize::try_from(left).unwrap_or(0)) {
        parts[i] += 1;
    }
    parts
        .into_iter()
        .map(|part| {
            let minor = i64::try_from(part * sign).expect("a part is no larger than the whole");
            Money::from_minor(minor, total.currency())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;

    #[test]
    fn parts_sum_to_the_whole() {
        let check = |total: i64, weights: &[i64], expected: &[i64]| {
            let parts = apportion(Money::from_minor(total, Currency::USD), weights);
            let minors: Vec<i64> = parts.iter().map(|p| p.minor()).collect();
            assert_eq!(minors, expected, "{total} over {weights:?}");
            if !weights.is_empty() {
                assert_eq!(minors.iter().sum::<i64>(), total);
            }
        };
        check(100, &[1, 1, 1], &[34, 33, 33]);
        check(-100, &[1, 1, 1], &[-34, -33, -33]);
        check(100, &[0, 0], &[50, 50]);
        check(5, &[3, 1, 0], &[4, 1, 0]);
        check(10, &[1, 2, 4], &[1, 3, 6]);
        check(7, &[], &[]);
        check(0, &[5, 5], &[0, 0]);
    }
}
