//! Files that are read again while the service runs, so that a certificate is renewed without a restart.
//!
//! The files are compared by their contents every two seconds: a renewal may replace a file, a link to it, or a folder above.
//! What is wrong in new files is logged once, and what was read before stays in use.

use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Time between two looks at the files.
const PERIOD: Duration = Duration::from_secs(2);
/// Bytes of a file at most.
const MOST_BYTES: u64 = 1 << 20;

/// Makes something of the contents of files, in the order of the files.
type Make<T> = Box<dyn Fn(&[Vec<u8>]) -> anyhow::Result<T> + Send>;

/// Files, and the thing that is made of their contents.
pub(super) struct Watched<T> {
    what: &'static str,
    files: Vec<PathBuf>,
    make: Make<T>,
    seen: [u8; 32],
    current: watch::Sender<T>,
}

impl<T> Watched<T> {
    /// Reads the files for the first time. `what` names the thing in the log.
    pub(super) async fn open(
        what: &'static str,
        files: Vec<PathBuf>,
        make: impl Fn(&[Vec<u8>]) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<Self> {
        let contents = read(&files).await?;
        let (current, seen) = (watch::Sender::new(make(&contents)?), digest(&contents));
        Ok(Self { what, files, make: Box::new(make), seen, current })
    }

    /// Shows the thing that is in use.
    pub(super) fn current(&self) -> watch::Receiver<T> {
        self.current.subscribe()
    }

    /// Looks at the files until `stop`.
    pub(super) async fn watch(mut self, stop: CancellationToken) {
        let mut is_readable = true;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
            match read(&self.files).await {
                Ok(contents) => {
                    is_readable = true;
                    self.take(&contents);
                }
                Err(error) if is_readable => {
                    is_readable = false;
                    tracing::error!(
                        what = self.what,
                        error = format!("{error:#}"),
                        "a file cannot be read; what was read before stays in use"
                    );
                }
                Err(_) => {}
            }
        }
    }

    fn take(&mut self, contents: &[Vec<u8>]) {
        let seen = digest(contents);
        if seen == self.seen {
            return;
        }
        self.seen = seen;
        match (self.make)(contents) {
            Ok(made) => {
                self.current.send_replace(made);
                tracing::info!(what = self.what, "files have changed, and are in use");
            }
            Err(error) => {
                tracing::error!(
                    what = self.what,
                    error = format!("{error:#}"),
                    "files have changed and are wrong; what was read before stays in use"
                );
            }
        }
    }
}

async fn read(files: &[PathBuf]) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut contents = Vec::new();
    for file in files {
        contents.push(content(file).await.map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?);
    }
    Ok(contents)
}

async fn content(file: &PathBuf) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let file = tokio::fs::File::open(file).await?;
    file.take(MOST_BYTES + 1).read_to_end(&mut content).await?;
    if content.len() as u64 > MOST_BYTES {
        return Err(std::io::Error::other(format!("has more than {MOST_BYTES} bytes")));
    }
    Ok(content)
}

/// Fixes contents without keeping them: one may be a key.
fn digest(contents: &[Vec<u8>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for content in contents {
        hash.update(Sha256::digest(content));
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_changes_nothing_and_what_is_right_is_taken_once() {
        let times = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&times);
        let make = move |contents: &[Vec<u8>]| {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(String::from_utf8(contents.concat())?)
        };
        let current = watch::Sender::new("old".to_owned());
        let mut watched =
            Watched { what: "test", files: Vec::new(), make: Box::new(make), seen: [0; 32], current };
        let shown = watched.current();
        for (content, wanted) in [(&[0xFF][..], "old"), (b"new", "new"), (b"new", "new"), (&[0xFE], "new")] {
            watched.take(&[content.to_vec()]);
            assert_eq!(*shown.borrow(), wanted);
        }
        assert_eq!(
            times.load(std::sync::atomic::Ordering::Relaxed),
            3,
            "the same contents are not read again"
        );
    }
}
