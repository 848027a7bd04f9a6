//! Sessions of the console: who sits before it, in which of her roles, until when.

use jiff::{SignedDuration, Timestamp};

use super::vocabulary::Lang;

/// Minutes without a request after which a session has ended.
const IDLE_MINUTES: i64 = 60;
/// Hours after the sign-in at which a session has ended.
pub const SESSION_HOURS: i64 = 12;

/// How somebody signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn {
    /// By an API token: for demonstrations and tests.
    Token,
    /// By a passkey.
    Passkey,
}

impl SignIn {
    /// The way's name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Passkey => "passkey",
        }
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Token, Self::Passkey].into_iter().find(|way| way.as_str() == name)
    }
}

/// A session, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSession {
    /// Its id, a UUID.
    pub id: String,
    /// Id of the principal.
    pub principal: String,
    /// Id of the grant in which she acts.
    pub grant: String,
    /// How she signed in.
    pub sign_in: SignIn,
    /// The language of the pages.
    pub lang: Lang,
    /// When she last proved who she is.
    pub proof_time: Timestamp,
    /// Her last request, to the minute.
    pub use_time: Timestamp,
    /// When she signed in.
    pub create_time: Timestamp,
}

impl ConsoleSession {
    /// Whether it has not ended at `latest`, the latest moment that the service has seen.
    pub fn is_live(&self, latest: Timestamp) -> bool {
        latest < self.use_time + SignedDuration::from_mins(IDLE_MINUTES)
            && latest < self.create_time + SignedDuration::from_hours(SESSION_HOURS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_after_an_hour_of_silence_and_after_half_a_day_in_any_case() {
        let at = |minute: i64| Timestamp::from_second(60 * minute).expect("a moment");
        let session = |use_minute| ConsoleSession {
            id: "s".to_owned(),
            principal: "p".to_owned(),
            grant: "g".to_owned(),
            sign_in: SignIn::Token,
            lang: Lang::default(),
            proof_time: at(0),
            use_time: at(use_minute),
            create_time: at(0),
        };
        assert!(session(0).is_live(at(59)) && !session(0).is_live(at(60)));
        assert!(session(700).is_live(at(719)) && !session(700).is_live(at(720)));
    }
}
