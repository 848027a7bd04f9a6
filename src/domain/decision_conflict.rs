//! Decisions of a round that cannot be kept together: which, why, and what to release.
//!
//! Invariant: a conflict names rules on open answers only. A pair that only a private answer excludes is not possible, without
//! a word why. The message names decisions and nobody.

use serde::{Deserialize, Serialize};

use super::message::{Message, MessageValue};
use super::policy::HardRule;
use super::snapshot::FrozenDecision;
use crate::message;

/// Conflicts that a message lists.
const MOST_LISTED: usize = 5;
/// Decisions of one conflict that a message names.
const MOST_NAMED: usize = 4;

/// Decisions of which at least one must be released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionConflict {
    /// Why they cannot be kept.
    pub cause: ConflictCause,
    /// The decisions, ordered by pair.
    pub decisions: Vec<FrozenDecision>,
}

/// Why decisions cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictCause {
    /// A pair is pinned and vetoed.
    PinnedAndVetoed,
    /// A pinned pair is no candidate.
    NotPossible {
        /// The rules on open answers that exclude the pair. Empty if only a private answer does.
        rules: Vec<HardRule>,
    },
    /// Two people are pinned in both directions, and they may not mentor each other.
    BothDirections,
    /// A mentee has more pins than she wants mentors.
    TooManyMentors {
        /// The number of mentors that she wants.
        wanted: u32,
    },
    /// A mentor has more pins than places.
    TooManyMentees {
        /// The number of her places.
        places: u32,
    },
    /// A mentor has a pin, least places of hers are a rule, and fewer mentees than that are possible.
    LeastPlaces {
        /// The number of her least places.
        least: u32,
    },
    /// The objective takes no pins, because a pinned pair could be blocked.
    Objective,
    /// A quota has more pins than its ceiling.
    Ceiling {
        /// Code of its group.
        group: String,
        /// Most matches.
        most: u32,
    },
    /// An organisation would give or take more places than it may.
    NoPlaceFree,
    /// The bounds of the policy can be kept without the decisions, and not with them.
    BoundsUnmet,
    /// No result that keeps the bounds and the decisions was found, and none was proved impossible.
    NotFound,
}

impl ConflictCause {
    /// The reason in words, after "because".
    fn message(&self) -> Message {
        match self {
            Self::PinnedAndVetoed => message!("one pair is pinned and vetoed"),
            Self::NotPossible { rules } if rules.is_empty() => message!("the pinned pair is not possible"),
            Self::NotPossible { rules } => message!(
                "hard rules exclude the pinned pair: {rules}",
                rules = MessageValue::Labels(
                    rules.iter().map(|rule| format!("exclusion.{}", rule.as_str())).collect()
                )
            ),
            Self::BothDirections => message!("the policy does not allow that two people mentor each other"),
            Self::TooManyMentors { wanted } => {
                message!("the mentee has more pins than she wants mentors ({wanted})", wanted = *wanted)
            }
            Self::TooManyMentees { places } => {
                message!("the mentor has more pins than places ({places})", places = *places)
            }
            Self::LeastPlaces { least } => message!(
                "the mentor takes at least {least} mentees or none, and fewer than that are possible",
                least = *least
            ),
            Self::Ceiling { group, most } => message!(
                "the quota of {group} allows at most {most|1 match|{most} matches}",
                group = group,
                most = *most
            ),
            Self::NoPlaceFree => message!("no place is free for all of these pairs"),
            Self::BoundsUnmet => {
                message!("with these decisions the quotas and the least places of the policy cannot be kept")
            }
            Self::NotFound => {
                message!(
                    "no result that keeps the quotas and the least places was found with these decisions"
                )
            }
            Self::Objective => message!("the objective STABLE takes no pins"),
        }
    }
}

/// A conflict as it is stored and told: decisions by name, and nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ToldConflict {
    cause: ConflictCause,
    /// Names of decisions, [`MOST_NAMED`] at most.
    decisions: Vec<String>,
    /// Number of further decisions.
    more: usize,
}

impl ToldConflict {
    fn message(&self) -> Message {
        let (decisions, cause) = (self.decisions.join(", "), self.cause.message());
        match (self.decisions.len(), self.more) {
            (0 | 1, 0) => {
                message!("release {decision}, because {cause}", decision = decisions, cause = cause)
            }
            (_, 0) => {
                message!("release one of {decisions}, because {cause}", decisions = decisions, cause = cause)
            }
            (_, more) => message!(
                "release one of {decisions} or {more|1 other|{more} others}, because {cause}",
                decisions = decisions,
                more = more,
                cause = cause
            ),
        }
    }
}

/// Conflicts as they are stored and told. Empty for a reader for whom the decisions are not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldConflicts {
    /// [`MOST_LISTED`] at most.
    listed: Vec<ToldConflict>,
    /// Number of further conflicts.
    more: usize,
}

impl ToldConflicts {
    /// What is told of conflicts.
    pub fn of(conflicts: &[DecisionConflict]) -> Self {
        let one = |DecisionConflict { cause, decisions }: &DecisionConflict| ToldConflict {
            cause: cause.clone(),
            decisions: decisions.iter().take(MOST_NAMED).map(|decision| decision.name.clone()).collect(),
            more: decisions.len().saturating_sub(MOST_NAMED),
        };
        Self {
            listed: conflicts.iter().take(MOST_LISTED).map(one).collect(),
            more: conflicts.len().saturating_sub(MOST_LISTED),
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// What to release, one message after the other.
    pub fn messages(&self) -> Vec<Message> {
        let more = (self.more > 0).then(|| {
            message!("{more|1 more conflict is|{more} more conflicts are} not listed", more = self.more)
        });
        let listed = self.listed.iter().map(ToldConflict::message).chain(more);
        listed.chain([message!("then start a new run")]).collect()
    }

    /// The conflicts as the store keeps them.
    pub fn stored(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads [`Self::stored`]. Empty if the text holds none.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::name::ProfileRef;
    use crate::domain::review::DecisionKind;

    fn conflicts(count: i32) -> Vec<DecisionConflict> {
        let person =
            |id: i32| ProfileRef::from_name(&format!("organisations/a/profiles/p{id}")).expect("a name");
        let decision = |at: i32| FrozenDecision {
            mentee: person(at),
            mentor: person(at + 100),
            kind: DecisionKind::Pin,
            name: format!("rounds/r/decisions/{at}"),
        };
        let causes = [
            ConflictCause::NotPossible { rules: vec![HardRule::Language] },
            ConflictCause::LeastPlaces { least: 2 },
            ConflictCause::NoPlaceFree,
        ];
        let one = |at: i32| DecisionConflict {
            cause: causes[usize::try_from(at).unwrap_or_default() % causes.len()].clone(),
            decisions: (0..=at).map(decision).collect(),
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn what_is_told_is_what_was_stored_and_names_nobody() {
        for count in [0, 1, 7] {
            let told = ToldConflicts::of(&conflicts(count));
            assert_eq!(ToldConflicts::read(&told.stored()), told);
            assert_eq!(told.is_empty(), count == 0);
            let words: Vec<String> = told.messages().iter().map(ToString::to_string).collect();
            assert!(!words.join(" ").contains("profiles/"), "{words:?}");
        }
        assert_eq!(ToldConflicts::read("an older text"), ToldConflicts::default());
    }

    #[test]
    fn many_conflicts_and_many_decisions_are_counted_and_not_listed() {
        let words: Vec<String> =
            ToldConflicts::of(&conflicts(7)).messages().iter().map(ToString::to_string).collect();
        assert_eq!(words.len(), MOST_LISTED + 2);
        assert!(words[0].starts_with("release rounds/r/decisions/0, because hard rules"), "{words:?}");
        assert!(
            words[1].contains("release one of rounds/r/decisions/0, rounds/r/decisions/1, because"),
            "{words:?}"
        );
        assert!(words[4].contains("or 1 other, because"), "{words:?}");
        assert_eq!(words[MOST_LISTED], "2 more conflicts are not listed");
    }
}
