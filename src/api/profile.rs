//! ProfileService.

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status, Streaming};

use super::auth::caller_of;
use super::convert::profile::{draft, message};
use super::convert::{outcome, violations};
use super::incoming::Incoming;
use super::page;
use super::proto::v1;
use super::proto::v1::import_profiles_request::Content as Ask;
use super::proto::v1::import_profiles_response::Content as Answer;
use super::proto::v1::profile_service_server::ProfileService;
use super::reader;
use super::streams::{Answering, Answers, Streams};
use crate::domain::warning::Warning;
use crate::error::Error;
use crate::service::{
    Action, Change, DraftRow, Findings, Import, ImportSpec, PageRequest, RowWarning, Service, StagedImport,
};
use crate::wording;

/// Answers of an import that may wait for a slow reader.
const ANSWERS_AHEAD: usize = 16;
/// Parts of an export that may wait for a slow reader.
const PARTS_AHEAD: usize = 1;
/// Rows that one message may carry.
const MAX_ROWS_PER_MESSAGE: usize = 1_000;

/// Bytes of the profiles that are read by their names at once, at most.
const MAX_BATCH_BYTES: usize = 3 << 20;
/// Bytes of the violations of one row, at most.
const MAX_ROW_BYTES: usize = 1 << 20;

/// Serves profiles.
#[derive(Debug, Clone)]
pub struct ProfileApi {
    /// The use cases.
    pub service: Service,
    /// The streams of the server.
    pub streams: Streams,
    /// Largest message that is accepted, which the error about a larger one reports.
    pub max_message_bytes: usize,
}

#[tonic::async_trait]
impl ProfileService for ProfileApi {
    type ImportProfilesStream = Answers<v1::ImportProfilesResponse>;
    type ExportProfilesStream = Answers<v1::ExportProfilesResponse>;

    async fn import_profiles(
        &self,
        request: Request<Streaming<v1::ImportProfilesRequest>>,
    ) -> Result<Response<Self::ImportProfilesStream>, Status> {
        let caller = caller_of(&request)?;
        Action::ImportProfiles.permit(&caller)?;
        let mut asked = Incoming::new(request.into_inner(), self.max_message_bytes);
        let Some(Ask::Header(header)) = next(&mut asked).await? else {
            return Err(Error::invalid_field("header", "", "must be the first message of the stream").into());
        };
        let spec = ImportSpec {
            parent: header.parent,
            accept_good_rows: header.accept_good_rows,
            accept_returned: header.accept_returned,
            validate_only: header.validate_only,
            request_id: header.request_id,
            prune: header.prune,
        };
        let import = self.service.begin_import(&caller, spec).await?;
        let cleared = Cleared { staged: Some(import.staged()), tasks: self.streams.tasks.clone() };
        Ok(self.streams.answer(ANSWERS_AHEAD, async move |answers| {
            Box::pin(receive(import, asked, &answers)).await?;
            cleared.not_needed();
            Ok(())
        }))
    }

    async fn get_profile(
        &self,
        request: Request<v1::GetProfileRequest>,
    ) -> Result<Response<v1::GetProfileResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.get_profile(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetProfileResponse { profile: Some(message(&found)) }))
    }

    async fn batch_get_profiles(
        &self,
        request: Request<v1::BatchGetProfilesRequest>,
    ) -> Result<Response<v1::BatchGetProfilesResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::BatchGetProfilesRequest { parent, names } = request.into_inner();
        let found = self.service.batch_get_profiles(&caller, &parent, &names).await?;
        let profiles: Vec<v1::Profile> = found.iter().map(message).collect();
        if profiles.iter().map(prost::Message::encoded_len).sum::<usize>() > MAX_BATCH_BYTES {
            let wrong = "have profiles that are too large together; name fewer";
            return Err(Error::invalid_field("names", &names.len().to_string(), wrong).into());
        }
        Ok(Response::new(v1::BatchGetProfilesResponse { profiles }))
    }

    async fn create_profile(
        &self,
        request: Request<v1::CreateProfileRequest>,
    ) -> Result<Response<v1::CreateProfileResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CreateProfileRequest { parent, profile_id, profile, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        // What a profile says of its own name is not read.
        let profile = draft(v1::Profile { name: String::new(), ..profile.unwrap_or_default() });
        let done = Box::pin(self.service.create_profile(&caller, (&parent, &profile_id), profile, how)).await;
        let (written, violations) = outcome(validate_only, done)?;
        let warnings = written.as_ref().map(|written| warnings(&written.warnings)).unwrap_or_default();
        let profile = written.map(|written| message(&written.profile));
        Ok(Response::new(v1::CreateProfileResponse { profile, warnings, violations }))
    }

    async fn update_profile(
        &self,
        request: Request<v1::UpdateProfileRequest>,
    ) -> Result<Response<v1::UpdateProfileResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::UpdateProfileRequest { profile, update_mask, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let profile = profile.unwrap_or_default();
        let (name, etag) = (profile.name.clone(), profile.etag.clone());
        let mask = update_mask.unwrap_or_default().paths;
        let done = Box::pin(self.service.update_profile(&caller, (&name, &etag), draft(profile), &mask, how));
        let (written, violations) = outcome(validate_only, done.await)?;
        let warnings = written.as_ref().map(|written| warnings(&written.warnings)).unwrap_or_default();
        let profile = written.map(|written| message(&written.profile));
        Ok(Response::new(v1::UpdateProfileResponse { profile, warnings, violations }))
    }

    async fn list_profiles(
        &self,
        request: Request<v1::ListProfilesRequest>,
    ) -> Result<Response<v1::ListProfilesResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_profiles(&caller, &request.parent, &page).await?;
        let (profiles, next_page_token) = page::messages(&page, message);
        Ok(Response::new(v1::ListProfilesResponse { profiles, next_page_token }))
    }

    async fn export_profiles(
        &self,
        request: Request<v1::ExportProfilesRequest>,
    ) -> Result<Response<Self::ExportProfilesStream>, Status> {
        let caller = caller_of(&request)?;
        let mut export = self.service.export_profiles(&caller, &request.into_inner().parent).await?;
        Ok(self.streams.answer(PARTS_AHEAD, async move |answers| {
            loop {
                let part = export.next_part().await?;
                if part.is_empty() {
                    return Ok(());
                }
                let profiles = part.iter().map(message).collect();
                answers.send(v1::ExportProfilesResponse { profiles }).await?;
            }
        }))
    }
}

/// Warnings about one profile, in the language of the call.
fn warnings(warnings: &[Warning]) -> Vec<v1::FieldWarning> {
    let lang = reader::current();
    let told = |warning: &Warning| v1::FieldWarning {
        field: format!("profile.{}", warning.field),
        value: warning.value.clone(),
        code: warning.code as i32,
        description: wording::warning(warning, lang),
    };
    warnings.iter().map(told).collect()
}

/// Deletes what is staged of an import that ends before its end: the stop of the service and a passed deadline drop it. The
/// stop waits for the deletion.
struct Cleared {
    staged: Option<StagedImport>,
    tasks: TaskTracker,
}

impl Cleared {
    fn not_needed(mut self) {
        self.staged = None;
    }
}

impl Drop for Cleared {
    fn drop(&mut self) {
        let (Some(staged), Ok(runtime)) = (self.staged.take(), Handle::try_current()) else { return };
        let clearing = async move {
            if let Err(error) = staged.discard().await {
                tracing::warn!(
                    error.type = error.reason().code(),
                    "rows of an unfinished import stay until housekeeping purges them"
                );
            }
        };
        self.tasks.spawn_on(clearing, &runtime);
    }
}

/// Receives an import and sends its answers. An import that fails is discarded.
async fn receive(
    mut import: Import,
    mut asked: Incoming<v1::ImportProfilesRequest>,
    answers: &Answering<v1::ImportProfilesResponse>,
) -> Result<(), Status> {
    if let Err(status) = Box::pin(receive_rows(&mut import, &mut asked, answers)).await {
        import.discard().await?;
        return Err(status);
    }
    let summary = import.finish().await?;
    let summary = v1::ImportSummary {
        received: summary.received,
        created: summary.created,
        updated: summary.updated,
        unchanged: summary.unchanged,
        rejected: summary.rejected,
        stored: summary.stored,
        rejected_unlisted: summary.rejected_unlisted,
        warnings: summary.warnings,
        warnings_unlisted: summary.warnings_unlisted,
        consents_kept: summary.consents_kept,
        absent: summary.absent,
        absent_profiles: summary.absent_profiles,
        pruned: summary.pruned,
    };
    answers.send(response(Answer::Summary(summary))).await?;
    Ok(())
}

/// Receives rows and the end message.
async fn receive_rows(
    import: &mut Import,
    asked: &mut Incoming<v1::ImportProfilesRequest>,
    answers: &Answering<v1::ImportProfilesResponse>,
) -> Result<(), Status> {
    loop {
        match next(asked).await? {
            Some(Ask::Rows(part)) => {
                let count = part.rows.len();
                if count > MAX_ROWS_PER_MESSAGE {
                    let wrong =
                        format!("are too many; send at most {MAX_ROWS_PER_MESSAGE} rows in one message");
                    return Err(Error::invalid_field("rows.rows", &count.to_string(), wrong).into());
                }
                let found = import.rows(part.rows.into_iter().map(draft_row).collect()).await?;
                tell(found, answers).await?;
                let progress = v1::ImportProgress { received: import.received() };
                answers.send(response(Answer::Progress(progress))).await?;
            }
            Some(Ask::End(end)) => return Ok(tell(import.end(end.rows).await?, answers).await?),
            Some(Ask::Header(_)) => {
                let wrong = "is repeated; send it once, as the first message";
                return Err(Error::invalid_field("header", "", wrong).into());
            }
            None => {
                let wrong = "is missing, and nothing was stored; send it as the last message";
                return Err(Error::invalid_field("end", "", wrong).into());
            }
        }
    }
}

/// Sends what there is to tell of some rows, one message each, so that no message is large.
async fn tell(found: Findings, answers: &Answering<v1::ImportProfilesResponse>) -> Result<(), Error> {
    let lang = reader::current();
    for row in found.rejected {
        let rejected =
            v1::RejectedRow { row: row.row, violations: violations(&row.violations, lang, MAX_ROW_BYTES) };
        answers.send(response(Answer::RejectedRow(rejected))).await?;
    }
    for RowWarning { row, warning } in found.warnings {
        let description = wording::warning(&warning, lang);
        let code = warning.code as i32;
        let told = v1::RowWarning { row, field: warning.field, value: warning.value, code, description };
        answers.send(response(Answer::Warning(told))).await?;
    }
    Ok(())
}

async fn next(asked: &mut Incoming<v1::ImportProfilesRequest>) -> Result<Option<Ask>, Status> {
    asked.next(|message| message.content, "a header, rows or the end").await
}

fn response(content: Answer) -> v1::ImportProfilesResponse {
    v1::ImportProfilesResponse { content: Some(content) }
}

fn draft_row(row: v1::ImportRow) -> DraftRow {
    DraftRow { row: row.row, draft: row.profile.map(draft), unreadable: row.unreadable }
}
