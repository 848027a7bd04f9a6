//! Names of rounds, organisations and people, as commands take them.

use tonic::{Code, Status};

use super::failure::Failure;
use crate::client::{Client, v1};
use crate::message;

/// A name of the API, given with or without its prefix: `rounds/2027-spring` and `2027-spring`.
pub(super) fn name(prefix: &str, given: &str) -> String {
    format!("{prefix}{}", given.strip_prefix(prefix).unwrap_or(given))
}

/// The resource name of a profile, given as `organisation/id`.
pub(super) fn long_name(short: &str) -> Result<String, Failure> {
    let short = short.strip_prefix("organisations/").unwrap_or(short);
    match short.split_once('/') {
        Some((organisation, id)) => {
            let id = id.strip_prefix("profiles/").unwrap_or(id);
            Ok(format!("organisations/{organisation}/profiles/{id}"))
        }
        None => Err(Failure::input(
            message!("`{name}` is not a person of an organisation", name = short),
            message!(
                "write ORGANISATION/ID, for example `wim-match round explain 2027-spring wim-peru/PE-001 wim-kenya/KE-002`"
            ),
        )),
    }
}

/// The answer, or the failure; for a round that does not exist, with the rounds that do.
pub(super) async fn found<T>(client: &Client, round: &str, answer: Result<T, Status>) -> Result<T, Failure> {
    let status = match answer {
        Ok(answer) => return Ok(answer),
        Err(status) => status,
    };
    if status.code() != Code::NotFound {
        return Err(Failure::from(status));
    }
    let given = round.strip_prefix("rounds/").unwrap_or(round).to_lowercase();
    let rounds = client.all_rounds().await.unwrap_or_default();
    let mut ids: Vec<&str> = rounds.iter().filter_map(|round| round.name.strip_prefix("rounds/")).collect();
    if ids.contains(&given.as_str()) {
        return Err(Failure::from(status));
    }
    ids.sort_by_key(|id| (strsim::damerau_levenshtein(id, &given), *id));
    let missing = message!("there is no round {round} that this token may see", round = round);
    Err(match ids.first() {
        None => Failure::not_found(
            missing,
            message!("a coordinator creates a round with `wim-match round create`"),
        ),
        Some(nearest) if strsim::damerau_levenshtein(nearest, &given) <= 3 => {
            Failure::not_found(missing, message!("did you mean `{id}`?", id = *nearest))
        }
        Some(_) => Failure::not_found(
            missing,
            message!("the rounds are: {ids}", ids = ids.into_iter().take(10).collect::<Vec<_>>().join(", ")),
        ),
    })
}

/// The run with this number, or the newest run of the round.
pub(super) async fn find(client: &mut Client, round: &str, number: Option<i64>) -> Result<v1::Run, Failure> {
    let (round, number) = match round.split_once("/runs/") {
        Some((round, given)) => (round, number.or_else(|| given.parse().ok())),
        None => (round, number),
    };
    let parent = name("rounds/", round);
    if let Some(number) = number {
        let request = v1::GetRunRequest { name: format!("{parent}/runs/{number}") };
        let run = client.runs.get_run(request).await;
        return Ok(found(client, round, run).await?.into_inner().run.unwrap_or_default());
    }
    let request = v1::ListRunsRequest { parent: parent.clone(), page_size: 1, page_token: String::new() };
    let runs = client.runs.list_runs(request).await;
    let newest = found(client, round, runs).await?.into_inner().runs.into_iter().next();
    newest.ok_or_else(|| {
        Failure::not_found(
            message!("{round} has no run yet", round = &parent),
            message!(
                "a coordinator starts a run with `wim-match round run {round}`",
                round = parent.trim_start_matches("rounds/")
            ),
        )
    })
}

/// A profile as tables name it, `organisation/id`.
pub(super) fn short(profile: &str) -> String {
    profile.trim_start_matches("organisations/").replacen("/profiles", "", 1)
}
