//! The end of validity of a certificate (RFC 5280, section 4.1.2.5), read from its DER.
//!
//! The verifier of rustls reads the same bytes and shows no times. Only the fields before the validity are passed over, by
//! their lengths; nothing is verified here.

use jiff::Timestamp;

/// Tag of the version, which is optional.
const VERSION: u8 = 0xA0;
/// Tag of a time with two digits of the year: 1950 to 2049.
const UTC_TIME: u8 = 0x17;
/// Tag of a time with four digits of the year.
const GENERALIZED_TIME: u8 = 0x18;

/// The moment at which a certificate ends; `None` if the bytes are no certificate.
pub(super) fn end_of_validity(certificate: &[u8]) -> Option<Timestamp> {
    let (_, whole, _) = value(certificate)?;
    let (_, mut told, _) = value(whole)?;
    if let (VERSION, _, rest) = value(told)? {
        told = rest;
    }
    // The serial number, the algorithm of the signature, and the issuer.
    for _ in 0..3 {
        told = value(told)?.2;
    }
    let (_, validity, _) = value(told)?;
    let (_, _, rest) = value(validity)?;
    let (tag, until, _) = value(rest)?;
    let text = std::str::from_utf8(until).ok().filter(|text| text.is_ascii())?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (digits, rest) = text.split_at_checked(2)?;
            let century = if digits.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            (format!("{century}{digits}"), rest)
        }
        GENERALIZED_TIME => {
            let (digits, rest) = text.split_at_checked(4)?;
            (digits.to_owned(), rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(2 * at..2 * at + 2);
    let (month, day) = (part(0)?, part(1)?);
    let (hour, minute, second) = (part(2)?, part(3)?, part(4)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

/// The first value of some DER: its tag, its content, and what follows it.
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("is short");
        let head = if length < 128 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [&head[..], content].concat()
    }

    fn certificate(version: &[u8], until: &[u8]) -> Vec<u8> {
        let validity = der(0x30, &[&der(0x17, b"200101000000Z")[..], until].concat());
        let issuer = der(0x30, &[7; 130]);
        let told = [version, &der(2, &[1]), &der(0x30, &[]), &issuer, &validity].concat();
        der(0x30, &[der(0x30, &told), der(0x30, &[]), der(3, &[0])].concat())
    }

    #[test]
    fn the_end_is_read_in_both_forms_and_with_or_without_a_version() {
        let version = der(0xA0, &der(2, &[2]));
        for (until, expected) in [
            (der(0x17, b"270110120000Z"), "2027-01-10T12:00:00Z"),
            (der(0x17, b"991231235959Z"), "1999-12-31T23:59:59Z"),
            (der(0x18, b"20500101000000Z"), "2050-01-01T00:00:00Z"),
        ] {
            for version in [&version[..], &[]] {
                let found = end_of_validity(&certificate(version, &until));
                assert_eq!(found.map(|at| at.to_string()).as_deref(), Some(expected));
            }
        }
    }

    #[test]
    fn no_part_of_a_certificate_and_no_other_bytes_are_a_panic() {
        let whole = certificate(&[], &der(0x17, b"270110120000Z"));
        for length in 0..whole.len() {
            assert_eq!(end_of_validity(&whole[..length]), None);
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0xFF;
            let _ = end_of_validity(&changed);
        }
    }
}
