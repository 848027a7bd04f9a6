//! Pages of answers, bounded in bytes: a page ends before it exceeds a message that every client receives.

use prost::Message;

use crate::service::Page;

/// Most bytes of the items of a page, unless a single item exceeds it.
const PAGE_BYTES: usize = 1 << 20;

/// The messages of a page, and the token of the next page.
pub(super) fn messages<T, M: Message>(page: &Page<T>, convert: impl Fn(&T) -> M) -> (Vec<M>, String) {
    // A field of a list has a tag and a length beside its message.
    page.within(PAGE_BYTES, convert, |message| message.encoded_len() + 6)
}
