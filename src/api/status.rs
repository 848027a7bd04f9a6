//! Errors as gRPC statuses: the one table from a reason to its code, and the one builder of statuses. Each status has
//! exactly one ErrorInfo, and the other details of google.rpc where they apply.

use std::collections::HashMap;
use std::time::Duration;

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::reader;
use crate::domain::review::DecisionObstacle;
use crate::domain::violation::MAX_LISTED;
use crate::error::{Error, Reason, chain};
use crate::wording;

/// Domain of every ErrorInfo.
pub const DOMAIN: &str = "mentorship.wim";
/// When to call again after the database was unreachable, the service was shutting down, or a bound was reached.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The trailer by which a service steers the retries of gRPC clients (gRPC proposal A6).
pub(super) const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The gRPC code of a reason.
pub fn code_of(reason: Reason) -> Code {
    match reason {
        Reason::InvalidFields | Reason::InvalidPageToken | Reason::Undecodable | Reason::RequestIdReused => {
            Code::InvalidArgument
        }
        Reason::NotGrpc => Code::InvalidArgument,
        Reason::MessageTooLarge | Reason::Overloaded | Reason::RateLimited => Code::ResourceExhausted,
        Reason::Unauthenticated => Code::Unauthenticated,
        Reason::PermissionDenied => Code::PermissionDenied,
        Reason::NotFound => Code::NotFound,
        Reason::AlreadyExists => Code::AlreadyExists,
        Reason::RoundState
        | Reason::RoundEmpty
        | Reason::RunActive
        | Reason::RunState
        | Reason::InputErased
        | Reason::EngineChanged
        | Reason::DecisionsConflict
        | Reason::QuotasUnmet
        | Reason::RepairBudget
        | Reason::DecisionRefused
        | Reason::DecisionReleased
        | Reason::RunStale
        | Reason::SubmissionState
        | Reason::ConsultationState
        | Reason::ReportBase
        | Reason::SecondPerson
        | Reason::PublicationBlocked
        | Reason::MentorshipState
        | Reason::ConsentState => Code::FailedPrecondition,
        Reason::EtagMismatch | Reason::RunInterrupted => Code::Aborted,
        Reason::DeadlineExceeded | Reason::ReceiveTimeout => Code::DeadlineExceeded,
        Reason::EventsExpired => Code::OutOfRange,
        Reason::Unimplemented => Code::Unimplemented,
        Reason::StoreUnavailable | Reason::ShuttingDown => Code::Unavailable,
        Reason::Cancelled => Code::Cancelled,
        Reason::Internal => Code::Internal,
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let (reason, code) = (error.reason(), code_of(error.reason()));
        if matches!(code, Code::Internal | Code::Unavailable) {
            tracing::error!(error.type = reason.code(), error = %chain(&error), "call failed");
        }
        let lang = reader::current();
        let told = cut(wording::message(&error.message(), lang));
        let mut room = Room::beside(&told);
        let mut details = ErrorDetails::with_error_info(reason.code(), DOMAIN, metadata(&error));
        let retry = match &error {
            // Rounded up: a client that waits for it finds room.
            Error::RateLimited { wait, .. } => Some(whole_millis(*wait)),
            _ if code == Code::Unavailable || reason == Reason::Overloaded => Some(RETRY_AFTER),
            _ => None,
        };
        if let Some(after) = retry {
            details.set_retry_info(Some(after));
        }
        match &error {
            Error::InvalidFields(violations) => {
                let mut listed = 0;
                for violation in violations.listed().iter().take(MAX_LISTED) {
                    let (field, told) =
                        (cut(violation.field.clone()), cut(wording::message(&violation.sentence(), lang)));
                    if !room.takes(&field, &told) {
                        break;
                    }
                    details.add_bad_request_violation(field, told);
                    listed += 1;
                }
                if violations.count() > listed {
                    details.add_bad_request_violation("", wording::message(&violations.beyond(listed), lang));
                }
            }
            Error::RateLimited { subject, .. } => {
                details.add_quota_failure_violation(*subject, told.clone());
            }
            Error::RoundState { round: subject, .. }
            | Error::RunState { run: subject, .. }
            | Error::ConsentState { consent: subject, .. }
            | Error::RoundEmpty(subject)
            | Error::RunActive(subject)
            | Error::EngineChanged { run: subject, .. }
            | Error::DecisionReleased(subject)
            | Error::RunStale { run: subject, .. }
            | Error::SubmissionState { submission: subject, .. }
            | Error::ConsultationState { consultation: subject, .. }
            | Error::SecondPerson { submission: subject, .. }
            | Error::PublicationBlocked { submission: subject, .. }
            | Error::MentorshipState { mentorship: subject, .. }
            | Error::InputErased(subject) => {
                details.add_precondition_failure_violation(reason.code(), subject, told.clone());
            }
            _ => {}
        }
        let mut status = Self::with_error_details(code, told, details);
        // What the retry policies of gRPC obey: a delay, or no repetition at all.
        let pushback = match retry {
            Some(after) => MetadataValue::from(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            None if code == Code::ResourceExhausted => MetadataValue::from_static("-1"),
            None => return status,
        };
        status.metadata_mut().insert(PUSHBACK, pushback);
        status
    }
}

/// Bytes of a status that a client receives at least: many clients take 8 KiB of metadata in all.
const STATUS_BYTES: usize = 6 * 1024;
/// Characters of one text of a status.
const MOST_CHARS: usize = 300;
/// Bytes of a status beside its texts: ErrorInfo, RetryInfo, the names of the types, the last entry.
const FRAME_BYTES: usize = 1_000;

/// Room for details in the trailers of a call. A message travels twice: percent-encoded in `grpc-message`, and in the details,
/// which are in Base64.
struct Room(usize);

impl Room {
    fn beside(message: &str) -> Self {
        let encoded: usize =
            message.bytes().map(|byte| if matches!(byte, b' '..=b'~') && byte != b'%' { 1 } else { 3 }).sum();
        Self(STATUS_BYTES.saturating_sub(FRAME_BYTES + encoded + in_base64(message.len())))
    }

    /// Takes the room of a violation, if there is enough.
    fn takes(&mut self, field: &str, description: &str) -> bool {
        // Each text and the violation have a tag and a length.
        let left = self.0.checked_sub(in_base64(field.len() + description.len() + 12));
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

fn in_base64(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// A text, cut to a length that leaves room for others.
fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MOST_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The error that a status made by the transport stands for; `None` if it stands for itself, which a status with details
/// does.
pub(super) fn transport_error(status: &Status, max_message_bytes: usize) -> Option<Error> {
    if !status.details().is_empty() {
        return None;
    }
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => {
            Some(Error::MessageTooLarge { limit_bytes: max_message_bytes })
        }
        Code::Internal | Code::InvalidArgument | Code::Unknown => Some(Error::Undecodable),
        Code::Unimplemented => Some(Error::Unimplemented),
        Code::DeadlineExceeded => Some(Error::DeadlineExceeded),
        Code::Cancelled => Some(Error::Cancelled),
        _ => None,
    }
}

/// A duration in whole milliseconds, rounded up.
fn whole_millis(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
}

/// The metadata of an ErrorInfo.
fn metadata(error: &Error) -> HashMap<String, String> {
    if let Error::RateLimited { subject, class, .. } = error {
        return HashMap::from(
            [("subject", *subject), ("class", *class)].map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
    }
    if let Error::EngineChanged { version, present, .. } = error {
        let versions = [("engine_version", version.as_str()), ("present_engine_version", *present)];
        return HashMap::from(versions.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
    let (key, value) = match error {
        Error::RoundState { state, .. }
        | Error::RunState { state, .. }
        | Error::ConsentState { state, .. }
        | Error::MentorshipState { state, .. }
        | Error::SubmissionState { state, .. }
        | Error::ConsultationState { state, .. } => ("state", (*state).to_owned()),
        Error::DecisionRefused { obstacles, .. } => ("obstacles", joined(obstacles, DecisionObstacle::code)),
        Error::PublicationBlocked { obstacles, .. } => {
            ("obstacles", joined(obstacles, |one| one.code().to_owned()))
        }
        Error::RunStale { causes, .. } => ("causes", joined(causes, |cause| cause.as_str().to_uppercase())),
        Error::SecondPerson { rule, .. } => ("rule", rule.code().to_owned()),
        Error::ReportBase(why) => ("withheld", why.as_str().to_owned()),
        Error::RunActive(run) => ("run", run.clone()),
        Error::EtagMismatch(name) => ("resource", name.clone()),
        Error::PermissionDenied { required, .. } => ("required", (*required).to_owned()),
        Error::MessageTooLarge { limit_bytes } => ("limit_bytes", limit_bytes.to_string()),
        Error::Overloaded(subject) => ("subject", (*subject).to_owned()),
        Error::ReceiveTimeout { seconds } => ("limit_seconds", seconds.to_string()),
        _ => return HashMap::new(),
    };
    HashMap::from([(key.to_owned(), value)])
}

fn joined<T: Copy>(values: &[T], code: impl Fn(T) -> String) -> String {
    values.iter().map(|value| code(*value)).collect::<Vec<_>>().join(",")
}

/// A code as gRPC spells it.
pub(super) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::decision_conflict::{ConflictCause, DecisionConflict, ToldConflicts};
    use crate::domain::explanation::{Reason as Explained, ReasonCode};
    use crate::domain::name::ProfileRef;
    use std::collections::BTreeMap;
    use std::fmt::Write as _;

    use prost::Message as _;
    use tonic_types::ErrorDetail;

    use super::*;
    use crate::api::proto::DESCRIPTORS;
    use crate::domain::policy::HardRule;
    use crate::domain::review::{DecisionKind, DecisionObstacle, Pair};
    use crate::domain::run::StaleCause;
    use crate::domain::snapshot::FrozenDecision;
    use crate::domain::submission::{PublicationObstacle, SecondPersonRule};

    /// The comment of each reason in the contract, by its code.
    fn documented() -> BTreeMap<String, String> {
        let set = prost_types::FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors");
        let file = set.file.iter().find(|file| file.name() == "wim/mentorship/v1/error.proto");
        let file = file.expect("the file of the reasons");
        let comment = |at: usize| {
            let path = [5, 0, 2, i32::try_from(at).expect("few reasons")];
            let locations = &file.source_code_info.as_ref().expect("comments").location;
            let location = locations.iter().find(|location| location.path == path).expect("a comment");
            let lines = location.leading_comments().trim().lines().map(str::trim);
            lines.collect::<Vec<_>>().join("\n")
        };
        let values = file.enum_type[0].value.iter().enumerate().skip(1);
        values
            .map(|(at, value)| (value.name().trim_start_matches("ERROR_REASON_").to_owned(), comment(at)))
            .collect()
    }

    /// One error of every reason that a call can have.
    fn samples() -> Vec<Error> {
        let round = || "rounds/2027-spring".to_owned();
        let run = || "rounds/2027-spring/runs/1".to_owned();
        let submission = || "rounds/2027-spring/submissions/1".to_owned();
        let conflict = || {
            let person =
                |id: &str| ProfileRef::from_name(&format!("organisations/a/profiles/{id}")).expect("a name");
            let decision = FrozenDecision {
                mentee: person("p"),
                mentor: person("q"),
                kind: DecisionKind::Pin,
                name: "rounds/2027-spring/decisions/3".to_owned(),
            };
            let cause = ConflictCause::LeastPlaces { least: 2 };
            ToldConflicts::of(&[DecisionConflict { cause, decisions: vec![decision] }])
        };
        vec![
            Error::invalid_field("round_id", "R", "must be a round's id"),
            Error::InvalidPageToken,
            Error::Undecodable,
            Error::MessageTooLarge { limit_bytes: 4_194_304 },
            Error::Unauthenticated,
            Error::PermissionDenied {
                role: "coordinator",
                action: "ProfileService/ImportProfiles",
                required: "organisation-manager",
            },
            Error::NotFound(round()),
            Error::AlreadyExists(round()),
            Error::RequestIdReused,
            Error::EtagMismatch(round()),
            Error::RoundState {
                round: round(),
                state: "closed",
                required: &["draft", "enrolling", "review"],
            },
            Error::EventsExpired,
            Error::InputErased(run()),
            Error::EngineChanged { run: run(), version: "6".to_owned(), present: "7" },
            Error::DecisionsConflict(conflict()),
            Error::RepairBudget(Some(3)),
            Error::QuotasUnmet(vec![Explained::new(ReasonCode::QuotasTogether)]),
            Error::DecisionRefused {
                pair: Box::new(Pair {
                    mentee: "organisations/wim-peru/profiles/P7".to_owned().try_into().expect("a name"),
                    mentor: "organisations/wim-kenya/profiles/K2".to_owned().try_into().expect("a name"),
                }),
                obstacles: vec![DecisionObstacle::Rule(HardRule::Language), DecisionObstacle::MentorPlaces],
            },
            Error::DecisionReleased("rounds/2027-spring/decisions/3".to_owned()),
            Error::RunStale { run: run(), causes: vec![StaleCause::Enrolments, StaleCause::Decisions] },
            Error::SubmissionState { submission: submission(), state: "rejected", required: &["submitted"] },
            Error::ConsultationState {
                consultation: "consultations/2027-q1".to_owned(),
                state: "open",
                required: "closed",
            },
            Error::ReportBase(crate::domain::suppression::Withheld::FewPeople),
            Error::SecondPerson { submission: submission(), rule: SecondPersonRule::Submitter },
            Error::PublicationBlocked {
                submission: submission(),
                obstacles: vec![PublicationObstacle::ObjectionTime, PublicationObstacle::OpenObjections],
            },
            Error::MentorshipState {
                mentorship: format!("{}/mentorships/{}", round(), "0a".repeat(16)),
                state: "declined",
                required: &["proposed"],
            },
            Error::RoundEmpty(round()),
            Error::RunActive(run()),
            Error::RunState { run: run(), state: "failed", required: &["succeeded"] },
            Error::ConsentState {
                consent: "organisations/wim-peru/profiles/P7/consents/matching-3f9a1c2b77d0".to_owned(),
                state: "withdrawn",
            },
            Error::DeadlineExceeded,
            Error::Unimplemented,
            Error::StoreUnavailable("disk full".into()),
            Error::ShuttingDown,
            Error::internal("column profile.document of row 7"),
            Error::Cancelled,
            Error::NotGrpc,
            Error::ReceiveTimeout { seconds: 10 },
            Error::Overloaded("caller"),
            Error::RateLimited { subject: "caller", class: "read", wait: Duration::from_millis(20) },
        ]
    }

    fn detail_name(detail: &ErrorDetail) -> &'static str {
        match detail {
            ErrorDetail::ErrorInfo(_) => "ErrorInfo",
            ErrorDetail::BadRequest(_) => "BadRequest",
            ErrorDetail::RetryInfo(_) => "RetryInfo",
            ErrorDetail::QuotaFailure(_) => "QuotaFailure",
            ErrorDetail::PreconditionFailure(_) => "PreconditionFailure",
            other => panic!("{other:?} is not documented"),
        }
    }

    #[test]
    fn the_contract_has_exactly_the_reasons_of_the_service() {
        let codes = |reasons: &[Reason]| reasons.iter().map(|reason| reason.code().to_owned()).collect();
        let mut known: Vec<String> = codes(Reason::ALL);
        known.sort();
        assert_eq!(documented().into_keys().collect::<Vec<_>>(), known);
        let mut of_calls: Vec<Reason> = samples().iter().map(Error::reason).collect();
        of_calls.push(Reason::RunInterrupted);
        of_calls.sort();
        let mut all = Reason::ALL.to_vec();
        all.sort();
        assert_eq!(of_calls, all);
    }

    #[test]
    fn every_reason_is_documented_with_cause_action_details_and_metadata() {
        let documented = documented();
        let mut table = String::new();
        let mut row = |reason: Reason, details: &str, keys: &str, message: &str| {
            let comment = &documented[reason.code()];
            for part in ["Cause: ", "Action: "] {
                assert!(comment.contains(part), "{} lacks `{part}`", reason.code());
            }
            for key in keys.split(", ").filter(|key| !key.is_empty()) {
                assert!(comment.contains(&format!("`{key}`")), "{} lacks `{key}`", reason.code());
            }
            let (code, comment) = (code_name(code_of(reason)), comment.replace('\n', "\n  "));
            writeln!(table, "{} ({code})\n  {comment}", reason.code()).expect("a string grows");
            for (part, text) in [("details", details), ("metadata", keys), ("message", message)] {
                if !text.is_empty() {
                    writeln!(table, "  {part}: {text}").expect("a string grows");
                }
            }
            table.push('\n');
        };
        for error in samples() {
            let reason = error.reason();
            let status = Status::from(error);
            let details = status.get_error_details_vec();
            let names: Vec<_> = details.iter().map(detail_name).collect();
            let info = status.get_details_error_info().expect("an ErrorInfo");
            assert_eq!((info.reason.as_str(), status.code()), (reason.code(), code_of(reason)));
            let mut keys: Vec<String> = info.metadata.into_keys().collect();
            keys.sort();
            row(reason, &names.join(", "), &keys.join(", "), status.message());
        }
        row(Reason::RunInterrupted, "in Run.failure only", "", "");
        insta::assert_snapshot!(table.trim_end());
    }

    #[test]
    fn a_defect_shows_the_caller_nothing_of_its_inside() {
        let status = Status::from(Error::internal("column profile.document of row 7"));
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("document"));
    }

    /// A status of many violations with a field and a description each, its listed violations, and its size in trailers.
    fn listed(count: usize, field: &str, description: &str) -> (Vec<tonic_types::FieldViolation>, usize) {
        let mut violations = crate::domain::violation::Violations::default();
        for at in 0..count {
            violations.add(format!("{field}[{at}]"), description.to_owned());
        }
        let status = Status::from(Error::InvalidFields(violations));
        let listed = status.get_details_bad_request().expect("a BadRequest").field_violations;
        let trailers = status.into_http::<tonic::body::Body>();
        let size =
            trailers.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
        (listed, size)
    }

    #[test]
    fn violations_beyond_the_limit_are_counted_in_the_status() {
        let (few, _) = listed(12, "profiles", "is wrong");
        assert_eq!(few.len(), 12);
        let (many, _) = listed(107, "profiles", "is wrong");
        let last = many.last().expect("an entry");
        assert_eq!(last.description, format!("{} more violations are not listed", 108 - many.len()));
        assert!(last.field.is_empty());
    }

    #[test]
    fn a_status_fits_the_metadata_that_a_client_receives() {
        for (field, description) in [
            ("f", "x"),
            ("profiles", "is wrong"),
            ("f", &"ü%".repeat(5_000)),
            (&"map.".repeat(900), "is wrong"),
            ("f", &"是".repeat(299)),
        ] {
            for count in [1, 40, 5_000] {
                let (listed, size) = listed(count, field, description);
                assert!(size <= STATUS_BYTES, "{count} violations take {size} bytes");
                assert!(count < 40 || listed.len() > 1, "{}", listed.len());
            }
        }
    }
}
