//! Statistics of reports and of the equity watch: intervals of rates, survival, correlation, and the test of a group against the rest.
//!
//! Only the four basic operations and the square root are used, which IEEE 754 rounds in one way: equal numbers give equal reports on
//! every machine.

/// The quantile of the normal distribution that leaves 2.5 % on either side.
const Z: f64 = 1.959_963_984_540_054;

/// A rate with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The interval of 95 % of the rate `part / whole` by Wilson's score (E. B. Wilson, 1927, Journal of the American Statistical
/// Association 22, 209-212). Without people it is the whole range.
pub fn wilson(part: u64, whole: u64) -> Interval {
    if whole == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let (n, rate) = (real(whole), real(part.min(whole)) / real(whole));
    let middle = rate + Z * Z / (2.0 * n);
    let reach = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Interval { low: ((middle - reach) / scale).max(0.0), high: ((middle + reach) / scale).min(1.0) }
}

/// The probability that a group of `group` people has `hits` or fewer of the `all_hits` hits among `all` people, if hits fall on
/// people by chance: the lower tail of the hypergeometric distribution, which is Fisher's exact test on one side (R. A. Fisher, 1935,
/// Journal of the Royal Statistical Society 98, 39-82).
pub fn lower_tail(hits: u64, group: u64, all_hits: u64, all: u64) -> f64 {
    if all_hits > all || group > all || hits > group.min(all_hits) {
        return 1.0;
    }
    let misses = all - all_hits;
    let (least, most) = (group.saturating_sub(misses), group.min(all_hits));
    // Weights relative to that of the most likely number, from which each is a product of ratios.
    let mode = (((group + 1) * (all_hits + 1)) / (all + 2)).clamp(least, most);
    let ratio =
        |k: u64| real(all_hits - k) * real(group - k) / (real(k + 1) * real((misses + k + 1) - group));
    let (mut below, mut total) = (0.0, 0.0);
    let mut weight = 1.0;
    for k in mode..=most {
        total += weight;
        below += if k <= hits { weight } else { 0.0 };
        if k < most {
            weight *= ratio(k);
        }
    }
    weight = 1.0;
    for k in (least..mode).rev() {
        weight /= ratio(k);
        total += weight;
        below += if k <= hits { weight } else { 0.0 };
    }
    below / total
}

/// Which of several tests are passed at a level, corrected for their number by the step-down method (S. Holm, 1979, Scandinavian
/// Journal of Statistics 6, 65-70): the probability of any false alarm stays below the level.
pub fn holm(probabilities: &[f64], level: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]).then(a.cmp(b)));
    let mut passed = vec![false; probabilities.len()];
    for (rank, at) in order.into_iter().enumerate() {
        let tests = u64::try_from(probabilities.len() - rank).unwrap_or(u64::MAX);
        if probabilities[at] * real(tests) > level {
            break;
        }
        passed[at] = true;
    }
    passed
}

/// The share of lives that go on after each step, by the product-limit estimator (E. L. Kaplan and P. Meier, 1958, Journal of the
/// American Statistical Association 53, 457-481). A step has the lives at risk before it and the ends at it.
pub fn survival(steps: impl IntoIterator<Item = (u64, u64)>) -> Vec<f64> {
    let mut share = 1.0;
    let after = |(at_risk, ends): (u64, u64)| {
        if at_risk > 0 {
            share *= real(at_risk - ends.min(at_risk)) / real(at_risk);
        }
        share
    };
    steps.into_iter().map(after).collect()
}

/// The correlation of two values (Pearson) from the number of pairs and the sums of x, y, x², y² and xy; `None` if one of them is the
/// same in all pairs.
pub fn correlation(pairs: u64, [x, y, xx, yy, xy]: [u64; 5]) -> Option<f64> {
    let whole = |value: u64| i128::from(value);
    let n = whole(pairs);
    let (vx, vy) = (n * whole(xx) - whole(x) * whole(x), n * whole(yy) - whole(y) * whole(y));
    if vx <= 0 || vy <= 0 {
        return None;
    }
    let shared = n * whole(xy) - whole(x) * whole(y);
    #[expect(clippy::cast_precision_loss, reason = "a correlation is shown with two decimals")]
    let as_real = |value: i128| value as f64;
    Some(as_real(shared) / (as_real(vx).sqrt() * as_real(vy).sqrt()))
}

/// The lower median of values with their numbers, in ascending order.
pub fn median(values: &[(u64, u64)]) -> Option<u64> {
    let all: u64 = values.iter().map(|(_, number)| number).sum();
    let mut before = 0;
    values.iter().find_map(|(value, number)| {
        before += number;
        (all > 0 && before * 2 >= all).then_some(*value)
    })
}

/// A count as a real number: exact below 2 to the power of 53.
#[expect(clippy::cast_precision_loss, reason = "counts of people stay below 2 to the power of 53")]
pub fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn wilson_gives_the_published_intervals() {
        // R. G. Newcombe, 1998, Statistics in Medicine 17, 857-872, table I.
        for (part, whole, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let found = wilson(part, whole);
            assert!(
                (found.low - low).abs() < 5e-5 && (found.high - high).abs() < 5e-5,
                "{part}/{whole}: {found:?}"
            );
        }
        assert_eq!(wilson(0, 0), Interval { low: 0.0, high: 1.0 });
    }

    /// The tail by counting with Pascal's triangle.
    fn counted(hits: u64, group: u64, all_hits: u64, all: u64) -> f64 {
        let choose = |n: u64, k: u64| -> f64 {
            if k > n { 0.0 } else { (1..=k).fold(1.0, |product, i| product * real(n - k + i) / real(i)) }
        };
        (0..=hits).map(|k| choose(all_hits, k) * choose(all - all_hits, group.wrapping_sub(k))).sum::<f64>()
            / choose(all, group)
    }

    #[test]
    fn the_tail_is_that_of_counting() {
        for (group, all_hits, all) in [(5_u64, 10_u64, 20), (7, 3, 12), (12, 30, 40), (1, 1, 2), (9, 9, 9)] {
            let least = (group + all_hits).saturating_sub(all);
            for hits in least..=group.min(all_hits) {
                let (found, expected) =
                    (lower_tail(hits, group, all_hits, all), counted(hits, group, all_hits, all));
                assert!(
                    near(found, expected),
                    "{hits} of {group}, {all_hits} of {all}: {found} and {expected}"
                );
            }
        }
        assert!(near(lower_tail(700, 1_000, 8_000, 10_000), 0.0));
    }

    #[test]
    fn holm_stops_at_the_first_test_that_is_not_passed() {
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
        assert_eq!(holm(&[0.04], 0.05), [true]);
        assert_eq!(holm(&[], 0.05), Vec::<bool>::new());
    }

    #[test]
    fn survival_and_correlation_are_those_of_the_textbook() {
        // Kaplan and Meier's own example: ends at 0.8, 3.1, 5.4 and 9.2 months, eight lives at the beginning.
        let found = survival([(8, 1), (5, 1), (4, 1), (2, 1)]);
        let expected = [0.875, 0.7, 0.525, 0.2625];
        assert!(found.iter().zip(expected).all(|(a, b)| near(*a, b)), "{found:?}");
        assert!(correlation(3, [6, 12, 14, 56, 28]).is_some_and(|found| near(found, 1.0)));
        assert_eq!(correlation(2, [4, 4, 10, 8, 8]), None, "one value is the same in all pairs");
        assert_eq!(median(&[(1, 2), (4, 1), (9, 1)]), Some(1));
        assert_eq!(median(&[]), None);
    }
}
