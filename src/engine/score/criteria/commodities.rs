//! Criterion `commodities`: the share of the mentee's commodities that the mentor has.

use super::super::aspect::PointScale;
use super::super::coverage::{Coverage, CoveredTerms};
use crate::domain::explanation::ReasonCode;
use crate::domain::vocabulary::{Commodity, Terms};
use crate::engine::encode::Round;

const COMMODITIES: CoveredTerms = CoveredTerms {
    sought: |profile| profile.commodities.bits(),
    offered: |profile| profile.commodities.bits(),
    codes: |bits| Terms::<Commodity>::from_bits(bits).codes().collect::<Vec<_>>().join(","),
    some: ReasonCode::CommoditiesShared,
    none: ReasonCode::CommoditiesNone,
    count: "common",
    list: "commodities",
    missing: None,
};

pub(super) fn aspect(scale: Option<PointScale>, _: &Round<'_>) -> Option<Coverage> {
    scale.map(|scale| Coverage::new(scale, COMMODITIES))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::engine::tests::reference::{ReferencePair, covered};

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        let codes = [pair.mentee, pair.mentor].map(|profile| profile.commodities.codes().collect::<Vec<_>>());
        covered(&codes[0], &codes[1])
    }
}
