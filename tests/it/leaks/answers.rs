//! Every answer that a caller can get of a round: messages as bytes, refusals as text.

use std::collections::BTreeSet;

use proptest::test_runner::TestCaseError;
use prost::Message;
use tonic::{Response, Status};
use wim_match::api::proto::v1;
use wim_match::client::Client;

/// Languages of the answers with texts.
const LANGUAGES: [&str; 4] = ["en", "fr", "es", "pt"];

/// The answers of one caller.
pub(super) struct Answers {
    /// The name of each call with its answer.
    calls: Vec<(String, Vec<u8>)>,
    /// Calls that read the caller's own profiles.
    profiles: Vec<(String, Vec<u8>)>,
    /// Pairs that the run has matched, as the caller sees them.
    pub(super) matches: BTreeSet<(String, String)>,
    /// What is proved of the matches.
    proof: Option<v1::Proof>,
    /// Reasons of people without a match, in the order of the list.
    pub(super) reasons: Vec<&'static str>,
    /// Candidates of the whole round, for a coordinator.
    pub(super) candidates: Option<i64>,
    /// Codes of the verdicts on pairs that take part.
    pub(super) verdicts: Vec<String>,
}

impl Answers {
    /// Calls every method that reads, about a run and about all people of its world.
    pub(super) async fn of(client: &mut Client, own: &str, run: &str, people: &[String]) -> Self {
        let mut this = Self {
            calls: Vec::new(),
            profiles: Vec::new(),
            matches: BTreeSet::new(),
            proof: None,
            reasons: Vec::new(),
            candidates: None,
            verdicts: Vec::new(),
        };
        this.organisations_and_profiles(client, own, people).await;
        this.rounds_and_runs(client, run).await;
        this.lists(client, run).await;
        this.pairs(client, run, people).await;
        this
    }

    async fn organisations_and_profiles(&mut self, client: &mut Client, own: &str, people: &[String]) {
        let name = format!("organisations/{own}");
        for name in [&name, "organisations/wim-kenya", "organisations/none"] {
            let request = v1::GetOrganisationRequest { name: name.to_owned() };
            let answer = client.organisations.get_organisation(request).await;
            self.calls.push((format!("GetOrganisation {name}"), bytes(answer)));
        }
        let answer = client.organisations.list_organisations(v1::ListOrganisationsRequest::default()).await;
        self.calls.push(("ListOrganisations".to_owned(), bytes(answer)));
        let request = v1::ListProfilesRequest { parent: name, ..v1::ListProfilesRequest::default() };
        let answer = client.profiles.list_profiles(request).await;
        self.profiles.push(("ListProfiles".to_owned(), bytes(answer)));
        for name in people {
            let request = v1::GetProfileRequest { name: name.clone() };
            let answer = client.profiles.get_profile(request).await;
            self.profiles.push((format!("GetProfile {name}"), bytes(answer)));
        }
    }

    async fn rounds_and_runs(&mut self, client: &mut Client, run: &str) {
        let round = run.split("/runs/").next().unwrap_or_default().to_owned();
        let request = v1::GetRoundRequest { name: round.clone() };
        self.calls.push(("GetRound".to_owned(), bytes(client.rounds.get_round(request).await)));
        let request = v1::ListRoundsRequest { page_size: 1, page_token: String::new() };
        self.calls.push(("ListRounds".to_owned(), bytes(client.rounds.list_rounds(request).await)));
        let request = v1::ListRunsRequest { parent: round, ..v1::ListRunsRequest::default() };
        let mut listed = client.runs.list_runs(request).await;
        if let Ok(listed) = &mut listed {
            listed.get_mut().runs.iter_mut().for_each(without_times);
        }
        self.calls.push(("ListRuns".to_owned(), bytes(listed)));
        for name in [run, "rounds/r/runs/7", "rounds/none/runs/1"] {
            let request = v1::GetRunRequest { name: name.to_owned() };
            let mut answer = client.runs.get_run(request).await;
            if let Some(run) = answer.as_mut().ok().and_then(|answer| answer.get_mut().run.as_mut()) {
                without_times(run);
                self.proof = run.summary.as_ref().and_then(|summary| summary.proof);
                let whole = run.summary.as_ref().and_then(|summary| summary.whole_round.as_ref());
                self.candidates = whole.map(|whole| whole.candidates);
            }
            self.calls.push((format!("GetRun {name}"), bytes(answer)));
        }
        let request = v1::WatchRunRequest { name: run.to_owned() };
        let mut watch = client.runs.watch_run(request).await.expect("watches").into_inner();
        while let Some(mut told) = watch.message().await.expect("the watch ends well") {
            told.run.iter_mut().for_each(without_times);
            self.calls.push(("WatchRun".to_owned(), told.encode_to_vec()));
        }
        let request =
            v1::CancelRunRequest { name: run.to_owned(), request_id: String::new(), validate_only: false };
        let mut answer = client.runs.cancel_run(request).await;
        if let Ok(answer) = &mut answer {
            answer.get_mut().run.iter_mut().for_each(without_times);
        }
        self.calls.push(("CancelRun".to_owned(), bytes(answer)));
        let request = v1::VerifyRunRequest { name: run.to_owned() };
        self.calls.push(("VerifyRun".to_owned(), bytes(client.runs.verify_run(request).await)));
        let request = v1::ReplayRunRequest { name: run.to_owned() };
        self.calls.push(("ReplayRun".to_owned(), bytes(client.runs.replay_run(request).await)));
        let request = v1::CompareRunsRequest {
            parent: run.split("/runs/").next().unwrap_or_default().to_owned(),
            runs: vec![run.to_owned(), run.to_owned()],
            ..v1::CompareRunsRequest::default()
        };
        let mut answer = client.runs.compare_runs(request).await;
        if let Ok(answer) = &mut answer {
            let compared = answer.get_mut().runs.iter_mut().filter_map(|one| one.run.as_mut());
            compared.for_each(without_times);
        }
        self.calls.push(("CompareRuns".to_owned(), bytes(answer)));
    }

    /// The lists, page by page with the tokens of the pages, in every language.
    async fn lists(&mut self, client: &mut Client, run: &str) {
        for language in LANGUAGES {
            let mut page_token = String::new();
            loop {
                let request = v1::ListMatchesRequest {
                    parent: run.to_owned(),
                    page_size: 1,
                    page_token,
                    language_code: language.to_owned(),
                    view: v1::MatchView::Full.into(),
                };
                let page = client.runs.list_matches(request).await.expect("lists").into_inner();
                let pairs = page.matches.iter().map(|pair| (pair.mentee.clone(), pair.mentor.clone()));
                self.matches.extend(pairs);
                let next = page.next_page_token.clone();
                let page = v1::ListMatchesResponse { next_page_token: place(&next), ..page };
                self.calls.push((format!("ListMatches {language}"), page.encode_to_vec()));
                if next.is_empty() {
                    break;
                }
                page_token = next;
            }
            let mut page_token = String::new();
            loop {
                let request = v1::ListUnmatchedRequest {
                    parent: run.to_owned(),
                    page_size: 1,
                    page_token,
                    language_code: language.to_owned(),
                };
                let page = client.runs.list_unmatched(request).await.expect("lists").into_inner();
                if language == "en" {
                    let reason = |one: &v1::Unmatched| {
                        one.reason().as_str_name().trim_start_matches("UNMATCHED_REASON_")
                    };
                    self.reasons.extend(page.unmatched.iter().map(reason));
                }
                let next = page.next_page_token.clone();
                let page = v1::ListUnmatchedResponse { next_page_token: place(&next), ..page };
                self.calls.push((format!("ListUnmatched {language}"), page.encode_to_vec()));
                if next.is_empty() {
                    break;
                }
                page_token = next;
            }
        }
    }

    /// The explanation of every pair.
    async fn pairs(&mut self, client: &mut Client, run: &str, people: &[String]) {
        for mentee in people {
            for mentor in people.iter().filter(|mentor| *mentor != mentee) {
                let request = v1::ExplainPairRequest {
                    run: run.to_owned(),
                    mentee: mentee.clone(),
                    mentor: mentor.clone(),
                    language_code: "fr".to_owned(),
                };
                let answer = client.runs.explain_pair(request).await;
                if let Some(verdict) = answer.as_ref().ok().and_then(|a| a.get_ref().verdict.as_ref()) {
                    self.verdicts.push(verdict.code.clone());
                }
                let homes = [mentee, mentor].map(|name| name.split("/profiles/").next());
                let call = (format!("ExplainPair {mentee} {mentor}"), bytes(answer));
                // The manager of both people learns of her own members' private rules.
                if homes[0] == homes[1] { self.profiles.push(call) } else { self.calls.push(call) }
            }
        }
    }

    /// What private answers may change: the matches, and what is proved of them.
    pub(super) fn result(&self) -> (&BTreeSet<(String, String)>, Option<v1::Proof>) {
        (&self.matches, self.proof)
    }

    /// `Ok` if both callers got the same answers. If the changed answer is one of the caller's own members, what she reads
    /// of these members is left out.
    pub(super) fn assert_same(&self, other: &Self, is_own: bool) -> Result<(), TestCaseError> {
        same(&self.calls, &other.calls)?;
        if is_own { Ok(()) } else { same(&self.profiles, &other.profiles) }
    }
}

fn same(one: &[(String, Vec<u8>)], other: &[(String, Vec<u8>)]) -> Result<(), TestCaseError> {
    for ((call, answer), (other_call, other_answer)) in one.iter().zip(other) {
        if (call, answer) != (other_call, other_answer) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let told = format!("{call}:\n{}\n{other_call}:\n{}", text(answer), text(other_answer));
            return Err(TestCaseError::fail(told));
        }
    }
    if one.len() == other.len() { Ok(()) } else { Err(TestCaseError::fail("a list has another length")) }
}

/// Durations differ between two executions of the same work.
fn without_times(run: &mut v1::Run) {
    if let Some(whole) = run.summary.as_mut().and_then(|summary| summary.whole_round.as_mut()) {
        whole.stage_times.clear();
    }
}

fn bytes<T: Message>(answer: Result<Response<T>, Status>) -> Vec<u8> {
    match answer {
        Ok(answer) => answer.into_inner().encode_to_vec(),
        Err(status) => {
            format!("{:?} {} {}", status.code(), status.message(), status.details().len()).into_bytes()
        }
    }
}

/// Digits of a page token that bind it to its caller and its list; the id of a caller is new in every world.
const BINDING_DIGITS: usize = 16;

/// The place in the list to which a page token leads.
fn place(token: &str) -> String {
    token.get(BINDING_DIGITS..).unwrap_or_default().to_owned()
}
