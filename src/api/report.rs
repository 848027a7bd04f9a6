//! ReportService.
//!
//! A file of a report is written here, from the stored numbers, in the language of the request.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::report::{kind_of, message as report_message};
use super::convert::{lang, outcome};
use super::page;
use super::proto::v1;
use super::proto::v1::report_service_server::ReportService;
use crate::domain::parameter::{Level, Parameter, ParameterList, Texts, Unit};
use crate::domain::vocabulary::Lang;
use crate::error::Error;
use crate::report::release::{self, Format};
use crate::service::{Change, PageRequest, ReportDraft, Service};

/// Serves reports.
#[derive(Debug, Clone)]
pub struct ReportApi {
    /// The use cases.
    pub service: Service,
}

#[tonic::async_trait]
impl ReportService for ReportApi {
    async fn list_parameters(
        &self,
        request: Request<v1::ListParametersRequest>,
    ) -> Result<Response<v1::ListParametersResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListParametersRequest { page_size, page_token, language_code } = request.into_inner();
        let lang = lang(&language_code)?;
        let page = PageRequest { size: page_size, token: page_token };
        let page = self.service.list_parameters(&caller, &page)?;
        let (parameters, next_page_token) = page::messages(&page, |one| message(one, lang));
        Ok(Response::new(v1::ListParametersResponse {
            parameters,
            next_page_token,
            list_version: i32::try_from(ParameterList::current().version).unwrap_or(i32::MAX),
            language_code: lang.tag().to_owned(),
        }))
    }

    async fn create_report(
        &self,
        request: Request<v1::CreateReportRequest>,
    ) -> Result<Response<v1::CreateReportResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CreateReportRequest { report, request_id, validate_only } = request.into_inner();
        let wanted = report.unwrap_or_default();
        let draft = ReportDraft {
            kind: kind_of(wanted.kind),
            round: &wanted.round,
            organisation: &wanted.organisation,
            year: wanted.year,
        };
        let how = Change { request_id: &request_id, validate_only };
        let done = Box::pin(self.service.create_report(&caller, draft, how)).await;
        let (report, violations) = outcome(validate_only, done)?;
        let report = report.as_ref().map(report_message);
        Ok(Response::new(v1::CreateReportResponse { report, violations }))
    }

    async fn get_report(
        &self,
        request: Request<v1::GetReportRequest>,
    ) -> Result<Response<v1::GetReportResponse>, Status> {
        let caller = caller_of(&request)?;
        let report = self.service.get_report(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetReportResponse { report: Some(report_message(&report)) }))
    }

    async fn list_reports(
        &self,
        request: Request<v1::ListReportsRequest>,
    ) -> Result<Response<v1::ListReportsResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListReportsRequest { page_size, page_token } = request.into_inner();
        let page = PageRequest { size: page_size, token: page_token };
        let page = self.service.list_reports(&caller, &page).await?;
        let (reports, next_page_token) = page::messages(&page, report_message);
        Ok(Response::new(v1::ListReportsResponse { reports, next_page_token }))
    }

    async fn download_report(
        &self,
        request: Request<v1::DownloadReportRequest>,
    ) -> Result<Response<v1::DownloadReportResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::DownloadReportRequest { name, format, language_code } = request.into_inner();
        let report = self.service.download_report(&caller, &name).await?;
        let lang = lang(&language_code)?;
        let format = format_of(format)?;
        let written = release::write(&report, format, lang);
        let content =
            written.map_err(|error| Error::Internal("a report cannot be written".into(), Some(error)))?;
        let stem = release::file_stem(&report, lang);
        Ok(Response::new(v1::DownloadReportResponse {
            content,
            media_type: format.media_type().to_owned(),
            file_name: format!("{stem}.{}", format.extension()),
        }))
    }
}

/// The form that a message names.
fn format_of(format: i32) -> Result<Format, Error> {
    match v1::ReportFormat::try_from(format) {
        Ok(v1::ReportFormat::Html) => Ok(Format::Html),
        Ok(v1::ReportFormat::Csv) => Ok(Format::Csv),
        Ok(v1::ReportFormat::Json) => Ok(Format::Json),
        Ok(v1::ReportFormat::Xlsx) => Ok(Format::Xlsx),
        Ok(v1::ReportFormat::Unspecified) | Err(_) => {
            Err(Error::invalid_field("format", "", "is not a form of a file; use HTML, CSV, JSON or XLSX"))
        }
    }
}

fn message(parameter: &Parameter, lang: Lang) -> v1::Parameter {
    let text = |texts: &Texts| texts.text(lang).to_owned();
    let optional = |texts: &Option<Texts>| texts.as_ref().map(text).unwrap_or_default();
    v1::Parameter {
        parameter_id: parameter.id.clone(),
        unit: unit(parameter.unit) as i32,
        level: level(parameter.level) as i32,
        display_name: text(&parameter.name),
        definition: text(&parameter.definition),
        numerator: optional(&parameter.numerator),
        denominator: optional(&parameter.denominator),
        base: text(&parameter.base),
        source: parameter.source.clone(),
        horizon_months: parameter.horizons.iter().filter_map(|months| i32::try_from(*months).ok()).collect(),
    }
}

fn unit(unit: Unit) -> v1::ParameterUnit {
    match unit {
        Unit::Percent => v1::ParameterUnit::Percent,
        Unit::PercentagePoints => v1::ParameterUnit::PercentagePoints,
        Unit::Days => v1::ParameterUnit::Days,
        Unit::Hours => v1::ParameterUnit::Hours,
        Unit::Points1To5 => v1::ParameterUnit::Points1To5,
        Unit::PointsMinus100To100 => v1::ParameterUnit::PointsMinus100To100,
    }
}

fn level(level: Level) -> v1::ParameterLevel {
    match level {
        Level::Programme => v1::ParameterLevel::Programme,
        Level::Pair => v1::ParameterLevel::Pair,
        Level::Outcome => v1::ParameterLevel::Outcome,
        Level::Engine => v1::ParameterLevel::Engine,
        Level::Equity => v1::ParameterLevel::Equity,
    }
}
