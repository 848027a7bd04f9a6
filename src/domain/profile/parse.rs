//! From a draft to a profile: every rule about a single profile is here.

use jiff::Timestamp;

use super::{Profile, ProfileDraft};
use crate::domain::name::ProfileRef;
use crate::domain::violation::{Violation, Violations};

pub(super) fn parse(
    _me: &ProfileRef,
    _draft: &ProfileDraft,
    _now: Timestamp,
) -> Result<Profile, Vec<Violation>> {
    Err(Violations::default().into_inner())
}
