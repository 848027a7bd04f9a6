//! Mentorships, and what is due in them.

use super::connection::Client;
use super::error::Error;
use super::page::{PAGE_SIZE, pages};
use crate::api::proto::v1;

impl Client {
    /// All mentorships of a round that the filter of a request selects, by name.
    pub async fn all_mentorships(
        &self,
        filter: &v1::ListMentorshipsRequest,
    ) -> Result<Vec<v1::Mentorship>, Error> {
        pages(|page_token| {
            let (mut mentorships, filter) = (self.mentorships.clone(), filter.clone());
            async move {
                let request = v1::ListMentorshipsRequest { page_size: PAGE_SIZE, page_token, ..filter };
                let page = mentorships.list_mentorships(request).await?.into_inner();
                Ok((page.mentorships, page.next_page_token))
            }
        })
        .await
    }

    /// All that is due of an organisation's members in the next days.
    pub async fn all_due(&self, organisation: &str, days: i32) -> Result<Vec<v1::Due>, Error> {
        pages(|page_token| {
            let (mut mentorships, organisation) = (self.mentorships.clone(), organisation.to_owned());
            async move {
                let request = v1::ListDueRequest { organisation, page_size: PAGE_SIZE, page_token, days };
                let page = mentorships.list_due(request).await?.into_inner();
                Ok((page.due, page.next_page_token))
            }
        })
        .await
    }
}
