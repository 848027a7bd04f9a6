//! What a call is told when it is refused. Every look at a refusal checks the contract that all of them keep.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, EnumValueDescriptor};
use tonic::{Code, Status};
use tonic_types::{ErrorDetail, StatusExt as _};
use wim_match::api::proto::DESCRIPTORS;
use wim_match::api::status::{DOMAIN, code_of};
use wim_match::error::Reason;

/// The reason of a refusal, after checking that the status carries exactly one ErrorInfo of this service, with a reason
/// of the closed set and the code that belongs to it.
pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details_vec();
    let told: Vec<_> = details
        .iter()
        .filter_map(|detail| match detail {
            ErrorDetail::ErrorInfo(info) => Some(info),
            _ => None,
        })
        .collect();
    let [info] = told[..] else { panic!("{} ErrorInfo instead of one: {status:?}", told.len()) };
    assert_eq!(info.domain, DOMAIN, "{status:?}");
    let Some(known) = Reason::from_code(&info.reason) else { panic!("not of the closed set: {status:?}") };
    assert_eq!(status.code(), code_of(known), "{status:?}");
    assert!(!status.message().is_empty(), "{status:?}");
    let mut keys: Vec<&str> = info.metadata.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, metadata_keys(&info.reason), "{status:?}");
    if status.code() == Code::Unavailable || known == Reason::Overloaded {
        assert!(status.get_details_retry_info().is_some(), "{status:?}");
    }
    info.reason.clone()
}

/// The metadata keys that the contract states for a reason, in order.
pub(crate) fn metadata_keys(reason: &str) -> &'static [String] {
    static KEYS: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
        let pool = DescriptorPool::decode(DESCRIPTORS).expect("descriptors");
        let extension = pool.get_extension_by_name("wim.mentorship.v1.metadata_keys").expect("the option");
        let reasons = pool.get_enum_by_name("wim.mentorship.v1.ErrorReason").expect("the reasons");
        let keys = |value: EnumValueDescriptor| {
            let options = value.options();
            let stated = options.get_extension(&extension).into_owned();
            let stated = stated.as_list().unwrap_or_default().iter();
            let mut keys: Vec<String> = stated.map(|key| key.as_str().expect("a text").to_owned()).collect();
            keys.sort_unstable();
            (value.name().trim_start_matches("ERROR_REASON_").to_owned(), keys)
        };
        reasons.values().map(keys).collect()
    });
    KEYS.get(reason).unwrap_or_else(|| panic!("{reason} is no reason of the contract"))
}

/// The reason of a call that must be refused.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    reason(&answer.expect_err("the call is refused"))
}

/// The wrong fields, in the order told, of a call that must be refused for them.
pub(crate) fn wrong_fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = answer.expect_err("the call is refused");
    assert_eq!(reason(&status), "INVALID_FIELDS", "{status:?}");
    let told = status.get_details_bad_request().expect("a BadRequest").field_violations;
    assert!(told.iter().all(|violation| !violation.description.is_empty()), "{told:?}");
    told.into_iter().map(|violation| violation.field).collect()
}
