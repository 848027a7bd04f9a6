//! The criteria of the service, one module each.

pub(super) mod career_stage;
pub(super) mod identity;
pub(super) mod language;
pub(super) mod meeting_mode;
pub(super) mod preference;
pub(super) mod previous_partner;
pub(super) mod waiting_time;
pub(super) mod weekly_overlap;
