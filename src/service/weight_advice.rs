//! Suggested weights: what the outcomes of mentorships say about the weights of a round's policy, and what other weights would
//! have done to rounds that were published. Nothing is stored, and nothing changes: a person decides.

use std::collections::{BTreeMap, BTreeSet};

use super::round::parse_round;
use super::solver::Work;
use super::{Action, Service};
use crate::domain::caller::Caller;
use crate::domain::name::{MentorshipRef, ProfileRef, RunRef};
use crate::domain::policy::Policy;
use crate::domain::run::{CriterionMean, Match};
use crate::domain::snapshot::Snapshot;
use crate::domain::weight_advice::{Observation, WeightAdvice, advise};
use crate::engine::{self, NoOutcome, Options};
use crate::error::{Error, Result};
use crate::message;
use crate::store::{LoadedSnapshot, Scope};

/// Mentorships that are read at a time.
const AT_A_TIME: u32 = 1_000;
/// Most rounds that are solved again.
const MOST_REPLAYS: usize = 10;

/// The advice about the policy of a round.
#[derive(Debug)]
pub struct AdvisedWeights {
    /// The policy of the round, with its present weights.
    pub policy: Policy,
    /// What the outcomes say.
    pub advice: WeightAdvice,
    /// What the suggested weights would have done to the newest rounds with mentorships. Empty if nothing is suggested.
    pub replays: Vec<ReplayedRound>,
}

/// A round that was solved with its own weights and with other ones.
#[derive(Debug)]
pub struct ReplayedRound {
    /// The run that made its mentorships.
    pub run: RunRef,
    /// What came out.
    pub outcome: ReplayOutcome,
}

/// What came out of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplayOutcome {
    /// Both results.
    Solved(Replay),
    /// An erasure or a purge has taken some of the input.
    Erased,
    /// With the suggested weights, no result keeps the quotas or the decisions of the round.
    Unmet,
}

/// Two results of one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Matched mentees, with the run's own weights and with the other ones.
    pub matched_mentees: [u64; 2],
    /// Matches, with the run's own weights and with the other ones.
    pub matches: [u64; 2],
    /// Matches of both results.
    pub kept: u64,
    /// Mean points of each criterion that is not private, with the run's own weights and with the other ones.
    pub criteria: [Vec<CriterionMean>; 2],
}

impl Service {
    /// Suggests weights for the policy of a round from the outcomes of all rounds, and solves the newest `replays` rounds with
    /// them. The solver's turns are taken for one round after the other.
    pub async fn suggest_weights(&self, caller: &Caller, name: &str, replays: i32) -> Result<AdvisedWeights> {
        let permit = Action::SuggestWeights.permit(caller)?;
        let id = parse_round("name", name)?;
        let policy = self.store.round(&permit.scope, &id).await?.content.policy;
        let wanted = usize::try_from(replays).ok().filter(|number| *number <= MOST_REPLAYS);
        let Some(wanted) = wanted else {
            let what = message!("must be from 0 to {most}", most = MOST_REPLAYS);
            return Err(Error::invalid_field("replays", &replays.to_string(), what));
        };
        let (observations, mut runs) = self.outcomes(&permit.scope).await?;
        let own = policy.clone();
        let advice = Work::start(self, caller, move |_| Ok(advise(&own, observations))).finish().await?;
        let mut replayed = Vec::new();
        if advice.suggests_change() {
            let newest = runs.split_off(runs.len().saturating_sub(wanted));
            for run in newest.into_iter().rev() {
                let outcome = self.replay_with(caller, &run, &advice).await?;
                replayed.push(ReplayedRound { run, outcome });
            }
        }
        Ok(AdvisedWeights { policy, advice, replays: replayed })
    }

    /// All mentorships with their outcomes, and the newest run of each round that made some, the oldest round first.
    async fn outcomes(&self, scope: &Scope) -> Result<(Vec<Observation>, Vec<RunRef>)> {
        let (mut observations, mut newest) = (Vec::new(), BTreeMap::new());
        let mut after: Option<MentorshipRef> = None;
        loop {
            let page = self.store.outcomes(scope, after.as_ref(), AT_A_TIME).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.name.clone());
            for one in page {
                let number = newest.entry(one.run.round).or_insert(one.run.number);
                *number = one.run.number.max(*number);
                observations.push(one.observation);
            }
        }
        let mut dated = Vec::with_capacity(newest.len());
        for (round, number) in newest {
            let start = self.store.round(scope, &round).await?.content.start_date;
            dated.push((start, RunRef { round, number }));
        }
        dated.sort_by(|a, b| (a.0, &a.1.round).cmp(&(b.0, &b.1.round)));
        Ok((observations, dated.into_iter().map(|(_, run)| run).collect()))
    }

    /// Solves the frozen snapshot of a run twice: as it is, and with the suggested weights.
    async fn replay_with(
        &self,
        caller: &Caller,
        run: &RunRef,
        advice: &WeightAdvice,
    ) -> Result<ReplayOutcome> {
        let LoadedSnapshot { snapshot, seals, lacks_followed, .. } =
            self.store.load_snapshot(&Scope::System, run).await?;
        if seals.is_erased() || lacks_followed {
            return Ok(ReplayOutcome::Erased);
        }
        let policy = advice.applied_to(&snapshot.policy);
        let work = Work::start(self, caller, move |observer| {
            let solve = |snapshot: &Snapshot| match engine::solve(snapshot, &Options::default(), observer) {
                Ok(outcome) => Ok(Some(outcome)),
                Err(NoOutcome::Stopped) => Err(Error::Cancelled),
                Err(NoOutcome::Quotas(_) | NoOutcome::Decisions(_) | NoOutcome::Budget(_)) => Ok(None),
            };
            let own = solve(&snapshot)?;
            let other = solve(&Snapshot { policy, ..snapshot })?;
            let (Some(own), Some(other)) = (own, other) else { return Ok(ReplayOutcome::Unmet) };
            let pairs = pairs(&own.matches);
            let both = [&own, &other];
            Ok(ReplayOutcome::Solved(Replay {
                matched_mentees: both.map(|one| one.summary.matched_mentees),
                matches: both.map(|one| one.matches.len() as u64),
                kept: other.matches.iter().filter(|one| pairs.contains(&(&one.mentee, &one.mentor))).count()
                    as u64,
                criteria: both.map(open_means),
            }))
        });
        work.finish().await
    }
}

fn pairs(matches: &[Match]) -> BTreeSet<(&ProfileRef, &ProfileRef)> {
    matches.iter().map(|one| (&one.mentee, &one.mentor)).collect()
}

fn open_means(outcome: &engine::Outcome) -> Vec<CriterionMean> {
    let whole = outcome.summary.whole_round.iter().flat_map(|whole| &whole.criteria);
    whole.filter(|one| one.criterion.is_some()).copied().collect()
}
