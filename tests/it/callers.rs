//! Callers: principals, dated roles, credentials and invitations; and what becomes of open streams and of the next calls when a
//! credential is revoked or a role ends.

use std::time::Duration;

use jiff::SignedDuration;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::credential::Identity;
use wim_match::client::{Client, request_id};
use wim_match::clock::{Clock as _, Stopwatch};
use wim_match::domain::credential::Presented;
use wim_match::domain::grant::Role;
use wim_match::error::Error;
use wim_match::service::Revocation;

use crate::refusal::{reason, refused, wrong_fields};
use crate::world::{Manager, World, mentee, mentor, on_both_databases};

on_both_databases! {
    a_revoked_token_ends_its_streams_within_a_second_and_opens_nothing,
    an_ended_role_ends_its_streams_and_the_other_roles_stay,
    a_mandate_ends_by_itself_and_stays_ended_if_the_clock_jumps_back,
    a_grant_that_ends_before_it_begins_is_refused_and_nothing_is_stored,
    a_caller_of_several_organisations_acts_for_all_of_them_or_for_one,
    an_invitation_makes_one_person_a_caller_once_and_for_three_days,
    a_token_is_in_no_answer_but_the_first_and_in_no_file,
    a_jwt_or_a_certificate_opens_what_its_principal_may_do_until_it_is_revoked,
    a_principal_changes_by_what_was_read_and_keeps_her_handle_to_herself,
    invitations_are_listed_and_cancelled_by_whoever_made_them,
    a_credential_tells_the_minute_of_its_last_use,
}

/// A queued run that nobody executes, and a manager who watches it.
async fn watched(world: &World) -> (Manager, Streaming<v1::WatchRunResponse>) {
    let mut manager = world.manager("wim-peru").await;
    manager.import(vec![mentor("mentor", 1), mentee("mentee")]).await;
    world.open_round("r").await;
    manager.enrol_all("rounds/r").await;
    let run = world.start_run("rounds/r").await;
    let request = v1::WatchRunRequest { name: run.name };
    let mut watch = manager.client.runs.watch_run(request).await.expect("watches").into_inner();
    watch.message().await.expect("goes on").expect("the run as it is");
    (manager, watch)
}

async fn a_revoked_token_ends_its_streams_within_a_second_and_opens_nothing(world: World) {
    let world = world.restart_without_worker().await;
    let (mut manager, mut watch) = watched(&world).await;
    let still = tokio::time::timeout(Duration::from_millis(1_500), watch.message()).await;
    assert!(still.is_err(), "the stream of a good token goes on");
    let revoked = world.server().service().revoke_token(&manager.token).await.expect("revokes");
    assert!(matches!(revoked, Revocation::Revoked { .. }));
    let since = Stopwatch::start();
    let ended = watch.message().await.expect_err("ends");
    assert!(since.elapsed() < Duration::from_secs(1), "after {:?}", since.elapsed());
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
    let next = manager.client.rounds.get_round(v1::GetRoundRequest { name: "rounds/r".to_owned() }).await;
    assert_eq!(refused(next), "UNAUTHENTICATED");
    world.cancel("rounds/r/runs/1").await;
    world.stop().await;
}

/// A grant as a request has it.
fn grant(role: v1::Role, organisation: &str, until: Option<jiff::Timestamp>) -> v1::Grant {
    let at = |time: jiff::Timestamp| prost_types::Timestamp { seconds: time.as_second(), nanos: 0 };
    v1::Grant {
        role: role.into(),
        organisation: organisation.to_owned(),
        until_time: until.map(at),
        ..v1::Grant::default()
    }
}

async fn create_grant(admin: &Client, parent: &str, grant: v1::Grant) -> v1::Grant {
    let request =
        v1::CreateGrantRequest { parent: parent.to_owned(), grant: Some(grant), ..Default::default() };
    let granted = admin.admin.clone().create_grant(request).await.expect("is granted");
    granted.into_inner().grant.expect("a grant")
}

async fn an_ended_role_ends_its_streams_and_the_other_roles_stay(world: World) {
    let world = world.restart_without_worker().await;
    let (mut manager, mut watch) = watched(&world).await;
    let secretariat = world.caller(&["secretariat"]).await.0;
    let principal = world.who_is(&manager.client).await.name;
    let second = world.manager("wim-chile").await.name();
    create_grant(&secretariat, &principal, grant(v1::Role::OrganisationManager, &second, None)).await;
    let request = v1::ListGrantsRequest { parent: principal.clone(), ..Default::default() };
    let grants = secretariat.admin.clone().list_grants(request).await.expect("lists").into_inner().grants;
    let first = grants.iter().find(|grant| grant.organisation == manager.name()).expect("her first role");
    let request = v1::EndGrantRequest { name: first.name.clone(), ..Default::default() };
    let mut admin = secretariat.admin.clone();
    let ended = admin.end_grant(request.clone()).await.expect("ends").into_inner().grant.expect("a grant");
    assert!(!ended.live && ended.end_time.is_some());
    let since = Stopwatch::start();
    let lost = watch.message().await.expect_err("ends");
    assert!(since.elapsed() < Duration::from_secs(1), "after {:?}", since.elapsed());
    assert_eq!(reason(&lost), "UNAUTHENTICATED");
    let get = |name: String| v1::GetOrganisationRequest { name };
    let organisations = &mut manager.client.organisations;
    organisations.get_organisation(get(second)).await.expect("her other role stays");
    assert_eq!(
        refused(organisations.get_organisation(get("organisations/wim-peru".to_owned())).await),
        "NOT_FOUND"
    );
    let again = admin.end_grant(request).await.expect("once is enough").into_inner().grant;
    assert_eq!(again, Some(ended));
    world.cancel("rounds/r/runs/1").await;
    world.stop().await;
}

async fn a_mandate_ends_by_itself_and_stays_ended_if_the_clock_jumps_back(world: World) {
    let secretariat = world.caller(&["secretariat"]).await.0;
    let (mut member, principal) = world.caller(&["operations"]).await;
    let (start, until) = (world.clock().now(), world.clock().now() + SignedDuration::from_hours(1));
    create_grant(&secretariat, &principal.name, grant(v1::Role::Coordinator, "", Some(until))).await;
    let list = v1::ListRoundsRequest::default;
    member.rounds.list_rounds(list()).await.expect("within the mandate");
    world.clock().set(until - SignedDuration::from_secs(1));
    member.rounds.list_rounds(list()).await.expect("in its last second");
    world.clock().set(until);
    assert_eq!(refused(member.rounds.list_rounds(list()).await), "PERMISSION_DENIED");
    world.clock().set(start);
    let denied = member.rounds.list_rounds(list()).await;
    assert_eq!(refused(denied), "PERMISSION_DENIED", "the clock has jumped back behind the end");
    let who = member.admin.who_am_i(v1::WhoAmIRequest {}).await.expect("she is still known").into_inner();
    assert_eq!(who.roles, ["operations"]);
    world.stop().await;
}

async fn a_grant_that_ends_before_it_begins_is_refused_and_nothing_is_stored(world: World) {
    let secretariat = world.caller(&["secretariat"]).await.0;
    let principal = world.caller(&["operations"]).await.1;
    let now = world.clock().now();
    let before = world.dump().await;
    for until in [now - SignedDuration::from_hours(1), now] {
        let request = v1::CreateGrantRequest {
            parent: principal.name.clone(),
            grant: Some(grant(v1::Role::CommitteeMember, "", Some(until))),
            ..Default::default()
        };
        let refused = secretariat.admin.clone().create_grant(request).await;
        assert_eq!(wrong_fields(refused), ["grant.until_time"], "{until}");
    }
    assert_eq!(world.dump().await, before);
    world.stop().await;
}

async fn a_caller_of_several_organisations_acts_for_all_of_them_or_for_one(world: World) {
    let (peru, chile) = (world.manager("wim-peru").await, world.manager("wim-chile").await);
    let kenya = world.manager("wim-kenya").await;
    let roles = ["organisation-manager@wim-peru", "organisation-manager@wim-chile"];
    let (client, _) = world.caller(&roles).await;
    let listed = async |acting_as: Option<&str>| {
        let mut request = tonic::Request::new(v1::ListOrganisationsRequest::default());
        if let Some(role) = acting_as {
            request.metadata_mut().insert("wim-acting-as", role.parse().expect("a value"));
        }
        let listed = client.organisations.clone().list_organisations(request).await?;
        let names = listed.into_inner().organisations.into_iter().map(|organisation| organisation.name);
        Ok::<Vec<String>, Status>(names.collect())
    };
    assert_eq!(listed(None).await.expect("lists"), [chile.name(), peru.name()]);
    assert_eq!(listed(Some(roles[0])).await.expect("lists"), [peru.name()]);
    let (foreign, absent) = ("organisation-manager@wim-kenya", "organisation-manager@wim-nowhere");
    let told = async |role: &str| {
        let status = listed(Some(role)).await.expect_err("is refused");
        assert_eq!(reason(&status), "NOT_FOUND");
        format!("{:?} {:?} {:?}", status.code(), status.message(), status.get_error_details_vec())
            .replace(role, "…")
    };
    assert_eq!(told(foreign).await, told(absent).await, "what is foreign answers as what is not");
    assert_eq!(reason(&listed(Some("coordinator")).await.expect_err("is refused")), "NOT_FOUND");
    for wrong in ["", "admin", "organisation-manager", "coordinator@wim-peru"] {
        assert_eq!(wrong_fields(listed(Some(wrong)).await), ["wim-acting-as"], "{wrong}");
    }
    let mut other = kenya.client.organisations;
    let request = v1::GetOrganisationRequest { name: peru.name() };
    assert_eq!(refused(other.get_organisation(request).await), "NOT_FOUND");
    world.stop().await;
}

async fn an_invitation_makes_one_person_a_caller_once_and_for_three_days(world: World) {
    let peru = world.manager("wim-peru").await;
    let secretariat = world.caller(&["secretariat"]).await.0;
    let invite = async || {
        let role = grant(v1::Role::OrganisationManager, &peru.name(), None);
        let request = v1::CreateInvitationRequest {
            invitation: Some(v1::Invitation { grants: vec![role], ..Default::default() }),
            request_id: request_id(),
            validate_only: false,
        };
        let mut admin = secretariat.admin.clone();
        let first = admin.create_invitation(request.clone()).await.expect("invites").into_inner();
        let again = admin.create_invitation(request).await.expect("again").into_inner();
        assert!(first.secret.starts_with("wimi_") && !first.secret_shown_before);
        assert_eq!((again.secret.as_str(), again.secret_shown_before), ("", true));
        assert_eq!(again.invitation, first.invitation);
        first.secret
    };
    let redeem = |secret: &str, handle: &str| v1::RedeemInvitationRequest {
        secret: secret.to_owned(),
        principal: Some(v1::Principal {
            handle: handle.to_owned(),
            languages: vec!["es".to_owned()],
            time_zone: "America/Lima".to_owned(),
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    };
    let mut stranger = world.client(None).admin;
    let (secret, late) = (invite().await, invite().await);
    let request = redeem(&secret, "rosa");
    let redeemed = stranger.redeem_invitation(request.clone()).await.expect("redeems").into_inner();
    let again = stranger.redeem_invitation(request).await.expect("again").into_inner();
    assert_eq!((again.token.as_str(), again.token_shown_before), ("", true), "a token is shown once");
    assert_eq!((again.principal, again.grants), (redeemed.principal.clone(), redeemed.grants.clone()));
    let mut rosa = world.client(Some(&redeemed.token));
    let who = rosa.admin.who_am_i(v1::WhoAmIRequest {}).await.expect("is known").into_inner();
    assert_eq!(
        (who.roles, who.principal),
        (vec!["organisation-manager@wim-peru".to_owned()], redeemed.principal)
    );
    rosa.organisations
        .get_organisation(v1::GetOrganisationRequest { name: peru.name() })
        .await
        .expect("she acts for her organisation");
    let taken = stranger.redeem_invitation(redeem(&late, "rosa")).await;
    assert_eq!(refused(taken), "ALREADY_EXISTS", "a handle belongs to one principal");
    let told = async |secret: &str| {
        let status = world.client(None).admin.redeem_invitation(redeem(secret, "eva")).await;
        let status = status.expect_err("is refused");
        format!("{} {} {:?}", reason(&status), status.message(), status.get_error_details_vec())
    };
    let (used, unknown) = (told(&secret).await, told("wimi_of_nobody").await);
    assert_eq!(used, unknown, "a used secret answers as one that was never given out");
    world.clock().set(world.clock().now() + SignedDuration::from_hours(72));
    assert_eq!(told(&late).await, unknown, "an invitation ends after three days");
    world.holds_nowhere(&redeemed.token);
    world.holds_nowhere(&secret);
    world.stop().await;
}

async fn a_token_is_in_no_answer_but_the_first_and_in_no_file(world: World) {
    let secretariat = world.caller(&["secretariat"]).await.0;
    let principal = world.caller(&["operations"]).await.1;
    let expire_time = world.clock().now() + SignedDuration::from_hours(2);
    let request = v1::CreateCredentialRequest {
        parent: principal.name.clone(),
        credential: Some(v1::Credential {
            label: "laptop".to_owned(),
            expire_time: Some(prost_types::Timestamp { seconds: expire_time.as_second(), nanos: 0 }),
            ..Default::default()
        }),
        request_id: request_id(),
        validate_only: false,
    };
    let mut admin = secretariat.admin;
    let first = admin.create_credential(request.clone()).await.expect("creates").into_inner();
    let again = admin.create_credential(request).await.expect("again").into_inner();
    assert!(first.token.starts_with("wimm_") && !first.token_shown_before);
    assert_eq!((again.token.as_str(), again.token_shown_before), ("", true));
    assert_eq!(again.credential, first.credential);
    world.holds_nowhere(&first.token[11..]);
    let mut client = world.client(Some(&first.token));
    client.admin.who_am_i(v1::WhoAmIRequest {}).await.expect("opens");
    world.clock().set(expire_time);
    assert_eq!(refused(client.admin.who_am_i(v1::WhoAmIRequest {}).await), "UNAUTHENTICATED", "expired");
    world.clock().set(expire_time - SignedDuration::from_hours(2));
    let back = client.admin.who_am_i(v1::WhoAmIRequest {}).await;
    assert_eq!(refused(back), "UNAUTHENTICATED", "expired stays expired");
    let list = v1::ListCredentialsRequest { parent: principal.name, page_size: 1, ..Default::default() };
    let page = admin.list_credentials(list.clone()).await.expect("lists").into_inner();
    assert_eq!(page.credentials.len(), 1);
    let rest = v1::ListCredentialsRequest { page_token: page.next_page_token, ..list };
    let rest = admin.list_credentials(rest).await.expect("lists").into_inner();
    // The ids of one moment are in any order.
    let both = page.credentials.into_iter().chain(rest.credentials).collect::<Vec<_>>();
    assert_eq!(both.len(), 2);
    assert!(both.contains(&first.credential.expect("a credential")), "{both:?}");
    assert_eq!(rest.next_page_token, "");
    world.stop().await;
}

async fn a_jwt_or_a_certificate_opens_what_its_principal_may_do_until_it_is_revoked(world: World) {
    let secretariat = world.caller(&["secretariat"]).await.0;
    let (person, principal) = world.caller(&["coordinator"]).await;
    let jwt = Identity::Jwt(v1::JwtIdentity { issuer: "https://id".to_owned(), subject: "rosa".to_owned() });
    let fingerprint = "AB:".repeat(31) + "AB";
    let certificate = Identity::Certificate(v1::CertificateIdentity { fingerprint });
    let shown = [
        Presented::Jwt { issuer: "https://id".to_owned(), subject: "rosa".to_owned() },
        Presented::Certificate { fingerprint: "ab".repeat(32) },
    ];
    let service = world.server().service();
    for (identity, presented) in [jwt, certificate].into_iter().zip(shown) {
        let create = || v1::CreateCredentialRequest {
            parent: principal.name.clone(),
            credential: Some(v1::Credential { identity: Some(identity.clone()), ..Default::default() }),
            ..Default::default()
        };
        let unknown = Box::pin(service.authenticate(&presented)).await;
        assert!(matches!(unknown, Err(Error::Unauthenticated)));
        let herself = person.admin.clone().create_credential(create()).await;
        assert_eq!(refused(herself), "PERMISSION_DENIED", "the Secretariat alone creates credentials");
        let mut admin = secretariat.admin.clone();
        let created = admin.create_credential(create()).await.expect("creates").into_inner();
        assert_eq!((created.token.as_str(), created.token_shown_before), ("", false), "there is no token");
        let caller = Box::pin(service.authenticate(&presented)).await.expect("is known");
        assert_eq!(format!("principals/{}", caller.principal), principal.name);
        assert_eq!(caller.roles, [Role::Coordinator]);
        assert_eq!(refused(admin.create_credential(create()).await), "ALREADY_EXISTS");
        let name = created.credential.expect("a credential").name;
        let request = v1::RevokeCredentialRequest { name, ..Default::default() };
        let revoked = person.admin.clone().revoke_credential(request).await;
        revoked.expect("every principal revokes her own credentials");
        let gone = Box::pin(service.authenticate(&presented)).await;
        assert!(matches!(gone, Err(Error::Unauthenticated)));
    }
    world.stop().await;
}

async fn a_principal_changes_by_what_was_read_and_keeps_her_handle_to_herself(world: World) {
    let (client, read) = world.caller(&["coordinator"]).await;
    let (other, _) = world.caller(&["coordinator"]).await;
    let taken = world.who_is(&other).await.handle;
    let change = async |etag: &str, handle: &str, paths: &[&str]| {
        let request = v1::UpdatePrincipalRequest {
            principal: Some(v1::Principal {
                etag: etag.to_owned(),
                handle: handle.to_owned(),
                languages: vec!["pt".to_owned()],
                ..read.clone()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            }),
            request_id: request_id(),
            validate_only: false,
        };
        client.admin.clone().update_principal(request).await.map(|changed| changed.into_inner().principal)
    };
    let changed = change(&read.etag, "eva", &["handle"]).await.expect("changes").expect("a principal");
    assert_eq!((changed.handle.as_str(), &changed.languages), ("eva", &read.languages));
    let stale = change(&read.etag, "rosa", &["handle"]).await.expect_err("is stale");
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(refused(change(&changed.etag, &taken, &["handle"]).await), "ALREADY_EXISTS");
    assert_eq!(wrong_fields(change("7", "eva", &["kind"]).await), ["update_mask", "principal.etag"]);
    let listed = other.admin.clone().list_principals(v1::ListPrincipalsRequest::default()).await;
    assert_eq!(refused(listed), "PERMISSION_DENIED", "nobody but the Secretariat lists principals");
    world.stop().await;
}

/// The invitations that a caller sees.
async fn invitations(client: &Client) -> Vec<v1::Invitation> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListInvitationsRequest { page_size: 1, page_token };
        let page = client.admin.clone().list_invitations(request).await.expect("lists").into_inner();
        all.extend(page.invitations);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            // The ids of one moment are in no order.
            all.sort_by(|one, other| one.name.cmp(&other.name));
            return all;
        }
    }
}

async fn invitations_are_listed_and_cancelled_by_whoever_made_them(world: World) {
    let peru = world.manager("wim-peru").await;
    let kenya = world.manager("wim-kenya").await;
    let secretariat = world.caller(&["secretariat"]).await.0;
    let invite = async |client: &Client, organisation: &str| {
        let grants = vec![grant(v1::Role::Expert, organisation, None)];
        let invitation = Some(v1::Invitation { grants, ..v1::Invitation::default() });
        let request = v1::CreateInvitationRequest { invitation, ..Default::default() };
        let made = client.admin.clone().create_invitation(request).await.expect("invites").into_inner();
        (made.invitation.expect("an invitation"), made.secret)
    };
    let redeem = async |secret: &str, handle: &str| {
        let principal = v1::Principal { handle: handle.to_owned(), ..v1::Principal::default() };
        let request = v1::RedeemInvitationRequest {
            secret: secret.to_owned(),
            principal: Some(principal),
            ..v1::RedeemInvitationRequest::default()
        };
        world.client(None).admin.redeem_invitation(request).await
    };
    let cancel = async |client: &Client, name: &str, request_id: &str| {
        let request = v1::CancelInvitationRequest {
            name: name.to_owned(),
            request_id: request_id.to_owned(),
            validate_only: false,
        };
        client.admin.clone().cancel_invitation(request).await.map(|answer| answer.into_inner().invitation)
    };
    let (first, secret) = invite(&peru.client, &peru.name()).await;
    let (second, other_secret) = invite(&peru.client, &peru.name()).await;
    let (third, _) = invite(&kenya.client, &kenya.name()).await;
    let sorted = |mut all: Vec<v1::Invitation>| {
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    };
    let who = world.who_is(&peru.client).await.name;
    assert_eq!(first.creator, who);
    assert_eq!(invitations(&peru.client).await, sorted(vec![first.clone(), second.clone()]));
    assert_eq!(invitations(&kenya.client).await, std::slice::from_ref(&third));
    let all = sorted(vec![first.clone(), second.clone(), third.clone()]);
    assert_eq!(invitations(&secretariat).await, all);

    // A foreign one answers like one that does not exist.
    let absent = "invitations/01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3a";
    let told = async |name: &str| {
        let status = cancel(&kenya.client, name, "").await.expect_err("is refused");
        format!("{:?} {} {:?}", status.code(), status.message(), status.get_error_details_vec())
            .replace(name, "…")
    };
    assert_eq!(told(&first.name).await, told(absent).await);
    for wrong in ["", "invitations/x", "invitations/", "principals/x"] {
        assert_eq!(wrong_fields(cancel(&peru.client, wrong, "").await), ["name"]);
    }

    // A check changes nothing, and a repeated request gets the first answer.
    let check =
        v1::CancelInvitationRequest { name: first.name.clone(), validate_only: true, ..Default::default() };
    let checked =
        peru.client.admin.clone().cancel_invitation(check).await.expect("may be cancelled").into_inner();
    assert_eq!(invitations(&peru.client).await, sorted(vec![first.clone(), second.clone()]));
    let id = request_id();
    let cancelled = cancel(&peru.client, &first.name, &id).await.expect("is cancelled");
    assert_eq!(checked.invitation, cancelled);
    assert!(cancelled.as_ref().is_some_and(|invitation| invitation.cancel_time.is_some()));
    world.clock().advance(Duration::from_mins(1));
    assert_eq!(cancel(&peru.client, &first.name, &id).await.expect("again"), cancelled);
    assert_eq!(cancel(&secretariat, &first.name, "").await.expect("once is enough"), cancelled);
    assert_eq!(refused(redeem(&secret, "rosa").await), "NOT_FOUND", "a cancelled one opens nothing");

    // One that was redeemed says so, and stays redeemed.
    let principal = redeem(&other_secret, "rosa").await.expect("is redeemed").into_inner().principal;
    let after = cancel(&peru.client, &second.name, "").await.expect("is left alone").expect("an invitation");
    assert!(after.cancel_time.is_none() && after.redeem_time.is_some());
    assert_eq!(Some(after.principal), principal.map(|principal| principal.name));

    // A month after the expiry nothing is left of them.
    world.clock().advance(Duration::from_hours(24 * 33 + 1));
    let purged = world.server().service().purge().await;
    assert!(purged.failures.is_empty(), "{:?}", purged.failures);
    assert!(invitations(&secretariat).await.is_empty());
    world.stop().await;
}

async fn a_credential_tells_the_minute_of_its_last_use(world: World) {
    let secretariat = world.caller(&["secretariat"]).await.0;
    let (client, principal) = world.caller(&["coordinator"]).await;
    let service = world.server().service();
    let last_use = async || {
        let request = v1::ListCredentialsRequest { parent: principal.name.clone(), ..Default::default() };
        let listed = secretariat.admin.clone().list_credentials(request).await.expect("lists").into_inner();
        let [credential] = &listed.credentials[..] else { panic!("one credential") };
        credential.use_time.map(|at| at.seconds)
    };
    assert_eq!(last_use().await, None, "nothing is written at the time of a call");
    service.write_call_sums(false).await.expect("writes");
    assert_eq!(last_use().await, None, "the minute has not ended");
    world.clock().advance(Duration::from_mins(1));
    for _ in 0..3 {
        client.rounds.clone().list_rounds(v1::ListRoundsRequest::default()).await.expect("lists");
    }
    let minute = world.clock().now().as_second().div_euclid(60) * 60;
    world.clock().advance(Duration::from_mins(2));
    service.write_call_sums(false).await.expect("writes");
    assert_eq!(last_use().await, Some(minute));
    world.stop().await;
}
