//! Fields of requests: a request with a field that the contract does not have is refused, and never read in part.
//!
//! prost drops unknown fields, so a client that is newer than its server would believe that the server has obeyed a field that
//! the server does not know. [`KnownFields`] is the codec of the servers. Before it decodes a request, it walks over its bytes
//! beside the descriptors, into every message. Answers are not checked: an older client may read a newer server.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::LazyLock;

use prost::bytes::Buf as _;
use prost::{Message, Name};
use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, FileDescriptorSet};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::{ProstCodec, ProstEncoder};

use super::proto::DESCRIPTORS;
use crate::domain::violation::Violations;
use crate::error::Error;

/// Deepest nesting of messages, as prost decodes it.
const DEEPEST: usize = 100;

/// The codec of the servers: encodes as prost does, and refuses unknown fields before it decodes.
#[derive(Debug)]
pub(crate) struct KnownFields<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for KnownFields<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for KnownFields<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = KnownFieldsDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        KnownFieldsDecoder(PhantomData)
    }
}

/// The decoder of [`KnownFields`].
#[derive(Debug)]
pub(crate) struct KnownFieldsDecoder<U>(PhantomData<U>);

impl<U: Message + Name + Default> Decoder for KnownFieldsDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = buf.copy_to_bytes(buf.remaining());
        if let Some(found) = unknown_field(&U::full_name(), &bytes) {
            let mut violations = Violations::of_request();
            violations.push(
                found.path,
                found.number,
                "is the number of no field of this message",
                "use the contract of this server; a server is upgraded before its clients",
            );
            return Err(Error::InvalidFields(violations).into());
        }
        // Status INTERNAL is what the transport makes of bytes that are no message.
        U::decode(bytes).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}

/// A field that a message does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UnknownField {
    /// Path of the message that has it, without the request itself.
    path: String,
    /// Its number.
    number: u32,
}

/// One message of the contract: its fields by number, in order.
#[derive(Debug, Default)]
struct Shape {
    fields: Vec<(u32, Known)>,
}

#[derive(Debug)]
struct Known {
    name: String,
    /// The place of its message among all shapes; `None` if the field has no message.
    message: Option<usize>,
}

/// All messages of the contract, and the place of each by its full name.
#[derive(Debug, Default)]
struct Shapes {
    all: Vec<Shape>,
    places: HashMap<String, usize>,
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    // The build has made the descriptors, so they are right.
    let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap_or_default();
    let mut named = Vec::new();
    for file in &set.file {
        for message in &file.message_type {
            collect(file.package(), message, &mut named);
        }
    }
    let places: HashMap<String, usize> =
        named.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
    let shape = |message: &DescriptorProto| {
        let mut fields: Vec<(u32, Known)> = message
            .field
            .iter()
            .map(|field| {
                let message = (field.r#type() == Type::Message)
                    .then(|| places.get(field.type_name().trim_start_matches('.')).copied())
                    .flatten();
                let number = u32::try_from(field.number()).unwrap_or_default();
                (number, Known { name: field.name().to_owned(), message })
            })
            .collect();
        fields.sort_by_key(|(number, _)| *number);
        Shape { fields }
    };
    let all = named.iter().map(|(_, message)| shape(message)).collect();
    Shapes { all, places }
});

/// Adds a message and the messages within it, each with its full name.
fn collect<'a>(parent: &str, message: &'a DescriptorProto, named: &mut Vec<(String, &'a DescriptorProto)>) {
    let name = format!("{parent}.{}", message.name());
    for nested in &message.nested_type {
        collect(&name, nested, named);
    }
    named.push((name, message));
}

/// The first unknown field of a message in its bytes; `None` if there is none, or if the bytes are no message at all, which the
/// decoder reports.
fn unknown_field(message: &str, bytes: &[u8]) -> Option<UnknownField> {
    let place = *SHAPES.places.get(message)?;
    walk(place, bytes, DEEPEST).err()
}

/// Ends early, without an error, where the bytes are no message.
fn walk(place: usize, mut bytes: &[u8], depth: usize) -> Result<(), UnknownField> {
    let Some(shape) = SHAPES.all.get(place) else { return Ok(()) };
    while !bytes.is_empty() {
        let Some(key) = varint(&mut bytes) else { return Ok(()) };
        let number = u32::try_from(key >> 3).unwrap_or(u32::MAX);
        let Ok(at) = shape.fields.binary_search_by_key(&number, |(number, _)| *number) else {
            return Err(UnknownField { path: String::new(), number });
        };
        let length = match key & 7 {
            0 => {
                if varint(&mut bytes).is_none() {
                    return Ok(());
                }
                continue;
            }
            1 => 8,
            5 => 4,
            2 => match varint(&mut bytes).map(usize::try_from) {
                Some(Ok(length)) => length,
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        let Some((value, rest)) = bytes.split_at_checked(length) else { return Ok(()) };
        bytes = rest;
        let (_, known) = &shape.fields[at];
        if let (Some(within), 2, 1..) = (known.message, key & 7, depth) {
            walk(within, value, depth - 1).map_err(|found| {
                let dot = if found.path.is_empty() { "" } else { "." };
                UnknownField { path: format!("{}{dot}{}", known.name, found.path), ..found }
            })?;
        }
    }
    Ok(())
}

/// Reads a number of variable length; `None` if the bytes have none.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for at in 0..10 {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7F) << (7 * at);
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::proto::v1;

    fn found(message: &str, bytes: &[u8]) -> Option<(String, u32)> {
        unknown_field(message, bytes).map(|found| (found.path, found.number))
    }

    #[test]
    fn every_request_of_the_contract_is_walked() {
        let set = FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors");
        let methods = set.file.iter().flat_map(|file| &file.service).flat_map(|service| &service.method);
        let mut walked = 0;
        for method in methods {
            let name = method.input_type().trim_start_matches('.');
            // Field 18999 with the number 1: no message has it.
            let mut bytes = Vec::new();
            prost::encoding::encode_key(18_999, prost::encoding::WireType::Varint, &mut bytes);
            bytes.push(1);
            assert_eq!(found(name, &bytes), Some((String::new(), 18_999)), "{name}");
            walked += 1;
        }
        assert!(walked > 20, "{walked}");
    }

    #[test]
    fn an_unknown_field_is_found_in_messages_within_messages() {
        let policy = v1::Policy {
            criteria: vec![v1::CriterionWeight { weight: 3, ..Default::default() }],
            ..Default::default()
        };
        let request = v1::CreateRoundRequest {
            round_id: "r".to_owned(),
            round: Some(v1::Round {
                display_name: "A".to_owned(),
                policy: Some(policy),
                ..Default::default()
            }),
            ..Default::default()
        };
        let name = v1::CreateRoundRequest::full_name();
        let good = request.encode_to_vec();
        assert_eq!(found(&name, &good), None);
        // A message may come in several parts: the second part of the round has an unknown field three levels down.
        let weight = [0xC0, 0x3E, 0x01];
        let nested = |number: u8, inner: &[u8]| {
            let mut bytes = vec![number << 3 | 2, u8::try_from(inner.len()).expect("short")];
            bytes.extend_from_slice(inner);
            bytes
        };
        let bad = [good.clone(), nested(2, &nested(6, &nested(3, &weight)))].concat();
        assert_eq!(found(&name, &bad), Some(("round.policy.criteria".to_owned(), 1_000)));
        // Bytes that are no message are left to the decoder.
        for cut in 1..good.len() {
            assert_eq!(found(&name, &good[..cut]), None);
        }
        assert_eq!(found(&name, &[0xFF; 12]), None);
    }
}
