//! Use cases of invitations: a secret that makes its first bearer a principal with roles, once, within 72 hours.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::page::Cursor;
use super::principal::taken_from;
use super::{
    Action, Change, Page, PageRequest, Permit, Service, check_request_id, commit_change, digest,
    parse_request_id, recalled, remembered,
};
use crate::domain::caller::Caller;
use crate::domain::credential::{hash_of_token, parse_label};
use crate::domain::field_rule;
use crate::domain::grant::{Grant, GrantDraft, Invitation, Role, Term};
use crate::domain::name::is_uuid;
use crate::domain::principal::{Principal, PrincipalContent, PrincipalDraft, PrincipalKind};
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, Notes, Receipt, RequestKey, Scope, first_version};

/// The beginning of every secret of an invitation, by which secret scanners find it.
const PREFIX: &str = "wimi_";
/// Hours for which an invitation can be redeemed.
const HOURS: i64 = 72;
/// Most roles of an invitation.
const MOST_GRANTS: usize = field_rule::INVITATION_GRANTS.max_items;

/// A created invitation.
#[derive(Debug, Clone)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// The secret, if it was not shown before.
    pub secret: Option<String>,
}

/// What became of an invitation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Redeemed {
    /// The new principal.
    pub principal: Principal,
    /// Its roles.
    pub grants: Vec<Grant>,
    /// Its first token, if it was not shown before.
    #[serde(skip)]
    pub token: Option<String>,
}

impl Service {
    /// Creates an invitation, or checks whether it can be created. A repeated request returns no secret.
    pub async fn create_invitation(
        &self,
        caller: &Caller,
        drafts: &[GrantDraft],
        how: Change<'_>,
    ) -> Result<Invited> {
        let permit = Action::CreateInvitation.permit(caller)?;
        let (now, mut violations) = (self.clock.now(), Violations::of_request());
        if drafts.is_empty() || drafts.len() > MOST_GRANTS {
            let count = drafts.len().to_string();
            violations.push("invitation.grants", &count, "is the number of roles; give 1 to 50", "");
        }
        let mut grants = Vec::with_capacity(drafts.len().min(MOST_GRANTS));
        for (at, draft) in drafts.iter().take(MOST_GRANTS).enumerate() {
            let field = format!("invitation.grants[{at}]");
            grants.extend(taken_from(Term::parse(draft, now), &field, &mut violations));
        }
        check_request_id(how.request_id, &mut violations);
        if !violations.is_empty() {
            return Err(Error::InvalidFields(violations));
        }
        for grant in &grants {
            may_invite(caller, &permit, &grant.role)?;
            self.store.check_grant(&permit.scope, None, &grant.role).await?;
        }
        let mut invitation = Invitation {
            id: String::new(),
            grants,
            create_time: now,
            expire_time: now + SignedDuration::from_hours(HOURS),
            creator: permit.principal.clone(),
            redeemed: None,
            cancel_time: None,
        };
        if how.validate_only {
            return Ok(Invited { invitation, secret: None });
        }
        let payload: Vec<_> = drafts.iter().map(|d| (&d.role, &d.organisation, d.from, d.until)).collect();
        // The invitation belongs to the alliance, whoever invites.
        let receipt = Receipt { scope: Scope::Alliance, ..self.receipt(&permit, how.request_id, &payload)? };
        match self.store.begin(receipt).await? {
            Begun::Repeated(first) => Ok(Invited { invitation: recalled(&first)?, secret: None }),
            Begun::Fresh(mut session) => {
                invitation.id = self.clock.new_id().to_string();
                let secret = self.new_secret(PREFIX);
                let note = session.create_invitation(&invitation, &hash_of_token(&secret)).await?;
                session.commit(note, &remembered(&invitation)?).await?;
                Ok(Invited { invitation, secret: Some(secret) })
            }
        }
    }

    /// A page of invitations, the oldest first: all for the Secretariat, and for others those that they have created.
    pub async fn list_invitations(&self, caller: &Caller, request: &PageRequest) -> Result<Page<Invitation>> {
        let permit = Action::ListInvitations.permit(caller)?;
        let cursor = Cursor::new(&permit, "invitations", request)?;
        let after = cursor.after.as_deref().unwrap_or_default();
        let creator = creator_seen(caller);
        let found = self.store.list_invitations(&Scope::System, creator, after, cursor.limit()).await?;
        Ok(cursor.page(found, |invitation| invitation.id.clone()))
    }

    /// Cancels an invitation for ever, or checks whether it can be cancelled. One that was redeemed or cancelled before stays
    /// as it is. The invitation of another principal does not exist for whoever is not the Secretariat.
    pub async fn cancel_invitation(
        &self,
        caller: &Caller,
        name: &str,
        how: Change<'_>,
    ) -> Result<Invitation> {
        let permit = Action::CancelInvitation.permit(caller)?;
        let mut violations = Violations::of_request();
        let id = name.strip_prefix("invitations/").filter(|id| is_uuid(id));
        if id.is_none() {
            violations.push(
                "name",
                name,
                "is not the name of an invitation",
                "use invitations/ID as ListInvitations shows it",
            );
        }
        check_request_id(how.request_id, &mut violations);
        let (Some(id), true) = (id, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let found = self.store.invitation_named(&Scope::System, id).await?;
        if creator_seen(caller).is_some_and(|creator| creator != found.creator) {
            return Err(Error::NotFound(name.to_owned()));
        }
        if how.validate_only {
            let is_over = found.redeemed.is_some() || found.cancel_time.is_some();
            let cancel_time = if is_over { found.cancel_time } else { Some(self.clock.now()) };
            return Ok(Invitation { cancel_time, ..found });
        }
        let receipt = Receipt { scope: Scope::Alliance, ..self.receipt(&permit, how.request_id, &id)? };
        match self.store.begin(receipt).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (invitation, note) = session.cancel_invitation(id).await?;
                commit_change(session, note, &remembered(&invitation)?).await?;
                Ok(invitation)
            }
        }
    }

    /// Makes a principal with the roles of an invitation and a first token, or checks whether it can be made. Nobody has to be
    /// known: the secret is the credential. A repeated request returns no token.
    ///
    /// Fails with `NotFound` for a secret that was never given out, was redeemed, or has expired.
    pub async fn redeem_invitation(
        &self,
        secret: &str,
        draft: PrincipalDraft,
        label: &str,
        how: Change<'_>,
    ) -> Result<Redeemed> {
        let mut violations = Violations::of_request();
        let draft = PrincipalDraft { kind: Some(PrincipalKind::Person), ..draft };
        let content = taken_from(PrincipalContent::parse(&draft), "principal", &mut violations);
        let label = parse_label(label, &mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some(content), true) = (content, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let unknown = || Error::NotFound("the invitation".to_owned());
        let found = self.store.invitation(&Scope::System, &hash_of_token(secret)).await?;
        let invitation = found.ok_or_else(unknown)?;
        let now = self.clock.now();
        let is_over = !invitation.is_open(self.latest.with(now));
        if how.validate_only {
            if is_over {
                return Err(unknown());
            }
            if self.store.principal_of_handle(&Scope::System, content.handle.as_str()).await?.is_some() {
                return Err(Error::AlreadyExists(format!("the handle {}", content.handle)));
            }
            let grants = invitation.grants.into_iter().map(|term| begun(term, now, String::new())).collect();
            return Ok(Redeemed { principal: first_version("", &content, now), grants, token: None });
        }
        let request = match how.request_id {
            "" => None,
            id => Some(RequestKey {
                id: parse_request_id(id)?,
                method: Action::RedeemInvitation.method(),
                payload_digest: digest(&(&content, &label))?,
            }),
        };
        let actor = format!("invitation:{}", invitation.id);
        let mut session =
            match self.store.begin(Receipt { actor, scope: Scope::System, now, request }).await? {
                Begun::Repeated(first) => return recalled(&first),
                Begun::Fresh(session) => session,
            };
        if is_over {
            return Err(unknown());
        }
        let id = self.clock.new_id().to_string();
        let (principal, note) = session.create_principal(&id, &content).await?;
        let mut notes = vec![note];
        let redeemed = session.redeem_invitation(&invitation.id, &id).await?;
        notes.push(redeemed.ok_or_else(unknown)?);
        let mut grants = Vec::with_capacity(invitation.grants.len());
        for term in invitation.grants {
            let grant = begun(term, now, self.clock.new_id().to_string());
            notes.push(session.create_grant(&id, &grant).await?);
            grants.push(grant);
        }
        let (credential, token) = self.new_credential(&id, None, &label, None)?;
        notes.push(session.create_credential(&credential).await?);
        let done = Redeemed { principal, grants, token };
        let notes = Notes::of(notes).ok_or_else(|| Error::internal("a redemption has no notes"))?;
        session.commit(notes, &remembered(&done)?).await?;
        Ok(done)
    }
}

/// The creator whose invitations a caller sees; `None` for all.
fn creator_seen(caller: &Caller) -> Option<&str> {
    let sees_all = caller.roles.contains(&Role::Secretariat);
    (!sees_all).then_some(caller.principal.as_str())
}

/// The grant of an invitation that is redeemed at `now`.
fn begun(term: Term, now: Timestamp, id: String) -> Grant {
    let from = term.from.max(now);
    let from = if term.until.is_some_and(|until| until <= from) { term.from } else { from };
    Term { from, ..term }.with_id(id)
}

/// `Ok` if the caller may invite somebody to a role: the Secretariat to any, a coordinator an expert of the alliance, a
/// manager an expert of her organisation.
fn may_invite(caller: &Caller, permit: &Permit, role: &Role) -> Result<()> {
    let holds = |wanted: &dyn Fn(&Role) -> bool| caller.roles.iter().any(wanted);
    if holds(&|held| *held == Role::Secretariat) {
        return Ok(());
    }
    match role {
        Role::Expert(None) if holds(&|held| *held == Role::Coordinator) => Ok(()),
        Role::Expert(Some(own)) if holds(&|held| *held == Role::OrganisationManager(own.clone())) => Ok(()),
        Role::Expert(Some(other)) if !permit.scope.covers(other) => Err(Error::NotFound(other.name())),
        _ => Err(Error::PermissionDenied {
            role: caller.roles.first().map_or("none", Role::as_str),
            action: Action::CreateInvitation.method(),
            required: Role::SECRETARIAT,
        }),
    }
}
