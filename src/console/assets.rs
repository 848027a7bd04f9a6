//! The files of the console: one sheet of styles, one script, one picture. The name of each has a hash of its content, so that
//! a browser keeps it for ever and never shows an old one.

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

/// A file, compiled in.
#[derive(Debug)]
pub(super) struct Asset {
    /// Where it is.
    pub(super) path: String,
    /// Its media type.
    pub(super) kind: &'static str,
    /// Its content.
    pub(super) bytes: &'static [u8],
}

impl Asset {
    fn new(name: &str, end: &str, kind: &'static str, bytes: &'static [u8]) -> Self {
        let hash = hex::encode(Sha256::digest(bytes));
        let path = format!("/assets/{name}.{}.{end}", hash.get(..12).unwrap_or(&hash));
        Self { path, kind, bytes }
    }
}

/// The styles.
pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("console", "css", "text/css; charset=utf-8", include_bytes!("assets/console.css"))
});
/// The script: live pages, keys, and signs that something is under way. Every page works without it.
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("console", "js", "text/javascript; charset=utf-8", include_bytes!("assets/console.js"))
});
/// The picture of the tab.
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_bytes!("assets/icon.svg")));

/// The file at a path.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.path == path)
}
