//! The use case "where am I?" of one person.

use super::profile::parse_profile;
use super::{Action, Service};
use crate::domain::caller::Caller;
use crate::domain::participant::ParticipantStatus;
use crate::error::Result;

impl Service {
    /// Where a person is, for the manager of her organisation.
    pub async fn participant_status(&self, caller: &Caller, name: &str) -> Result<ParticipantStatus> {
        let permit = Action::GetParticipantStatus.permit(caller)?;
        let person = parse_profile("profile", name)?;
        self.store.participant(&permit.scope, &person, self.clock.now()).await
    }
}
