//! The ledger of bytes in flight: bytes of messages that have arrived and are not decoded yet.
//!
//! A payer may hold at most as many bytes as are still free afterwards (dynamic thresholds; Choudhury and Hahne, 1998).
//! One payer alone gets half of the bound, two get a third each, and a payer that holds nothing finds room at any time.
//! A booking that is dropped gives its bytes back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::connections::Connection;
use super::payer::Payer;

/// The bound that refuses more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The payer's share of the bound of the service.
    Share,
    /// The bound of the connection.
    Connection,
}

/// All bytes in flight, by who is charged for them.
#[derive(Debug)]
pub(in crate::api) struct Ledger {
    most: usize,
    most_per_connection: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    by_payer: HashMap<Payer, usize>,
}

/// The bytes in flight of one call.
#[derive(Debug)]
pub(super) struct Booking {
    ledger: Arc<Ledger>,
    payer: Payer,
    connection: Arc<Connection>,
    bytes: usize,
}

impl Ledger {
    pub(super) fn new(most: usize, most_per_connection: usize) -> Self {
        Self { most, most_per_connection, held: Mutex::default() }
    }

    /// Bytes in flight, and the number of payers that hold them.
    pub(super) fn held(&self) -> (usize, usize) {
        let held = self.lock();
        (held.bytes, held.by_payer.len())
    }

    /// A booking without bytes.
    pub(super) fn book(self: &Arc<Self>, payer: Payer, connection: Arc<Connection>) -> Booking {
        Booking { ledger: Arc::clone(self), payer, connection, bytes: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Booking {
    /// Adds bytes that have arrived.
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), Full> {
        let mut held = self.ledger.lock();
        let own = held.by_payer.get(&self.payer).copied().unwrap_or_default() + bytes;
        let all = held.bytes + bytes;
        if own > self.ledger.most.saturating_sub(all) {
            return Err(Full::Share);
        }
        if !self.connection.is_proxy() && self.connection.bytes() + bytes > self.ledger.most_per_connection {
            return Err(Full::Connection);
        }
        held.bytes = all;
        match held.by_payer.get_mut(&self.payer) {
            Some(of_payer) => *of_payer = own,
            None => drop(held.by_payer.insert(self.payer.clone(), own)),
        }
        self.connection.add_bytes(bytes);
        self.bytes += bytes;
        Ok(())
    }

    /// Gives back all but `bytes`.
    pub(super) fn keep(&mut self, bytes: usize) {
        let given = self.bytes.saturating_sub(bytes);
        if given == 0 {
            return;
        }
        let mut held = self.ledger.lock();
        held.bytes -= given;
        if let Some(of_payer) = held.by_payer.get_mut(&self.payer) {
            *of_payer -= given;
            if *of_payer == 0 {
                held.by_payer.remove(&self.payer);
            }
        }
        self.connection.remove_bytes(given);
        self.bytes -= given;
    }
}

impl Drop for Booking {
    fn drop(&mut self) {
        self.keep(0);
    }
}
