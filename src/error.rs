//! Errors of a use case. Each has one [`Reason`] of the closed set; `api::status` alone maps a reason to a gRPC status.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::domain::decision_conflict::ToldConflicts;
use crate::domain::explanation::Reason as Explained;
pub use crate::domain::failure::Reason;
use crate::domain::message::{Message, MessageValue};
use crate::domain::review::{DecisionObstacle, Pair};
use crate::domain::run::StaleCause;
use crate::domain::submission::{PublicationObstacle, SecondPersonRule};
use crate::domain::suppression::Withheld;
use crate::domain::violation::{Violation, Violations};
use crate::message;

/// Violations that the text of an error quotes; the field violations of the status list more.
const MAX_QUOTED: usize = 3;

/// Everything for which a call can fail.
#[derive(Debug)]
pub enum Error {
    /// Fields are wrong; all of them are listed.
    InvalidFields(Violations),
    /// The page token belongs to another list, filter or caller.
    InvalidPageToken,
    /// The bytes of the request are not a message of the method.
    Undecodable,
    /// A message is larger than the limit.
    MessageTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The call has no credential, or an unknown one.
    Unauthenticated,
    /// The call has several credentials.
    SeveralCredentials,
    /// The request is no gRPC call.
    NotGrpc,
    /// A message, or the next byte of it, did not arrive in time.
    ReceiveTimeout {
        /// The limit.
        seconds: u64,
    },
    /// The peer holds as much as the service allows at a time.
    Overloaded(
        /// What reached its bound: `caller`, `connection` or `address`.
        &'static str,
    ),
    /// The calls of a time are used up.
    RateLimited {
        /// Whose calls: `caller`, `organisation` or `service`.
        subject: &'static str,
        /// Which calls: `read`, `write` or `solve`.
        class: &'static str,
        /// The time after which the same call finds room.
        wait: Duration,
    },
    /// The caller's role does not allow the method.
    PermissionDenied {
        /// The caller's role.
        role: &'static str,
        /// The method as the API names it, `Service/Method`: the key of its words in the table `action`.
        action: &'static str,
        /// The role that the method requires.
        required: &'static str,
    },
    /// The resource does not exist, or the caller has no access to it.
    NotFound(String),
    /// A resource of this name exists.
    AlreadyExists(String),
    /// The `request_id` belongs to another request.
    RequestIdReused,
    /// The resource has changed since its etag was read.
    EtagMismatch(String),
    /// Events after the cursor were deleted.
    EventsExpired,
    /// The round's state does not allow the call.
    RoundState {
        /// The round.
        round: String,
        /// Its state.
        state: &'static str,
        /// The states that allow the call.
        required: &'static [&'static str],
    },
    /// The round has no enrolments.
    RoundEmpty(String),
    /// A run of the round is queued or running.
    RunActive(String),
    /// The run's state does not allow the call.
    RunState {
        /// The run.
        run: String,
        /// Its state.
        state: &'static str,
        /// The states that allow the call.
        required: &'static [&'static str],
    },
    /// The consent is not live.
    ConsentState {
        /// The consent.
        consent: String,
        /// Its state.
        state: &'static str,
    },
    /// A pair cannot be decided on like this.
    DecisionRefused {
        /// The pair.
        pair: Box<Pair>,
        /// Everything that stands in the way.
        obstacles: Vec<DecisionObstacle>,
    },
    /// The decision was released already.
    DecisionReleased(String),
    /// Something has changed since the run was started.
    RunStale {
        /// The run.
        run: String,
        /// What has changed.
        causes: Vec<StaleCause>,
    },
    /// The consultation's state does not allow the call.
    ConsultationState {
        /// The consultation.
        consultation: String,
        /// Its state.
        state: &'static str,
        /// The state that the call needs.
        required: &'static str,
    },
    /// Too few people take part in the rounds of a report: nothing of it could be published.
    ReportBase(Withheld),
    /// The submission's state does not allow the call.
    SubmissionState {
        /// The submission.
        submission: String,
        /// Its state.
        state: &'static str,
        /// The states that allow the call.
        required: &'static [&'static str],
    },
    /// Somebody else has to approve.
    SecondPerson {
        /// The submission.
        submission: String,
        /// Why not the caller.
        rule: SecondPersonRule,
    },
    /// The run cannot be published yet, or its publication cannot be taken back.
    PublicationBlocked {
        /// The submission.
        submission: String,
        /// Everything that stands in the way.
        obstacles: Vec<PublicationObstacle>,
    },
    /// A person whom the call needs was erased: what cannot be computed again without her answers.
    InputErased(String),
    /// The engine of the run is not the one of this service.
    EngineChanged {
        /// The run.
        run: String,
        /// The version of its engine.
        version: String,
        /// The version of this service's engine.
        present: &'static str,
    },
    /// The mentorship's state does not allow the call.
    MentorshipState {
        /// The mentorship.
        mentorship: String,
        /// Its state.
        state: &'static str,
        /// The states that allow the call.
        required: &'static [&'static str],
    },
    /// Decisions of the round cannot be kept: what to release. Empty for a reader for whom the decisions are not.
    DecisionsConflict(ToldConflicts),
    /// No result keeps the quotas of the policy: why. Without reasons for a reader for whom they are not.
    QuotasUnmet(Vec<Explained>),
    /// A repair needs more changes than its budget: so many. `None` for a reader for whom the number is not.
    RepairBudget(Option<u64>),
    /// The deadline of the call has passed.
    DeadlineExceeded,
    /// The method or the message encoding does not exist.
    Unimplemented,
    /// The database is unreachable or busy: nothing was changed, and a retry is safe.
    StoreUnavailable(Box<dyn std::error::Error + Send + Sync>),
    /// The service is shutting down.
    ShuttingDown,
    /// The caller cancelled the call.
    Cancelled,
    /// A defect. Its message goes to the log, never to the caller.
    Internal(Cow<'static, str>, Option<Box<dyn std::error::Error + Send + Sync>>),
}

/// An error with all its sources, for the log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One wrong field.
    pub fn invalid_field(field: &str, value: &str, description: impl Into<Message>) -> Self {
        let mut violations = Violations::default();
        violations.push(field, value, description, "");
        Self::InvalidFields(violations)
    }

    /// A defect without a source.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Internal(message.into(), None)
    }

    /// What the caller has to know. A defect names nothing of its inside.
    #[expect(clippy::too_many_lines, reason = "one arm for each error")]
    pub fn message(&self) -> Message {
        let label = |table: &str, code: &str| MessageValue::Label(format!("{table}.{code}"));
        let labels = |table: &str, codes: &[&str]| {
            MessageValue::Labels(codes.iter().map(|code| format!("{table}.{code}")).collect())
        };
        match self {
            Self::InvalidFields(violations) => wrong_fields(violations),
            Self::InvalidPageToken => message!(
                "the page token belongs to another list, filter or caller; request the first page without a token"
            ),
            Self::Undecodable => message!(
                "the request bytes are not a message of this method; check the path and the message type"
            ),
            Self::MessageTooLarge { limit_bytes } => message!(
                "a message may have at most {limit} bytes; send the data in several messages",
                limit = *limit_bytes
            ),
            Self::Unauthenticated => {
                message!("the call has no valid API token; send the header `authorization: Bearer <token>`")
            }
            Self::SeveralCredentials => {
                message!("the call has several `authorization` headers; send one")
            }
            Self::NotGrpc => message!(
                "the request lacks the header `te: trailers`, which a gRPC call has; check the client and the proxy"
            ),
            Self::ReceiveTimeout { seconds } => message!(
                "the rest of the message did not arrive within {seconds} seconds; send the call again without a pause",
                seconds = *seconds
            ),
            Self::Overloaded(_) => message!(
                "as many calls, connections or bytes of messages are open as the service allows; end some of them, then try again"
            ),
            Self::RateLimited { wait, .. } => message!(
                "the calls that are allowed in a time are used up; call again after {millis} milliseconds",
                millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
            ),
            Self::PermissionDenied { role, action, required } => message!(
                "only {required} can {action}; this token belongs to {role}",
                required = label("role", required),
                action = label("action", action.rsplit('/').next().unwrap_or_default()),
                role = label("role", role)
            ),
            Self::NotFound(name) => message!(
                "{name} does not exist, or this token gives no access to it; check the name and the token",
                name = name
            ),
            Self::AlreadyExists(name) => message!("{name} exists already; choose another id", name = name),
            Self::RequestIdReused => {
                message!("this request_id belongs to an earlier, different request; create a new request_id")
            }
            Self::EtagMismatch(name) => message!(
                "{name} has changed since it was read; read it again, then repeat the change with its new etag",
                name = name
            ),
            Self::EventsExpired => message!(
                "events after the cursor are no longer kept; read the resources anew, and follow the events from now on"
            ),
            Self::RoundState { round, state, required } => message!(
                "{name} is in the state “{state}”; this requires one of the states: {required}",
                name = round,
                state = label("round_state", state),
                required = labels("round_state", required)
            ),
            Self::RoundEmpty(round) => {
                message!("{name} has no enrolments; enrol profiles first", name = round)
            }
            Self::RunActive(run) => {
                message!("{name} is queued or running; wait for its end or cancel it first", name = run)
            }
            Self::RunState { run, state, required } => message!(
                "{name} is in the state “{state}”; this requires one of the states: {required}",
                name = run,
                state = label("run_state", state),
                required = labels("run_state", required)
            ),
            Self::ConsentState { consent, state } => message!(
                "{name} is in the state “{state}”; only a live consent can be withdrawn",
                name = consent,
                state = label("consent_state", state)
            ),
            Self::ConsultationState { consultation, state, required } => message!(
                "{name} is in the state “{state}”; this requires the state “{required}”",
                name = consultation,
                state = label("consultation_state", state),
                required = label("consultation_state", required)
            ),
            Self::ReportBase(why) => message!(
                "there is no report, because all of it would be withheld: {why}",
                why = label("withheld", why.as_str())
            ),
            Self::DecisionRefused { pair, obstacles } => message!(
                "this cannot be decided on {mentee} and {mentor}: {obstacles}; release the decision that stands in the way, or choose another pair",
                mentee = pair.mentee.name(),
                mentor = pair.mentor.name(),
                obstacles = obstacles.iter().map(|obstacle| obstacle_words(*obstacle)).collect::<Vec<_>>()
            ),
            Self::DecisionReleased(name) => {
                message!("{name} was released already, so that nothing was changed", name = name)
            }
            Self::RunStale { run, causes } => message!(
                "{name} is stale: since its start these have changed: {causes}; start a new run, look at what it changes, and submit that one",
                name = run,
                causes = MessageValue::Labels(
                    causes.iter().map(|cause| format!("stale_cause.{}", cause.as_str())).collect()
                )
            ),
            Self::SubmissionState { submission, state, required } => message!(
                "{name} is in the state “{state}”; this requires one of the states: {required}",
                name = submission,
                state = label("submission_state", state),
                required = labels("submission_state", required)
            ),
            Self::MentorshipState { mentorship, state, required } => message!(
                "{name} is in the state “{state}”; this requires one of the states: {required}",
                name = mentorship,
                state = label("mentorship_state", state),
                required = labels("mentorship_state", required)
            ),
            Self::SecondPerson { submission, rule: SecondPersonRule::Submitter } => message!(
                "you have submitted {name} yourself; ask another coordinator to approve it",
                name = submission
            ),
            Self::SecondPerson { submission, rule: SecondPersonRule::Service } => {
                message!("a service approves nothing; ask a coordinator to approve {name}", name = submission)
            }
            Self::PublicationBlocked { submission, obstacles }
                if obstacles.contains(&PublicationObstacle::Accepted) =>
            {
                message!(
                    "somebody has accepted a match of {name}, so that its publication cannot be taken back; repair the published run",
                    name = submission
                )
            }
            Self::PublicationBlocked { submission, obstacles } => message!(
                "{name} cannot be published yet: {obstacles}",
                name = submission,
                obstacles = MessageValue::Labels(
                    obstacles
                        .iter()
                        .map(|obstacle| format!("publication_obstacle.{}", obstacle.code()))
                        .collect()
                )
            ),
            Self::InputErased(name) => message!(
                "a person who took part in {name} was erased, so that this cannot be computed again; start a new run if the round is open",
                name = name
            ),
            Self::EngineChanged { run, version, present } => message!(
                "{name} was solved by version {version} of the engine, and this service has version {present}; verify the run instead, or start a new one",
                name = run,
                version = version,
                present = *present
            ),
            Self::DecisionsConflict(told) if told.is_empty() => {
                message!("decisions of the working group cannot be kept; it starts another run")
            }
            Self::DecisionsConflict(told) => {
                message!(
                    "decisions of the round cannot be kept together: {conflicts}",
                    conflicts = told.messages()
                )
            }
            Self::QuotasUnmet(reasons) if reasons.is_empty() => {
                message!("no result keeps the quotas of the policy; the working group changes them")
            }
            Self::QuotasUnmet(reasons) => message!(
                "no result keeps the quotas of the policy: {reasons}; lower a floor, raise a ceiling or a limit, or enrol more people, then start a new run",
                reasons = MessageValue::Reasons(reasons.clone())
            ),
            Self::RepairBudget(None) => {
                message!("the repair needs more changes than its budget; the working group starts it again")
            }
            Self::RepairBudget(Some(needed)) => message!(
                "the repair needs {needed|no change|1 change|{needed} changes}, which is more than its budget; start it again with a budget of at least {least}, or without one",
                needed = *needed,
                least = *needed
            ),
            Self::DeadlineExceeded => message!(
                "the deadline of the call has passed, and its work was stopped; call again with a longer deadline"
            ),
            Self::Unimplemented => {
                message!("the service has no such method or message encoding; list its methods by reflection")
            }
            Self::StoreUnavailable(_) => message!("the database is unreachable or busy; try again"),
            Self::ShuttingDown => message!("the service is shutting down; try again"),
            Self::Cancelled => message!("the caller cancelled the call"),
            Self::Internal(..) => message!(
                "the service has a defect, and nothing was changed; report the time of the call to the operator of the service"
            ),
        }
    }

    /// The reason of the error.
    pub fn reason(&self) -> Reason {
        match self {
            Self::InvalidFields(_) => Reason::InvalidFields,
            Self::InvalidPageToken => Reason::InvalidPageToken,
            Self::Undecodable => Reason::Undecodable,
            Self::MessageTooLarge { .. } => Reason::MessageTooLarge,
            Self::Unauthenticated | Self::SeveralCredentials => Reason::Unauthenticated,
            Self::NotGrpc => Reason::NotGrpc,
            Self::ReceiveTimeout { .. } => Reason::ReceiveTimeout,
            Self::Overloaded(_) => Reason::Overloaded,
            Self::RateLimited { .. } => Reason::RateLimited,
            Self::PermissionDenied { .. } => Reason::PermissionDenied,
            Self::NotFound(_) => Reason::NotFound,
            Self::AlreadyExists(_) => Reason::AlreadyExists,
            Self::RequestIdReused => Reason::RequestIdReused,
            Self::EtagMismatch(_) => Reason::EtagMismatch,
            Self::EventsExpired => Reason::EventsExpired,
            Self::RoundState { .. } => Reason::RoundState,
            Self::RoundEmpty(_) => Reason::RoundEmpty,
            Self::RunActive(_) => Reason::RunActive,
            Self::RunState { .. } => Reason::RunState,
            Self::ConsentState { .. } => Reason::ConsentState,
            Self::InputErased(_) => Reason::InputErased,
            Self::EngineChanged { .. } => Reason::EngineChanged,
            Self::DecisionsConflict(_) => Reason::DecisionsConflict,
            Self::QuotasUnmet(_) => Reason::QuotasUnmet,
            Self::RepairBudget(_) => Reason::RepairBudget,
            Self::ConsultationState { .. } => Reason::ConsultationState,
            Self::ReportBase(_) => Reason::ReportBase,
            Self::DecisionRefused { .. } => Reason::DecisionRefused,
            Self::DecisionReleased(_) => Reason::DecisionReleased,
            Self::RunStale { .. } => Reason::RunStale,
            Self::SubmissionState { .. } => Reason::SubmissionState,
            Self::SecondPerson { .. } => Reason::SecondPerson,
            Self::PublicationBlocked { .. } => Reason::PublicationBlocked,
            Self::MentorshipState { .. } => Reason::MentorshipState,
            Self::DeadlineExceeded => Reason::DeadlineExceeded,
            Self::Unimplemented => Reason::Unimplemented,
            Self::StoreUnavailable(_) => Reason::StoreUnavailable,
            Self::ShuttingDown => Reason::ShuttingDown,
            Self::Cancelled => Reason::Cancelled,
            Self::Internal(..) => Reason::Internal,
        }
    }
}

/// What stands in the way of a decision, in words.
fn obstacle_words(obstacle: DecisionObstacle) -> Message {
    match obstacle {
        DecisionObstacle::NoMentee => message!("the mentee does not take part as a mentee"),
        DecisionObstacle::NoMentor => message!("the mentor does not take part as a mentor"),
        DecisionObstacle::Rule(rule) => message!(
            "the hard rule “{rule}” forbids the pair",
            rule = MessageValue::Label(format!("rule.{}", rule.as_str()))
        ),
        DecisionObstacle::Private => {
            message!("the pair is not possible")
        }
        DecisionObstacle::Pinned => message!("the pair is pinned"),
        DecisionObstacle::Vetoed => message!("the pair is vetoed"),
        DecisionObstacle::MenteePlaces => {
            message!("the mentee is pinned to as many mentors as she wants")
        }
        DecisionObstacle::MentorPlaces => {
            message!("the mentor is pinned to as many mentees as she has places for")
        }
        DecisionObstacle::NoPlaceFree => {
            message!(
                "with the other pins, no place is free for the pair; release a pin, or change the quotas"
            )
        }
        DecisionObstacle::Objective => {
            message!("the objective of the policy is STABLE, with which nothing can be pinned")
        }
    }
}

fn wrong_fields(violations: &Violations) -> Message {
    let quoted = violations.listed().iter().take(MAX_QUOTED).map(Violation::message);
    let more = (violations.count() > MAX_QUOTED as u64).then(|| Message::from("…"));
    message!(
        "{count|1 field of the request is wrong|{count} fields of the request are wrong}: {fields}",
        count = violations.count(),
        fields = quoted.chain(more).collect::<Vec<_>>()
    )
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal(what, _) => write!(f, "defect of the service: {what}"),
            told => told.message().fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::StoreUnavailable(source) | Self::Internal(_, Some(source)) => Some(&**source),
            _ => None,
        }
    }
}
