//! Criterion `goals`: the similarity of the goals of both.

use super::super::aspect::PointScale;
use super::super::similarity::{ComparedTerms, Similarity};
use crate::domain::explanation::ReasonCode;
use crate::domain::vocabulary::{Goal, Terms};
use crate::engine::encode::Round;

const GOALS: ComparedTerms = ComparedTerms {
    of: |profile| profile.goals.bits(),
    codes: |bits| Terms::<Goal>::from_bits(bits).codes().collect::<Vec<_>>().join(","),
    some: ReasonCode::GoalsShared,
    none: ReasonCode::GoalsNone,
    list: "goals",
};

pub(super) fn aspect(scale: Option<PointScale>, _: &Round<'_>) -> Option<Similarity> {
    scale.map(|scale| Similarity::new(scale, GOALS))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::engine::tests::reference::{ReferencePair, jaccard};

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        let codes = [pair.mentee, pair.mentor].map(|profile| profile.goals.codes().collect::<Vec<_>>());
        jaccard(&codes[0], &codes[1])
    }
}
