//! Use cases of the console's sessions: sign in, act in another role, sign out. A session is about whoever holds its secret,
//! and about nobody else; what she may do with it is decided by `permission`, as for every caller.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::Service;
use crate::domain::caller::Caller;
use crate::domain::console_session::{ConsoleSession, SignIn};
use crate::domain::credential::{Presented, hash_of_token};
use crate::domain::grant::{Grant, Role};
use crate::domain::name::is_uuid;
use crate::domain::principal::Principal;
use crate::domain::vocabulary::Lang;
use crate::error::{Error, Result};
use crate::store::{Begun, Notes, Receipt, Scope, WriteSession};

/// The beginning of every secret of a session, by which secret scanners find it.
const PREFIX: &str = "wimc_";
/// Seconds after which a further use of a session is noted.
const NOTED_SECONDS: i64 = 60;
/// Most grants of a principal that are looked at.
const MOST_GRANTS: u32 = 1_000;
/// Most sessions of a principal that are listed.
const MOST_SESSIONS: u32 = 100;

/// Whoever sits before the console.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Her session.
    pub session: ConsoleSession,
    /// Who she is.
    pub principal: Principal,
    /// The roles that she holds now, the oldest first.
    pub grants: Vec<Grant>,
    /// She in the role in which she acts, as the other use cases take her.
    pub caller: Caller,
}

impl Service {
    /// Opens a session for the principal of an API token, and returns its secret, which is shown this once.
    ///
    /// Fails with `Unauthenticated` for an unknown token, and for a principal that holds no role.
    pub async fn sign_in_with_token(&self, token: &str, lang: Lang) -> Result<String> {
        let caller = self.authenticate(&Presented::Token(token.trim().to_owned())).await?;
        self.open_session(&caller.principal, SignIn::Token, lang).await
    }

    async fn open_session(&self, principal: &str, sign_in: SignIn, lang: Lang) -> Result<String> {
        let now = self.clock.now();
        let grants = self.live_grants(principal).await?;
        let grant = grants.into_iter().next().ok_or(Error::Unauthenticated)?.id;
        let secret = self.new_secret(PREFIX);
        let session = ConsoleSession {
            id: self.clock.new_id().to_string(),
            principal: principal.to_owned(),
            grant,
            sign_in,
            lang,
            proof_time: now,
            use_time: now,
            create_time: now,
        };
        let mut writing = self.begin_session_change(principal).await?;
        let note = writing.create_console_session(&session, &hash_of_token(&secret)).await?;
        writing.commit(note, &[]).await?;
        Ok(secret)
    }

    /// Whoever holds the secret of a session, in the role in which she acts. A session whose time is over, or whose grant has
    /// ended, is ended.
    pub async fn visitor(&self, secret: &str) -> Result<Visitor> {
        let found = self.store.console_session(&Scope::System, &hash_of_token(secret)).await?;
        let session = found.ok_or(Error::Unauthenticated)?;
        let now = self.clock.now();
        let latest = self.latest.with(now);
        let grants = self.live_grants(&session.principal).await?;
        let role = grants.iter().find(|grant| grant.id == session.grant).map(|grant| grant.role.clone());
        let Some(role) = role.filter(|_| session.is_live(latest)) else {
            self.end_session(&session.principal, &session.id).await?;
            return Err(Error::Unauthenticated);
        };
        if session.use_time + SignedDuration::from_secs(NOTED_SECONDS) < latest {
            self.store.use_console_session(&Scope::System, &session.id, now).await?;
        }
        let principal = self.store.principal(&Scope::System, &session.principal).await?;
        let caller = Caller { principal: session.principal.clone(), roles: vec![role] };
        Ok(Visitor { session, principal, grants, caller })
    }

    /// Lets a session act in another role of its principal. A grant of somebody else does not exist.
    pub async fn act_as(&self, visitor: &Visitor, grant: &str) -> Result<()> {
        if visitor.grants.iter().all(|held| held.id != grant) {
            return Err(Error::NotFound("the role".to_owned()));
        }
        let mut writing = self.begin_session_change(&visitor.session.principal).await?;
        let note = writing.act_in_console_session(&visitor.session, grant).await?;
        writing.commit(note, &[]).await
    }

    /// Sets the language in which a session reads its pages.
    pub async fn speak(&self, visitor: &Visitor, lang: Lang) -> Result<()> {
        self.store.speak_in_console_session(&Scope::System, &visitor.session.id, lang).await
    }

    /// The sessions of whoever holds this one, the oldest first.
    pub async fn list_sessions(&self, visitor: &Visitor) -> Result<Vec<ConsoleSession>> {
        let latest = self.latest.with(self.clock.now());
        let principal = &visitor.session.principal;
        let found = self.store.console_sessions(&Scope::System, principal, MOST_SESSIONS).await?;
        Ok(found.into_iter().filter(|session| session.is_live(latest)).collect())
    }

    /// Ends a session of whoever holds this one. A session of somebody else stays as it is.
    pub async fn sign_out(&self, visitor: &Visitor, session: &str) -> Result<()> {
        self.end_session(&visitor.session.principal, session).await
    }

    /// Ends all sessions of whoever holds this one.
    pub async fn sign_out_everywhere(&self, visitor: &Visitor) -> Result<()> {
        let principal = &visitor.session.principal;
        let mut writing = self.begin_session_change(principal).await?;
        match writing.end_console_sessions(principal).await? {
            Some(note) => writing.commit(note, &[]).await,
            None => writing.commit_unchanged(&[]).await,
        }
    }

    /// The handles of principals by their ids. Coordinators and the Secretariat know each other by their handles; for others
    /// there are none.
    pub async fn handles(&self, visitor: &Visitor, ids: BTreeSet<&str>) -> Result<BTreeMap<String, String>> {
        let mut handles = BTreeMap::new();
        let may_know = |role: &Role| matches!(role, Role::Coordinator | Role::Secretariat);
        if visitor.caller.roles.iter().any(may_know) {
            for id in ids.into_iter().filter(|id| is_uuid(id)) {
                match self.store.principal(&Scope::System, id).await {
                    Ok(found) => drop(handles.insert(id.to_owned(), found.content.handle.to_string())),
                    Err(Error::NotFound(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(handles)
    }

    async fn end_session(&self, principal: &str, session: &str) -> Result<()> {
        let mut writing = self.begin_session_change(principal).await?;
        match writing.end_console_session(principal, session).await? {
            Some(note) => writing.commit(Notes::from(note), &[]).await,
            None => writing.commit_unchanged(&[]).await,
        }
    }

    /// The grants that a principal holds now, the oldest first.
    async fn live_grants(&self, principal: &str) -> Result<Vec<Grant>> {
        let now = self.clock.now();
        let latest = self.latest.with(now);
        let grants = self.store.list_grants(&Scope::System, principal, "", MOST_GRANTS).await?;
        Ok(grants.into_iter().filter(|grant| grant.is_live(now, latest)).collect())
    }

    async fn begin_session_change(&self, principal: &str) -> Result<WriteSession> {
        let receipt = Receipt {
            actor: principal.to_owned(),
            scope: Scope::System,
            now: self.clock.now(),
            request: None,
        };
        match self.store.begin(receipt).await? {
            Begun::Fresh(session) => Ok(session),
            Begun::Repeated(_) => Err(Error::internal("a receipt without a request_id has no first answer")),
        }
    }
}
