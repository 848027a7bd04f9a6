//! Canonical proto JSON of the messages of the contract.

use std::sync::LazyLock;

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use super::error::Error;
use crate::api::proto::DESCRIPTORS;

/// A message as canonical proto JSON, on one line.
pub fn to_json<M: prost::Message + prost::Name>(message: &M) -> Result<String, Error> {
    let dynamic = DynamicMessage::decode(descriptor::<M>()?, message.encode_to_vec().as_slice());
    let dynamic = dynamic.map_err(failed::<M>)?;
    serde_json::to_string(&dynamic).map_err(failed::<M>)
}

/// Reads a message from canonical proto JSON. The error names the line and column of the first mistake.
pub fn from_json<M: prost::Message + prost::Name + Default>(text: &str) -> Result<M, Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let dynamic = DynamicMessage::deserialize(descriptor::<M>()?, &mut reader).map_err(failed::<M>)?;
    reader.end().map_err(failed::<M>)?;
    M::decode(dynamic.encode_to_vec().as_slice()).map_err(failed::<M>)
}

fn descriptor<M: prost::Name>() -> Result<MessageDescriptor, Error> {
    static POOL: LazyLock<Option<DescriptorPool>> =
        LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).ok());
    let found = POOL.as_ref().and_then(|pool| pool.get_message_by_name(&M::full_name()));
    found.ok_or_else(|| failed::<M>("the descriptor set does not contain it"))
}

fn failed<M: prost::Name>(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Json { message: M::full_name(), source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::proto::v1;

    #[test]
    fn what_is_written_is_read_again_in_canonical_names() {
        let policy = v1::Policy {
            hard_rules: Some(v1::HardRules { min_score: 4_000, ..v1::HardRules::default() }),
            ..v1::Policy::default()
        };
        let text = to_json(&policy).expect("JSON");
        assert!(text.contains(r#""hardRules":{"minScore":4000"#), "{text}");
        assert_eq!(from_json::<v1::Policy>(&text).expect("a policy"), policy);
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        for (text, place) in [("{\n\"hardRule\": {}}", "line 2"), ("{} {}", "line 1 column 4")] {
            let error = from_json::<v1::Policy>(text).expect_err("a mistake");
            let told = crate::error::chain(&error);
            assert!(told.contains("wim.mentorship.v1.Policy") && told.contains(place), "{told}");
        }
    }
}
