//! Names of what reviewers make in a round: decisions, reviews of pairs, comments, submissions.

use serde::{Deserialize, Serialize};

use super::{InvalidName, PrincipalRef, RoundId, is_pair_id, parse_number};

const DECISION_RULE: &str = "rounds/ID/decisions/NUMBER, as ListDecisions returns it";
const SUBMISSION_RULE: &str = "rounds/ID/submissions/NUMBER, as ListSubmissions returns it";
const PAIR_RULE: &str = "rounds/ID/pairs/ID, where the last ID is that of a match";
const PAIR_EXAMPLE: &str = "rounds/2027-spring/pairs/0123456789abcdef0123456789abcdef";
const MENTORSHIP_RULE: &str = "rounds/ID/mentorships/ID, as ListMentorships returns it";
const MENTORSHIP_EXAMPLE: &str = "rounds/2027-spring/mentorships/0123456789abcdef0123456789abcdef";
const ASK_RULE: &str = "rounds/ID/pairs/ID/asks/ID, as ListAsks returns it";
const ASK_EXAMPLE: &str =
    "rounds/2027-spring/pairs/0123456789abcdef0123456789abcdef/asks/01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3a";
const COMMENT_RULE: &str = "rounds/ID/pairs/ID/comments/ID, as ListComments returns it";
const COMMENT_EXAMPLE: &str =
    "rounds/2027-spring/pairs/0123456789abcdef0123456789abcdef/comments/fedcba9876543210fedcba9876543210";

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident, $collection:literal, $example:literal, $rule:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            /// The round.
            pub round: RoundId,
            /// Number within the round.
            pub number: i64,
        }

        impl $name {
            /// Reads the name.
            pub fn from_name(name: &str) -> Result<Self, InvalidName> {
                let invalid = || InvalidName { example: $example, rule: $rule };
                let parts = name.strip_prefix("rounds/").and_then(|rest| rest.split_once(concat!("/", $collection, "/")));
                let (round, number) = parts.ok_or_else(invalid)?;
                match (round.parse(), parse_number(number)) {
                    (Ok(round), Some(number)) => Ok(Self { round, number }),
                    _ => Err(invalid()),
                }
            }

            /// The name.
            pub fn name(&self) -> String {
                format!(concat!("rounds/{}/", $collection, "/{}"), self.round, self.number)
            }
        }
    };
}

numbered!(
    /// Name of a decision on a pair.
    DecisionRef, "decisions", "rounds/2027-spring/decisions/3", DECISION_RULE
);
numbered!(
    /// Name of a submission of a run.
    SubmissionRef, "submissions", "rounds/2027-spring/submissions/1", SUBMISSION_RULE
);

macro_rules! of_pair {
    ($(#[$doc:meta])* $name:ident, $collection:literal, $example:ident, $rule:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name {
            /// The round.
            pub round: RoundId,
            /// Id of the pair: that of its matches.
            pub id: String,
        }

        impl $name {
            /// Reads the name.
            pub fn from_name(name: &str) -> Result<Self, InvalidName> {
                let invalid = || InvalidName { example: $example, rule: $rule };
                let parts = name.strip_prefix("rounds/").and_then(|rest| rest.split_once(concat!("/", $collection, "/")));
                let (round, id) = parts.ok_or_else(invalid)?;
                match round.parse() {
                    Ok(round) if is_pair_id(id) => Ok(Self { round, id: id.to_owned() }),
                    _ => Err(invalid()),
                }
            }

            /// The name.
            pub fn name(&self) -> String {
                format!(concat!("rounds/{}/", $collection, "/{}"), self.round, self.id)
            }
        }
    };
}

of_pair!(
    /// Name of the review of a pair.
    PairRef, "pairs", PAIR_EXAMPLE, PAIR_RULE
);
of_pair!(
    /// Name of the mentorship of a pair.
    MentorshipRef, "mentorships", MENTORSHIP_EXAMPLE, MENTORSHIP_RULE
);

/// Name of a comment on a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentRef {
    /// The pair.
    pub pair: PairRef,
    /// Hexadecimal digits without a meaning.
    pub id: String,
}

impl CommentRef {
    /// Reads `rounds/{round}/pairs/{pair}/comments/{comment}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName { example: COMMENT_EXAMPLE, rule: COMMENT_RULE };
        let (pair, id) = name.split_once("/comments/").ok_or_else(invalid)?;
        match PairRef::from_name(pair) {
            Ok(pair) if is_pair_id(id) => Ok(Self { pair, id: id.to_owned() }),
            _ => Err(invalid()),
        }
    }

    /// `rounds/{round}/pairs/{pair}/comments/{comment}`.
    pub fn name(&self) -> String {
        format!("{}/comments/{}", self.pair.name(), self.id)
    }
}

/// Name of an ask: of a pair and an expert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskRef {
    /// The pair.
    pub pair: PairRef,
    /// The expert.
    pub expert: PrincipalRef,
}

impl AskRef {
    /// Reads `rounds/{round}/pairs/{pair}/asks/{ask}`.
    pub fn from_name(name: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName { example: ASK_EXAMPLE, rule: ASK_RULE };
        let (pair, expert) = name.split_once("/asks/").ok_or_else(invalid)?;
        match (PairRef::from_name(pair), PrincipalRef::from_name(&format!("principals/{expert}"))) {
            (Ok(pair), Ok(expert)) => Ok(Self { pair, expert }),
            _ => Err(invalid()),
        }
    }

    /// `rounds/{round}/pairs/{pair}/asks/{ask}`.
    pub fn name(&self) -> String {
        format!("{}/asks/{}", self.pair.name(), self.expert.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_they_print_and_no_other_text_is_a_name() {
        let pair = format!("rounds/r/pairs/{}", "0a".repeat(16));
        assert_eq!(PairRef::from_name(&pair).expect("a name").name(), pair);
        let mentorship = pair.replace("/pairs/", "/mentorships/");
        assert_eq!(MentorshipRef::from_name(&mentorship).expect("a name").name(), mentorship);
        assert!(MentorshipRef::from_name(&pair).is_err());
        let ask = format!("{pair}/asks/01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3a");
        assert_eq!(AskRef::from_name(&ask).expect("a name").name(), ask);
        assert!(AskRef::from_name(&format!("{pair}/asks/rosa")).is_err());
        let comment = format!("{pair}/comments/{}", "b1".repeat(16));
        assert_eq!(CommentRef::from_name(&comment).expect("a name").name(), comment);
        assert_eq!(
            DecisionRef::from_name("rounds/r/decisions/7").expect("a name").name(),
            "rounds/r/decisions/7"
        );
        assert_eq!(SubmissionRef::from_name("rounds/r/submissions/1").expect("a name").number, 1);
        for wrong in ["rounds/r/decisions/0", "rounds/r/decisions/01", "rounds/R/decisions/1", "decisions/1"]
        {
            assert!(DecisionRef::from_name(wrong).is_err(), "{wrong}");
        }
        for wrong in ["rounds/r/pairs/0A", "rounds/r/pairs/", "pairs/1"] {
            assert!(PairRef::from_name(wrong).is_err(), "{wrong}");
        }
        assert!(CommentRef::from_name(&format!("{pair}/comments/1")).is_err());
    }
}
