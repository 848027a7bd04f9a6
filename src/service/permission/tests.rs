//! The table of permissions as it was reviewed, and what follows from it.

use super::*;
use crate::domain::vocabulary::Lang;
use crate::wording;

#[test]
fn every_method_of_the_contract_has_a_row_in_the_table_and_no_other_has() {
    use prost::Message as _;
    let set = prost_types::FileDescriptorSet::decode(crate::api::proto::DESCRIPTORS).expect("descriptors");
    let mut contract: Vec<String> = set
        .file
        .iter()
        .filter(|file| file.package() == "wim.mentorship.v1")
        .flat_map(|file| &file.service)
        .flat_map(|service| service.method.iter().map(|m| format!("{}/{}", service.name(), m.name())))
        .collect();
    let mut table: Vec<String> = Action::ALL.iter().map(|action| action.method().to_owned()).collect();
    contract.sort();
    table.sort();
    assert_eq!(contract, table);
}

/// A caller with these roles.
fn caller(roles: &[&str]) -> Caller {
    let roles = roles.iter().map(|role| role.parse().expect("a role")).collect();
    Caller { principal: "p".to_owned(), roles }
}

#[test]
fn every_action_and_role_has_words_in_every_language() {
    let of_an_organisation = ["organisation-manager@wim-peru", "expert@wim-peru", "service@wim-peru"];
    for lang in Lang::ALL {
        for action in Action::ALL {
            let of_the_alliance = Role::NAMES.iter().filter(|name| **name != Role::ORGANISATION_MANAGER);
            for role in of_the_alliance.chain(&of_an_organisation).map(Some).chain([None]) {
                let caller = caller(role.map_or(&[][..], std::slice::from_ref));
                let Err(denied) = action.permit(&caller) else { continue };
                let words = wording::message(&denied.message(), lang);
                let method = action.method().rsplit('/').next().expect("a method");
                let raw = ["organisation-manager", "committee-member", "role.", "{", method];
                let raw = raw.iter().find(|code| words.contains(*code));
                assert_eq!(raw, None, "{}: {words}", lang.tag());
            }
        }
    }
}

#[test]
fn rights_are_the_union_of_the_roles_and_each_right_is_about_the_rows_of_its_own_roles() {
    let scope = |action: Action, roles: &[&str]| action.permit(&caller(roles)).map(|permit| permit.scope);
    let organisations =
        |ids: &[&str]| Scope::Organisations(ids.iter().map(|id| id.parse().expect("an id")).collect());
    let manager = ["organisation-manager@wim-peru", "organisation-manager@wim-chile"];
    assert_eq!(
        scope(Action::ImportProfiles, &manager).expect("is permitted"),
        organisations(&["wim-peru", "wim-chile"])
    );
    let both = ["coordinator", "organisation-manager@wim-peru"];
    assert_eq!(scope(Action::ListMatches, &both).expect("is permitted"), Scope::Alliance);
    assert_eq!(
        scope(Action::ImportProfiles, &both).expect("is permitted"),
        organisations(&["wim-peru"]),
        "a coordinator reads no profiles, whatever else she is"
    );
    assert_eq!(
        scope(Action::ImportProfiles, &["service@wim-peru"]).expect("is permitted"),
        organisations(&["wim-peru"])
    );
    for denied in [&["service"][..], &["coordinator"], &["operations"], &[]] {
        let denied = scope(Action::ImportProfiles, denied);
        assert!(matches!(denied, Err(Error::PermissionDenied { required: "organisation-manager", .. })));
    }
}

#[test]
fn the_table_of_permissions_is_as_reviewed() {
    let row = |action: &Action| {
        let cell = |cell: Cell| match cell {
            Cell::No => "-",
            Cell::Own => "own",
            Cell::All => "all",
            Cell::Me => "me",
            Cell::Any => "any",
        };
        let cells = action.cells().into_iter().zip(Role::NAMES);
        let cells = cells.map(|(one, role)| format!("{:<width$}", cell(one), width = role.len()));
        format!("{:<42} {}", action.method(), cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
    };
    let head = format!("{:<42} {}", "", Role::NAMES.join("  "));
    let rows: Vec<String> = std::iter::once(head).chain(Action::ALL.iter().map(row)).collect();
    insta::assert_snapshot!(rows.join("\n"));
}
