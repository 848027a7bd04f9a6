//! The organisations that are invited to rounds. A round, its policies and its runs exist in the scope of organisations if one
//! of them is invited.
//!
//! Every invited organisation of a round that is not published is a member of the alliance. Whoever invites or changes a
//! membership holds one lock, which a registration shares, so that no invitation crosses the beginning or end of a membership.

use std::collections::BTreeSet;

use super::dialect::values;
use super::read::ReadSession;
use super::scope::Owner;
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::membership::MembershipState;
use crate::domain::name::{OrganisationId, RoundId};
use crate::domain::round::{Invitations, Round};
use crate::domain::violation::Violations;
use crate::error::{Error, Result};

/// Whether a round exists in the scope of the last value, as a condition: it does without a limit, or for an invited
/// organisation.
macro_rules! exists_for {
    ($round:literal, $scope:literal) => {
        concat!(
            "(CAST(",
            $scope,
            " AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM round_organisation w WHERE w.round_id = ",
            $round,
            " AND ",
            $scope,
            " LIKE '%,' || w.organisation_id || ',%'))"
        )
    };
}

pub(super) use exists_for;

statements! {
    // SQLite has one writer. Registrations of organisations do not wait for each other.
    query SHARE = hidden("membership.share",
        sqlite: "SELECT '' AS held",
        postgres: "SELECT CAST(pg_advisory_xact_lock_shared(7141966) AS TEXT) AS held");
    query HOLD = hidden("membership.hold",
        sqlite: "SELECT '' AS held",
        postgres: "SELECT CAST(pg_advisory_xact_lock(7141966) AS TEXT) AS held");
    query MEMBERS = hidden("organisation.members",
        "SELECT id FROM organisation WHERE membership = 'member' ORDER BY id");
    query ENROLLED = hidden("enrolment_count.organisations",
        "SELECT organisation_id FROM enrolment_count WHERE round_id = $1 AND profiles > 0");
    query IS_INVITED = filtered("round_organisation.get",
        "SELECT o.membership FROM round_organisation i JOIN organisation o ON o.id = i.organisation_id WHERE i.round_id = $1 \
         AND i.organisation_id = $2 AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || i.organisation_id || ',%')");
    change INVITE = ("round_organisation.create",
        "INSERT INTO round_organisation (round_id, organisation_id) VALUES ($1, $2)");
    change INVITE_MEMBER = ("round_organisation.invite_member",
        "INSERT INTO round_organisation (round_id, organisation_id) SELECT r.id, CAST($1 AS TEXT) FROM round r \
         WHERE r.all_members = 1 AND r.state IN ('draft', 'enrolling', 'review') ON CONFLICT DO NOTHING");
    change TAKE_AWAY = ("round_organisation.delete",
        "DELETE FROM round_organisation WHERE round_id = $1 AND organisation_id = $2");
}

/// The members of the alliance.
async fn members(session: &mut ReadSession) -> Result<BTreeSet<OrganisationId>> {
    let rows = session.rows(MEMBERS, values![]).await?;
    rows.iter().map(|row| row.id("organisation", "id")).collect()
}

/// `Ok` if the organisation is invited to the round, which exists in the scope.
pub(super) async fn require(
    session: &mut ReadSession,
    round: &RoundId,
    organisation: &OrganisationId,
) -> Result<()> {
    membership(session, round, organisation).await.map(drop)
}

/// `Ok` if the organisation is invited to the round and is a member of the alliance still.
pub(super) async fn require_member(
    session: &mut ReadSession,
    round: &RoundId,
    organisation: &OrganisationId,
) -> Result<()> {
    if membership(session, round, organisation).await? == MembershipState::Member {
        return Ok(());
    }
    let (what, hint) = ("is not a member of the alliance", "ask the Secretariat to set its membership");
    Err(refused(organisation, what, hint))
}

/// The membership of an organisation that is invited to the round.
async fn membership(
    session: &mut ReadSession,
    round: &RoundId,
    organisation: &OrganisationId,
) -> Result<MembershipState> {
    let Some(row) = session.row(IS_INVITED, values![round, organisation]).await? else {
        let (what, hint) = ("is not invited to the round", "ask a coordinator to invite the organisation");
        return Err(refused(organisation, what, hint));
    };
    row.parse("organisation", organisation, "membership", MembershipState::from_name)
}

fn refused(organisation: &OrganisationId, what: &'static str, hint: &'static str) -> Error {
    let mut violations = Violations::of_request();
    violations.push("organisation", organisation.name(), what, hint);
    Error::InvalidFields(violations)
}

/// Who is invited from now on: the asked organisations, or all members. `before` is the stored round with the organisations
/// that were invited; `None` for a new round.
///
/// Fails with `InvalidFields` if a new organisation is no member, or if one without an invitation has live enrolments.
pub(super) async fn settled(
    session: &mut ReadSession,
    asked: Invitations,
    before: Option<&Round>,
) -> Result<Invitations> {
    let known = before.map(|round| round.content.invitations.clone()).unwrap_or_default();
    if asked == known {
        return Ok(asked);
    }
    let members = members(session).await?;
    let organisations = if asked.all_members { members.clone() } else { asked.organisations };
    let mut violations = Violations::of_request();
    for stranger in organisations.difference(&members).filter(|id| !known.organisations.contains(id)) {
        violations.push(
            "round.organisations",
            stranger.name(),
            "is not a member of the alliance",
            "invite organisations that are members",
        );
    }
    if let Some(round) = before {
        let rows = session.rows(ENROLLED, values![&round.id]).await?;
        for row in &rows {
            let enrolled: OrganisationId = row.id("enrolment_count", "organisation_id")?;
            if !organisations.contains(&enrolled) {
                violations.push(
                    "round.organisations",
                    enrolled.name(),
                    "has enrolments in the round, so its invitation stays",
                    "have its manager withdraw them first",
                );
            }
        }
    }
    violations.finish(Invitations { organisations, ..asked }).map_err(Error::InvalidFields)
}

impl WriteSession {
    /// Holds the memberships and invitations until the session ends.
    pub(super) async fn hold_memberships(&mut self) -> Result<()> {
        self.reads().row(HOLD, values![]).await.map(drop)
    }

    /// Keeps others from holding the memberships and invitations until the session ends.
    pub(super) async fn share_memberships(&mut self) -> Result<()> {
        self.reads().row(SHARE, values![]).await.map(drop)
    }

    /// Invites the organisations of `after` to a round, and takes the other invitations away.
    pub(super) async fn write_invitations(
        &mut self,
        round: &RoundId,
        before: &BTreeSet<OrganisationId>,
        after: &BTreeSet<OrganisationId>,
    ) -> Result<()> {
        for organisation in before.difference(after) {
            self.change_exactly(1, Owner::Alliance, TAKE_AWAY, values![round, organisation]).await?;
        }
        for organisation in after.difference(before) {
            self.change_exactly(1, Owner::Alliance, INVITE, values![round, organisation]).await?;
        }
        Ok(())
    }

    /// Invites a new member to the open rounds to which every member is invited.
    pub(super) async fn invite_member(&mut self, organisation: &OrganisationId) -> Result<()> {
        self.change(Owner::Organisation(organisation), INVITE_MEMBER, values![organisation]).await.map(drop)
    }
}
