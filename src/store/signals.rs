//! Signals of the journal within one process: a writer wakes the sealer.
//!
//! They only save waiting: entries of other processes, or of one that has crashed, give no signal. Whoever waits for a signal
//! also looks from time to time.

use tokio::sync::Notify;

/// The signals. All clones of a store share them.
#[derive(Debug, Default)]
pub(super) struct JournalSignals {
    written: Notify,
}

impl JournalSignals {
    /// An entry was committed. A signal that nobody waits for is kept until somebody does.
    pub(super) fn written(&self) {
        self.written.notify_one();
    }

    /// Waits until an entry was committed.
    pub(super) async fn until_written(&self) {
        self.written.notified().await;
    }
}
