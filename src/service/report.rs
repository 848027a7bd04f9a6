//! Use cases of reports: the common parameters.

use super::page::Cursor;
use super::{Action, Page, PageRequest, Service};
use crate::domain::caller::Caller;
use crate::domain::parameter::{Parameter, ParameterList};
use crate::error::{Error, Result};

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
}
