//! A cost, level by level, in words and as JSON.

use serde_json::{Value, json};

use super::problem::number;
use crate::engine::what_if::Cost;
use crate::instance::Decimals;

/// A change in words: `1 mentee more in tier 0, 12 points fewer`.
pub(super) fn in_words(cost: &Cost, decimals: Decimals) -> String {
    let mut parts = Vec::new();
    let mut add = |lost: i64, one: &str, many: &str, of: &str| {
        if lost != 0 {
            let (count, change) = (lost.unsigned_abs(), if lost > 0 { "fewer" } else { "more" });
            parts.push(format!("{count} {} {change}{of}", if count == 1 { one } else { many }));
        }
    };
    for (tier, lost) in &cost.tiers {
        add(*lost, "mentee", "mentees", &format!(" in tier {tier}"));
    }
    add(cost.minimum, "minimum place", "minimum places", "");
    add(cost.second, "second mentor", "second mentors", "");
    if cost.score != 0 {
        let change = if cost.score > 0 { "fewer" } else { "more" };
        let points = decimals.shown(i64::try_from(cost.score.unsigned_abs()).unwrap_or(i64::MAX));
        parts.push(format!("{points} {} {change}", if points == "1" { "point" } else { "points" }));
    }
    if parts.is_empty() { "no change".to_owned() } else { parts.join(", ") }
}

/// A cost as JSON; a gain is a negative number.
pub(super) fn in_json(cost: &Cost) -> Value {
    let tiers = cost.tiers.iter().map(|(tier, lost)| json!({ "tier": tier, "mentees": lost }));
    json!({
        "tiers": tiers.collect::<Vec<_>>(),
        "minimum_places": cost.minimum,
        "second_mentors": cost.second,
        "score": cost.score,
        "weighted": number(cost.weighted),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_listed_in_order_and_a_gain_as_more() {
        let cost = Cost { weighted: 9, tiers: vec![(0, -1), (2, 2)], minimum: 1, second: 0, score: -1 };
        let told = "1 mentee more in tier 0, 2 mentees fewer in tier 2, 1 minimum place fewer, 1 point more";
        assert_eq!(in_words(&cost, Decimals::default()), told);
        assert_eq!(in_words(&Cost::default(), Decimals::default()), "no change");
    }
}
