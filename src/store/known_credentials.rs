//! Credentials that were read a moment ago, so that a caller's calls do not read hers again each time.
//!
//! What is kept is what the database said at most [`KEPT`] ago: a credential that another process revokes opens nothing after
//! that time. A change of a credential or a grant by this process is seen by the next call, because it forgets everything that
//! is kept, and whatever is being read. Unknown credentials are not kept, so that strangers fill nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Stopwatch;
use crate::domain::credential::CredentialKind;
use crate::domain::grant::Grant;

/// How long a credential is kept. Revocation is promised within a second.
const KEPT: Duration = Duration::from_millis(150);
/// Most credentials that are kept.
const MOST: usize = 1_024;
/// Beginnings of the names of statements that change who a credential belongs to, or what it opens.
const OF_CREDENTIALS: [&str; 3] = ["credential.", "role_grant.", "principal."];

/// Who a credential belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Id of the credential.
    pub credential: String,
    /// Id of the principal.
    pub principal: String,
    /// The moment from which the credential opens nothing; `None` without one.
    pub expire_time: Option<Timestamp>,
    /// The grants of the principal that nobody has ended.
    pub grants: Vec<Grant>,
}

/// The credentials that are kept. All clones of a store share them.
#[derive(Debug, Default)]
pub(super) struct KnownCredentials(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_identity: HashMap<Identity, (Known, Stopwatch)>,
    /// Number of times that all were forgotten.
    forgotten: u64,
}

type Identity = (CredentialKind, String);

/// The number of times that all were forgotten before a credential was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Before(u64);

/// Forgets all credentials when it is dropped.
pub(super) struct Forgetting(pub(super) Arc<KnownCredentials>);

impl Drop for Forgetting {
    fn drop(&mut self) {
        self.0.forget();
    }
}

/// Whether a statement changes who a credential belongs to, or what it opens.
pub(super) fn is_of_credentials(statement: &str) -> bool {
    OF_CREDENTIALS.iter().any(|beginning| statement.starts_with(beginning))
}

impl KnownCredentials {
    /// A credential that was read a moment ago, or what [`Self::keep`] asks for after it is read.
    pub(super) fn find(&self, kind: CredentialKind, identity: &str) -> Result<Known, Before> {
        let kept = self.kept();
        match kept.by_identity.get(&(kind, identity.to_owned())) {
            Some((known, since)) if since.elapsed() < KEPT => Ok(known.clone()),
            _ => Err(Before(kept.forgotten)),
        }
    }

    /// Keeps a credential that was read from the database, unless all were forgotten meanwhile.
    pub(super) fn keep(&self, kind: CredentialKind, identity: &str, known: &Known, before: Before) {
        let mut kept = self.kept();
        if kept.by_identity.len() >= MOST {
            kept.by_identity.retain(|_, (_, since)| since.elapsed() < KEPT);
        }
        if kept.forgotten == before.0 && kept.by_identity.len() < MOST {
            kept.by_identity.insert((kind, identity.to_owned()), (known.clone(), Stopwatch::start()));
        }
    }

    /// Forgets all: one of them may have changed.
    pub(super) fn forget(&self) {
        let mut kept = self.kept();
        kept.by_identity.clear();
        kept.forgotten += 1;
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: CredentialKind = CredentialKind::Token;

    fn known(principal: &str) -> Known {
        let (credential, principal) = ("c".to_owned(), principal.to_owned());
        Known { credential, principal, expire_time: None, grants: Vec::new() }
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let credentials = KnownCredentials::default();
        let before = credentials.find(KIND, "a").expect_err("nothing was read");
        credentials.keep(KIND, "a", &known("p"), before);
        assert_eq!(credentials.find(KIND, "a"), Ok(known("p")));
        credentials.find(CredentialKind::Jwt, "a").expect_err("of another kind");
        let other = credentials.find(KIND, "b").expect_err("nothing was read");
        credentials.forget();
        credentials.keep(KIND, "b", &known("q"), other);
        credentials.find(KIND, "a").expect_err("forgotten");
        credentials.find(KIND, "b").expect_err("read before the change");
    }

    #[test]
    fn the_number_of_credentials_is_bounded() {
        let credentials = KnownCredentials::default();
        for number in 0..2 * MOST {
            let name = number.to_string();
            if let Err(before) = credentials.find(KIND, &name) {
                credentials.keep(KIND, &name, &known(&name), before);
            }
        }
        assert!(credentials.kept().by_identity.len() <= MOST);
    }

    #[test]
    fn a_revocation_is_seen_within_a_second() {
        // Open answers look whether their caller is still one every 400 ms.
        const { assert!(KEPT.as_millis() + 400 < 1_000) };
        assert!(is_of_credentials("credential.revoke") && is_of_credentials("role_grant.end"));
        assert!(!is_of_credentials("round.create"));
    }
}
