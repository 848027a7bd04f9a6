//! How a command fails: the message, the hint and the exit code.

use std::process::ExitCode;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::client;
use crate::client::output::say;
use crate::config::ConfigError;
use crate::domain::grant::Role;
use crate::domain::message::Message;
use crate::domain::violation::Violation;
use crate::domain::vocabulary::Lang;
use crate::store::Obstacle;
use crate::{demo, message, wording};

/// The command that creates the token of a coordinator.
const NEW_TOKEN: &str = "wim-match admin token create --role coordinator";
/// The command that creates the token of a manager.
const NEW_MANAGER_TOKEN: &str = "wim-match admin token create --role organisation-manager --organisation ID";

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// Exit code, as documented in the help.
    code: u8,
    /// What is wrong.
    message: Message,
    /// The details, each on a line of its own below the message.
    details: Vec<Message>,
    /// What to do; may be empty.
    hint: Message,
}

impl Failure {
    /// The input is wrong.
    pub(super) fn input(message: impl Into<Message>, hint: impl Into<Message>) -> Self {
        Self::new(3, message, hint)
    }

    /// The resource does not exist.
    pub(super) fn not_found(message: impl Into<Message>, hint: impl Into<Message>) -> Self {
        Self::new(5, message, hint)
    }

    /// The state of the resource does not allow the command.
    pub(super) fn state(message: impl Into<Message>) -> Self {
        Self::new(6, message, "")
    }

    /// Something is in the way of the command.
    pub(super) fn conflict(message: impl Into<Message>, hint: impl Into<Message>) -> Self {
        Self::new(6, message, hint)
    }

    /// No assignment meets the floors of all groups.
    pub(super) fn unmet(message: impl Into<Message>, hint: impl Into<Message>) -> Self {
        Self::new(8, message, hint)
    }

    /// The same, with lines of details below the message.
    pub(super) fn with_details(self, details: Vec<Message>) -> Self {
        Self { details, ..self }
    }

    /// A part of the machine stands in the way: the database, the address to listen on.
    pub(super) fn obstacle(message: impl Into<Message>, hint: impl Into<Message>) -> Self {
        Self::new(7, message, hint)
    }

    /// An error of opening, migrating or starting over the database `shown`.
    pub(super) fn of_database(error: anyhow::Error, shown: &str) -> Self {
        let obstacle = error.downcast_ref::<crate::error::Error>().and_then(Obstacle::of);
        match obstacle {
            Some(Obstacle { problem, remedy }) => {
                Self::obstacle(message!("{database} {problem}", database = shown, problem = problem), remedy)
            }
            None => Self::from(error),
        }
    }

    /// The failure in one message.
    pub(super) fn in_one(self) -> Message {
        let Self { message, hint, .. } = self;
        if hint.is_empty() { message } else { message!("{wrong}; {hint}", wrong = message, hint = hint) }
    }

    /// Prints the failure in the language of the reader, and returns its exit code.
    pub(super) fn report(self, lang: Lang) -> ExitCode {
        let line = |label: &str, text: &str| wording::labelled(wording::text(label, lang), text, lang);
        say(&line("cli.error", &wording::message(&self.message, lang)));
        for detail in &self.details {
            say(&format!("  {}", wording::message(detail, lang)));
        }
        if !self.hint.is_empty() {
            say(&line("cli.hint", &wording::message(&self.hint, lang)));
        }
        ExitCode::from(self.code)
    }

    fn new(code: u8, message: impl Into<Message>, hint: impl Into<Message>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), hint: hint.into() }
    }

    /// No connection to the service.
    fn unreachable(message: Message) -> Self {
        Self::new(
            7,
            message,
            message!("start the service with `wim-match serve`, or give its address with --server"),
        )
    }

    /// Something else failed.
    pub(super) fn other(message: impl Into<Message>) -> Self {
        Self::new(1, message, "")
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<client::Error>() {
            Ok(error) => return Self::from(error),
            Err(error) => error,
        };
        let error = match error.downcast::<demo::Refused>() {
            Ok(demo::Refused(what)) => return Self::other(what),
            Err(error) => error,
        };
        match error.downcast::<crate::error::Error>() {
            Ok(error) => Self::from(error),
            Err(error) => match error.downcast::<ConfigError>() {
                Ok(error) => Self::from(error),
                Err(error) => Self::other(format!("{error:#}")),
            },
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = message!(
            "correct the file of --config, the variable or the option; `wim-match doctor --settings` prints all settings with their defaults"
        );
        Self::input(error.message(), hint)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::other(error.to_string())
    }
}

impl From<crate::error::Error> for Failure {
    fn from(error: crate::error::Error) -> Self {
        let details = match &error {
            crate::error::Error::InvalidFields(wrong) => {
                let rest = (wrong.more() > 0).then(|| wrong.rest());
                wrong.listed().iter().map(Violation::whole).chain(rest).collect()
            }
            _ => Vec::new(),
        };
        let message = error.message();
        Self::new(exit_code(Status::from(error).code()), message, "").with_details(details)
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        match error {
            client::Error::Call(status) => Self::from(status),
            client::Error::Unreachable { .. } => Self::unreachable(with_causes(&error)),
            client::Error::Header(_) => Self::input(with_causes(&error), ""),
            _ => Self::other(with_causes(&error)),
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let mut message = Message::verbatim(status.message());
        let mut details = Vec::new();
        if let Some(wrong) = status.get_details_bad_request() {
            // The message quotes the first violations, and all of them follow here.
            let wrong = wrong.field_violations;
            message = message!("{count|1 value is wrong|{count} values are wrong}:", count = wrong.len());
            details =
                wrong.into_iter().map(|violation| named(&violation.field, violation.description)).collect();
        }
        let Some(info) = status.get_details_error_info() else {
            return match status.code() {
                // Only the transport returns this code without a reason: the connection broke.
                Code::Unavailable => Self::unreachable(message),
                code => Self::new(exit_code(code), message, "").with_details(details),
            };
        };
        let hint = match info.reason.as_str() {
            "UNAUTHENTICATED" => {
                message = message!("the service does not know this token, or no token was given");
                message!(
                    "give a token with --token or in WIM_MATCH_TOKEN; `{command}` creates one",
                    command = NEW_TOKEN
                )
            }
            "PERMISSION_DENIED" => message!(
                "use a token of that role with --token or in WIM_MATCH_TOKEN; `{command}` creates one",
                command = match info.metadata.get("required").map(String::as_str) {
                    Some(Role::ORGANISATION_MANAGER) => NEW_MANAGER_TOKEN,
                    _ => NEW_TOKEN,
                }
            ),
            "ROUND_EMPTY" => {
                let subject = status
                    .get_details_precondition_failure()
                    .and_then(|found| found.violations.into_iter().next().map(|violation| violation.subject));
                let round = subject.unwrap_or_default();
                let round = round.strip_prefix("rounds/").unwrap_or("ROUND");
                message!(
                    "a manager enrols members with `wim-match round enrol {round} --organisation ID --all`",
                    round = round
                )
            }
            _ => Message::default(),
        };
        Self::new(exit_code(status.code()), message, hint).with_details(details)
    }
}

/// The error of the client with its causes, which the libraries write in English.
fn with_causes(error: &client::Error) -> Message {
    let causes: Vec<String> = std::iter::successors(std::error::Error::source(error), |cause| cause.source())
        .map(ToString::to_string)
        .collect();
    if causes.is_empty() {
        return error.message();
    }
    message!("{wrong}: {cause}", wrong = error.message(), cause = causes.join(": "))
}

/// A violation with the name that its field has at the command line; the fields of a request are written at one command
/// each, so that a name fits them all.
fn named(field: &str, description: String) -> Message {
    let wrong = Message::verbatim(description);
    let option = OPTIONS.iter().find_map(|(path, option)| {
        let rest = field.strip_prefix(path)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some((*option, rest.trim_start_matches('.')))
    });
    match option {
        _ if field.is_empty() => wrong,
        Some((option, rest)) if rest.is_empty() || rest.starts_with('[') => {
            message!("{field}: {wrong}", field = option, wrong = wrong)
        }
        Some((option, rest)) => {
            message!("{field}: {wrong}", field = format!("{option}, {rest}"), wrong = wrong)
        }
        None => message!("{field}: {wrong}", field = field, wrong = wrong),
    }
}

/// Fields of requests with the option or argument of the command line that fills them.
const OPTIONS: &[(&str, &str)] = &[
    ("round_id", "ID"),
    ("round.display_name", "--name"),
    ("round.start_date", "--start"),
    ("round.end_date", "--end"),
    ("round.policy", "--policy"),
    ("organisation_id", "ID"),
    ("organisation.display_name", "--name"),
    ("organisation.country", "--country"),
    ("organisation.excluded_organisations", "--exclude"),
    ("organisation", "--organisation"),
    ("parent", "--organisation"),
    ("profiles", "PROFILES"),
    ("round", "ROUND"),
    ("mentee", "MENTEE"),
    ("mentor", "MENTOR"),
    ("name", "ROUND RUN"),
    ("run", "--run"),
];

/// The exit code of a gRPC code.
fn exit_code(code: Code) -> u8 {
    match code {
        Code::InvalidArgument | Code::OutOfRange | Code::ResourceExhausted => 3,
        Code::Unauthenticated | Code::PermissionDenied => 4,
        Code::NotFound => 5,
        Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted => 6,
        Code::Unavailable | Code::DeadlineExceeded => 7,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[tokio::test]
    async fn every_error_of_the_client_has_the_exit_code_that_the_help_lists() {
        let of = |error: client::Error| Failure::from(error).code;
        for (status, code) in [
            (Status::internal("a defect"), 1),
            (Status::invalid_argument("a wrong field"), 3),
            (Status::unauthenticated("no token"), 4),
            (Status::permission_denied("the wrong role"), 4),
            (Status::not_found("no round"), 5),
            (Status::already_exists("a round"), 6),
            (Status::failed_precondition("the wrong state"), 6),
            (Status::unavailable("the database is away"), 7),
        ] {
            assert_eq!(of(status.clone().into()), code, "{status}");
        }
        assert_eq!(of(client::Error::NoSummary), 1);
        let header = crate::profile_csv::OpenError::Header(Vec::new());
        assert_eq!(of(header.into()), 3);
        // Port 1 of the loopback interface has no service.
        let unreachable = client::connect("http://127.0.0.1:1").await.expect_err("no service");
        let failure = Failure::from(anyhow::Error::from(unreachable));
        assert_eq!(failure.code, 7);
        let told = failure.message.to_string();
        assert!(told.starts_with("http://127.0.0.1:1 cannot be reached: "), "{told}");
        assert!(failure.hint.to_string().starts_with("start the service"), "{}", failure.hint);
    }

    #[test]
    fn the_hint_belongs_to_the_reason_and_a_list_of_violations_is_printed_once() {
        let of = |error: Error| Failure::from(Status::from(error));
        let busy = of(Error::StoreUnavailable("locked".into()));
        assert_eq!((busy.code, busy.hint.to_string().as_str()), (7, ""));
        let empty = of(Error::RoundEmpty("rounds/2027-spring".to_owned()));
        assert!(
            empty.hint.to_string().contains("`wim-match round enrol 2027-spring --organisation ID --all`")
        );
        let wrong = of(Error::invalid_field("round.start_date", "R", "is not a date"));
        assert_eq!(wrong.message.to_string(), "1 value is wrong:");
        assert_eq!(wrong.details[0].to_string(), "--start: `R` is not a date");
    }

    #[test]
    fn a_denied_command_names_the_roles_and_a_command_that_helps() {
        let denied = Error::PermissionDenied {
            role: Role::COORDINATOR,
            action: "ProfileService/ImportProfiles",
            required: Role::ORGANISATION_MANAGER,
        };
        let failure = Failure::from(Status::from(denied));
        assert_eq!(
            failure.message.to_string(),
            "only a manager of an organisation can import profiles; this token belongs to a coordinator"
        );
        assert!(
            failure.hint.to_string().contains("--token")
                && failure.hint.to_string().contains(NEW_MANAGER_TOKEN)
        );
    }
}
