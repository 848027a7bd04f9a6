//! Messages of the equity watch.

use super::{count, number};
use crate::api::proto::v1;
use crate::domain::equity::{Dimension, EquityMeasure, EquityWarning, MenteeGroup, watch};
use crate::domain::name::OrganisationId;

/// The warnings of a run, for coordinators.
pub(super) fn messages(groups: &[MenteeGroup]) -> Vec<v1::EquityWarning> {
    watch(groups).iter().map(message).collect()
}

fn message(warning: &EquityWarning) -> v1::EquityWarning {
    let dimension = match warning.dimension {
        Dimension::Region => v1::EquityDimension::Region,
        Dimension::Language => v1::EquityDimension::Language,
        Dimension::Stage => v1::EquityDimension::Stage,
        Dimension::Organisation => v1::EquityDimension::Organisation,
    };
    let measure = match warning.measure {
        EquityMeasure::MatchRate => v1::EquityMeasure::MatchRate,
        EquityMeasure::Scores => v1::EquityMeasure::Scores,
    };
    let group = match (warning.dimension, warning.key.parse::<OrganisationId>()) {
        (Dimension::Organisation, Ok(organisation)) => organisation.name(),
        _ => warning.key.clone(),
    };
    v1::EquityWarning {
        dimension: dimension.into(),
        group,
        measure: measure.into(),
        part: count(warning.group.0),
        base: count(warning.group.1),
        low_percent: warning.interval.0.into(),
        high_percent: warning.interval.1.into(),
        whole_part: count(warning.whole.0),
        whole_base: count(warning.whole.1),
    }
}

/// A warning as the domain has it; `None` if its kind is unknown.
pub(super) fn warning(message: &v1::EquityWarning) -> Option<EquityWarning> {
    let dimension = match message.dimension() {
        v1::EquityDimension::Unspecified => return None,
        v1::EquityDimension::Region => Dimension::Region,
        v1::EquityDimension::Language => Dimension::Language,
        v1::EquityDimension::Stage => Dimension::Stage,
        v1::EquityDimension::Organisation => Dimension::Organisation,
    };
    let measure = match message.measure() {
        v1::EquityMeasure::Unspecified => return None,
        v1::EquityMeasure::MatchRate => EquityMeasure::MatchRate,
        v1::EquityMeasure::Scores => EquityMeasure::Scores,
    };
    let percent = |value: i32| u8::try_from(value).unwrap_or(100);
    let group = message.group.as_str();
    Some(EquityWarning {
        dimension,
        key: group.strip_prefix("organisations/").unwrap_or(group).to_owned(),
        measure,
        group: (number(message.part), number(message.base)),
        interval: (percent(message.low_percent), percent(message.high_percent)),
        whole: (number(message.whole_part), number(message.whole_base)),
    })
}
