//! A mentorship: a published match with a life.
//!
//! `proposed -> accepted -> active -> completed | ended_early`, with `paused` beside `active`. A proposal may be declined by
//! either side, or withdrawn by a publication before anybody has accepted. [`life`] has the transitions, [`schedule`] what is
//! due when, [`check_in`] the follow-up records.

pub mod check_in;
pub mod import;
pub mod life;
pub mod schedule;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::name::{MentorshipRef, OrganisationId, RunRef};
use super::record::Record;
use super::review::Pair;
use super::run::Side;

/// Days after the publication in which both sides answer. A later answer still counts as long as the pair is proposed.
pub const RESPONSE_DAYS: i64 = 14;

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// All codes, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as stored.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// Reads a stored code.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == name)
            }
        }
    };
}

pub(crate) use codes;

codes! {
    /// State of a mentorship.
    MentorshipState {
        /// The pair is published, and somebody has not answered yet.
        Proposed = "proposed",
        /// Both have accepted; they have not met yet.
        Accepted = "accepted",
        /// One of the two has declined.
        Declined = "declined",
        /// They have met.
        Active = "active",
        /// They pause.
        Paused = "paused",
        /// It has served its purpose.
        Completed = "completed",
        /// It ended before its time.
        EndedEarly = "ended_early",
        /// A publication took it away before anybody had accepted.
        Withdrawn = "withdrawn",
    }
}

codes! {
    /// Why a side declines. No reason is a fault.
    DeclineReason {
        /// She has no time.
        NoTime = "no_time",
        /// She does not take part any more.
        NoLongerAvailable = "no_longer_available",
        /// The two do not fit.
        NotAFit = "not_a_fit",
        /// They are too close: the same company, family or friends.
        ConflictOfInterest = "conflict_of_interest",
        /// Another reason.
        Other = "other",
    }
}

codes! {
    /// Why a mentorship ended before its time.
    EndReason {
        /// One of the two does not take part any more.
        NoLongerAvailable = "no_longer_available",
        /// One of the two has another role.
        ChangedRole = "changed_role",
        /// One of the two has left the sector.
        LeftSector = "left_sector",
        /// The goals were reached before the end.
        GoalsReachedEarly = "goals_reached_early",
        /// The two do not fit.
        NotAFit = "not_a_fit",
        /// The partner does not answer.
        PartnerUnresponsive = "partner_unresponsive",
        /// One of the two did not show up.
        NoShow = "no_show",
        /// There is a concern about conduct.
        ConductConcern = "conduct_concern",
        /// Another reason.
        Other = "other",
        /// A repair of the round has published other pairs.
        ReplacedByRepair = "replaced_by_repair",
        /// The publication of the round was taken back.
        Unpublished = "unpublished",
        /// One of the two people was erased.
        Erased = "erased",
    }
}

impl EndReason {
    /// Whether people state the reason. The service itself states the others.
    pub fn is_stated(self) -> bool {
        !matches!(self, Self::ReplacedByRepair | Self::Unpublished | Self::Erased)
    }
}

codes! {
    /// Who ended a mentorship.
    EndSide {
        /// The mentor.
        Mentor = "mentor",
        /// The mentee.
        Mentee = "mentee",
        /// Both together.
        Both = "both",
        /// An organisation, or the working group.
        Organisation = "organisation",
    }
}

/// The answer of a side to a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether she accepts.
    pub accepts: bool,
    /// Why she declines.
    pub reason: Option<DeclineReason>,
    /// Who recorded it, and when.
    pub given: Record,
}

/// The end of a mentorship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub time: Timestamp,
    /// Why, if it ended before its time.
    pub reason: Option<EndReason>,
    /// Who ended it; `None` for a decline, a publication and an erasure.
    pub side: Option<EndSide>,
}

/// A mentorship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mentorship {
    /// Its name.
    pub name: MentorshipRef,
    /// The published run that made it.
    pub run: RunRef,
    /// The two people.
    pub pair: Pair,
    /// Shown score of the match; `None` once one of the two was erased.
    pub score: Option<u16>,
    /// Its state.
    pub state: MentorshipState,
    /// When the pair was published.
    pub propose_time: Timestamp,
    /// Until when both sides answer.
    pub respond_until: Timestamp,
    /// The mentor's answer, as far as the reader may know it.
    pub mentor_answer: Option<Answer>,
    /// The mentee's answer, as far as the reader may know it.
    pub mentee_answer: Option<Answer>,
    /// When both had accepted.
    pub accept_time: Option<Timestamp>,
    /// Day of the first meeting.
    pub first_meeting: Option<Date>,
    /// Since when it pauses.
    pub pause_time: Option<Timestamp>,
    /// How it ended.
    pub end: Option<End>,
    /// First and last day of the round.
    pub days: (Date, Date),
    /// Version, source of the etag.
    pub version: i64,
    /// When it was last changed.
    pub update_time: Timestamp,
}

impl Mentorship {
    /// The answer of a side.
    pub fn answer(&self, side: Side) -> Option<&Answer> {
        match side {
            Side::Mentor => self.mentor_answer.as_ref(),
            Side::Mentee => self.mentee_answer.as_ref(),
        }
    }

    /// The organisation of a side.
    pub fn organisation(&self, side: Side) -> &OrganisationId {
        match side {
            Side::Mentor => &self.pair.mentor.organisation,
            Side::Mentee => &self.pair.mentee.organisation,
        }
    }

    /// The mentorship without what belongs to sides of other organisations than these: their answers, and the reason of an end
    /// that they state. The state says what both sides need.
    #[must_use]
    pub fn seen_by(mut self, sees: impl Fn(&OrganisationId) -> bool) -> Self {
        let (of_mentor, of_mentee) =
            (sees(self.organisation(Side::Mentor)), sees(self.organisation(Side::Mentee)));
        self.mentor_answer = self.mentor_answer.filter(|_| of_mentor);
        self.mentee_answer = self.mentee_answer.filter(|_| of_mentee);
        if let Some(end) = &mut self.end {
            let hidden = match end.side {
                Some(EndSide::Mentor) => !of_mentor,
                Some(EndSide::Mentee) => !of_mentee,
                Some(EndSide::Both | EndSide::Organisation) | None => false,
            };
            end.reason = end.reason.filter(|_| !hidden);
        }
        self
    }

    /// Whether the two organisations may introduce the two people: both have accepted, and the mentorship has not ended.
    pub fn may_introduce(&self) -> bool {
        matches!(self.state, MentorshipState::Accepted | MentorshipState::Active | MentorshipState::Paused)
    }
}
