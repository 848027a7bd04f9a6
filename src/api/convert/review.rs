//! Decisions, reviews of pairs, comments and submissions as messages.

use super::outcome::match_message;
use super::{count, etag, timestamp};
use crate::api::proto::v1;
use crate::domain::name::{CommentRef, DecisionRef, OrganisationId, PairRef, ProfileRef, RoundId, RunRef};
use crate::domain::record::Record;
use crate::domain::review::{
    Ask, Attention, Comment, CommentKind, Decision, DecisionCost, DecisionKind, PairReview, ReviewFilter,
    ReviewedMatch,
};
use crate::domain::run::{Match, RoundNumbers, ScoreRange, Side};
use crate::domain::submission::{Submission, SubmissionState};
use crate::domain::vocabulary::{Lang, Region};
use crate::engine::solved_round::{Effect, Move, RoundAlternate};
use crate::error::Error;
use crate::service::AskedDecision;

fn principal(record: &Record) -> String {
    format!("principals/{}", record.recorder)
}

fn pair_name(round: &RoundId, id: &str) -> String {
    PairRef { round: round.clone(), id: id.to_owned() }.name()
}

/// A decision of a round.
pub fn decision(round: &RoundId, decision: &Decision) -> v1::Decision {
    v1::Decision {
        name: DecisionRef { round: round.clone(), number: decision.number }.name(),
        kind: match decision.kind {
            DecisionKind::Pin => v1::DecisionKind::Pin,
            DecisionKind::Veto => v1::DecisionKind::Veto,
        }
        .into(),
        mentee: decision.pair.mentee.name(),
        mentor: decision.pair.mentor.name(),
        pair: pair_name(round, &decision.pair_id),
        reason: decision.reason.clone(),
        author: principal(&decision.made),
        create_time: Some(timestamp(decision.made.time)),
        release: decision.release.as_ref().map(|(record, reason)| v1::DecisionRelease {
            author: principal(record),
            reason: reason.clone(),
            time: Some(timestamp(record.time)),
            cost: decision.release_cost.as_ref().map(|one| cost(round, one)),
        }),
        cost: decision.cost.as_ref().map(|one| cost(round, one)),
    }
}

fn cost(round: &RoundId, cost: &DecisionCost) -> v1::DecisionCost {
    v1::DecisionCost {
        run: RunRef { round: round.clone(), number: cost.run }.name(),
        before: Some(numbers(cost.before)),
        after: Some(numbers(cost.after)),
        moved_mentees: count(cost.moved),
        exact: cost.is_exact,
    }
}

/// What was said of a pair.
pub fn review(round: &RoundId, review: &PairReview) -> v1::PairReview {
    v1::PairReview {
        name: pair_name(round, &review.pair_id),
        mentee: review.pair.mentee.name(),
        mentor: review.pair.mentor.name(),
        mark: review
            .mark
            .as_ref()
            .map(|mark| v1::ReviewMark { author: principal(mark), time: Some(timestamp(mark.time)) }),
        open_contests: review.contests,
        comments: review.comments,
        etag: etag(review.version),
    }
}

/// A comment on a pair.
pub fn comment(round: &RoundId, comment: &Comment) -> v1::Comment {
    let pair = PairRef { round: round.clone(), id: comment.pair_id.clone() };
    v1::Comment {
        name: CommentRef { pair, id: comment.id.clone() }.name(),
        kind: match comment.kind {
            CommentKind::Comment => v1::CommentKind::Comment,
            CommentKind::Mark => v1::CommentKind::Mark,
            CommentKind::Contest => v1::CommentKind::Contest,
            CommentKind::Objection => v1::CommentKind::Objection,
            CommentKind::Ask => v1::CommentKind::Ask,
        }
        .into(),
        author: principal(&comment.said),
        organisation: comment.organisation.as_ref().map(OrganisationId::name).unwrap_or_default(),
        text: comment.text.clone(),
        create_time: Some(timestamp(comment.said.time)),
    }
}

/// An ask, with what an expert reads of its pair.
pub fn ask(ask: &Ask, explained: Option<&(RunRef, Match)>, lang: Lang) -> v1::Ask {
    v1::Ask {
        name: ask.name.name(),
        expert: ask.name.expert.name(),
        mentee: ask.pair.mentee.name(),
        mentor: ask.pair.mentor.name(),
        question: ask.question.clone(),
        author: principal(&ask.asked),
        create_time: Some(timestamp(ask.asked.time)),
        withdraw_time: ask.withdrawn.as_ref().map(|record| timestamp(record.time)),
        r#match: explained.map(|(run, pair)| match_message(run, None, pair, lang)),
    }
}

/// A match of a run with what was said of it. A pair of which nothing was said has a review without an etag.
pub fn reviewed_match(run: &str, round: &RoundId, reviewed: &ReviewedMatch) -> v1::ReviewedMatch {
    let pair = &reviewed.found;
    let empty = || v1::PairReview {
        name: pair_name(round, &reviewed.id),
        mentee: pair.mentee.name(),
        mentor: pair.mentor.name(),
        ..v1::PairReview::default()
    };
    v1::ReviewedMatch {
        r#match: Some(v1::Match {
            name: format!("{run}/matches/{}", reviewed.id),
            mentee: pair.mentee.name(),
            mentor: pair.mentor.name(),
            score: pair.score.into(),
            ..v1::Match::default()
        }),
        review: Some(reviewed.review.as_ref().map_or_else(empty, |found| review(round, found))),
        decision: reviewed.decision.as_ref().map(|found| decision(round, found)),
        attention: reviewed.attention.iter().map(|cause| *cause as i32).collect(),
    }
}

/// A filter of reviewed matches.
pub fn filter(message: v1::ReviewFilter) -> Result<ReviewFilter, Error> {
    let v1::ReviewFilter { attention, min_score, max_score, organisation, reviewed, region } = message;
    let known = |number: &i32| {
        let found = Attention::ALL.into_iter().find(|cause| *cause as i32 == *number);
        found.ok_or_else(|| {
            Error::invalid_field("filter.attention", &number.to_string(), "is not a value of Attention")
        })
    };
    let organisation = match organisation.as_str() {
        "" => None,
        name => Some(
            OrganisationId::from_name(name)
                .map_err(|error| Error::invalid_field("filter.organisation", name, error.to_string()))?,
        ),
    };
    let attention = attention.iter().map(known).collect::<Result<Vec<_>, _>>()?;
    let known = |code: &str| {
        let what = "is not the UN M49 code of a sub-region, for example 005";
        Region::from_code(code).ok_or_else(|| Error::invalid_field("filter.region", code, what))
    };
    let region = Some(region.as_str()).filter(|code| !code.is_empty()).map(known).transpose()?;
    Ok(ReviewFilter { attention, min_score, max_score, organisation, region, reviewed })
}

/// A submission.
pub fn submission(submission: &Submission) -> v1::Submission {
    let Submission { published, end, .. } = submission;
    v1::Submission {
        name: submission.name.name(),
        run: submission.run.name(),
        result_digest: submission.result_digest.clone(),
        state: match submission.state {
            SubmissionState::Submitted => v1::SubmissionState::Submitted,
            SubmissionState::Approved => v1::SubmissionState::Approved,
            SubmissionState::Rejected => v1::SubmissionState::Rejected,
            SubmissionState::Published => v1::SubmissionState::Published,
            SubmissionState::Unpublished => v1::SubmissionState::Unpublished,
            SubmissionState::Superseded => v1::SubmissionState::Superseded,
        }
        .into(),
        required_approvals: submission.required_approvals.into(),
        approvals: submission
            .approvals
            .iter()
            .map(|approval| v1::Approval {
                author: principal(&approval.given),
                comment: approval.comment.clone(),
                time: Some(timestamp(approval.given.time)),
            })
            .collect(),
        objection_end_time: submission.objection_end.map(timestamp),
        comment: submission.comment.clone(),
        author: principal(&submission.made),
        create_time: Some(timestamp(submission.made.time)),
        publisher: published.as_ref().map(principal).unwrap_or_default(),
        publish_time: published.as_ref().map(|record| timestamp(record.time)),
        end: end.as_ref().map(|(record, reason)| v1::SubmissionEnd {
            author: principal(record),
            reason: reason.clone(),
            time: Some(timestamp(record.time)),
        }),
    }
}

/// A decision that is asked about.
pub fn asked(message: v1::ProposedDecision) -> AskedDecision {
    let kind = match message.kind() {
        v1::DecisionKind::Pin => Some(DecisionKind::Pin),
        v1::DecisionKind::Veto => Some(DecisionKind::Veto),
        v1::DecisionKind::Unspecified => None,
    };
    AskedDecision { kind, mentee: message.mentee, mentor: message.mentor }
}

/// The side of a question.
pub fn side_of(number: i32) -> Result<Side, Error> {
    match v1::Side::try_from(number) {
        Ok(v1::Side::Mentee) => Ok(Side::Mentee),
        Ok(v1::Side::Mentor) => Ok(Side::Mentor),
        _ => Err(Error::invalid_field("side", &number.to_string(), "is no side; use MENTEE or MENTOR")),
    }
}

/// What other decisions would change.
pub fn effect(effect: &Effect) -> v1::DecisionEffect {
    v1::DecisionEffect {
        before: Some(numbers(effect.before)),
        after: Some(numbers(effect.after)),
        moves: effect.moves.iter().map(moved).collect(),
        exact: effect.is_exact,
    }
}

/// A pair that is no match, with its cost.
pub fn alternate(alternate: &RoundAlternate) -> v1::MatchAlternate {
    v1::MatchAlternate {
        mentee: alternate.mentee.name(),
        mentor: alternate.mentor.name(),
        score: alternate.score.into(),
        lost_score: count(alternate.points),
        lost_mentees: count(alternate.people),
        moves: alternate.moves.iter().map(moved).collect(),
        exact: alternate.is_exact,
    }
}

fn numbers(numbers: RoundNumbers) -> v1::ResultNumbers {
    v1::ResultNumbers {
        matches: count(numbers.matches),
        matched_mentees: count(numbers.matched_mentees),
        total_score: count(numbers.total_score),
        scores: numbers.scores.map(range),
    }
}

fn range(range: ScoreRange) -> v1::ScoreRange {
    v1::ScoreRange { worst: range.worst.into(), median: range.median.into(), best: range.best.into() }
}

fn moved(moved: &Move) -> v1::MenteeMove {
    let names = |mentors: &[ProfileRef]| mentors.iter().map(ProfileRef::name).collect();
    v1::MenteeMove { mentee: moved.mentee.name(), before: names(&moved.before), after: names(&moved.after) }
}
