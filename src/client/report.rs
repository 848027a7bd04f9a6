//! Reports, listed.

use super::connection::Client;
use super::error::Error;
use super::page::{PAGE_SIZE, pages};
use crate::api::proto::v1;

impl Client {
    /// All reports that the caller may read, the oldest first, without their tables.
    pub async fn all_reports(&self) -> Result<Vec<v1::Report>, Error> {
        pages(|page_token| {
            let mut reports = self.reports.clone();
            async move {
                let request = v1::ListReportsRequest { page_size: PAGE_SIZE, page_token };
                let page = reports.list_reports(request).await?.into_inner();
                Ok((page.reports, page.next_page_token))
            }
        })
        .await
    }
}
