//! The review of a run and its way to publication.

use super::connection::Client;
use super::error::Error;
use super::page::{PAGE_SIZE, pages};
use crate::api::proto::v1;

impl Client {
    /// All matches of a run that the filter selects, the lowest score first, with what was said of them.
    pub async fn all_reviewed_matches(
        &self,
        run: &str,
        filter: &v1::ReviewFilter,
    ) -> Result<Vec<v1::ReviewedMatch>, Error> {
        pages(|page_token| {
            let (mut reviews, parent, filter) = (self.reviews.clone(), run.to_owned(), Some(filter.clone()));
            async move {
                let request =
                    v1::ListReviewedMatchesRequest { parent, page_size: PAGE_SIZE, page_token, filter };
                let page = reviews.list_reviewed_matches(request).await?.into_inner();
                Ok((page.matches, page.next_page_token))
            }
        })
        .await
    }

    /// All decisions of a round, in the order in which they were made.
    pub async fn all_decisions(&self, round: &str, released: bool) -> Result<Vec<v1::Decision>, Error> {
        pages(|page_token| {
            let (mut reviews, parent) = (self.reviews.clone(), round.to_owned());
            async move {
                let request = v1::ListDecisionsRequest {
                    parent,
                    page_size: PAGE_SIZE,
                    page_token,
                    show_released: released,
                };
                let page = reviews.list_decisions(request).await?.into_inner();
                Ok((page.decisions, page.next_page_token))
            }
        })
        .await
    }

    /// All asks of a round, or with `rounds/-` of an expert.
    pub async fn all_asks(&self, round: &str, lang: &str) -> Result<Vec<v1::Ask>, Error> {
        pages(|page_token| {
            let (mut reviews, parent, language_code) =
                (self.reviews.clone(), round.to_owned(), lang.to_owned());
            async move {
                let request = v1::ListAsksRequest { parent, page_size: PAGE_SIZE, page_token, language_code };
                let page = reviews.list_asks(request).await?.into_inner();
                Ok((page.asks, page.next_page_token))
            }
        })
        .await
    }

    /// All comments on a pair, the oldest first.
    pub async fn all_comments(&self, pair: &str) -> Result<Vec<v1::Comment>, Error> {
        pages(|page_token| {
            let (mut reviews, parent) = (self.reviews.clone(), pair.to_owned());
            async move {
                let request = v1::ListCommentsRequest { parent, page_size: PAGE_SIZE, page_token };
                let page = reviews.list_comments(request).await?.into_inner();
                Ok((page.comments, page.next_page_token))
            }
        })
        .await
    }

    /// All submissions of a round, the newest first.
    pub async fn all_submissions(&self, round: &str) -> Result<Vec<v1::Submission>, Error> {
        pages(|page_token| {
            let (mut reviews, parent) = (self.reviews.clone(), round.to_owned());
            async move {
                let request = v1::ListSubmissionsRequest { parent, page_size: PAGE_SIZE, page_token };
                let page = reviews.list_submissions(request).await?.into_inner();
                Ok((page.submissions, page.next_page_token))
            }
        })
        .await
    }
}
