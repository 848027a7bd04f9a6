//! Every edit of a chain is found, and the first bad entry is named.

use super::*;

fn entry(number: i64) -> AuditEntry {
    AuditEntry {
        sequence: number * 3,
        time: Timestamp::from_microsecond(1_900_000_000_000_000 + number).expect("a moment"),
        actor: format!("actor-{}", number % 7),
        organisation: (number % 3 > 0).then(|| format!("wim-{}", number % 5)),
        action: "round.enrol".to_owned(),
        resource: format!("rounds/r-{}", number % 11),
        version: (number % 2 > 0).then_some(number),
        detail: format!(r#"{{"enrolled":{number}}}"#),
        seal: None,
    }
}

fn number(place: usize) -> i64 {
    i64::try_from(place).expect("few entries")
}

/// A chain of `count` entries, and its head.
fn chain(count: i64) -> (Vec<AuditEntry>, Head) {
    let mut head = Head::START;
    let entries = (1..=count).map(entry).map(|mut entry| {
        head = head.after(&entry);
        entry.seal = Some(head);
        entry
    });
    (entries.collect(), head)
}

fn verified(entries: &[AuditEntry], stored: Head, anchor: Option<Head>) -> VerifiedAudit {
    let mut verifier = AuditVerifier::new(Head::START, anchor);
    for entry in entries {
        verifier.add(entry);
    }
    verifier.finish(Some(stored))
}

/// Numbers that are the same on every machine (xorshift, Marsaglia 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("below a usize")
    }
}

/// Changes one field of an entry.
fn change(entry: &mut AuditEntry, field: usize) {
    let seal = entry.seal.as_mut().expect("is sealed");
    match field {
        0 => entry.sequence += 1,
        1 => entry.time = Timestamp::UNIX_EPOCH,
        2 => entry.actor.push('x'),
        3 => entry.organisation = entry.organisation.take().map_or(Some(String::new()), |_| None),
        4 => entry.action = "round.enrolled".to_owned(),
        5 => entry.resource = "rounds/another".to_owned(),
        6 => entry.version = entry.version.map_or(Some(0), |_| None),
        7 => entry.detail = "{}".to_owned(),
        8 => seal.hash[31] ^= 1,
        _ => {
            // The end of one text moves into the next one.
            let last = entry.actor.pop().expect("a character");
            entry.action.insert(0, last);
        }
    }
}

#[test]
fn a_chain_as_it_was_written_has_no_fault() {
    let (entries, head) = chain(50);
    assert_eq!(verified(&entries, head, None), VerifiedAudit { entries: 50, head, fault: None });
    let anchor = entries[19].seal;
    assert_eq!(verified(&entries, head, anchor).fault, None, "an earlier head");
    assert_eq!(verified(&[], Head::START, Some(Head::START)).fault, None);
}

#[test]
fn ten_thousand_random_edits_are_all_found_at_their_first_bad_entry() {
    const LENGTH: usize = 60;
    let (good, head) = chain(60);
    let mut numbers = Numbers(0x5eed_0014);
    let mut kinds = [0; 6];
    for edit in 0..10_000 {
        let mut entries = good.clone();
        let (at, kind) = (numbers.below(LENGTH), numbers.below(6));
        kinds[kind] += 1;
        // The first position whose entry is another one than it was.
        let first = match kind {
            0 => {
                change(&mut entries[at], numbers.below(10));
                at
            }
            1 => {
                entries.remove(at);
                at
            }
            2 => {
                let other = (at + 1 + numbers.below(LENGTH - 1)) % LENGTH;
                // With or without their seals.
                if numbers.below(2) == 0 {
                    let (one, two) = (entries[at].seal, entries[other].seal);
                    (entries[at].seal, entries[other].seal) = (two, one);
                }
                entries.swap(at, other);
                at.min(other)
            }
            3 => {
                let mut inserted = entries[numbers.below(LENGTH)].clone();
                inserted.seal = entries[at].seal;
                inserted.sequence += 1;
                entries.insert(at, inserted);
                at
            }
            4 => {
                // An entry is changed, and the hashes up to the end are computed anew, with the stored head.
                change(&mut entries[at], numbers.below(8));
                let mut new =
                    at.checked_sub(1).map_or(Head::START, |before| entries[before].seal.expect("sealed"));
                for entry in &mut entries[at..] {
                    new = new.after(entry);
                    entry.seal = Some(new);
                }
                let found = verified(&entries, new, Some(head)).fault;
                assert_eq!(found, Some(AuditFault::Anchor(head.position)), "edit {edit}");
                continue;
            }
            _ => {
                // The tail is cut, with the stored head.
                entries.truncate(at);
                let stored = entries.last().and_then(|entry| entry.seal).unwrap_or(Head::START);
                let found = verified(&entries, stored, Some(head)).fault;
                assert_eq!(found.map(|fault| fault.position()), Some(number(at) + 1), "edit {edit}");
                assert_eq!(verified(&entries, stored, None).fault, None, "the chain alone cannot know");
                let found = verified(&entries, head, None).fault;
                assert_eq!(found, Some(AuditFault::Head(number(at))), "the stored head knows");
                continue;
            }
        };
        let found = verified(&entries, head, None).fault.map(|fault| fault.position());
        // After the last entry is deleted, the stored head shows it.
        let expected = if kind == 1 && at + 1 == LENGTH { at } else { first + 1 };
        assert_eq!(found, Some(number(expected)), "edit {edit} of kind {kind} at {at}");
    }
    assert!(kinds.iter().all(|count| *count > 1_000), "{kinds:?}");
}

#[test]
fn a_chain_that_begins_later_needs_the_entry_that_says_so() {
    let (entries, _) = chain(9);
    let cut = entries[3].seal.expect("sealed");
    let mut left: Vec<AuditEntry> = entries[4..].to_vec();
    let verify = |left: &[AuditEntry]| {
        let mut verifier = AuditVerifier::new(cut, None);
        for entry in left {
            verifier.add(entry);
        }
        verifier.finish(left.iter().rev().find_map(|entry| entry.seal)).fault
    };
    assert_eq!(verify(&left), Some(AuditFault::Cut(4)));
    let mut signed = entry(10);
    (signed.action, signed.resource) = (PURGE.to_owned(), cut_name(&cut));
    left.push(signed.clone());
    assert_eq!(verify(&left), None, "the entry counts before it is sealed");
    signed.resource = cut_name(&entries[2].seal.expect("sealed"));
    left[5] = signed;
    assert_eq!(verify(&left), Some(AuditFault::Cut(4)), "another cut");
}

#[test]
fn a_head_is_written_and_read_again() {
    let (_, head) = chain(3);
    assert_eq!(head.to_string().parse(), Ok(head));
    assert!(head.to_string().starts_with("3-"));
    for wrong in ["", "3", "-1-00", "3-zz", "x-00"] {
        assert!(wrong.parse::<Head>().is_err(), "{wrong}");
    }
}
