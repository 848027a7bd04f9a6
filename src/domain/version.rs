//! Versions of resources, and the etags that name them.

/// The etag of a version.
pub fn etag_of(version: i64) -> String {
    format!("\"{version}\"")
}

/// Whether a caller who sends `etag` means this version. Without an etag she means every version.
pub fn is_meant(etag: &str, version: i64) -> bool {
    etag.is_empty() || etag == etag_of(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_means_its_own_version_alone() {
        assert!(is_meant("", 3) && is_meant(&etag_of(3), 3));
        for other in ["3", "\"4\"", "\"33\"", " ", "W/\"3\""] {
            assert!(!is_meant(other, 3), "{other}");
        }
    }
}
