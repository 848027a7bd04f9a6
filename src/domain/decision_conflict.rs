//! Decisions of a round that cannot be kept together: which, why, and what to release.
//!
//! Invariant: a conflict names rules on open answers only. A pair that only a private answer excludes is not possible, without
//! a word why. The message names decisions and nobody.

use super::policy::HardRule;
use super::snapshot::FrozenDecision;

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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
    /// The quotas can be met without the decisions, and not with them.
    QuotasUnmet,
    /// No result that keeps the quotas and the decisions was found, and none was proved impossible.
    NotFound,
}

impl ConflictCause {
    /// The reason in words, after "because".
    fn in_words(&self) -> String {
        match self {
            Self::PinnedAndVetoed => "one pair is pinned and vetoed".to_owned(),
            Self::NotPossible { rules } if rules.is_empty() => "the pinned pair is not possible".to_owned(),
            Self::NotPossible { rules } => {
                let rules: Vec<&str> = rules.iter().map(|rule| rule.as_str()).collect();
                format!("hard rules exclude the pinned pair: {}", rules.join(", "))
            }
            Self::BothDirections => "the policy does not allow that two people mentor each other".to_owned(),
            Self::TooManyMentors { wanted } => {
                format!("the mentee has more pins than she wants mentors ({wanted})")
            }
            Self::TooManyMentees { places } => {
                format!("the mentor has more pins than places ({places})")
            }
            Self::Ceiling { group, most } => format!("the quota of {group} allows at most {most} matches"),
            Self::NoPlaceFree => "no place is free for all of these pairs".to_owned(),
            Self::QuotasUnmet => "with these decisions the quotas of the policy cannot be met".to_owned(),
            Self::NotFound => "no result that keeps the quotas was found with these decisions".to_owned(),
            Self::Objective => "the objective STABLE takes no pins; or choose another objective".to_owned(),
        }
    }
}

/// What to release, in words. At least one conflict is given.
pub fn conflicts_in_words(conflicts: &[DecisionConflict]) -> String {
    let one = |conflict: &DecisionConflict| {
        let mut names: Vec<&str> =
            conflict.decisions.iter().take(MOST_NAMED).map(|decision| decision.name.as_str()).collect();
        let more = conflict.decisions.len().saturating_sub(MOST_NAMED);
        let others = format!("{more} more");
        if more > 0 {
            names.push(&others);
        }
        format!("release {}, because {}", names.join(" or "), conflict.cause.in_words())
    };
    let mut listed: Vec<String> = conflicts.iter().take(MOST_LISTED).map(one).collect();
    match conflicts.len().saturating_sub(MOST_LISTED) {
        0 => {}
        more => listed.push(format!("{more} more conflicts are not listed")),
    }
    listed.push("then start a new run".to_owned());
    listed.join("; ")
}
