//! The console over real HTTP: who may enter, what changes something, what a browser is told, and each page for each role.

mod browser;

use std::time::Duration;

use tonic::codegen::http::StatusCode;

use wim_match::api::proto::v1;
use wim_match::demo::alliance::synthesise;

use self::browser::{Browser, field};
use crate::world::{World, mentee, mentor, on_both_databases};

/// A browser in which the holder of a token has signed in.
async fn signed_in(world: &World, token: &str) -> Browser {
    let mut browser = Browser::of(world);
    let reply = browser.post("/sign-in", &[("token", token)]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    browser
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_a_page_before_she_has_signed_in_and_after_she_has_left() {
    let world = World::sqlite().await;
    let mut browser = Browser::of(&world);
    let reply = browser.get("/rounds/2027-first?page=x").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(reply.header("location"), "/sign-in?next=%2Frounds%2F2027-first%3Fpage%3Dx");
    let reply = browser.post("/sign-in", &[("token", "wimm_nothing")]).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(browser.cookie.is_none());
    let token = world.coordinator_token();
    let reply = browser.post("/sign-in", &[("token", token), ("next", "/sessions")]).await;
    assert_eq!((reply.status, reply.header("location")), (StatusCode::SEE_OTHER, "/sessions".to_owned()));
    let cookie = reply.header("set-cookie");
    assert!(cookie.starts_with("wim-console=wimc_") && cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    let first = browser.cookie.clone();
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    // Signing in again makes a new session and ends the old one.
    browser.post("/sign-in", &[("token", token)]).await;
    assert_ne!(browser.cookie, first);
    let replayed = Browser { cookie: first, ..Browser::of(&world) }.get("/").await;
    assert_eq!(replayed.status, StatusCode::SEE_OTHER, "the old session is over");
    let kept = browser.cookie.clone();
    let reply = browser.post("/sign-out", &[]).await;
    assert!(reply.header("clear-site-data").contains("cookies"));
    let replayed = Browser { cookie: kept, ..Browser::of(&world) }.get("/").await;
    assert_eq!(replayed.status, StatusCode::SEE_OTHER, "a cookie that was kept opens nothing");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_opens_no_page_and_a_cookie_opens_no_call() {
    let world = World::sqlite().await;
    let token = world.coordinator_token().to_owned();
    let mut browser = Browser::of(&world);
    let bearer = format!("Bearer {token}");
    let reply = browser.send("GET", "/", &[("authorization", &bearer)], "").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    let browser = signed_in(&world, &token).await;
    let secret = browser.cookie.clone().expect("a cookie");
    let secret = secret.split_once('=').expect("a value").1;
    let request = v1::ListRoundsRequest::default();
    let error = world.client(Some(secret)).rounds.list_rounds(request).await.expect_err("no caller");
    assert_eq!(error.code(), tonic::Code::Unauthenticated);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_setting_no_token_is_taken() {
    let world = World::sqlite_with(|config| config.console_token_sign_in = false).await;
    let mut browser = Browser::of(&world);
    let page = browser.get("/sign-in").await.body;
    assert!(page.contains("Nobody can sign in here yet") && !page.contains("<input"), "{page}");
    let reply = browser.post("/sign-in", &[("token", world.coordinator_token())]).await;
    assert_eq!((reply.status, browser.cookie), (StatusCode::NOT_FOUND, None));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_another_page_changes_nothing() {
    let world = World::sqlite().await;
    world.open_round("2027-first").await;
    let mut browser = signed_in(&world, world.coordinator_token()).await;
    let own = browser.origin();
    let foreign: [&[(&str, &str)]; 6] = [
        &[],
        &[("origin", "null")],
        &[("origin", "https://evil.example")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", &own)],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
    ];
    for headers in foreign {
        let reply = browser.send("POST", "/sign-out", headers, "").await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    assert_eq!(browser.get("/").await.status, StatusCode::OK, "she is still signed in");
    // GET changes nothing: a link from elsewhere cannot sign her out.
    assert_eq!(browser.send("GET", "/sign-out", &[], "").await.status, StatusCode::METHOD_NOT_ALLOWED);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_tells_the_browser_what_it_may_not_do() {
    let world = World::sqlite().await;
    let mut browser = signed_in(&world, world.coordinator_token()).await;
    for path in ["/", "/sign-in", "/nowhere", "/rounds/none"] {
        let reply = browser.get(path).await;
        let policy = reply.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'nonce-",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "same-origin");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
        assert!(reply.body.contains(&format!("nonce=\"{nonce}\"")), "{path}");
        assert!(!reply.body.contains("style=\"") && !reply.body.contains("onclick"), "{path}");
        let again = browser.get(path).await.header("content-security-policy");
        assert_ne!(again, policy, "a nonce is used once");
    }
    let page = browser.get("/").await.body;
    let style = page.split("href=\"").find(|rest| rest.starts_with("/assets/console.")).expect("a sheet");
    let style = browser.get(style.split('"').next().expect("a path")).await;
    assert_eq!(style.status, StatusCode::OK);
    assert!(style.header("cache-control").contains("immutable"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_after_an_hour_of_silence_with_its_grant_and_everywhere_at_once() {
    let world = World::sqlite().await;
    let mut browser = signed_in(&world, world.coordinator_token()).await;
    world.clock().advance(Duration::from_mins(59));
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    world.clock().advance(Duration::from_mins(59));
    assert_eq!(browser.get("/").await.status, StatusCode::OK, "she was here an hour ago");
    world.clock().advance(Duration::from_mins(61));
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    let mut browser = signed_in(&world, world.coordinator_token()).await;
    let mut other = signed_in(&world, world.coordinator_token()).await;
    let sessions = browser.get("/sessions").await.body;
    assert_eq!(sessions.matches("Signed in ").count(), 2, "{sessions}");
    browser.post("/sign-out-everywhere", &[]).await;
    assert_eq!(other.get("/").await.status, StatusCode::SEE_OTHER);
    let mut browser = signed_in(&world, world.coordinator_token()).await;
    world.change("UPDATE role_grant SET end_micros = 1 WHERE role = 'coordinator'").await;
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER, "her role has ended");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_typed_survives_the_end_of_the_session_and_is_done_once() {
    let world = World::sqlite().await;
    world.open_round("2027-first").await;
    let mut browser = signed_in(&world, world.coordinator_token()).await;
    let page = browser.get("/rounds/2027-first").await.body;
    let (request_id, grant) = (field(&page, "request_id"), field(&page, "grant"));
    let form = [("request_id", request_id.as_str()), ("grant", grant.as_str())];
    let kept = browser.cookie.take();
    let reply = browser.post("/rounds/2027-first/runs", &form).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(reply.body.contains(&request_id) && reply.body.contains("Send it again"), "{}", reply.body);
    browser.cookie = kept;
    // The round is empty: the refusal comes back on the page of the round.
    let refused = browser.post("/rounds/2027-first/runs", &form).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(
        refused.body.contains("role=\"alert\"") && refused.body.contains("no enrolments"),
        "{}",
        refused.body
    );
    world.stop().await;
}

on_both_databases!(a_round_is_run_from_the_console);

async fn a_round_is_run_from_the_console(world: World) {
    let mut browser = signed_in(&world, world.coordinator_token()).await;
    let empty = browser.get("/").await;
    assert!(empty.body.contains("There is no round yet"), "{}", empty.body);
    world.open_round("2027-first").await;
    world.bring_in(&synthesise(40, 7), "rounds/2027-first").await;
    let page = browser.get("/rounds/2027-first").await.body;
    let request_id = field(&page, "request_id");
    for _ in 0..3 {
        let reply = browser.post("/rounds/2027-first/runs", &[("request_id", &request_id)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    }
    world.watch("rounds/2027-first/runs/1").await;
    let page = browser.get("/rounds/2027-first").await.body;
    assert!(page.contains("Result of run 1") && page.contains("Proved the best"), "{page}");
    assert!(!page.contains("Run 2"), "a form that is sent three times starts one run");
    let spanish = browser.get("/rounds/2027-first?lang=es").await.body;
    assert!(spanish.contains("lang=\"es\"") && spanish.contains("Resultado del cálculo 1"), "{spanish}");
    assert!(browser.get("/").await.body.contains("lang=\"es\""), "the language stays");
    let news = browser.get("/rounds/2027-first/runs/1/news").await;
    assert_eq!(news.header("content-type"), "text/event-stream");
    assert!(news.body.contains("\"ended\":true"), "{}", news.body);
    world.stop().await;
}

/// The pages of the console, as its table of routes has them.
fn pages() -> Vec<String> {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console.rs");
    let source = std::fs::read_to_string(source).expect("the table of routes");
    let rows = source.lines().filter_map(|line| line.trim().strip_prefix("SignedIn GET \""));
    rows.map(|row| row.split('"').next().expect("a path").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_page_is_for_the_roles_of_the_table() {
    let world = World::sqlite().await;
    let mut own = world.manager("wim-peru").await;
    let other = world.manager("wim-kenya").await;
    world.open_round_for("2027-first", &[&own]).await;
    let mentee = mentee("mentee-1");
    own.import(vec![mentee, mentor("mentor-1", 1)]).await;
    own.enrol_all("rounds/2027-first").await;
    world.run_to_the_end("rounds/2027-first").await;
    let token = |role: &str| {
        let role = role.parse().expect("a role");
        let service = world.server().service().clone();
        async move { service.issue_token(&role, "test").await.expect("a token") }
    };
    let secretariat = token("secretariat").await;
    let committee = token("committee-member").await;
    let callers = [
        ("coordinator", world.coordinator_token()),
        ("manager", own.token.as_str()),
        ("other manager", other.token.as_str()),
        ("secretariat", secretariat.as_str()),
        ("committee", committee.as_str()),
    ];
    for page in pages() {
        let path = page.replace("{round}", "2027-first").replace("{run}", "1").replace("{match}", "none");
        let is_of_a_round = page.starts_with("/rounds/");
        let is_of_managers = page.ends_with("/enrolment");
        let is_missing = page.contains("{match}");
        for (name, token) in callers {
            let status = signed_in(&world, token).await.get(&path).await.status.as_u16();
            let expected: &[u16] = match name {
                _ if !is_of_a_round => &[200],
                "coordinator" if is_of_managers => &[403],
                "coordinator" | "manager" if is_missing => &[404],
                "coordinator" => &[200],
                // What is not for her role is refused, and what is not hers does not exist.
                "manager" => &[200, 403],
                _ => &[403, 404],
            };
            assert!(expected.contains(&status), "{page} for {name}: {status}");
        }
    }
    // What is foreign answers as what is missing, but for the address and what is made anew for each answer.
    let mut stranger = signed_in(&world, &other.token).await;
    let foreign = stranger.get("/rounds/2027-first").await;
    let missing = stranger.get("/rounds/2027-other").await;
    let same = |body: &str| -> Vec<String> {
        let unlike = ["nonce=", "operator: ", "class=\"time\"", "2027-first", "2027-other"];
        let parts = body.split('<').filter(|part| unlike.iter().all(|unlike| !part.contains(unlike)));
        parts.map(str::to_owned).collect()
    };
    assert_eq!(foreign.status, missing.status);
    assert_eq!(same(&foreign.body), same(&missing.body));
    world.stop().await;
}
