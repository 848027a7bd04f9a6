//! A linear model with one effect per criterion, compared within each round: ridge regression (Hoerl and Kennard 1970,
//! Technometrics 12), read as a Bayesian model with a normal prior of each effect (Gelman et al., Bayesian Data Analysis, third
//! edition, section 14.8).
//!
//! With the outcome `y` and the fulfilment `X`, both without the mean of their round, the variance `s` of `y`, and the expected size
//! `t` of an effect: `A = X'X / s + I / t²`, effects `A⁻¹ X'y / s`, variances the diagonal of `A⁻¹`. The variance of the outcome stands
//! for the one of the model's errors, which is smaller: the intervals are rather too wide than too narrow. A missing answer counts
//! as the mean of its round.
//!
//! Rows in the same order give the same bits: only additions, multiplications, divisions and square roots are used, which IEEE 754
//! defines exactly.

use std::collections::BTreeMap;

use crate::domain::name::RoundId;

/// Standard deviations within which a normal variable lies with 99 % probability. Some ten criteria are judged at once, so that
/// 95 % would find an effect by chance in every second advice.
pub(super) const OF_99_PERCENT: f64 = 2.575_829;

/// A mentorship.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// Its round.
    pub(super) round: &'a RoundId,
    /// How well it fulfils each criterion, in 1/10,000; `None` without an answer.
    pub(super) fulfilled: Vec<Option<u16>>,
    /// Its outcome.
    pub(super) outcome: f64,
}

/// The effects of a fitted model.
#[derive(Debug)]
pub(super) struct Model {
    /// Estimate and standard deviation of each effect.
    effects: Vec<(f64, f64)>,
}

impl Model {
    /// Estimate and standard deviation of the effect of a criterion.
    pub(super) fn effect(&self, at: usize) -> (f64, f64) {
        self.effects[at]
    }
}

/// Fits the model of so many criteria. `None` if no round has two different outcomes.
pub(super) fn fit(rows: &[Row<'_>], criteria: usize, expected_size: f64) -> Option<Model> {
    let centred = centred(rows, criteria);
    let rounds = centred.rounds;
    let squares: f64 = centred.rows.iter().map(|(_, outcome)| outcome * outcome).sum();
    if criteria == 0 || squares <= f64::EPSILON || rows.len() <= rounds {
        return None;
    }
    let variance = squares / number(rows.len() - rounds);
    let mut matrix = vec![vec![0.0; criteria]; criteria];
    let mut right = vec![0.0; criteria];
    for (fulfilled, outcome) in &centred.rows {
        for at in 0..criteria {
            right[at] += fulfilled[at] * outcome / variance;
            for other in 0..=at {
                matrix[at][other] += fulfilled[at] * fulfilled[other] / variance;
            }
        }
    }
    for (at, row) in matrix.iter_mut().enumerate() {
        row[at] += 1.0 / (expected_size * expected_size);
    }
    let factor = cholesky(matrix);
    let estimates = solve(&factor, right);
    let effects = estimates.into_iter().enumerate().map(|(at, estimate)| {
        let mut unit = vec![0.0; criteria];
        unit[at] = 1.0;
        (estimate, solve(&factor, unit)[at].sqrt())
    });
    Some(Model { effects: effects.collect() })
}

/// Rows without the means of their rounds.
struct Centred {
    /// Number of rounds.
    rounds: usize,
    /// Fulfilment of each criterion, 0 for a missing answer, and the outcome.
    rows: Vec<(Vec<f64>, f64)>,
}

fn centred(rows: &[Row<'_>], criteria: usize) -> Centred {
    /// Sum and number of values.
    type Sum = (f64, usize);
    let mut sums: BTreeMap<&RoundId, (Vec<Sum>, Sum)> = BTreeMap::new();
    for row in rows {
        let (fulfilled, outcomes) =
            sums.entry(row.round).or_insert_with(|| (vec![(0.0, 0); criteria], (0.0, 0)));
        for (sum, value) in fulfilled.iter_mut().zip(&row.fulfilled) {
            if let Some(value) = value {
                *sum = (sum.0 + share(*value), sum.1 + 1);
            }
        }
        *outcomes = (outcomes.0 + row.outcome, outcomes.1 + 1);
    }
    let mean = |(sum, of): &Sum| if *of == 0 { 0.0 } else { sum / number(*of) };
    let without_means = |row: &Row<'_>| {
        let (fulfilled, outcomes) = &sums[row.round];
        let pairs = fulfilled.iter().zip(&row.fulfilled);
        let fulfilled = pairs.map(|(sum, value)| value.map_or(0.0, |value| share(value) - mean(sum)));
        (fulfilled.collect(), row.outcome - mean(outcomes))
    };
    Centred { rounds: sums.len(), rows: rows.iter().map(without_means).collect() }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn share(ten_thousandths: u16) -> f64 {
    f64::from(ten_thousandths) / 10_000.0
}

/// The lower triangle `L` with `L L' = A`, of the lower triangle of a positive definite `A` (Golub and Van Loan, Matrix
/// Computations, section 4.2).
fn cholesky(mut matrix: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for at in 0..matrix.len() {
        for other in 0..=at {
            let products: f64 = (0..other).map(|k| matrix[at][k] * matrix[other][k]).sum();
            let rest = matrix[at][other] - products;
            matrix[at][other] = if other == at { rest.sqrt() } else { rest / matrix[other][other] };
        }
    }
    matrix
}

/// Solves `L L' x = b`.
fn solve(factor: &[Vec<f64>], mut right: Vec<f64>) -> Vec<f64> {
    for at in 0..factor.len() {
        let products: f64 = (0..at).map(|k| factor[at][k] * right[k]).sum();
        right[at] = (right[at] - products) / factor[at][at];
    }
    for at in (0..factor.len()).rev() {
        let products: f64 = (at + 1..factor.len()).map(|k| factor[k][at] * right[k]).sum();
        right[at] = (right[at] - products) / factor[at][at];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(round: &'a RoundId, fulfilled: &[Option<u16>], outcome: f64) -> Row<'a> {
        Row { round, fulfilled: fulfilled.to_vec(), outcome }
    }

    #[test]
    fn one_criterion_has_the_closed_form_of_ridge_regression() {
        let round = "2027".parse::<RoundId>().expect("an id");
        let data = [(0, 2.0), (2_500, 3.0), (5_000, 3.5), (7_500, 4.0), (10_000, 5.0)];
        let rows: Vec<_> = data.iter().map(|(x, y)| row(&round, &[Some(*x)], *y)).collect();
        let (estimate, deviation) = fit(&rows, 1, 1.0).expect("a model").effect(0);
        // By hand: the centred sums are xx = 0.625, xy = 1.75, yy = 5; the variance is 5 / 4.
        let (xx, xy, variance) = (0.625, 1.75, 5.0 / 4.0);
        assert!((estimate - xy / (xx + variance)).abs() < 1e-12);
        assert!((deviation - (1.0 / (xx / variance + 1.0_f64)).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn the_factor_solves_its_equations() {
        let matrix = [[4.0, 2.0, 0.6], [2.0, 3.0, 0.4], [0.6, 0.4, 2.0]];
        let factor = cholesky(matrix.map(Vec::from).to_vec());
        let found = solve(&factor, vec![1.0, -2.0, 3.0]);
        for (row, right) in matrix.iter().zip([1.0, -2.0, 3.0]) {
            let left: f64 = row.iter().zip(&found).map(|(a, x)| a * x).sum();
            assert!((left - right).abs() < 1e-12);
        }
    }

    #[test]
    fn a_round_in_which_everybody_is_happier_is_no_effect() {
        let rounds = ["2026", "2027"].map(|id| id.parse::<RoundId>().expect("an id"));
        // The second round has better pairs and better outcomes; within a round nothing depends on the criterion.
        let mut rows = Vec::new();
        for ((better, happier), round) in [(0, 0.0), (8_000, 3.0)].into_iter().zip(&rounds) {
            for (x, y) in [(0, 1.0), (0, 2.0), (2_000, 1.0), (2_000, 2.0)] {
                rows.push(row(round, &[Some(x + better)], y + happier));
            }
        }
        assert!(fit(&rows, 1, 1.0).expect("a model").effect(0).0.abs() < 1e-12);
        let same: Vec<_> = rows.iter().map(|one| row(one.round, &one.fulfilled, 3.0)).collect();
        assert!(fit(&same, 1, 1.0).is_none(), "nothing differs");
    }
}
