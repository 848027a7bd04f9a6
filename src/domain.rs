//! The nouns of a round as plain types. Whatever comes from outside is *parsed* into them whole: a value of one of these
//! types is right by construction, and a failed parse lists every violation at once.

pub mod audit;
pub mod caller;
pub mod credential;
pub mod cursor;
pub mod date;
pub mod enrolment;
pub mod event;
pub mod everyday;
pub mod explanation;
pub mod failure;
pub mod field_rule;
pub mod folding;
pub mod grant;
pub mod language;
pub mod manager_view;
pub mod membership;
pub mod message;
pub mod name;
pub mod open_answers;
pub mod organisation;
pub mod policy;
pub mod principal;
pub mod profile;
pub mod round;
pub mod run;
pub mod salt;
pub mod snapshot;
pub(crate) mod spelling;
pub mod suppression;
pub mod template;
pub mod version;
pub mod violation;
pub mod vocabulary;
pub mod warning;
