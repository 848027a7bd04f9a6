//! What is released stays: `proto/released.binpb` is the contract that clients were given, and every part of it is still in
//! `proto/`. CI asks `buf breaking` the same; this test finds it without tools.

use std::collections::BTreeSet;
use std::path::Path;

use prost::Message as _;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};
use wim_match::api::proto::DESCRIPTORS;

const PACKAGE: &str = "wim.mentorship.v1";

fn released() -> FileDescriptorSet {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/released.binpb");
    FileDescriptorSet::decode(&*std::fs::read(file).expect("an image")).expect("descriptors")
}

/// Everything that a client may depend on, a line each, with the file that it is in.
fn promises(set: &FileDescriptorSet) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for file in set.file.iter().filter(|file| file.package() == PACKAGE) {
        let name = file.name();
        lines.insert(format!("{name}: syntax {}", file.syntax()));
        for message in &file.message_type {
            promises_of_message(&format!("{name}: {}", message.name()), message, &mut lines);
        }
        for one in &file.enum_type {
            promises_of_enum(&format!("{name}: {}", one.name()), one, &mut lines);
        }
        for service in &file.service {
            for method in &service.method {
                lines.insert(format!(
                    "{name}: rpc {}/{}({} {}) returns ({} {})",
                    service.name(),
                    method.name(),
                    method.client_streaming(),
                    method.input_type(),
                    method.server_streaming(),
                    method.output_type()
                ));
            }
        }
    }
    lines
}

fn promises_of_message(name: &str, message: &DescriptorProto, lines: &mut BTreeSet<String>) {
    lines.insert(format!("{name} message"));
    for field in &message.field {
        let choice = field.oneof_index.and_then(|at| message.oneof_decl.get(usize::try_from(at).ok()?));
        lines.insert(format!(
            "{name}.{} = {} {:?} {:?} {} {} {}",
            field.name(),
            field.number(),
            field.label(),
            field.r#type(),
            field.type_name(),
            field.json_name(),
            choice.map_or("", |choice| choice.name())
        ));
    }
    for range in &message.reserved_range {
        for number in range.start()..range.end().min(range.start() + 100) {
            lines.insert(format!("{name} reserves {number}"));
        }
    }
    for reserved in &message.reserved_name {
        lines.insert(format!("{name} reserves {reserved}"));
    }
    for inner in &message.nested_type {
        promises_of_message(&format!("{name}.{}", inner.name()), inner, lines);
    }
    for inner in &message.enum_type {
        promises_of_enum(&format!("{name}.{}", inner.name()), inner, lines);
    }
}

fn promises_of_enum(name: &str, one: &EnumDescriptorProto, lines: &mut BTreeSet<String>) {
    lines.insert(format!("{name} enum"));
    for value in &one.value {
        lines.insert(format!("{name}.{} = {}", value.name(), value.number()));
    }
    for reserved in &one.reserved_name {
        lines.insert(format!("{name} reserves {reserved}"));
    }
}

/// What one contract promises and another does not keep.
fn broken(before: &FileDescriptorSet, after: &FileDescriptorSet) -> Vec<String> {
    let after = promises(after);
    promises(before).into_iter().filter(|line| !after.contains(line)).collect()
}

#[test]
fn every_part_of_the_released_contract_is_still_in_the_contract() {
    let present = FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors");
    let released = released();
    assert!(promises(&released).len() > 1_000, "{}", promises(&released).len());
    let broken = broken(&released, &present);
    assert!(
        broken.is_empty(),
        "clients of the released contract depend on these; docs/contract.md says how a change is released:\n  {}",
        broken.join("\n  ")
    );
}

/// A change of a file of the contract.
type Change = fn(&mut prost_types::FileDescriptorProto);

#[test]
fn a_break_of_each_kind_is_found() {
    let before = released();
    let at = |set: &FileDescriptorSet, end: &str| {
        set.file.iter().position(|file| file.name().ends_with(end)).expect("a file")
    };
    let changes: [(&str, Change); 7] = [
        ("run.proto", |file| file.message_type[0].field[1].name = Some("condition".to_owned())),
        ("run.proto", |file| file.message_type[0].field[1].number = Some(99)),
        ("run.proto", |file| {
            file.message_type[0].field[1].set_type(prost_types::field_descriptor_proto::Type::Int64);
        }),
        ("run.proto", |file| drop(file.message_type.pop())),
        ("run.proto", |file| drop(file.enum_type[0].value.pop())),
        ("run_service.proto", |file| drop(file.service[0].method.pop())),
        ("run_service.proto", |file| file.service[0].method[0].server_streaming = Some(true)),
    ];
    for (number, (file, change)) in changes.into_iter().enumerate() {
        let mut after = before.clone();
        let place = at(&after, &format!("/{file}"));
        change(&mut after.file[place]);
        assert!(!broken(&before, &after).is_empty(), "change {number} of {file} is not found");
    }
    // What is added breaks nobody.
    let mut after = before.clone();
    let place = at(&after, "/run.proto");
    let mut field = after.file[place].message_type[0].field[0].clone();
    (field.name, field.json_name, field.number) = (Some("more".into()), Some("more".into()), Some(99));
    after.file[place].message_type[0].field.push(field);
    assert_eq!(broken(&before, &after), Vec::<String>::new());
}
