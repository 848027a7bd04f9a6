//! Where a person is: her rounds, the waiting list, her mentorships, what is due of her, and which consents lack.

use jiff::Timestamp;
use jiff::civil::Date;

use super::enrolment::Enrolment;
use super::mentorship::schedule::Due;
use super::mentorship::{Mentorship, MentorshipState, codes};
use super::name::{MatchRef, ProfileRef, RoundId};
use super::profile::{ConsentPurpose, StoredProfile};
use super::round::RoundState;
use super::run::UnmatchedReason;
use super::waiting::WaitingMentee;

codes! {
    /// Where a person is in a round.
    Stage {
        /// She takes part in the runs of the round.
        Enrolled = "enrolled",
        /// A run is submitted or approved, and not published yet.
        InApproval = "in_approval",
        /// A match of hers was published.
        Matched = "matched",
        /// The published run has no match for her.
        Unmatched = "unmatched",
        /// She was enrolled after the publication.
        AwaitsRepair = "awaits_repair",
        /// Her enrolment was withdrawn before a match of hers was published.
        Withdrawn = "withdrawn",
        /// The round was closed or cancelled before it reached her.
        RoundEnded = "round_ended",
    }
}

/// Where a person is in one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participation {
    /// The round.
    pub round: RoundId,
    /// Its state.
    pub state: RoundState,
    /// Its first and last day.
    pub days: (Date, Date),
    /// Whether its policy demands a consent to matches across borders, and a run may still be started for a publication.
    pub asks_for_cross_border: bool,
    /// Her live enrolment, or the last one that was withdrawn.
    pub enrolment: Enrolment,
    /// Her matches in the run that is submitted or approved.
    pub proposed: Vec<MatchRef>,
    /// What was published for her, as her organisation reads it.
    pub mentorships: Vec<Mentorship>,
    /// Why the published run gave her no match.
    pub unmatched: Option<UnmatchedReason>,
}

impl Participation {
    /// Where she is. A pair that was withdrawn before anybody had accepted does not count.
    pub fn stage(&self) -> Stage {
        let is_matched = self.mentorships.iter().any(|one| one.state != MentorshipState::Withdrawn);
        match self.state {
            _ if is_matched => Stage::Matched,
            RoundState::Cancelled => Stage::RoundEnded,
            RoundState::Published | RoundState::Closed if self.unmatched.is_some() => Stage::Unmatched,
            _ if self.enrolment.withdraw_time.is_some() => Stage::Withdrawn,
            RoundState::Draft | RoundState::Enrolling | RoundState::Review => Stage::Enrolled,
            RoundState::Submitted | RoundState::Approved => Stage::InApproval,
            RoundState::Published => Stage::AwaitsRepair,
            RoundState::Closed => Stage::RoundEnded,
        }
    }
}

/// Where a person is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantStatus {
    /// Her profile.
    pub profile: ProfileRef,
    /// Whether the use of her data is restricted.
    pub is_restricted: bool,
    /// Purposes of which a consent lacks.
    pub lacking: Vec<ConsentPurpose>,
    /// Her rounds, the last enrolment first.
    pub rounds: Vec<Participation>,
    /// Her place on the waiting list.
    pub waiting: Option<WaitingMentee>,
    /// What is due of her, the earliest first.
    pub due: Vec<(Mentorship, Due)>,
}

/// The purposes of which a consent lacks at `now`, because something of hers rests on it.
pub fn lacking_consents(of: &StoredProfile, rounds: &[Participation], now: Timestamp) -> Vec<ConsentPurpose> {
    let has_check_ins = |state: MentorshipState| {
        matches!(
            state,
            MentorshipState::Accepted
                | MentorshipState::Active
                | MentorshipState::Paused
                | MentorshipState::Completed
                | MentorshipState::EndedEarly
        )
    };
    let rests_on = |purpose: &ConsentPurpose| match purpose {
        ConsentPurpose::Matching => true,
        ConsentPurpose::CrossBorder => rounds.iter().any(|one| one.asks_for_cross_border),
        ConsentPurpose::FollowUp => {
            rounds.iter().flat_map(|one| &one.mentorships).any(|one| has_check_ins(one.state))
        }
        // Identity answers without a consent are refused, and nothing of hers rests on her place in statistics.
        ConsentPurpose::Identity | ConsentPurpose::Statistics => false,
    };
    let lacks = |purpose: &ConsentPurpose| !of.content.consents_to(*purpose, now);
    ConsentPurpose::ALL.into_iter().filter(rests_on).filter(lacks).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::name::{EnrolmentId, EnrolmentRef};

    #[test]
    fn a_stage_follows_from_the_round_and_what_was_published() {
        let of = |state, is_withdrawn: bool, unmatched| {
            let round: RoundId = "r".parse().expect("an id");
            let id: EnrolmentId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("an id");
            let enrolment = Enrolment {
                name: EnrolmentRef { round: round.clone(), id },
                profile: ProfileRef::from_name("organisations/wim-peru/profiles/a").expect("a name"),
                consent: None,
                create_time: Timestamp::UNIX_EPOCH,
                withdraw_time: is_withdrawn.then_some(Timestamp::UNIX_EPOCH),
                waiting: None,
            };
            let days = ("2027-01-01".parse().expect("a day"), "2027-06-30".parse().expect("a day"));
            Participation {
                round,
                state,
                days,
                asks_for_cross_border: false,
                enrolment,
                proposed: Vec::new(),
                mentorships: Vec::new(),
                unmatched,
            }
            .stage()
        };
        let why = Some(UnmatchedReason::NoCandidate);
        assert_eq!(of(RoundState::Review, false, None), Stage::Enrolled);
        assert_eq!(of(RoundState::Review, true, None), Stage::Withdrawn);
        assert_eq!(of(RoundState::Approved, false, None), Stage::InApproval);
        assert_eq!(of(RoundState::Published, false, why), Stage::Unmatched);
        assert_eq!(of(RoundState::Published, false, None), Stage::AwaitsRepair);
        assert_eq!(of(RoundState::Closed, false, why), Stage::Unmatched);
        assert_eq!(of(RoundState::Closed, false, None), Stage::RoundEnded);
        assert_eq!(of(RoundState::Cancelled, true, None), Stage::RoundEnded);
    }
}
