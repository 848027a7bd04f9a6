//! Signals of the journal within one process: a writer wakes the sealer, and the sealer wakes whoever follows the events.
//!
//! They only save waiting: entries of other processes, or of one that has crashed, give no signal. Whoever waits for a signal
//! also looks from time to time.

use tokio::sync::{Notify, watch};

/// The signals. All clones of a store share them.
#[derive(Debug)]
pub(super) struct JournalSignals {
    written: Notify,
    sealed: watch::Sender<i64>,
}

impl Default for JournalSignals {
    fn default() -> Self {
        Self { written: Notify::new(), sealed: watch::Sender::new(0) }
    }
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

    /// Entries up to this position are sealed.
    pub(super) fn sealed(&self, position: i64) {
        self.sealed.send_replace(position);
    }

    /// The position of the last entry that this process has sealed, and each later one.
    pub(super) fn watch_sealed(&self) -> watch::Receiver<i64> {
        self.sealed.subscribe()
    }
}
