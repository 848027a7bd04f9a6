//! Conversions of matches, people without a match and explained pairs. To a message, reasons are rendered in the
//! requested language; from a message, only codes and parameters are read.

use std::str::FromStr as _;

use super::points;
use super::policy::{criterion, criterion_message, hard_rule};
use crate::api::proto::v1;
use crate::domain::erasure::is_surrogate;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::name::{ProfileRef, RunRef};
use crate::domain::run::{Contribution, Match, MatchView, Side, Unmatched, UnmatchedReason};
use crate::domain::suppression::{Band, PeopleCount};
use crate::domain::vocabulary::Lang;
use crate::error::Error;
use crate::{message, wording};

/// A match to the message. A pair that is not a match has no id.
pub fn match_message(run: &RunRef, id: Option<&str>, pair: &Match, lang: Lang) -> v1::Match {
    v1::Match {
        name: id.map(|id| format!("{run}/matches/{id}")).unwrap_or_default(),
        mentee: pair.mentee.name(),
        mentor: pair.mentor.name(),
        score: pair.score.into(),
        contributions: pair
            .contributions
            .iter()
            .map(|contribution| v1::Contribution {
                criterion: criterion_message(contribution.criterion),
                points: contribution.points.into(),
                max_points: contribution.max_points.into(),
                reason: Some(reason_message(&contribution.reason, lang)),
            })
            .collect(),
        pinned: pair.pinned,
        erased: [&pair.mentee, &pair.mentor].iter().any(|person| is_surrogate(&person.id)),
    }
}

/// The view that a request asks for.
pub fn match_view(number: i32) -> Result<MatchView, Error> {
    match v1::MatchView::try_from(number) {
        Ok(v1::MatchView::Unspecified | v1::MatchView::Basic) => Ok(MatchView::Basic),
        Ok(v1::MatchView::Full) => Ok(MatchView::Full),
        Err(_) => {
            let expected = message!("is not a view; use MATCH_VIEW_BASIC or MATCH_VIEW_FULL");
            Err(Error::invalid_field("view", &number.to_string(), expected))
        }
    }
}

/// A reason to the message, rendered.
pub fn reason_message(reason: &Reason, lang: Lang) -> v1::Reason {
    v1::Reason {
        code: reason.code.as_str().to_owned(),
        parameters: reason
            .parameters
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        text: wording::render(reason, lang),
    }
}

/// A person without a match to the message.
pub fn unmatched_message(unmatched: &Unmatched, lang: Lang) -> v1::Unmatched {
    v1::Unmatched {
        profile: unmatched.profile.name(),
        side: unmatched.side.map_or(v1::Side::Unspecified as i32, |side| side as i32),
        reason: unmatched.reason as i32,
        counterparts: Some(people_message(unmatched.counterparts, lang)),
        candidates: Some(people_message(unmatched.candidates, lang)),
        exclusions: unmatched
            .exclusions
            .iter()
            .map(|(rule, people)| v1::RuleCount {
                rule: *rule as i32,
                people: Some(people_message(*people, lang)),
                text: wording::exclusion_label(*rule, lang).to_owned(),
            })
            .collect(),
        details: unmatched.details.iter().map(|reason| reason_message(reason, lang)).collect(),
    }
}

/// A number of people to the message.
fn people_message(people: PeopleCount, lang: Lang) -> v1::PeopleCount {
    use v1::people_count::Count;
    v1::PeopleCount {
        count: Some(match people {
            PeopleCount::Exact(count) => Count::Exact(count.into()),
            PeopleCount::Banded(band) => Count::Band(band as i32),
        }),
        text: wording::people(people, lang),
    }
}

/// Reads a number of people; `None` if this version does not know the band.
fn people(message: Option<&v1::PeopleCount>) -> Option<PeopleCount> {
    use v1::people_count::Count;
    match message?.count? {
        Count::Exact(count) => Some(PeopleCount::Exact(u32::try_from(count).unwrap_or_default())),
        Count::Band(number) => {
            Band::ALL.into_iter().find(|band| *band as i32 == number).map(PeopleCount::Banded)
        }
    }
}

/// Reads a match; `None` if this version does not know one of its codes.
pub fn matched(message: &v1::Match) -> Option<Match> {
    let contributions = message.contributions.iter().map(|contribution| {
        Some(Contribution {
            criterion: criterion(contribution.criterion),
            points: points(contribution.points),
            max_points: points(contribution.max_points),
            reason: reason(contribution.reason.as_ref()?)?,
        })
    });
    Some(Match {
        mentee: ProfileRef::from_name(&message.mentee).ok()?,
        mentor: ProfileRef::from_name(&message.mentor).ok()?,
        score: points(message.score),
        contributions: contributions.collect::<Option<_>>()?,
        pinned: message.pinned,
    })
}

/// Reads a person without a match; `None` if this version does not know one of its codes.
pub fn unmatched(message: &v1::Unmatched) -> Option<Unmatched> {
    Some(Unmatched {
        profile: ProfileRef::from_name(&message.profile).ok()?,
        side: match message.side() {
            v1::Side::Unspecified => None,
            v1::Side::Mentee => Some(Side::Mentee),
            v1::Side::Mentor => Some(Side::Mentor),
        },
        reason: UnmatchedReason::ALL.into_iter().find(|reason| *reason as i32 == message.reason)?,
        counterparts: people(message.counterparts.as_ref())?,
        candidates: people(message.candidates.as_ref())?,
        exclusions: message
            .exclusions
            .iter()
            .filter_map(|exclusion| Some((hard_rule(exclusion.rule)?, people(exclusion.people.as_ref())?)))
            .collect(),
        details: message.details.iter().map(reason).collect::<Option<_>>()?,
    })
}

fn reason(message: &v1::Reason) -> Option<Reason> {
    Some(Reason {
        code: ReasonCode::from_str(&message.code).ok()?,
        parameters: message.parameters.clone().into_iter().collect(),
    })
}
