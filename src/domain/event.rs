//! Events: what an entry of the journal means to whoever follows the resources of the service.

use jiff::Timestamp;

use super::audit::AuditEntry;

/// Nouns of actions that are events. Actions of other nouns are entries of the audit alone: who may call, what was read, what
/// reviewers decide and say of pairs, and the audit itself.
const NOUNS: [&str; 9] = [
    "organisation",
    "membership",
    "profile",
    "round",
    "policy",
    "enrolment",
    "run",
    "mentorship",
    "consultation",
];

/// What has happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// It was created.
    Created,
    /// It was changed in a way that has no kind of its own.
    Changed,
    /// It was deleted.
    Deleted,
    /// Profiles of the organisation were created, changed or withdrawn.
    ProfilesChanged,
    /// Enrolments of the round were changed.
    EnrolmentsChanged,
    /// The run was started.
    RunStarted,
    /// The run has succeeded.
    RunSucceeded,
    /// The run has failed.
    RunFailed,
    /// The run was cancelled, or its cancellation was requested.
    RunCancelled,
    /// The run was proposed for publication.
    RunSubmitted,
    /// A person has approved the run.
    RunApproved,
    /// The run was rejected.
    RunRejected,
    /// The run was published.
    RunPublished,
    /// The publication of the run was taken back.
    RunUnpublished,
    /// A matched person has left the published run: it calls for a repair.
    RunCallsForRepair,
    /// A member has not answered the proposal of the mentorship in time.
    AnswerOverdue,
    /// The first meeting of the mentorship is overdue.
    FirstMeetingOverdue,
    /// A check-in of a member in the mentorship is due.
    CheckInDue,
    /// The deadline of the consultation has passed.
    ConsultationClosed,
    /// An organisation has answered the consultation.
    ConsultationAnswered,
}

impl EventKind {
    /// The kind of an action; `None` if it is no event.
    pub fn of(action: &str) -> Option<Self> {
        let (noun, verb) = action.split_once('.')?;
        if !NOUNS.contains(&noun) {
            return None;
        }
        // The audit of an organisation has each step of a mentorship; both sides follow one event of the change.
        let is_step = noun == "mentorship"
            && !["change", "answer_overdue", "meeting_overdue", "check_in_due"].contains(&verb);
        if is_step || verb.starts_with("export") {
            return None;
        }
        Some(match (noun, verb) {
            (
                "profile",
                "import" | "create" | "update" | "record_consent" | "withdraw_consent" | "restrict" | "lift"
                | "erase" | "purge",
            ) => Self::ProfilesChanged,
            ("round", "enrol" | "withdraw") | ("enrolment", _) => Self::EnrolmentsChanged,
            ("run", "start") => Self::RunStarted,
            ("run", "succeed") => Self::RunSucceeded,
            ("run", "fail") => Self::RunFailed,
            ("run", "cancel" | "cancelled") => Self::RunCancelled,
            ("run", "submit") => Self::RunSubmitted,
            ("run", "approve") => Self::RunApproved,
            ("run", "reject") => Self::RunRejected,
            ("run", "publish") => Self::RunPublished,
            ("run", "unpublish") => Self::RunUnpublished,
            ("run", "lose") => Self::RunCallsForRepair,
            ("mentorship", "answer_overdue") => Self::AnswerOverdue,
            ("mentorship", "meeting_overdue") => Self::FirstMeetingOverdue,
            ("mentorship", "check_in_due") => Self::CheckInDue,
            ("consultation", "close") => Self::ConsultationClosed,
            ("consultation", "answer") => Self::ConsultationAnswered,
            (_, "create") => Self::Created,
            (_, "delete" | "erase" | "purge") => Self::Deleted,
            _ => Self::Changed,
        })
    }
}

/// Something has happened to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the stream.
    pub position: i64,
    /// Resource name.
    pub name: String,
    /// What has happened.
    pub kind: EventKind,
    /// Version of the resource after the change, if it has versions.
    pub version: Option<i64>,
    /// The moment of the change.
    pub time: Timestamp,
    /// Whether the resource belongs to one organisation.
    pub is_of_organisation: bool,
}

impl Event {
    /// The event of a sealed entry; `None` if the entry is no event.
    pub fn of(entry: AuditEntry) -> Option<Self> {
        Some(Self {
            position: entry.seal?.position,
            kind: EventKind::of(&entry.action)?,
            name: entry.resource,
            version: entry.version,
            time: entry.time,
            is_of_organisation: entry.organisation.is_some(),
        })
    }
}
