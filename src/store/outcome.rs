//! Outcomes of mentorships, with how well each pair fulfilled the criteria of its run.

use super::backend::Store;
use super::check_in::side_name;
use super::dialect::{Row, values};
use super::scope::Scope;
use super::statement::statements;
use crate::domain::mentorship::{EndReason, MentorshipState};
use crate::domain::name::{MentorshipRef, RunRef};
use crate::domain::policy::{Criterion, FULL_SCORE};
use crate::domain::run::{Contribution, Side};
use crate::domain::weight_advice::{Observation, completed};
use crate::error::Result;

/// The last satisfaction that a side of mentorship `t` has said by the end, or NULL.
macro_rules! last_satisfaction {
    ($side:literal) => {
        concat!(
            "(SELECT c.satisfaction FROM check_in c WHERE c.round_id = t.round_id AND c.mentorship_id = t.id AND c.side = '",
            $side,
            "' AND c.satisfaction IS NOT NULL AND c.point IN ('week_6', 'middle', 'end') \
             ORDER BY c.check_date DESC, c.create_micros DESC LIMIT 1)"
        )
    };
}

statements! {
    query OUTCOMES = hidden("mentorship.outcomes",
        concat!("SELECT t.round_id, t.id, t.run_number, t.mentee_organisation_id, t.state, t.end_reason, m.contributions, ",
            last_satisfaction!("mentor"), " AS mentor_satisfaction, ", last_satisfaction!("mentee"), " AS mentee_satisfaction \
            FROM mentorship t JOIN run_match m ON m.round_id = t.round_id AND m.run_number = t.run_number AND m.id = t.id \
            WHERE (t.round_id > $1 OR (t.round_id = $1 AND t.id > $2)) AND t.score IS NOT NULL ORDER BY t.round_id, t.id \
            LIMIT $3"));
}

/// A mentorship with its outcome.
#[derive(Debug)]
pub struct OutcomeOf {
    /// The mentorship.
    pub name: MentorshipRef,
    /// The run that made it.
    pub run: RunRef,
    /// Its outcome.
    pub observation: Observation,
}

impl Store {
    /// Mentorships of all rounds after one, by name, at most `limit`, without those of erased people and of purged runs. No
    /// organisation reads them.
    pub async fn outcomes(
        &self,
        scope: &Scope,
        after: Option<&MentorshipRef>,
        limit: u32,
    ) -> Result<Vec<OutcomeOf>> {
        let mut session = self.reader(scope).await?;
        let after = after.map_or(("", ""), |one| (one.round.as_str(), one.id.as_str()));
        let rows = session.rows(OUTCOMES, values![after.0, after.1, limit]).await?;
        session.end().await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<OutcomeOf> {
    let name = MentorshipRef { round: row.id("mentorship", "round_id")?, id: row.id("mentorship", "id")? };
    let text = name.name();
    let state = row.parse("mentorship", &text, "state", MentorshipState::from_name)?;
    let reason = match row.opt_text("end_reason")? {
        Some(_) => Some(row.parse("mentorship", &text, "end_reason", EndReason::from_name)?),
        None => None,
    };
    let said = [Side::Mentor, Side::Mentee]
        .map(|side| row.opt_int(&format!("{}_satisfaction", side_name(side))))
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    let said: Vec<u16> = said.into_iter().flatten().filter_map(|points| u16::try_from(points).ok()).collect();
    let sides = u16::try_from(said.len()).unwrap_or(u16::MAX);
    let satisfaction = (sides > 0).then(|| said.iter().sum::<u16>() * 100 / sides);
    let contributions: Vec<Contribution> = row.json("run_match", &text, "contributions")?;
    let observation = Observation {
        round: name.round.clone(),
        organisation: row.id("mentorship", "mentee_organisation_id")?,
        criteria: contributions.iter().filter_map(fulfilled).collect(),
        satisfaction,
        completed: completed(state, reason),
    };
    let run = RunRef { round: name.round.clone(), number: row.int("run_number")? };
    Ok(OutcomeOf { name, run, observation })
}

/// How well a pair fulfils a criterion, in 1/10,000; `None` without an answer, and for what is private.
fn fulfilled(given: &Contribution) -> Option<(Criterion, u16)> {
    let criterion = given.criterion.filter(|_| !given.is_missing() && given.max_points > 0)?;
    let share = u32::from(given.points) * u32::from(FULL_SCORE) / u32::from(given.max_points);
    Some((criterion, u16::try_from(share).unwrap_or(FULL_SCORE)))
}
