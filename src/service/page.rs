//! Pages (AIP-158). A token is opaque, and bound to its list and to its caller. A token gives a position and
//! never an authorisation.

use sha2::{Digest as _, Sha256};

use super::Permit;
use crate::error::{Error, Result};

/// Default number of items of a page.
const DEFAULT_SIZE: u32 = 100;
/// Largest number of items of a page.
const MAX_SIZE: u32 = 1_000;
/// Bytes of the binding in a token.
const BINDING: usize = 8;

/// A request for a page.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Items at most; 0 means the default.
    pub size: i32,
    /// Token of the previous page; empty for the first page.
    pub token: String,
}

/// One page. It may be cut after any of its items, because each item has the token of what follows.
#[expect(missing_debug_implementations, reason = "a function does not print itself")]
pub struct Page<T> {
    /// Items.
    pub items: Vec<T>,
    /// Whether items follow.
    more: bool,
    /// The token of what follows all items, if that is not the token of the last one.
    rest: Option<String>,
    /// The token of the items after an item.
    token: Box<dyn Fn(&T) -> String + Send>,
}

impl<T> Page<T> {
    /// Converts items until their messages exceed `bytes`, at least one item, and returns them with the token of the next
    /// page, which is empty on the last page.
    pub fn within<M>(
        &self,
        bytes: usize,
        convert: impl Fn(&T) -> M,
        size: impl Fn(&M) -> usize,
    ) -> (Vec<M>, String) {
        let (mut messages, mut used) = (Vec::with_capacity(self.items.len()), 0);
        for item in &self.items {
            let message = convert(item);
            used += size(&message);
            if used > bytes && !messages.is_empty() {
                break;
            }
            messages.push(message);
        }
        let is_whole = messages.len() == self.items.len();
        if let (true, Some(rest)) = (is_whole, &self.rest) {
            return (messages, rest.clone());
        }
        let last = messages.len().checked_sub(1).and_then(|last| self.items.get(last));
        let more = self.more || !is_whole;
        let token = last.filter(|_| more).map(|last| (self.token)(last)).unwrap_or_default();
        (messages, token)
    }
}

/// Position of a page: the key before the first item, the size, and the binding of the next token.
#[derive(Debug)]
pub(super) struct Cursor {
    binding: [u8; BINDING],
    size: u32,
    /// Key of the last item of the previous page.
    pub(super) after: Option<String>,
}

impl Cursor {
    /// Reads a request for a page of `list`, which names the method and its parent.
    pub(super) fn new(permit: &Permit, list: &str, request: &PageRequest) -> Result<Self> {
        let size = match request.size {
            0 => DEFAULT_SIZE,
            size => u32::try_from(size)
                .map_err(|_| {
                    Error::invalid_field("page_size", &size.to_string(), "is negative; give 0 to 1,000")
                })?
                .min(MAX_SIZE),
        };
        let mut hash = Sha256::new();
        hash.update(format!("{list}\n{}\n", permit.principal));
        for organisation in permit.scope.organisations().into_iter().flatten() {
            hash.update(format!("{organisation}\n"));
        }
        let hash = hash.finalize();
        let mut binding = [0; BINDING];
        binding.copy_from_slice(&hash[..BINDING]);
        let after = match request.token.as_str() {
            "" => None,
            token => Some(open(token, binding).ok_or(Error::InvalidPageToken)?),
        };
        Ok(Self { binding, size, after })
    }

    /// The same, with at most `size` items on the page.
    pub(super) fn at_most(self, size: u32) -> Self {
        Self { size: self.size.min(size), ..self }
    }

    /// Items to read: one more than the page has, to find whether a next page exists.
    pub(super) fn limit(&self) -> u32 {
        self.size + 1
    }

    /// The page, of at most [`Self::limit`] items.
    pub(super) fn page<T>(&self, items: Vec<T>, key: impl Fn(&T) -> String + Send + 'static) -> Page<T> {
        let more = items.len() > self.size as usize;
        self.page_cut(items, more, key)
    }

    /// The page, of at most [`Self::limit`] items, whose reading ended after the key `rest`, if that is not the last item. Such a
    /// page may be empty and has a next one.
    pub(super) fn page_read_to<T>(
        &self,
        items: Vec<T>,
        rest: Option<&str>,
        key: impl Fn(&T) -> String + Send + 'static,
    ) -> Page<T> {
        let rest = rest.map(|rest| seal(rest, self.binding));
        Page { rest, ..self.page(items, key) }
    }

    /// The page of items that were read up to a bound of bytes; `more` if items follow them.
    pub(super) fn page_cut<T>(
        &self,
        mut items: Vec<T>,
        more: bool,
        key: impl Fn(&T) -> String + Send + 'static,
    ) -> Page<T> {
        items.truncate(self.size as usize);
        let binding = self.binding;
        Page { items, more, rest: None, token: Box::new(move |item| seal(&key(item), binding)) }
    }
}

fn seal(after: &str, binding: [u8; BINDING]) -> String {
    let check = check(after, binding);
    hex::encode([&check[..], after.as_bytes()].concat())
}

fn open(token: &str, binding: [u8; BINDING]) -> Option<String> {
    let bytes = hex::decode(token).ok()?;
    let (given, after) = bytes.split_at_checked(BINDING)?;
    let after = std::str::from_utf8(after).ok()?;
    (check(after, binding) == given).then(|| after.to_owned())
}

/// Binds the key to the list, so that a token with a changed bit is refused.
fn check(after: &str, binding: [u8; BINDING]) -> [u8; BINDING] {
    let hash = Sha256::new().chain_update(binding).chain_update(after).finalize();
    let mut check = [0; BINDING];
    check.copy_from_slice(&hash[..BINDING]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Caller;
    use crate::service::Action;

    fn permit(principal: &str, role: &str) -> Permit {
        let roles = vec![role.parse().expect("a role")];
        Action::GetRound.permit(&Caller { principal: principal.to_owned(), roles }).expect("is permitted")
    }

    #[test]
    fn a_token_leads_on_in_its_own_list_and_nowhere_else() {
        let coordinator = permit("p", "coordinator");
        let manager = permit("p", "organisation-manager@wim-peru");
        let another = permit("q", "coordinator");
        let first = PageRequest { size: 2, token: String::new() };
        let cursor = Cursor::new(&coordinator, "rounds", &first).expect("a first page");
        let page = cursor.page(vec!["a", "b", "c"], |item| (*item).to_owned());
        let (items, next_token) = page.within(usize::MAX, |item| *item, |item| item.len());
        assert_eq!(items, ["a", "b"]);
        let next = PageRequest { size: 2, token: next_token.clone() };
        assert_eq!(Cursor::new(&coordinator, "rounds", &next).expect("its page").after.as_deref(), Some("b"));
        for (who, list) in [(&coordinator, "organisations"), (&manager, "rounds"), (&another, "rounds")] {
            assert!(matches!(Cursor::new(who, list, &next), Err(Error::InvalidPageToken)));
        }
        for position in 0..next_token.len() {
            let mut flipped = next_token.clone().into_bytes();
            flipped[position] = if flipped[position] == b'0' { b'1' } else { b'0' };
            let token = String::from_utf8(flipped).expect("hexadecimal digits");
            let request = PageRequest { size: 2, token };
            assert!(Cursor::new(&coordinator, "rounds", &request).is_err(), "position {position}");
        }
    }

    #[test]
    fn the_last_page_has_no_token_and_sizes_are_bounded() {
        let coordinator = permit("p", "coordinator");
        let cursor = |size| Cursor::new(&coordinator, "l", &PageRequest { size, token: String::new() });
        let page = cursor(2).expect("a page").page(vec![1, 2], ToString::to_string);
        assert_eq!(page.within(usize::MAX, |item| *item, |_| 1), (vec![1, 2], String::new()));
        assert_eq!(cursor(0).expect("a page").limit(), 101);
        assert_eq!(cursor(i32::MAX).expect("a page").limit(), 1_001);
        assert!(matches!(cursor(-1), Err(Error::InvalidFields(_))));
    }

    #[test]
    fn a_page_whose_reading_ended_early_goes_on_behind_it() {
        let coordinator = permit("p", "coordinator");
        let cursor = |token: &str| {
            let request = PageRequest { size: 3, token: token.to_owned() };
            Cursor::new(&coordinator, "l", &request).expect("a page")
        };
        for items in [vec![], vec![1, 2]] {
            let page = cursor("").page_read_to(items.clone(), Some("7"), ToString::to_string);
            let (whole, token) = page.within(usize::MAX, |item| *item, |_| 1);
            assert_eq!((whole, cursor(&token).after.as_deref()), (items, Some("7")));
        }
        let page = cursor("").page_read_to(vec![1, 2], Some("7"), ToString::to_string);
        let (cut, token) = page.within(1, |item| *item, |_| 1);
        assert_eq!((cut, cursor(&token).after.as_deref()), (vec![1], Some("1")));
        let page = cursor("").page_read_to(vec![1, 2], None, ToString::to_string);
        assert_eq!(page.within(usize::MAX, |item| *item, |_| 1), (vec![1, 2], String::new()));
        assert_eq!(cursor("").at_most(2).limit(), 3);
        assert_eq!(cursor("").at_most(50).limit(), 4);
    }

    #[test]
    fn a_page_that_is_cut_by_bytes_goes_on_where_it_ended() {
        let coordinator = permit("p", "coordinator");
        let all: Vec<usize> = (0..10).collect();
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let request = PageRequest { size: 4, token };
            let cursor = Cursor::new(&coordinator, "l", &request).expect("a page");
            let from =
                cursor.after.as_deref().map_or(0, |after| after.parse::<usize>().expect("a number") + 1);
            let items = all[from..].iter().copied().take(cursor.limit() as usize).collect();
            // Item 3 alone exceeds the bound: it is a page of its own.
            let size = |item: &usize| if *item == 3 { 100 } else { 2 };
            let (page, next) = cursor.page(items, ToString::to_string).within(5, |item| *item, size);
            assert!(page == [3] || page.len() <= 2 && !page.contains(&3), "{page:?}");
            seen.extend(page);
            token = next;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, all);
    }
}
