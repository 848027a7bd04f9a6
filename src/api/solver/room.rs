//! Room for problems that arrive in parts: bytes of memory, shared by all callers.
//!
//! A caller may hold at most as many bytes as are still free afterwards (dynamic thresholds; Choudhury and Hahne, 1998): one
//! caller alone gets half of the room, and a caller that holds nothing finds room at any time. A stream that is silent holds
//! what it has sent and nothing more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;

/// The room of a server.
#[derive(Debug)]
pub(super) struct Room {
    most: usize,
    held: Mutex<HashMap<String, usize>>,
}

/// The bytes of one problem. Dropping it gives them back.
#[derive(Debug)]
pub(super) struct Held {
    room: Arc<Room>,
    caller: String,
    bytes: usize,
}

impl Room {
    pub(super) fn new(most: usize) -> Self {
        Self { most, held: Mutex::default() }
    }

    /// A problem of a caller, without bytes.
    pub(super) fn enter(self: &Arc<Self>, caller: &str) -> Held {
        Held { room: Arc::clone(self), caller: caller.to_owned(), bytes: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Takes room for a part that has arrived.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Error> {
        let mut held = self.room.lock();
        let all = held.values().sum::<usize>() + bytes;
        let own = held.get(&self.caller).copied().unwrap_or_default() + bytes;
        if own > self.room.most.saturating_sub(all) {
            return Err(Error::Overloaded("caller"));
        }
        held.insert(self.caller.clone(), own);
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.room.lock();
        if let Some(own) = held.get_mut(&self.caller) {
            *own = own.saturating_sub(self.bytes);
            if *own == 0 {
                held.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_gets_half_and_another_still_finds_room() {
        let room = Arc::new(Room::new(100));
        let mut first = room.enter("a");
        assert!(first.take(50).is_ok());
        assert!(matches!(first.take(1), Err(Error::Overloaded("caller"))));
        let mut again = room.enter("a");
        assert!(again.take(1).is_err(), "another stream of the same caller");
        let mut other = room.enter("b");
        assert!(other.take(25).is_ok() && other.take(1).is_err());
        drop((first, again, other));
        assert!(room.lock().is_empty());
    }
}
