//! A cost, level by level, in words and as JSON.

use serde_json::{Value, json};

use super::problem::number;
use crate::domain::vocabulary::Lang;
use crate::engine::what_if::Cost;
use crate::instance::Decimals;
use crate::{message, wording};

/// A change in words: `1 mentee more in tier 0, 12 points fewer`.
pub(super) fn in_words(cost: &Cost, decimals: Decimals, lang: Lang) -> String {
    let mut parts = Vec::new();
    for (tier, lost) in &cost.tiers {
        let (people, tier) = (lost.unsigned_abs(), *tier);
        parts.push(match lost.signum() {
            0 => continue,
            1 => message!(
                "{people|1 mentee|{people} mentees} fewer in tier {tier}",
                people = people,
                tier = tier
            ),
            _ => message!(
                "{people|1 mentee|{people} mentees} more in tier {tier}",
                people = people,
                tier = tier
            ),
        });
    }
    let places = cost.minimum.unsigned_abs();
    match cost.minimum.signum() {
        0 => {}
        1 => parts.push(message!("{places|1 minimum place|{places} minimum places} fewer", places = places)),
        _ => parts.push(message!("{places|1 minimum place|{places} minimum places} more", places = places)),
    }
    let mentors = cost.second.unsigned_abs();
    match cost.second.signum() {
        0 => {}
        1 => parts
            .push(message!("{mentors|1 second mentor|{mentors} second mentors} fewer", mentors = mentors)),
        _ => {
            parts
                .push(message!("{mentors|1 second mentor|{mentors} second mentors} more", mentors = mentors));
        }
    }
    let points = decimals.value(i64::try_from(cost.score.unsigned_abs()).unwrap_or(i64::MAX));
    match cost.score.signum() {
        0 => {}
        1 => parts.push(message!("{points|1 point|{points} points} fewer", points = points)),
        _ => parts.push(message!("{points|1 point|{points} points} more", points = points)),
    }
    if parts.is_empty() {
        parts.push(message!("no change"));
    }
    parts.iter().map(|part| wording::message(part, lang)).collect::<Vec<_>>().join(", ")
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
        assert_eq!(in_words(&cost, Decimals::default(), Lang::default()), told);
        assert_eq!(in_words(&Cost::default(), Decimals::default(), Lang::default()), "no change");
    }
}
