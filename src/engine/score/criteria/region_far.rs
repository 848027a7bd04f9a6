//! Criterion `region_far`: distance by country and region, for rounds that want exchange.

use super::super::aspect::PointScale;
use super::super::nearness::Nearness;
use crate::engine::encode::Round;

pub(super) fn aspect(scale: Option<PointScale>, _: &Round<'_>) -> Option<Nearness> {
    scale.map(Nearness::far)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::engine::tests::reference::{ReferencePair, nearness};

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        Some(10_000 - nearness(pair.mentee, pair.mentor))
    }
}
