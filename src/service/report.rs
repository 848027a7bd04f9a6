//! Use cases of reports: the common parameters, and reports that are made once and read by permission.

use super::page::Cursor;
use super::{
    Action, Change, Page, PageRequest, Permit, Service, check_request_id, recalled, remembered, taken,
};
use crate::domain::caller::Caller;
use crate::domain::name::{OrganisationId, RoundId, is_uuid};
use crate::domain::parameter::{Parameter, ParameterList};
use crate::domain::report::assemble::assemble;
use crate::domain::report::facts::Facts;
use crate::domain::report::{Report, ReportKind, ReportScope};
use crate::domain::suppression::Withheld;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, NewReport, Scope};

/// A report that somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct ReportDraft<'a> {
    /// Its kind, if it is a known one.
    pub kind: Option<ReportKind>,
    /// Resource name of the round; empty for none.
    pub round: &'a str,
    /// Resource name of the organisation; empty for none.
    pub organisation: &'a str,
    /// The year; 0 for none.
    pub year: i32,
}

impl Service {
    /// The common parameters, in the order of the list.
    pub fn list_parameters(
        &self,
        caller: &Caller,
        request: &PageRequest,
    ) -> Result<Page<&'static Parameter>> {
        let permit = Action::ListParameters.permit(caller)?;
        let cursor = Cursor::new(&permit, "parameters", request)?;
        let all = ParameterList::current().parameters.iter();
        let first = match &cursor.after {
            None => 0,
            Some(id) => 1 + all.clone().position(|one| one.id == *id).ok_or(Error::InvalidPageToken)?,
        };
        let found = all.skip(first).take(cursor.limit() as usize).collect();
        Ok(cursor.page(found, |one: &&Parameter| one.id.clone()))
    }

    /// Makes a report, or checks whether it can be made.
    pub async fn create_report(
        &self,
        caller: &Caller,
        draft: ReportDraft<'_>,
        how: Change<'_>,
    ) -> Result<Report> {
        let permit = Action::CreateReport.permit(caller)?;
        let mut violations = Violations::of_request();
        let scope = parse(draft, &mut violations)?;
        check_request_id(how.request_id, &mut violations);
        let (Some(of), true) = (scope, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let receipt = self.receipt(&permit, how.request_id, &of)?;
        if !how.validate_only
            && let Some(first) = self.first_answer(&receipt).await?
        {
            return recalled(&first);
        }
        let facts = Box::pin(self.facts(&permit.scope, &of)).await?;
        let (after, anchors) = self.store.latest_release(&permit.scope, &of).await?;
        let (content, anchors) = assemble(&of, &facts, &anchors).map_err(Error::ReportBase)?;
        let list_version = ParameterList::current().version;
        if how.validate_only {
            return Ok(Report {
                id: String::new(),
                scope: of,
                list_version,
                creator: permit.principal,
                create_time: self.clock.now(),
                digest: String::new(),
                content: Some(content),
            });
        }
        match self.store.begin(receipt).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let id = self.clock.new_id().to_string();
                let new = NewReport { id: &id, scope: &of, list_version, content, anchors: &anchors, after };
                let (report, note) = session.create_report(new).await?;
                session.commit(note, &remembered(&report)?).await?;
                Ok(report)
            }
        }
    }

    /// What a report of a scope counts. Its round and its organisation exist, and there is something to count.
    async fn facts(&self, scope: &Scope, of: &ReportScope) -> Result<Facts> {
        if let Some(organisation) = of.organisation() {
            self.store.organisation(scope, organisation).await?;
        }
        let facts = self.store.report_facts(scope, of, self.clock.now()).await?;
        if !facts.rounds.is_empty() {
            return Ok(facts);
        }
        match of.round() {
            None => Err(Error::ReportBase(Withheld::FewPeople)),
            Some(id) => {
                let state = self.store.round(scope, id).await?.state;
                Err(Error::RoundState {
                    round: id.name(),
                    state: state.as_str(),
                    required: &["published", "closed"],
                })
            }
        }
    }

    /// One report with its tables.
    pub async fn get_report(&self, caller: &Caller, name: &str) -> Result<Report> {
        let permit = Action::GetReport.permit(caller)?;
        self.readable_report(caller, &permit, name).await
    }

    /// One report with its tables, to be written as a file.
    pub async fn download_report(&self, caller: &Caller, name: &str) -> Result<Report> {
        let permit = Action::DownloadReport.permit(caller)?;
        self.readable_report(caller, &permit, name).await
    }

    async fn readable_report(&self, caller: &Caller, permit: &Permit, name: &str) -> Result<Report> {
        let id = name.strip_prefix("reports/").filter(|id| is_uuid(id)).ok_or_else(|| {
            let rule = "is no name of a report; use reports/ID, as ListReports returns it";
            Error::invalid_field("name", name, rule)
        })?;
        self.store.report(&permit.scope, id, readable_kind(caller, permit)).await
    }

    /// A page of the reports that the caller may read, the oldest first.
    pub async fn list_reports(&self, caller: &Caller, request: &PageRequest) -> Result<Page<Report>> {
        let permit = Action::ListReports.permit(caller)?;
        let cursor = Cursor::new(&permit, "reports", request)?;
        let after = cursor.after.as_deref().unwrap_or_default();
        let kind = readable_kind(caller, &permit);
        let found = self.store.list_reports(&permit.scope, kind, after, cursor.limit()).await?;
        Ok(cursor.page(found, |report| report.id.clone()))
    }
}

/// The only kind that the caller may read, or none for every kind of the rows of her scope.
fn readable_kind(caller: &Caller, permit: &Permit) -> Option<ReportKind> {
    let is_coordinator = Action::CreateReport.permit(caller).is_ok();
    // The only other role of the whole alliance is that of the Steering Committee.
    (permit.scope == Scope::Alliance && !is_coordinator).then_some(ReportKind::Committee)
}

/// The scope that a draft names, or what is wrong with it.
fn parse(draft: ReportDraft<'_>, violations: &mut Violations) -> Result<Option<ReportScope>> {
    let ReportDraft { kind, round, organisation, year } = draft;
    let (mut named, mut owner) = (None, None);
    if !round.is_empty() {
        let parsed = RoundId::from_name(round)
            .map_err(|error| Error::invalid_field("report.round", round, error.to_string()));
        named = taken(parsed, violations)?;
    }
    if !organisation.is_empty() {
        let parsed = OrganisationId::from_name(organisation)
            .map_err(|error| Error::invalid_field("report.organisation", organisation, error.to_string()));
        owner = taken(parsed, violations)?;
    }
    let begins = i16::try_from(year).ok().filter(|year| (1..=9_999).contains(year));
    if year != 0 && begins.is_none() {
        violations.push("report.year", year, "is not a year", "give 1 to 9999");
    }
    let Some(kind) = kind else {
        violations.push(
            "report.kind",
            "",
            "is not a kind of report",
            "use one of ROUND, PROGRAMME, ANNUAL, COMMITTEE",
        );
        return Ok(None);
    };
    let needs = match kind {
        ReportKind::Round => [true, false, false],
        ReportKind::Programme => [false, false, false],
        ReportKind::Annual => [false, true, true],
        ReportKind::Committee => [false, false, true],
    };
    let year_given = if year == 0 { String::new() } else { year.to_string() };
    let given =
        [("report.round", round), ("report.organisation", organisation), ("report.year", &year_given)];
    for ((field, value), is_needed) in given.into_iter().zip(needs) {
        if is_needed && value.is_empty() {
            violations.push(field, "", "is missing", "the kind of the report needs it");
        } else if !is_needed && !value.is_empty() {
            violations.push(field, value, "does not belong to the kind of the report", "leave it out");
        }
    }
    Ok(ReportScope::of(kind, named, owner, begins))
}
