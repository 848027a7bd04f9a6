//! Criterion `working_style`: the similarity of the working styles of both.

use super::super::aspect::PointScale;
use super::super::similarity::{ComparedTerms, Similarity};
use crate::domain::explanation::ReasonCode;
use crate::domain::vocabulary::{Terms, WorkingStyle};
use crate::engine::encode::Round;

const WORKING_STYLES: ComparedTerms = ComparedTerms {
    of: |profile| profile.working_styles.bits(),
    codes: |bits| Terms::<WorkingStyle>::from_bits(bits).codes().collect::<Vec<_>>().join(","),
    some: ReasonCode::StylesShared,
    none: ReasonCode::StylesNone,
    list: "styles",
};

pub(super) fn aspect(scale: Option<PointScale>, _: &Round<'_>) -> Option<Similarity> {
    scale.map(|scale| Similarity::new(scale, WORKING_STYLES))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::engine::tests::reference::{ReferencePair, jaccard};

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        let codes =
            [pair.mentee, pair.mentor].map(|profile| profile.working_styles.codes().collect::<Vec<_>>());
        jaccard(&codes[0], &codes[1])
    }
}
