//! Memberships of organisations, and what the end of one means for rounds.

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::values;
use super::journal::Note;
use super::organisation;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::{enrolment, invited, round};
use crate::domain::membership::MembershipChange;
use crate::domain::name::{OrganisationId, RoundId, RunRef};
use crate::domain::organisation::Organisation;
use crate::domain::version::is_meant;
use crate::error::{Error, Result};

statements! {
    change SET = ("organisation.set_membership",
        "UPDATE organisation SET membership = $3, accepted_rules = $4, accept_micros = $5, version = version + 1, \
         update_micros = $6 WHERE id = $1 AND version = $2");
    change NEXT_VERSION = ("round.change_invitations",
        "UPDATE round SET version = version + 1, update_micros = $2 WHERE id = $1 AND all_members = 0");
    query UNPUBLISHED = hidden("round_organisation.unpublished",
        "SELECT r.id FROM round_organisation i JOIN round r ON r.id = i.round_id WHERE i.organisation_id = $1 \
         AND r.state IN ('draft', 'enrolling', 'review', 'submitted', 'approved') AND NOT EXISTS (SELECT 1 FROM submission s \
         WHERE s.round_id = r.id AND s.state = 'published') ORDER BY r.id");
}

/// A membership that was set.
#[derive(Debug)]
pub struct MembershipSet {
    /// The organisation after the change.
    pub organisation: Organisation,
    /// The notes of the change; none if it changed nothing.
    pub notes: Vec<Note>,
    /// Runs that were cancelled, because people in them were withdrawn.
    pub cancelled: Vec<RunRef>,
}

/// The organisation after a change of its membership at `now`, or why it cannot be changed.
fn changed(
    before: &Organisation,
    change: &MembershipChange,
    etag: &str,
    now: Timestamp,
) -> Result<Organisation> {
    if !is_meant(etag, before.version) {
        return Err(Error::EtagMismatch(before.id.name()));
    }
    let membership = before.membership.changed(change, now).map_err(Error::InvalidFields)?;
    if membership == before.membership {
        return Ok(before.clone());
    }
    Ok(Organisation { membership, version: before.version + 1, update_time: now, ..before.clone() })
}

impl Store {
    /// The organisation that [`WriteSession::set_membership`] would return at `now`, or its error. Nothing is written.
    pub async fn check_membership(
        &self,
        scope: &Scope,
        id: &OrganisationId,
        change: &MembershipChange,
        etag: &str,
        now: Timestamp,
    ) -> Result<Organisation> {
        changed(&self.organisation(scope, id).await?, change, etag, now)
    }
}

impl WriteSession {
    /// Sets the membership of an organisation. A new member is invited to the open rounds of all members. The end of a
    /// membership withdraws the organisation's people from every round that is not published, takes its invitation to it away,
    /// and cancels a run of it that is under way. What the organisation has stored stays.
    ///
    /// Fails with `NotFound`, `EtagMismatch` or `InvalidFields`.
    pub async fn set_membership(
        &mut self,
        id: &OrganisationId,
        change: &MembershipChange,
        etag: &str,
    ) -> Result<MembershipSet> {
        self.hold_memberships().await?;
        self.lock_organisation(id).await?;
        let now = self.now();
        let before = organisation::of(self.reads(), id).await?;
        let after = changed(&before, change, etag, now)?;
        let mut set = MembershipSet { organisation: after, notes: Vec::new(), cancelled: Vec::new() };
        if set.organisation.version == before.version {
            return Ok(set);
        }
        let membership = &set.organisation.membership;
        let accepted = membership.accepted.as_ref();
        let values = values![
            id,
            before.version,
            membership.state.as_str(),
            accepted.map(|accepted| accepted.version.as_str()),
            accepted.map(|accepted| accepted.time.as_microsecond()),
            now,
        ];
        let owner = Owner::Organisation(id);
        self.change_exactly(1, owner, SET, values).await?;
        let detail = json!({ "from": before.membership.state.as_str(), "to": membership.state.as_str() });
        let note = Note::new(owner, "membership.set", id.name(), &detail);
        set.notes.push(note.of_version(set.organisation.version));
        match (before.membership.is_member(), membership.is_member()) {
            (false, true) => self.invite_member(id).await?,
            (true, false) => self.leave_rounds(id, &mut set).await?,
            _ => {}
        }
        Ok(set)
    }

    /// Takes an organisation out of every round that is not published.
    async fn leave_rounds(&mut self, id: &OrganisationId, set: &mut MembershipSet) -> Result<()> {
        let rows = self.reads().rows(UNPUBLISHED, values![id]).await?;
        for row in &rows {
            let round: RoundId = row.id("round", "id")?;
            let number = self.lock_round(&round).await?.enrolment_number + 1;
            let withdrawn = enrolment::withdraw_all(self, &round, id, number).await?;
            if withdrawn > 0 {
                set.notes.push(enrolment::withdrawal(&round, id, withdrawn));
                if let Some(run) = round::active(self.reads(), &round).await? {
                    set.notes.extend(self.cancel_run(&run).await?.1);
                    set.cancelled.push(run);
                }
            }
            set.notes.extend(self.take_invitation(&round, id).await?);
        }
        Ok(())
    }

    /// Takes the invitation of an organisation away whose membership ends. A list of organisations is a part of the round, so
    /// that the round changes with it.
    async fn take_invitation(
        &mut self,
        round: &RoundId,
        organisation: &OrganisationId,
    ) -> Result<Option<Note>> {
        let (owner, now) = (Owner::Alliance, self.now());
        self.change_exactly(1, owner, invited::TAKE_AWAY, values![round, organisation]).await?;
        if self.change(owner, NEXT_VERSION, values![round, now]).await? == 0 {
            return Ok(None);
        }
        let version = round::of(self.reads(), round).await?.version;
        let detail = json!({ "fields": ["organisations"] });
        Ok(Some(Note::new(owner, "round.update", round.name(), &detail).of_version(version)))
    }
}
