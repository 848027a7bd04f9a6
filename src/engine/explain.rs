//! Explains pairs: the contribution of each criterion to the score, and the broken rules.
//!
//! Input: positions of a round, or two profiles of a snapshot. Output: explanations as codes with parameters.
//! Invariant: no output reveals the points of a private criterion. Broken rules are judged by the answers that the caller
//! names: only a reader who manages both people may learn of rules on private answers.

use std::cmp::Reverse;

use jiff::civil::Date;
use rayon::prelude::*;

use super::encode::{AnswersUsed, Round};
use super::observer::{Observer, Stopped, Unobserved};
use super::pair_scores::Pair;
use super::score::{Finding, Scores, Story};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::name::ProfileRef;
use crate::domain::policy::{HardRule, Policy};
use crate::domain::run::{Contribution, Match, PairExplanation};
use crate::domain::snapshot::Snapshot;

/// Explains one pair of a snapshot, with the rules that it breaks by `answers`. The two people, the rules of their
/// organisations and the policy suffice: then `first_days` are those of [`Calendar::first_days`] of the whole round. With
/// `None` the snapshot is the whole round. Returns `None` if the snapshot does not contain the two people in these roles, or
/// if the consent of one of them is not live.
///
/// [`Calendar::first_days`]: super::encode::availability::Calendar::first_days
pub fn explain_pair(
    snapshot: &Snapshot,
    first_days: Option<&[Date]>,
    answers: AnswersUsed,
    mentee: &ProfileRef,
    mentor: &ProfileRef,
) -> Option<PairExplanation> {
    let wanted = |profile: &ProfileRef| profile == mentee || profile == mentor;
    let round = Round::encode_where(snapshot, answers, first_days, wanted, &Unobserved).ok()?;
    let position = |profile: &ProfileRef| round.people.iter().find(|person| person.profile == profile);
    let at_mentee = position(mentee)?.mentee? as usize;
    let at_mentor = position(mentor)?.mentor? as usize;
    let scores = Scores::new(&round, &Unobserved).ok()?;
    let (_, story) = scores.explain(at_mentee, at_mentor);
    let broken_rules: Vec<(HardRule, Reason)> = story.broken.clone();
    Some(PairExplanation { broken_rules, pair: describe(&round, at_mentee, at_mentor, story) })
}

/// All matches with their contributions, best score first, then by mentee and mentor. `pins` are sorted. Also returns whether the
/// explanations of all matches agree with the scores that the solver used.
pub(super) fn describe_matches(
    round: &Round<'_>,
    scores: &Scores<'_>,
    (pairs, pins): (&[Pair], &[Pair]),
    observer: &dyn Observer,
) -> Result<(Vec<Match>, bool), Stopped> {
    let describe_one = |(mentee, mentor): &(u32, u32)| {
        observer.check()?;
        let (described, agrees) = describe_match(round, scores, *mentee as usize, *mentor as usize);
        let pinned = pins.binary_search(&(*mentee, *mentor)).is_ok();
        Ok((Match { pinned, ..described }, agrees))
    };
    let described = pairs.par_iter().map(describe_one).collect::<Result<Vec<(Match, bool)>, Stopped>>()?;
    let agree = described.iter().all(|(_, agrees)| *agrees);
    let mut matches: Vec<Match> = described.into_iter().map(|(pair, _)| pair).collect();
    matches.par_sort_unstable_by_key(|pair| Reverse(pair.score));
    for equals in matches.chunk_by_mut(|one, next| one.score == next.score) {
        observer.check()?;
        equals.sort_unstable_by(|a, b| a.mentee.cmp(&b.mentee).then_with(|| a.mentor.cmp(&b.mentor)));
    }
    Ok((matches, agree))
}

/// A match with its contributions. Also returns whether its explanation has no broken rule, and the points of its criteria
/// add up to the score that the solver used.
fn describe_match(round: &Round<'_>, scores: &Scores<'_>, mentee: usize, mentor: usize) -> (Match, bool) {
    let (verdict, story) = scores.explain(mentee, mentor);
    let points: u32 = story.findings.iter().map(|finding| u32::from(finding.points)).sum();
    let agrees = story.broken.is_empty() && points == u32::from(verdict.score());
    (describe(round, mentee, mentor, story), agrees)
}

/// The shown score of a pair.
pub(super) fn shown_score(round: &Round<'_>, scores: &Scores<'_>, mentee: usize, mentor: usize) -> u16 {
    let (_, story) = scores.explain(mentee, mentor);
    describe(round, mentee, mentor, story).score
}

fn describe(round: &Round<'_>, mentee: usize, mentor: usize, story: Story) -> Match {
    let contributions = contributions(&round.snapshot.policy, story.findings);
    Match {
        mentee: round.mentee(mentee).profile.clone(),
        mentor: round.mentor(mentor).profile.clone(),
        score: contributions.iter().map(|contribution| contribution.points).sum(),
        contributions,
        pinned: false,
    }
}

/// Contributions in the order of the policy. The private criteria form one last contribution of 0 points: their points
/// count in the matching, but nothing that leaves the engine may reveal them.
fn contributions(policy: &Policy, findings: Vec<Finding>) -> Vec<Contribution> {
    let (private, mut open): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| finding.scale.criterion.is_private());
    open.sort_by_key(|finding| {
        policy.criteria.iter().position(|weight| weight.criterion == finding.scale.criterion)
    });
    let together = (!private.is_empty()).then(|| Contribution {
        criterion: None,
        points: 0,
        max_points: private.iter().map(|finding| finding.scale.max_points).sum(),
        reason: Reason::new(ReasonCode::PrivateAnswers),
    });
    let open = open.into_iter().map(|finding| Contribution {
        criterion: Some(finding.scale.criterion),
        points: finding.points,
        max_points: finding.scale.max_points,
        reason: finding.reason,
    });
    open.chain(together).collect()
}
