//! Criterion `topics`: the share of the topics sought that the mentor offers.

use super::super::aspect::PointScale;
use super::super::coverage::{Coverage, CoveredTerms};
use crate::domain::explanation::ReasonCode;
use crate::domain::vocabulary::{Terms, Topic};
use crate::engine::encode::Round;

const TOPICS: CoveredTerms = CoveredTerms {
    sought: |profile| profile.mentee_request.map_or(0, |request| request.topics.bits()),
    offered: |profile| profile.mentor_offer.map_or(0, |offer| offer.topics.bits()),
    codes: |bits| Terms::<Topic>::from_bits(bits).codes().collect::<Vec<_>>().join(","),
    some: ReasonCode::TopicsCovered,
    none: ReasonCode::TopicsNone,
    count: "covered",
    list: "topics",
    missing: Some("missing"),
};

pub(super) fn aspect(scale: Option<PointScale>, _: &Round<'_>) -> Option<Coverage> {
    scale.map(|scale| Coverage::new(scale, TOPICS))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::engine::tests::reference::{ReferencePair, covered};

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        let sought = pair.mentee.mentee_request.expect("a mentee").topics;
        let offered = pair.mentor.mentor_offer.expect("a mentor").topics;
        covered(&sought.codes().collect::<Vec<_>>(), &offered.codes().collect::<Vec<_>>())
    }
}
