//! Runs side by side: the numbers of each, and the pairs that differ from those of the first, with why.
//!
//! Rule: a cause is judged by what a coordinator can read of the pair in both runs, as ExplainPair shows it. A private answer
//! that has changed reads as a change about other people.

use std::collections::{BTreeMap, BTreeSet};

use super::page::Cursor;
use super::round::parse_round;
use super::run::parse_run;
use super::{Action, Page, PageRequest, Service};
use crate::domain::caller::Caller;
use crate::domain::comparison::{ComparedRun, DifferenceCause, PairDifference};
use crate::domain::field_rule;
use crate::domain::name::{ProfileRef, RoundId, RunRef};
use crate::domain::policy::Policy;
use crate::domain::review::DecisionKind;
use crate::domain::run::{Coverage, MatchView, RunState};
use crate::domain::snapshot::Snapshot;
use crate::domain::violation::Violations;
use crate::engine;
use crate::engine::encode::AnswersUsed;
use crate::error::{Error, Result};
use crate::store::{FrozenPair, Scope};

/// The pairs of a run, each with its shown score.
type Pairs = BTreeMap<(ProfileRef, ProfileRef), u16>;

impl Service {
    /// Compares runs of a round with the first of them.
    pub async fn compare_runs(
        &self,
        caller: &Caller,
        parent: &str,
        names: &[String],
        request: &PageRequest,
    ) -> Result<(Vec<ComparedRun>, Page<PairDifference>)> {
        let permit = Action::CompareRuns.permit(caller)?;
        let scope = &permit.scope;
        let runs = parsed(parent, names)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/compare {}", names.join(" ")), request)?;
        let after = cursor.after.as_deref().map(|key| place_of(key).ok_or(Error::InvalidPageToken));
        let after = after.transpose()?;
        let (mut compared, mut page): (Vec<ComparedRun>, Vec<PairDifference>) = Default::default();
        let mut first: Option<(Pairs, Snapshot)> = None;
        for (at, name) in runs.iter().enumerate() {
            let run = self.store.run(scope, name).await?;
            if run.state != RunState::Succeeded {
                return Err(self.not_succeeded(scope, name).await?);
            }
            let pairs = self.pairs(scope, name).await?;
            // One snapshot at a time: it may be large.
            let snapshot = self.store.load_snapshot(&Scope::System, name).await?.snapshot;
            let languages = languages(&snapshot, &pairs);
            let (mut gone, mut new, mut policy_differences) = (0, 0, Vec::new());
            match &first {
                None => {
                    let participants = Vec::new();
                    first = Some((pairs, Snapshot { participants, ..snapshot }));
                }
                Some((before, frozen)) => {
                    policy_differences = differences(&frozen.policy, &snapshot.policy);
                    let mut all = changed((at, name), before, &pairs);
                    decided(&mut all, [frozen, &snapshot]);
                    new = all.iter().filter(|one| one.is_new).count() as u64;
                    gone = all.len() as u64 - new;
                    let follows = |one: &PairDifference| {
                        after
                            .as_ref()
                            .is_none_or(|(place, pair)| (at, one.pair()) > (*place, (&pair.0, &pair.1)))
                    };
                    let room = (cursor.limit() as usize).saturating_sub(page.len());
                    page.extend(all.into_iter().filter(follows).take(room));
                }
            }
            compared.push(ComparedRun { run, languages, gone, new, policy_differences });
        }
        for difference in page.iter_mut().filter(|one| one.cause == DifferenceCause::OtherPairs) {
            let same_policy = compared[difference.place].policy_differences.is_empty();
            difference.cause = self.cause(&runs[0], difference, same_policy).await?;
        }
        // No name contains a line feed.
        let key =
            |one: &PairDifference| format!("{}\n{}\n{}", one.place, one.mentee.name(), one.mentor.name());
        Ok((compared, cursor.page(page, key)))
    }

    /// All pairs of a run.
    async fn pairs(&self, scope: &Scope, run: &RunRef) -> Result<Pairs> {
        let found = self.store.list_matches(scope, run, MatchView::Basic, None, u32::MAX).await?;
        Ok(found.into_iter().map(|one| ((one.pair.mentee, one.pair.mentor), one.pair.score)).collect())
    }

    /// Why two runs differ in a pair.
    async fn cause(
        &self,
        first: &RunRef,
        PairDifference { run, mentee, mentor, .. }: &PairDifference,
        same_policy: bool,
    ) -> Result<DifferenceCause> {
        let mut read = Vec::new();
        for run in [first, run] {
            let frozen = match self.store.frozen_pair(&Scope::System, run, mentee, mentor).await {
                Ok(frozen) => frozen,
                Err(Error::InputErased(_)) => return Ok(DifferenceCause::Erased),
                Err(error) => return Err(error),
            };
            let (mentee, mentor) = (mentee.clone(), mentor.clone());
            let explain = move || {
                let FrozenPair { snapshot, first_days } = frozen;
                engine::explain_pair(&snapshot, Some(&first_days), AnswersUsed::Open, &mentee, &mentor)
            };
            let explained = tokio::task::spawn_blocking(explain).await;
            read.push(explained.map_err(|_| Error::internal("the explanation panicked"))?);
        }
        Ok(match (&read[0], &read[1]) {
            (None, _) | (_, None) => DifferenceCause::Enrolment,
            _ if !same_policy => DifferenceCause::Policy,
            (Some(before), Some(after)) if before == after => DifferenceCause::OtherPairs,
            _ => DifferenceCause::Answers,
        })
    }
}

/// The runs of a request: several of one round.
fn parsed(parent: &str, names: &[String]) -> Result<Vec<RunRef>> {
    let mut violations = Violations::of_request();
    let round: Option<RoundId> = super::taken(parse_round("parent", parent), &mut violations)?;
    let rule = field_rule::COMPARE_RUNS_REQUEST_RUNS;
    let (least, most) = (rule.min_items, rule.max_items);
    if !(least..=most).contains(&names.len()) {
        violations.push(
            "runs",
            names.len(),
            "is not a number of runs that can be compared",
            "name 2 to 8 runs",
        );
    }
    let mut runs = Vec::new();
    for (at, name) in names.iter().take(most).enumerate() {
        let field = format!("runs[{at}]");
        let Some(run) = super::taken(parse_run(&field, name), &mut violations)? else { continue };
        if round.as_ref().is_some_and(|round| *round != run.round) {
            violations.push(field.as_str(), name, "is a run of another round", "compare runs of one round");
        }
        runs.push(run);
    }
    violations.finish(runs).map_err(Error::InvalidFields)
}

/// The pairs that one of two runs has, by mentee and mentor, each without its cause.
fn changed((place, run): (usize, &RunRef), before: &Pairs, after: &Pairs) -> Vec<PairDifference> {
    let only = |of: &Pairs, other: &Pairs, is_new| -> Vec<PairDifference> {
        of.iter()
            .filter(|(pair, _)| !other.contains_key(*pair))
            .map(|((mentee, mentor), score)| PairDifference {
                place,
                run: run.clone(),
                mentee: mentee.clone(),
                mentor: mentor.clone(),
                is_new,
                score: *score,
                cause: DifferenceCause::OtherPairs,
            })
            .collect()
    };
    let mut all = only(before, after, false);
    all.extend(only(after, before, true));
    all.sort_by(|a, b| a.pair().cmp(&b.pair()));
    all
}

/// Sets the cause of pairs whose pin or veto is in force in one of the two snapshots only.
fn decided(all: &mut [PairDifference], [before, after]: [&Snapshot; 2]) {
    let of = |snapshot: &Snapshot, kind| -> BTreeSet<(ProfileRef, ProfileRef)> {
        let own = snapshot.decisions.iter().filter(|decision| decision.kind == kind);
        own.map(|decision| (decision.mentee.clone(), decision.mentor.clone())).collect()
    };
    for (kind, cause) in
        [(DecisionKind::Veto, DifferenceCause::Vetoed), (DecisionKind::Pin, DifferenceCause::Pinned)]
    {
        let (before, after) = (of(before, kind), of(after, kind));
        for one in &mut *all {
            let pair = (one.mentee.clone(), one.mentor.clone());
            if before.contains(&pair) != after.contains(&pair) {
                one.cause = cause;
            }
        }
    }
}

/// Coverage by language, at the level that the policy asks of a common language.
fn languages(snapshot: &Snapshot, pairs: &Pairs) -> BTreeMap<String, Coverage> {
    let mentees: BTreeSet<&ProfileRef> = pairs.keys().map(|(mentee, _)| mentee).collect();
    let mentors: BTreeSet<&ProfileRef> = pairs.keys().map(|(_, mentor)| mentor).collect();
    let mut languages: BTreeMap<String, Coverage> = BTreeMap::new();
    for person in &snapshot.participants {
        let content = &person.content;
        let spoken: BTreeSet<&str> = content
            .languages
            .iter()
            .filter(|one| one.level >= snapshot.policy.rules.min_language_level)
            .map(crate::domain::profile::Language::primary)
            .collect();
        for language in spoken {
            let of = languages.entry(language.to_owned()).or_default();
            if content.mentee_request.is_some() {
                of.mentees += 1;
                of.matched_mentees += u64::from(mentees.contains(&person.profile));
            }
            if content.mentor_offer.is_some() {
                of.mentors += 1;
                of.matched_mentors += u64::from(mentors.contains(&person.profile));
            }
        }
    }
    languages
}

/// Parts of a policy that differ from another one, as a client names them.
fn differences(before: &Policy, after: &Policy) -> Vec<String> {
    let parts = |policy: &Policy| -> BTreeMap<String, String> {
        let mut parts = BTreeMap::new();
        for one in &policy.criteria {
            let value = format!("{} {}", one.weight, one.neutral);
            parts.insert(format!("criteria.{}", one.criterion.as_str()), value);
        }
        let document = serde_json::to_value(policy).unwrap_or_default();
        for (name, value) in document.as_object().into_iter().flatten() {
            match (name.as_str(), value.as_object()) {
                ("version" | "criteria", _) => {}
                ("rules", Some(rules)) => {
                    parts.extend(
                        rules.iter().map(|(rule, value)| (format!("hard_rules.{rule}"), value.to_string())),
                    );
                }
                _ => drop(parts.insert(name.clone(), value.to_string())),
            }
        }
        parts
    };
    let (before, after) = (parts(before), parts(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// The place in a page token: the run in the order of the request, and the pair.
fn place_of(key: &str) -> Option<(usize, (ProfileRef, ProfileRef))> {
    let mut parts = key.split('\n');
    let at = parts.next()?.parse().ok()?;
    let pair = (ProfileRef::from_name(parts.next()?).ok()?, ProfileRef::from_name(parts.next()?).ok()?);
    Some((at, pair))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::policy::PolicyDraft;
    use crate::domain::snapshot::FrozenDecision;

    fn person(id: &str) -> ProfileRef {
        ProfileRef::from_name(&format!("organisations/wim-peru/profiles/{id}")).expect("a name")
    }

    /// A snapshot with these decisions: pins, then vetoes.
    fn snapshot(pins: &[(&str, &str)], vetoes: &[(&str, &str)]) -> Snapshot {
        let of = |kind, pairs: &[(&str, &str)]| -> Vec<FrozenDecision> {
            let one = |(mentee, mentor): &(&str, &str)| {
                let (mentee, mentor) = (person(mentee), person(mentor));
                FrozenDecision { mentee, mentor, kind, name: String::new() }
            };
            pairs.iter().map(one).collect()
        };
        Snapshot {
            start_date: "2027-01-01".parse().expect("a day"),
            end_date: "2027-07-01".parse().expect("a day"),
            freeze_time: Timestamp::UNIX_EPOCH,
            policy: Policy::parse(&PolicyDraft::default()).expect("a policy"),
            organisations: Vec::new(),
            participants: Vec::new(),
            decisions: [of(DecisionKind::Pin, pins), of(DecisionKind::Veto, vetoes)].concat(),
            follows: None,
        }
    }

    #[test]
    fn a_decision_that_both_runs_have_is_no_cause() {
        use DifferenceCause::{OtherPairs, Pinned, Vetoed};

        let run = RunRef::from_name("rounds/r/runs/2").expect("a name");
        let pairs = |pairs: &[(&str, &str)]| -> Pairs {
            pairs.iter().map(|(mentee, mentor)| ((person(mentee), person(mentor)), 5)).collect()
        };
        let before = pairs(&[("a", "x"), ("b", "y"), ("c", "z")]);
        let after = pairs(&[("a", "y"), ("b", "x"), ("c", "z")]);
        let mut all = changed((1, &run), &before, &after);
        let told: Vec<(String, bool)> =
            all.iter().map(|one| (format!("{}{}", one.mentee.id, one.mentor.id), one.is_new)).collect();
        let expected = [("ax", false), ("ay", true), ("bx", true), ("by", false)];
        assert_eq!(told, expected.map(|(pair, is_new)| (pair.to_owned(), is_new)));
        decided(
            &mut all,
            [&snapshot(&[("b", "x")], &[("c", "x")]), &snapshot(&[("a", "y"), ("b", "x")], &[("a", "x")])],
        );
        let causes: Vec<DifferenceCause> = all.iter().map(|one| one.cause).collect();
        assert_eq!(causes, [Vetoed, Pinned, OtherPairs, OtherPairs]);
    }

    #[test]
    fn parts_of_a_policy_that_differ_are_named_as_a_client_names_them() {
        let policy = Policy::parse(&PolicyDraft::default()).expect("a policy");
        assert_eq!(differences(&policy, &Policy { version: 7, ..policy.clone() }), Vec::<String>::new());
        let mut other = policy.clone();
        other.rules.min_score = 4_000;
        other.waitlist_after_days = Some(3);
        other.criteria[0].weight += 1;
        let first = format!("criteria.{}", other.criteria[0].criterion.as_str());
        assert_eq!(
            differences(&policy, &other),
            [first.as_str(), "hard_rules.min_score", "waitlist_after_days"]
        );
    }
}
