//! ProfileService.

use std::pin::Pin;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use super::call_layer::mended;
use super::convert::profile::{draft, message, violation};
use super::proto::v1;
use super::proto::v1::import_profiles_request::Content as Ask;
use super::proto::v1::import_profiles_response::Content as Answer;
use super::proto::v1::profile_service_server::ProfileService;
use super::{Streams, caller_of};
use crate::error::Error;
use crate::service::{Action, DraftRow, Import, ImportSpec, PageRequest, Service};

/// Answers of a stream that may wait for a slow reader.
const ANSWERS_AHEAD: usize = 16;
/// Rows that one message may carry.
const MAX_ROWS_PER_MESSAGE: usize = 1_000;

/// Serves profiles.
#[derive(Debug, Clone)]
pub struct ProfileApi {
    /// The use cases.
    pub service: Service,
    /// Where streams run, so that shutdown can end and await them.
    pub streams: Streams,
    /// Largest message accepted, for the error that says so.
    pub max_message_bytes: usize,
}

type Answering = mpsc::Sender<Result<v1::ImportProfilesResponse, Status>>;
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ProfileService for ProfileApi {
    type ImportProfilesStream = Answers<v1::ImportProfilesResponse>;
    type ExportProfilesStream = Answers<v1::ExportProfilesResponse>;

    async fn import_profiles(
        &self,
        request: Request<Streaming<v1::ImportProfilesRequest>>,
    ) -> Result<Response<Self::ImportProfilesStream>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        Action::ImportProfiles.permit(&caller)?;
        let mut asked = request.into_inner();
        let Some(Ask::Header(header)) = self.next(&mut asked).await? else {
            return Err(Error::invalid_field("header", "", "must be the first message of the stream").into());
        };
        let spec = ImportSpec {
            parent: header.parent,
            accept_good_rows: header.accept_good_rows,
            validate_only: header.validate_only,
            request_id: header.request_id,
        };
        let import = self.service.begin_import(&caller, spec).await?;
        let (answers, answered) = mpsc::channel(ANSWERS_AHEAD);
        let this = self.clone();
        let failing = answers.clone();
        self.streams.spawn(
            async move { this.import(import, asked, &answers).await },
            // A caller that went away needs no answer.
            async move |status| drop(failing.send(Err(status)).await),
        );
        Ok(Response::new(Box::pin(ReceiverStream::new(answered))))
    }

    async fn get_profile(
        &self,
        request: Request<v1::GetProfileRequest>,
    ) -> Result<Response<v1::GetProfileResponse>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        let found = self.service.get_profile(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetProfileResponse { profile: Some(message(&found)) }))
    }

    async fn list_profiles(
        &self,
        request: Request<v1::ListProfilesRequest>,
    ) -> Result<Response<v1::ListProfilesResponse>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_profiles(&caller, &request.parent, &page).await?;
        Ok(Response::new(v1::ListProfilesResponse {
            profiles: page.items.iter().map(message).collect(),
            next_page_token: page.next_token,
        }))
    }

    async fn export_profiles(
        &self,
        request: Request<v1::ExportProfilesRequest>,
    ) -> Result<Response<Self::ExportProfilesStream>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        let mut export = self.service.export_profiles(&caller, &request.into_inner().parent).await?;
        let (answers, answered) = mpsc::channel(2);
        let failing = answers.clone();
        let work = async move {
            loop {
                let part = export.next_part().await?;
                if part.is_empty() {
                    return Ok(());
                }
                let part = v1::ExportProfilesResponse { profiles: part.iter().map(message).collect() };
                answers.send(Ok(part)).await.map_err(|_| Error::Cancelled)?;
            }
        };
        self.streams.spawn(work, async move |status| drop(failing.send(Err(status)).await));
        Ok(Response::new(Box::pin(ReceiverStream::new(answered))))
    }
}

impl ProfileApi {
    /// The next message of the stream.
    async fn next(&self, asked: &mut Streaming<v1::ImportProfilesRequest>) -> Result<Option<Ask>, Status> {
        match asked.next().await {
            None => Ok(None),
            Some(Ok(message)) => message.content.map(Some).ok_or_else(|| {
                Error::invalid_field("content", "", "is empty; send a header, rows or the end").into()
            }),
            Some(Err(made)) => Err(mended(&made, self.max_message_bytes).unwrap_or(made)),
        }
    }

    async fn import(
        &self,
        mut import: Import,
        mut asked: Streaming<v1::ImportProfilesRequest>,
        answers: &Answering,
    ) -> Result<(), Status> {
        let rows = match self.receive(&mut import, &mut asked, answers).await {
            Ok(rows) => rows,
            Err(status) => {
                import.discard().await?;
                return Err(status);
            }
        };
        let summary = import.finish(rows).await?;
        let summary = v1::ImportSummary {
            received: summary.received,
            created: summary.created,
            updated: summary.updated,
            unchanged: summary.unchanged,
            rejected: summary.rejected,
            stored: summary.stored,
        };
        answer(answers, Answer::Summary(summary)).await
    }

    /// Takes rows until the end, and answers how many rows the caller says she has sent.
    async fn receive(
        &self,
        import: &mut Import,
        asked: &mut Streaming<v1::ImportProfilesRequest>,
        answers: &Answering,
    ) -> Result<i64, Status> {
        loop {
            match self.next(asked).await? {
                Some(Ask::Rows(part)) => {
                    if part.rows.len() > MAX_ROWS_PER_MESSAGE {
                        let given = part.rows.len().to_string();
                        let told = "are more than 1,000 in one message; send more messages";
                        return Err(Error::invalid_field("rows.rows", &given, told).into());
                    }
                    for row in import.rows(part.rows.into_iter().map(draft_row).collect()).await? {
                        let violations = row.violations.into_iter().map(violation).collect();
                        let rejected = v1::RejectedRow { row: row.row, violations };
                        answer(answers, Answer::RejectedRow(rejected)).await?;
                    }
                    answer(answers, Answer::Progress(v1::ImportProgress { received: import.received() }))
                        .await?;
                }
                Some(Ask::End(end)) => return Ok(end.rows),
                Some(Ask::Header(_)) => {
                    return Err(Error::invalid_field(
                        "header",
                        "",
                        "may come only once, as the first message",
                    )
                    .into());
                }
                None => {
                    let told = "is missing: the stream ended early; nothing was stored";
                    return Err(Error::invalid_field("end", "", told).into());
                }
            }
        }
    }
}

/// Sends one answer; a caller that went away ends the import.
async fn answer(answers: &Answering, content: Answer) -> Result<(), Status> {
    let response = v1::ImportProfilesResponse { content: Some(content) };
    answers.send(Ok(response)).await.map_err(|_| Error::Cancelled.into())
}

fn draft_row(row: v1::ImportRow) -> DraftRow {
    DraftRow { row: row.row, draft: row.profile.map(draft), unreadable: row.unreadable }
}
