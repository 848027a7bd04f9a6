//! Pairs that are proposed no more in their round: those that have declined or ended their mentorship.

use super::decision::{self, NewDecision, decision_columns};
use super::dialect::values;
use super::journal::Note;
use super::result;
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::name::{DecisionRef, RoundId};
use crate::domain::review::{DecisionKind, Pair};
use crate::error::Result;

/// Why a pair is vetoed whose mentorship has ended.
const ENDED: &str = "The pair has declined or ended its mentorship.";

statements! {
    // People who take part no more are in no pair.
    query TO_EXCLUDE = hidden("mentorship.to_exclude",
        "SELECT t.mentee_organisation_id, t.mentee_own_id, t.mentor_organisation_id, t.mentor_own_id FROM mentorship t \
         WHERE t.round_id = $1 AND t.state IN ('declined', 'ended_early') AND NOT EXISTS (SELECT 1 FROM decision d \
         WHERE d.round_id = $1 AND d.pair_id = t.id AND d.release_number IS NULL AND d.kind = 'veto') \
         AND EXISTS (SELECT 1 FROM enrolment e WHERE e.round_id = $1 AND e.organisation_id = t.mentee_organisation_id \
         AND e.own_id = t.mentee_own_id AND e.withdraw_number IS NULL) AND EXISTS (SELECT 1 FROM enrolment e \
         WHERE e.round_id = $1 AND e.organisation_id = t.mentor_organisation_id AND e.own_id = t.mentor_own_id \
         AND e.withdraw_number IS NULL) ORDER BY t.id");
    query PINS = hidden("mentorship.pins_to_release",
        concat!(decision_columns!(), " WHERE round_id = $1 AND release_number IS NULL AND kind = 'pin' \
            AND EXISTS (SELECT 1 FROM mentorship t WHERE t.round_id = $1 AND t.id = decision.pair_id \
            AND t.state IN ('declined', 'ended_early')) ORDER BY number"));
}

impl WriteSession {
    /// Vetoes the pairs of a round that have declined or ended their mentorship, and releases their pins, so that no run proposes
    /// them again.
    pub(super) async fn exclude_ended_pairs(&mut self, round: &RoundId) -> Result<Vec<Note>> {
        let mut notes = Vec::new();
        for row in self.reads().rows(PINS, values![round]).await? {
            let number = decision::read(round, &row)?.number;
            let name = DecisionRef { round: round.clone(), number };
            notes.push(self.release_decision(&name, (ENDED, None)).await?.1);
        }
        for row in self.reads().rows(TO_EXCLUDE, values![round]).await? {
            let pair: Pair = result::read_pair("mentorship", &row)?;
            let veto = NewDecision {
                kind: DecisionKind::Veto,
                pair: &pair,
                reason: ENDED,
                places: (0, 0),
                cost: None,
            };
            notes.extend(self.decide(round, &veto, "").await?.1);
        }
        Ok(notes)
    }
}
