//! Criterion `region_near`: nearness by country and region, for rounds whose pairs want to meet.

use super::super::aspect::PointScale;
use super::super::nearness::Nearness;
use crate::engine::encode::Round;

pub(super) fn aspect(scale: Option<PointScale>, _: &Round<'_>) -> Option<Nearness> {
    scale.map(Nearness::near)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::engine::tests::reference::{ReferencePair, nearness};

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        Some(nearness(pair.mentee, pair.mentor))
    }
}
