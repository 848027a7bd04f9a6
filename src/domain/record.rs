//! Who put something on record, and when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who put something on record, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Id of the principal.
    pub recorder: String,
    /// When it was stored.
    pub time: Timestamp,
}
