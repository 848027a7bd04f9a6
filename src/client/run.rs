//! Rounds and their runs: listed, followed until they end, and read.

use super::connection::Client;
use super::error::Error;
use super::page::{PAGE_SIZE, pages};
use crate::api::convert;
use crate::api::proto::v1;
use crate::domain::policy::Criterion;
use crate::domain::run::RunSummary;

/// The request that changes the invitations of a round to those of `round`, and no other field.
pub fn invitations_of(round: v1::Round) -> v1::UpdateRoundRequest {
    convert::round::invitations_of(round)
}

/// Follows a run until it ends and returns the ended run. `on_update` gets the run at each change.
pub async fn watch(
    client: &Client,
    run: &str,
    mut on_update: impl FnMut(&v1::Run),
) -> Result<v1::Run, Error> {
    let request = v1::WatchRunRequest { name: run.to_owned() };
    let mut updates = client.runs.clone().watch_run(request).await?.into_inner();
    let mut last = v1::Run::default();
    while let Some(update) = updates.message().await? {
        last = update.run.unwrap_or_default();
        on_update(&last);
    }
    Ok(last)
}

/// Returns the failure of a run that failed as an error.
pub fn success(run: &v1::Run) -> Result<(), Error> {
    match &run.failure {
        Some(failure) => {
            Err(Error::RunFailed { reason: failure.reason.clone(), message: failure.message.clone() })
        }
        None => Ok(()),
    }
}

/// The numbers of a run; `None` until it has succeeded.
pub fn summary(run: &v1::Run) -> Option<RunSummary> {
    run.summary.as_ref().map(convert::run::summary)
}

/// A criterion by the contract's number; `None` stands for the private criteria together.
pub fn criterion(number: i32) -> Option<Criterion> {
    convert::policy::criterion(number)
}

impl Client {
    /// The waiting list of an organisation, or with `organisations/-` of all that the caller sees; with the priority in a round,
    /// unless its name is empty.
    pub async fn all_waiting(&self, parent: &str, round: &str) -> Result<Vec<v1::WaitingMentee>, Error> {
        pages(|page_token| {
            let (mut rounds, parent, round) = (self.rounds.clone(), parent.to_owned(), round.to_owned());
            async move {
                let request =
                    v1::ListWaitingMenteesRequest { parent, page_size: PAGE_SIZE, page_token, round };
                let page = rounds.list_waiting_mentees(request).await?.into_inner();
                Ok((page.waiting_mentees, page.next_page_token))
            }
        })
        .await
    }

    /// All enrolments of a round that the caller sees and the filter selects, by profile.
    pub async fn all_enrolments(
        &self,
        round: &str,
        filter: &v1::EnrolmentFilter,
    ) -> Result<Vec<v1::Enrolment>, Error> {
        pages(|page_token| {
            let (mut rounds, parent, filter) = (self.rounds.clone(), round.to_owned(), Some(filter.clone()));
            async move {
                let request = v1::ListEnrolmentsRequest { parent, page_size: PAGE_SIZE, page_token, filter };
                let page = rounds.list_enrolments(request).await?.into_inner();
                Ok((page.enrolments, page.next_page_token))
            }
        })
        .await
    }

    /// All rounds, in the order of the service.
    pub async fn all_rounds(&self) -> Result<Vec<v1::Round>, Error> {
        pages(|page_token| {
            let mut rounds = self.rounds.clone();
            async move {
                let request = v1::ListRoundsRequest { page_size: PAGE_SIZE, page_token };
                let page = rounds.list_rounds(request).await?.into_inner();
                Ok((page.rounds, page.next_page_token))
            }
        })
        .await
    }
}
