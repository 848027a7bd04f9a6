//! What a report counts: published rounds, their mentorships, check-ins and decisions, added up by the database.
//!
//! Every statement covers the published rounds of a scope: one round, or those that begin in a span of days. No row of a person leaves
//! the database; the largest answer has one row for each organisation and group.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::backend::Store;
use super::dialect::{Row, Value, values};
use super::publication::BECAUSE_ENDED;
use super::read::ReadSession;
use super::scope::Scope;
use super::statement::statements;
use crate::domain::name::{OrganisationId, RoundId};
use crate::domain::report::facts::{
    ACCEPTED, AnswerSums, BEGUN, COMPLETED, DECIDED, DecisionFact, Division, ENDED_EARLY, Facts, LifeEnd,
    PAIRS, SideAnswers,
};
use crate::domain::report::{CoveredRound, ReportScope};
use crate::domain::run::RunSummary;
use crate::domain::suppression::partition::ByOrganisation;
use crate::error::{Error, Result};

/// The published rounds of a scope: round `$1`, or all if it is empty, with a first day from `$2` to before `$3`.
macro_rules! covered {
    () => {
        "SELECT s.round_id FROM submission s JOIN round r ON r.id = s.round_id WHERE s.state = 'published' \
         AND (CAST($1 AS TEXT) = '' OR s.round_id = $1) AND r.start_date >= $2 AND r.start_date < $3"
    };
}

/// The number of rows for which a condition holds.
macro_rules! counted {
    ($condition:literal, $name:literal) => {
        concat!(", CAST(SUM(CASE WHEN ", $condition, " THEN 1 ELSE 0 END) AS BIGINT) AS ", $name)
    };
}

/// A sum as a whole number.
macro_rules! summed {
    ($what:literal, $name:literal) => {
        concat!(", CAST(COALESCE(SUM(", $what, "), 0) AS BIGINT) AS ", $name)
    };
}

statements! {
    query ROUNDS = hidden("report.rounds",
        concat!("SELECT p.round_id, d.display_name, d.start_date, d.end_date, p.run_number, n.policy_version, n.summary \
            FROM submission p JOIN round d ON d.id = p.round_id JOIN run n ON n.round_id = p.round_id AND n.number = p.run_number \
            WHERE p.state = 'published' AND p.round_id IN (", covered!(), ") ORDER BY d.start_date, p.round_id"));
    query NAMES = hidden("report.names", "SELECT id, display_name FROM organisation");
    query LIVES = hidden("report.lives",
        concat!("SELECT CASE CAST($4 AS TEXT) WHEN 'region' THEN COALESCE(mentee_region, '') \
            WHEN 'language' THEN COALESCE(mentee_language, '') WHEN 'stage' THEN COALESCE(CAST(mentee_stage AS TEXT), '') \
            WHEN 'mentor' THEN mentor_organisation_id WHEN 'score' THEN COALESCE(CAST(score / 1000 AS TEXT), '') \
            WHEN 'waited' THEN COALESCE(CAST(waited_days AS TEXT), '') ELSE round_id END AS group_key, \
            mentee_organisation_id AS organisation_id, COUNT(*) AS pairs",
            counted!("accept_micros IS NOT NULL OR state = 'declined' OR respond_until_micros < $5", "decided"),
            counted!("accept_micros IS NOT NULL", "accepted"),
            counted!("first_meeting_date IS NOT NULL", "begun"),
            counted!("state = 'completed'", "completed"),
            counted!("state = 'ended_early' AND first_meeting_date IS NOT NULL", "ended_early"),
            " FROM mentorship WHERE state <> 'withdrawn' AND round_id IN (", covered!(), ") GROUP BY 1, 2"));
    query ENDS = hidden("report.ends",
        concat!("SELECT CAST((CASE WHEN end_micros IS NULL OR end_micros > $4 THEN $4 ELSE end_micros END - accept_micros) \
            / 86400000000 AS BIGINT) AS day, CAST(CASE WHEN state = 'ended_early' AND end_micros <= $4 THEN 1 ELSE 0 END AS BIGINT) AS early, \
            mentee_organisation_id AS organisation_id, COUNT(*) AS pairs FROM mentorship \
            WHERE accept_micros IS NOT NULL AND state <> 'withdrawn' AND round_id IN (", covered!(), ") GROUP BY 1, 2, 3"));
    // The inner rows come in the order of the primary key, so that SQLite adds them up as it reads them.
    query ANSWERS = hidden("report.answers",
        concat!("SELECT c.side, t.score / 1000 AS tenth, c.organisation_id",
            counted!("c.answers > 0", "answered"), counted!("c.recommending > 0", "recommended"),
            counted!("c.assessed > 0", "assessing"), counted!("c.minutes IS NOT NULL", "timed"),
            summed!("c.answers", "answers"), summed!("c.satisfaction", "satisfaction"),
            summed!("c.recommending", "recommending"), summed!("c.promoters", "promoters"),
            summed!("c.detractors", "detractors"), summed!("c.assessed", "assessed"), summed!("c.halves", "halves"),
            summed!("c.minutes", "minutes"),
            summed!("CASE WHEN c.answers > 0 THEN t.score END", "x"), summed!("CASE WHEN t.score IS NOT NULL THEN c.mean END", "y"),
            summed!("CASE WHEN c.answers > 0 THEN t.score * t.score END", "xx"),
            summed!("CASE WHEN t.score IS NOT NULL THEN c.mean * c.mean END", "yy"), summed!("t.score * c.mean", "xy"),
            " FROM (SELECT round_id, mentorship_id, side, MIN(organisation_id) AS organisation_id, COUNT(satisfaction) AS answers",
            summed!("satisfaction", "satisfaction"), ", CASE WHEN COUNT(satisfaction) > 0 \
            THEN CAST(SUM(satisfaction) AS BIGINT) * 100 / COUNT(satisfaction) END AS mean, COUNT(recommend) AS recommending",
            counted!("recommend >= 9", "promoters"), counted!("recommend <= 6", "detractors"),
            summed!("COALESCE(goals_achieved, 0) + COALESCE(goals_partly, 0) + COALESCE(goals_missed, 0)", "assessed"),
            summed!("2 * COALESCE(goals_achieved, 0) + COALESCE(goals_partly, 0)", "halves"), ", MAX(minutes) AS minutes \
            FROM check_in WHERE round_id IN (", covered!(), ") GROUP BY round_id, mentorship_id, side) AS c \
            JOIN mentorship t ON t.round_id = c.round_id AND t.id = c.mentorship_id GROUP BY 1, 2, 3"));
    query DECISIONS = hidden("report.decisions",
        concat!("SELECT round_id, kind, cost, release_number FROM decision WHERE reason <> $4 AND round_id IN (", covered!(),
            ") ORDER BY round_id, number"));
}

impl Store {
    /// What a report of a scope counts at `now`.
    pub async fn report_facts(&self, scope: &Scope, of: &ReportScope, now: Timestamp) -> Result<Facts> {
        let mut session = self.snapshot_reader(scope).await?;
        let facts = Box::pin(read(&mut session, &Covered::of(of), now)).await;
        session.end().await?;
        facts
    }
}

/// The values of `covered!`.
struct Covered {
    round: String,
    from: String,
    until: String,
}

impl Covered {
    fn of(scope: &ReportScope) -> Self {
        let (from, until) = match scope.year() {
            None => (0, 10_000),
            Some(year) => (i64::from(year), i64::from(year) + 1),
        };
        // A year of five digits is after every day.
        let day = |year: i64| if year > 9_999 { "9999-99".to_owned() } else { format!("{year:04}-01-01") };
        let round = scope.round().map(|round| round.as_str().to_owned()).unwrap_or_default();
        Self { round, from: day(from), until: day(until) }
    }

    fn with(&self, more: Vec<Value>) -> Vec<Value> {
        let mut values = values![self.round.as_str(), self.from.as_str(), self.until.as_str()];
        values.extend(more);
        values
    }
}

async fn read(session: &mut ReadSession, covered: &Covered, now: Timestamp) -> Result<Facts> {
    let mut facts = Facts::default();
    for row in session.rows(ROUNDS, covered.with(values![])).await? {
        facts.rounds.push(covered_round(&row)?);
    }
    if facts.rounds.is_empty() {
        return Ok(facts);
    }
    for row in session.rows(NAMES, values![]).await? {
        facts.names.insert(row.id("organisation", "id")?, row.text("display_name")?);
    }
    for division in Division::ALL {
        let rows = session.rows(LIVES, covered.with(values![division.as_str(), now])).await?;
        let groups: &mut BTreeMap<String, ByOrganisation> = facts.lives.entry(division).or_default();
        for row in rows {
            let key = row.text("group_key")?;
            let organisation: OrganisationId = row.id("mentorship", "organisation_id")?;
            let count = |column: &'static str| Ok::<_, Error>((column, number(&row, column)?));
            let counts = [PAIRS, DECIDED, ACCEPTED, BEGUN, COMPLETED, ENDED_EARLY].map(count);
            let counts = counts.into_iter().collect::<Result<BTreeMap<_, _>>>()?;
            groups.entry(key).or_default().insert(organisation, counts);
        }
    }
    for row in session.rows(ENDS, covered.with(values![now])).await? {
        facts.ends.push(LifeEnd {
            day: u64::try_from(row.int("day")?).unwrap_or_default(),
            is_early: row.int("early")? == 1,
            organisation: row.id("mentorship", "organisation_id")?,
            pairs: number(&row, "pairs")?,
        });
    }
    for row in session.rows(ANSWERS, covered.with(values![])).await? {
        facts.answers.push(answers(&row)?);
    }
    for row in session.rows(DECISIONS, covered.with(values![BECAUSE_ENDED])).await? {
        let round: RoundId = row.id("decision", "round_id")?;
        let cost = match row.opt_text("cost")? {
            Some(_) => Some(row.json("decision", &round, "cost")?),
            None => None,
        };
        let is_live = row.opt_int("release_number")?.is_none();
        facts.decisions.push((round, DecisionFact { is_pin: row.text("kind")? == "pin", is_live, cost }));
    }
    Ok(facts)
}

fn covered_round(row: &Row) -> Result<(CoveredRound, RunSummary)> {
    let round: RoundId = row.id("submission", "round_id")?;
    let day = |column: &str| row.id::<Date>("round", column);
    let summary = row.json("run", &round, "summary")?;
    let covered = CoveredRound {
        display_name: row.text("display_name")?,
        start_date: day("start_date")?,
        end_date: day("end_date")?,
        run: row.int("run_number")?,
        policy_version: row.int("policy_version")?,
        round,
    };
    Ok((covered, summary))
}

fn answers(row: &Row) -> Result<SideAnswers> {
    let of = |column: &str| number(row, column);
    let sums = AnswerSums {
        people: [of("answered")?, of("recommended")?, of("assessing")?, of("timed")?],
        satisfaction: (of("answers")?, of("satisfaction")?),
        recommendation: (of("recommending")?, of("promoters")?, of("detractors")?),
        goals: (of("assessed")?, of("halves")?),
        minutes: of("minutes")?,
        moments: [of("x")?, of("y")?, of("xx")?, of("yy")?, of("xy")?],
    };
    Ok(SideAnswers {
        side: row.text("side")?,
        tenth: row.opt_int("tenth")?.and_then(|tenth| u64::try_from(tenth).ok()),
        organisation: row.id("check_in", "organisation_id")?,
        sums,
    })
}

fn number(row: &Row, column: &str) -> Result<u64> {
    row.narrow("report", &"", column)
}
