//! Permissions: the one table of roles and actions. The scope of a permit decides on the rows that the caller may read or
//! write.

use std::collections::BTreeSet;

use crate::domain::caller::Caller;
use crate::domain::grant::Role;
use crate::domain::name::PrincipalRef;
use crate::error::{Error, Result};
use crate::store::Scope;

/// Which grants of a role permit an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    /// None.
    No,
    /// Those for an organisation.
    Own,
    /// Those for an organisation, and those for the alliance.
    All,
    /// Any grant and none: every principal may do it about herself.
    Me,
    /// Any grant and none: nobody has to be known.
    Any,
}

macro_rules! cell {
    (-) => {
        Cell::No
    };
    (own) => {
        Cell::Own
    };
    (all) => {
        Cell::All
    };
    (me) => {
        Cell::Me
    };
    (any) => {
        Cell::Any
    };
}

macro_rules! actions {
    ($(#[doc = $doc:literal] $action:ident = $method:literal: [$($cell:tt)+];)+) => {
        /// An action of a caller: one per method of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action { $(#[doc = $doc] $action,)+ }

        impl Action {
            /// All actions.
            const ALL: &'static [Self] = &[$(Self::$action),+];

            /// The method as the API names it, `Service/Method`.
            pub fn method(self) -> &'static str {
                match self { $(Self::$action => $method,)+ }
            }

            /// Which grants of each role permit the action, in the order of `Role::NAMES`.
            fn cells(self) -> [Cell; Role::NAMES.len()] {
                match self { $(Self::$action => [$(cell!($cell)),+],)+ }
            }
        }
    };
}

actions! {
    // secretariat, coordinator, organisation-manager, expert, committee-member, service, operations
    /// Register an organisation.
    CreateOrganisation = "OrganisationService/CreateOrganisation": [all  -    -    -    -    -    -];
    /// Read an organisation.
    GetOrganisation = "OrganisationService/GetOrganisation":  [all  all  all  -    -    all  -];
    /// List organisations.
    ListOrganisations = "OrganisationService/ListOrganisations": [all  all  all  -    -    all  -];
    /// Change an organisation.
    UpdateOrganisation = "OrganisationService/UpdateOrganisation": [all  -    all  -    -    -    -];
    /// Change the rules of an organisation.
    UpdateOrganisationRules = "OrganisationService/UpdateOrganisationRules": [-    -    all  -    -    -    -];
    /// Set the membership of an organisation.
    SetMembership = "OrganisationService/SetMembership":      [all  -    -    -    -    -    -];
    /// Open a consultation.
    CreateConsultation = "OrganisationService/CreateConsultation": [all  all  -    -    -    -    -];
    /// Read a consultation.
    GetConsultation = "OrganisationService/GetConsultation":  [all  all  all  -    all  -    -];
    /// List consultations.
    ListConsultations = "OrganisationService/ListConsultations": [all  all  all  -    all  -    -];
    /// Move the deadline of a consultation.
    UpdateConsultation = "OrganisationService/UpdateConsultation": [all  all  -    -    -    -    -];
    /// Cancel a consultation.
    CancelConsultation = "OrganisationService/CancelConsultation": [all  all  -    -    -    -    -];
    /// Answer a consultation.
    AnswerConsultation = "OrganisationService/AnswerConsultation": [-    -    all  -    -    -    -];
    /// Read the result of a consultation.
    GetConsultationResult = "OrganisationService/GetConsultationResult": [all  all  all  -    all  -    -];
    /// Import profiles.
    ImportProfiles = "ProfileService/ImportProfiles":         [-    -    all  -    -    own  -];
    /// Read a profile.
    GetProfile = "ProfileService/GetProfile":                 [-    -    all  -    -    own  -];
    /// Read some profiles.
    BatchGetProfiles = "ProfileService/BatchGetProfiles":     [-    -    all  -    -    own  -];
    /// Store a profile.
    CreateProfile = "ProfileService/CreateProfile":           [-    -    all  -    -    own  -];
    /// Change a profile.
    UpdateProfile = "ProfileService/UpdateProfile":           [-    -    all  -    -    own  -];
    /// List profiles.
    ListProfiles = "ProfileService/ListProfiles":             [-    -    all  -    -    own  -];
    /// Export profiles.
    ExportProfiles = "ProfileService/ExportProfiles":         [-    -    all  -    -    own  -];
    /// Record a consent.
    RecordConsent = "PrivacyService/RecordConsent":           [-    -    all  -    -    own  -];
    /// Withdraw a consent.
    WithdrawConsent = "PrivacyService/WithdrawConsent":       [all  -    all  -    -    own  -];
    /// Restrict the use of a person's data.
    RestrictProfile = "PrivacyService/RestrictProfile":       [all  -    all  -    -    -    -];
    /// Lift a restriction.
    LiftRestriction = "PrivacyService/LiftRestriction":       [all  -    all  -    -    -    -];
    /// List the restrictions of an organisation's people.
    ListRestrictions = "PrivacyService/ListRestrictions":     [all  -    all  -    -    -    -];
    /// List the consents of a person.
    ListConsents = "PrivacyService/ListConsents":             [all  -    all  -    -    own  -];
    /// Erase a person.
    EraseProfile = "PrivacyService/EraseProfile":             [all  -    all  -    -    -    -];
    /// Erase people who take part in nothing any more.
    PurgeExpired = "PrivacyService/PurgeExpired":             [all  -    all  -    -    -    -];
    /// Read everything about a person.
    ExportPersonalData = "PrivacyService/ExportPersonalData": [all  -    all  -    -    own  -];
    /// Read an erasure.
    GetErasure = "PrivacyService/GetErasure":                 [all  -    all  -    -    -    -];
    /// Write the notice for participants.
    GetParticipantNotice = "PrivacyService/GetParticipantNotice": [all  all  all  -    -    all  -];
    /// List the people whom a breach affects.
    ListAffectedPeople = "PrivacyService/ListAffectedPeople": [all  -    all  -    -    -    -];
    /// Read the extract for the record of processing activities.
    GetProcessingRecord = "PrivacyService/GetProcessingRecord": [all  -    all  -    -    -    -];
    /// Open a round.
    CreateRound = "RoundService/CreateRound":                 [-    all  -    -    -    -    -];
    /// Read a round.
    GetRound = "RoundService/GetRound":                       [-    all  all  -    -    all  -];
    /// List rounds.
    ListRounds = "RoundService/ListRounds":                   [-    all  all  -    -    all  -];
    /// Enrol members.
    EnrolProfiles = "RoundService/EnrolProfiles":             [-    -    all  -    -    -    -];
    /// List enrolments.
    ListEnrolments = "RoundService/ListEnrolments":           [-    all  all  -    -    all  -];
    /// Withdraw enrolments.
    WithdrawEnrolments = "RoundService/WithdrawEnrolments":   [-    -    all  -    -    -    -];
    /// List waiting mentees.
    ListWaitingMentees = "RoundService/ListWaitingMentees":   [-    all  all  -    -    own  -];
    /// Take a mentee off the waiting list.
    LeaveWaitingList = "RoundService/LeaveWaitingList":       [-    -    all  -    -    -    -];
    /// Change a round.
    UpdateRound = "RoundService/UpdateRound":                 [-    all  -    -    -    -    -];
    /// Close a round.
    CloseRound = "RoundService/CloseRound":                   [-    all  -    -    -    -    -];
    /// Cancel a round.
    CancelRound = "RoundService/CancelRound":                 [-    all  -    -    -    -    -];
    /// Give a round its next policy.
    CreatePolicy = "RoundService/CreatePolicy":               [-    all  -    -    -    -    -];
    /// Read a policy.
    GetPolicy = "RoundService/GetPolicy":                     [-    all  all  -    -    all  -];
    /// List policies.
    ListPolicies = "RoundService/ListPolicies":               [-    all  all  -    -    all  -];
    /// Diagnose a round.
    DiagnoseRound = "RoundService/DiagnoseRound":             [-    all  all  -    -    -    -];
    /// Suggest weights by outcomes.
    SuggestWeights = "RoundService/SuggestWeights":           [-    all  -    -    -    -    -];
    /// Start a run.
    StartRun = "RunService/StartRun":                         [-    all  -    -    -    -    -];
    /// Read a run.
    GetRun = "RunService/GetRun":                             [-    all  all  -    -    all  -];
    /// List runs.
    ListRuns = "RunService/ListRuns":                         [-    all  all  -    -    all  -];
    /// Watch a run.
    WatchRun = "RunService/WatchRun":                         [-    all  all  -    -    all  -];
    /// Cancel a run.
    CancelRun = "RunService/CancelRun":                       [-    all  -    -    -    -    -];
    /// Check the proof of a run.
    VerifyRun = "RunService/VerifyRun":                       [-    all  -    -    -    -    -];
    /// Solve a run again.
    ReplayRun = "RunService/ReplayRun":                       [-    all  -    -    -    -    -];
    /// Compare runs.
    CompareRuns = "RunService/CompareRuns":                   [-    all  -    -    -    -    -];
    /// List matches.
    ListMatches = "RunService/ListMatches":                   [-    all  all  -    -    all  -];
    /// Read a match.
    GetMatch = "RunService/GetMatch":                         [-    all  all  -    -    all  -];
    /// List people without a match.
    ListUnmatched = "RunService/ListUnmatched":               [-    all  all  -    -    all  -];
    /// Explain a pair.
    ExplainPair = "RunService/ExplainPair":                   [-    all  all  -    -    all  -];
    /// Compute what other decisions would change.
    WhatIfDecisions = "ReviewService/WhatIfDecisions":        [-    all  -    -    -    -    -];
    /// List other partners of a person.
    ListAlternates = "ReviewService/ListAlternates":          [-    all  -    -    -    -    -];
    /// Pin a pair.
    PinPair = "ReviewService/PinPair":                    [-    all  -    -    -    -    -];
    /// Veto a pair.
    VetoPair = "ReviewService/VetoPair":                  [-    all  -    -    -    -    -];
    /// Release a decision.
    ReleaseDecision = "ReviewService/ReleaseDecision":    [-    all  -    -    -    -    -];
    /// List decisions.
    ListDecisions = "ReviewService/ListDecisions":        [-    all  -    -    -    -    -];
    /// List matches with what was said of them.
    ListReviewedMatches = "ReviewService/ListReviewedMatches": [-    all  -    -    -    -    -];
    /// Mark a pair as reviewed.
    MarkReviewed = "ReviewService/MarkReviewed":          [-    all  -    -    -    -    -];
    /// Comment on a pair.
    CreateComment = "ReviewService/CreateComment":        [-    all  -    all  -    -    -];
    /// List comments.
    ListComments = "ReviewService/ListComments":          [-    all  all  -    -    -    -];
    /// Ask an expert about a pair.
    AskExpert = "ReviewService/AskExpert":                [-    all  -    -    -    -    -];
    /// Withdraw an ask.
    WithdrawAsk = "ReviewService/WithdrawAsk":            [-    all  -    -    -    -    -];
    /// List asks.
    ListAsks = "ReviewService/ListAsks":                  [-    all  -    all  -    -    -];
    /// Contest a match.
    ContestMatch = "ReviewService/ContestMatch":          [-    -    all  -    -    -    -];
    /// Submit a run.
    SubmitRun = "ReviewService/SubmitRun":                [-    all  -    -    -    -    -];
    /// Approve a run.
    ApproveRun = "ReviewService/ApproveRun":              [-    all  -    -    -    -    -];
    /// Reject a run.
    RejectRun = "ReviewService/RejectRun":                [-    all  -    -    -    -    -];
    /// Object to a match.
    ObjectToMatch = "ReviewService/ObjectToMatch":        [-    -    all  -    -    -    -];
    /// Publish a run.
    PublishRun = "ReviewService/PublishRun":              [-    all  -    -    -    -    -];
    /// Take a publication back.
    UnpublishRun = "ReviewService/UnpublishRun":          [-    all  -    -    -    -    -];
    /// Read a submission.
    GetSubmission = "ReviewService/GetSubmission":        [-    all  all  -    -    all  -];
    /// List submissions.
    ListSubmissions = "ReviewService/ListSubmissions":    [-    all  all  -    -    all  -];
    /// Read a mentorship.
    GetMentorship = "MentorshipService/GetMentorship":       [-    all  all  -    -    all  -];
    /// List mentorships.
    ListMentorships = "MentorshipService/ListMentorships":   [-    all  all  -    -    all  -];
    /// Accept or decline a match.
    RespondToMentorship = "MentorshipService/RespondToMentorship": [-    -    all  -    -    own  -];
    /// Record the first meeting of a mentorship.
    RecordFirstMeeting = "MentorshipService/RecordFirstMeeting": [-    -    all  -    -    own  -];
    /// Pause a mentorship.
    PauseMentorship = "MentorshipService/PauseMentorship":   [-    all  all  -    -    own  -];
    /// Resume a mentorship.
    ResumeMentorship = "MentorshipService/ResumeMentorship": [-    all  all  -    -    own  -];
    /// End a mentorship.
    CloseMentorship = "MentorshipService/CloseMentorship":   [-    all  all  -    -    own  -];
    /// Record a check-in.
    RecordCheckIn = "MentorshipService/RecordCheckIn":       [-    -    all  -    -    own  -];
    /// List check-ins.
    ListCheckIns = "MentorshipService/ListCheckIns":         [-    -    all  -    -    own  -];
    /// Import check-ins.
    ImportCheckIns = "MentorshipService/ImportCheckIns":     [-    -    all  -    -    own  -];
    /// Export check-ins.
    ExportCheckIns = "MentorshipService/ExportCheckIns":     [-    -    all  -    -    own  -];
    /// List what is due of an organisation's members.
    ListDue = "MentorshipService/ListDue":                   [-    all  all  -    -    own  -];
    /// Read where a person is.
    GetParticipantStatus = "MentorshipService/GetParticipantStatus": [-    -    all  -    -    own  -];
    /// List the common parameters.
    ListParameters = "ReportService/ListParameters":         [all  all  all  all  all  all  -];
    /// Make a report.
    CreateReport = "ReportService/CreateReport":             [-    all  -    -    -    -    -];
    /// Read a report.
    GetReport = "ReportService/GetReport":                   [-    all  all  -    all  -    -];
    /// List reports.
    ListReports = "ReportService/ListReports":               [-    all  all  -    all  -    -];
    /// Download a report as a file.
    DownloadReport = "ReportService/DownloadReport":         [-    all  all  -    all  -    -];
    /// Follow events.
    StreamEvents = "EventService/StreamEvents":               [-    all  all  -    -    all  -];
    /// Solve a problem that the caller brings.
    Solve = "SolverService/Solve":                            [-    all  all  -    -    all  -];
    /// The same, of any size.
    SolveStream = "SolverService/SolveStream":                [-    all  all  -    -    all  -];
    /// Check a result and its proof.
    Verify = "SolverService/Verify":                          [-    all  all  -    -    all  -];
    /// The same, of any size.
    VerifyStream = "SolverService/VerifyStream":              [-    all  all  -    -    all  -];
    /// Compute the cost of a change of a result.
    WhatIf = "SolverService/WhatIf":                          [-    all  all  -    -    all  -];
    /// Repair a published result.
    Repair = "SolverService/Repair":                          [-    all  all  -    -    all  -];
    /// Report shortages.
    Diagnose = "SolverService/Diagnose":                      [-    all  all  -    -    all  -];
    /// Report who the caller is.
    WhoAmI = "AdminService/WhoAmI":                           [me   me   me   me   me   me   me];
    /// Create a principal.
    CreatePrincipal = "AdminService/CreatePrincipal":         [all  -    -    -    -    -    -];
    /// Read a principal.
    GetPrincipal = "AdminService/GetPrincipal":               [all  me   me   me   me   me   me];
    /// List principals.
    ListPrincipals = "AdminService/ListPrincipals":           [all  -    -    -    -    -    -];
    /// Change a principal.
    UpdatePrincipal = "AdminService/UpdatePrincipal":         [all  me   me   me   me   me   me];
    /// Grant a role.
    CreateGrant = "AdminService/CreateGrant":                 [all  -    -    -    -    -    -];
    /// List the roles of a principal.
    ListGrants = "AdminService/ListGrants":                   [all  me   me   me   me   me   me];
    /// End a role.
    EndGrant = "AdminService/EndGrant":                       [all  -    -    -    -    -    -];
    /// Create a credential.
    CreateCredential = "AdminService/CreateCredential":       [all  -    -    -    -    -    -];
    /// List the credentials of a principal.
    ListCredentials = "AdminService/ListCredentials":         [all  me   me   me   me   me   me];
    /// Revoke a credential.
    RevokeCredential = "AdminService/RevokeCredential":       [all  me   me   me   me   me   me];
    /// Invite somebody.
    CreateInvitation = "AdminService/CreateInvitation":       [all  all  all  -    -    -    -];
    /// Redeem an invitation.
    RedeemInvitation = "AdminService/RedeemInvitation":       [any  any  any  any  any  any  any];
    /// List invitations.
    ListInvitations = "AdminService/ListInvitations":         [all  all  all  -    -    -    -];
    /// Cancel an invitation.
    CancelInvitation = "AdminService/CancelInvitation":       [all  all  all  -    -    -    -];
    /// List entries of the audit.
    ListAuditEntries = "AdminService/ListAuditEntries":       [all  -    all  -    -    -    -];
    /// Verify the audit.
    VerifyAudit = "AdminService/VerifyAudit":                 [all  -    -    -    -    -    -];
}

/// An action that a caller may do, and the rows that exist for it.
#[derive(Debug, Clone)]
pub struct Permit {
    /// The action.
    pub(super) action: Action,
    /// Id of the principal.
    pub(super) principal: String,
    /// The rows: those of the grants that permit the action, and of no other grant.
    pub(super) scope: Scope,
    /// Whether the caller may do it about herself alone.
    only_herself: bool,
}

impl Permit {
    /// The permit of an expert for the one pair about which she is asked, whatever organisation her role is for.
    pub(super) fn of_an_asked_expert(self) -> Self {
        Self { scope: Scope::Alliance, ..self }
    }

    /// `Ok` if the action may be about this principal. Another principal does not exist for a caller who acts about herself.
    pub(super) fn reach(&self, principal: &PrincipalRef) -> Result<()> {
        if self.only_herself && principal.id() != self.principal {
            return Err(Error::NotFound(principal.name()));
        }
        Ok(())
    }
}

/// What the audit has of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audited {
    /// An entry in the transaction of each change, or before the first byte of an export.
    Entry,
    /// A sum per caller and minute: the action reads personal data.
    Sum,
    /// Its refusals alone, like those of every action.
    Refusals,
}

impl Action {
    /// The action of a method, `Service/Method`.
    pub fn of_method(method: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.method() == method)
    }

    /// Whether the action reads personal data, so that the audit has a sum of its calls.
    pub fn is_summed(self) -> bool {
        self.audited() == Audited::Sum
    }

    /// What the audit has of the action. A new action states it here.
    #[expect(clippy::too_many_lines, reason = "a row for each action")]
    fn audited(self) -> Audited {
        match self {
            Self::GetProfile
            | Self::BatchGetProfiles
            | Self::ListProfiles
            | Self::ListConsents
            | Self::ListRestrictions
            | Self::ListAffectedPeople
            | Self::ListEnrolments
            | Self::ListWaitingMentees
            | Self::ListMatches
            | Self::GetMatch
            | Self::ListUnmatched
            | Self::ExplainPair
            | Self::CompareRuns
            | Self::DiagnoseRound
            | Self::SuggestWeights
            | Self::WhatIfDecisions
            | Self::ListAlternates
            | Self::ListDecisions
            | Self::ListReviewedMatches
            | Self::ListComments
            | Self::ListAsks
            | Self::GetMentorship
            | Self::ListMentorships
            | Self::ListCheckIns
            | Self::ListDue
            | Self::GetParticipantStatus
            | Self::ListAuditEntries => Audited::Sum,
            Self::CreateOrganisation
            | Self::UpdateOrganisation
            | Self::UpdateOrganisationRules
            | Self::SetMembership
            | Self::CreateConsultation
            | Self::UpdateConsultation
            | Self::CancelConsultation
            | Self::AnswerConsultation
            | Self::ImportProfiles
            | Self::CreateProfile
            | Self::UpdateProfile
            | Self::ExportProfiles
            | Self::RecordConsent
            | Self::EraseProfile
            | Self::PurgeExpired
            | Self::WithdrawConsent
            | Self::RestrictProfile
            | Self::LiftRestriction
            | Self::ExportPersonalData
            | Self::CreateRound
            | Self::EnrolProfiles
            | Self::WithdrawEnrolments
            | Self::LeaveWaitingList
            | Self::AskExpert
            | Self::WithdrawAsk
            | Self::UpdateRound
            | Self::CloseRound
            | Self::CancelRound
            | Self::CreatePolicy
            | Self::StartRun
            | Self::CancelRun
            | Self::PinPair
            | Self::VetoPair
            | Self::ReleaseDecision
            | Self::MarkReviewed
            | Self::CreateComment
            | Self::ContestMatch
            | Self::SubmitRun
            | Self::ApproveRun
            | Self::RejectRun
            | Self::ObjectToMatch
            | Self::PublishRun
            | Self::UnpublishRun
            | Self::RespondToMentorship
            | Self::RecordFirstMeeting
            | Self::PauseMentorship
            | Self::ResumeMentorship
            | Self::CloseMentorship
            | Self::RecordCheckIn
            | Self::ImportCheckIns
            | Self::ExportCheckIns
            | Self::CreateReport
            | Self::CreatePrincipal
            | Self::UpdatePrincipal
            | Self::CreateGrant
            | Self::EndGrant
            | Self::CreateCredential
            | Self::RevokeCredential
            | Self::CreateInvitation
            | Self::CancelInvitation
            | Self::RedeemInvitation => Audited::Entry,
            Self::GetOrganisation
            | Self::ListOrganisations
            | Self::GetConsultation
            | Self::ListConsultations
            | Self::GetConsultationResult
            | Self::GetRound
            | Self::ListRounds
            | Self::GetPolicy
            | Self::ListPolicies
            | Self::GetParticipantNotice
            | Self::GetProcessingRecord
            | Self::GetRun
            | Self::ListRuns
            | Self::WatchRun
            | Self::VerifyRun
            | Self::ReplayRun
            | Self::GetSubmission
            | Self::ListSubmissions
            | Self::GetErasure
            | Self::ListParameters
            | Self::GetReport
            | Self::ListReports
            | Self::DownloadReport
            | Self::StreamEvents
            | Self::Solve
            | Self::SolveStream
            | Self::Verify
            | Self::VerifyStream
            | Self::WhatIf
            | Self::Repair
            | Self::Diagnose
            | Self::WhoAmI
            | Self::GetPrincipal
            | Self::ListPrincipals
            | Self::ListGrants
            | Self::ListCredentials
            | Self::ListInvitations
            | Self::VerifyAudit => Audited::Refusals,
        }
    }

    /// The permit, if a role of the caller permits the action. Checked before the request is read (AIP-211).
    pub fn permit(self, caller: &Caller) -> Result<Permit> {
        let cells = self.cells();
        let permits = |role: &&Role| match cells[role.number()] {
            Cell::No | Cell::Me => false,
            Cell::Own => role.organisation().is_some(),
            Cell::All | Cell::Any => true,
        };
        let mut organisations = BTreeSet::new();
        let (mut permitted, mut whole) = (false, false);
        for role in caller.roles.iter().filter(permits) {
            permitted = true;
            match role.organisation() {
                Some(own) => {
                    organisations.insert(own.clone());
                }
                None => whole = true,
            }
        }
        let only_herself = !permitted && cells.contains(&Cell::Me);
        if !permitted && !only_herself {
            let required = cells.iter().position(|cell| *cell != Cell::No).map(|role| Role::NAMES[role]);
            return Err(Error::PermissionDenied {
                role: caller.roles.first().map_or("none", Role::as_str),
                action: self.method(),
                required: required.unwrap_or("none"),
            });
        }
        let scope = if whole || only_herself { Scope::Alliance } else { Scope::Organisations(organisations) };
        Ok(Permit { action: self, principal: caller.principal.clone(), scope, only_herself })
    }
}

#[cfg(test)]
mod tests;
