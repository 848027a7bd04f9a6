//! Criterion `functions`: the share of the mentee's functions that the mentor has.

use super::super::aspect::PointScale;
use super::super::coverage::{Coverage, CoveredTerms};
use crate::domain::explanation::ReasonCode;
use crate::domain::vocabulary::{Function, Terms};
use crate::engine::encode::Round;

const FUNCTIONS: CoveredTerms = CoveredTerms {
    sought: |profile| profile.functions.bits(),
    offered: |profile| profile.functions.bits(),
    codes: |bits| Terms::<Function>::from_bits(bits).codes().collect::<Vec<_>>().join(","),
    some: ReasonCode::FunctionsShared,
    none: ReasonCode::FunctionsNone,
    count: "common",
    list: "functions",
    missing: None,
};

pub(super) fn aspect(scale: Option<PointScale>, _: &Round<'_>) -> Option<Coverage> {
    scale.map(|scale| Coverage::new(scale, FUNCTIONS))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::engine::tests::reference::{ReferencePair, covered};

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        let codes = [pair.mentee, pair.mentor].map(|profile| profile.functions.codes().collect::<Vec<_>>());
        covered(&codes[0], &codes[1])
    }
}
