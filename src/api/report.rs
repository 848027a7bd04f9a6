//! ReportService.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::lang;
use super::page;
use super::proto::v1;
use super::proto::v1::report_service_server::ReportService;
use crate::domain::parameter::{Level, Parameter, ParameterList, Texts, Unit};
use crate::domain::vocabulary::Lang;
use crate::service::{PageRequest, Service};

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
