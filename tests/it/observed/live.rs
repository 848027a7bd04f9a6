//! Every query of every dashboard and every rule, run by a real Prometheus that watches the shipped program at work.

use std::collections::BTreeSet;
use std::time::Duration;

use super::load::Load;
use super::process::{Process, until};
use super::prometheus::{Prometheus, binaries, now};
use crate::dashboards::files::{queries, rules};
use crate::dashboards::known_names;
use crate::dashboards::promql::names;

/// Queries without data after this work, each with its reason. This list only shrinks.
const RARE: &[(&str, &str)] =
    &[("WimMatchCertificateEnds", "a service behind a proxy has no certificate of its own")];

/// Names that Prometheus or the SDK add to a scrape.
fn is_of_the_scrape(name: &str) -> bool {
    name.starts_with("scrape_") || ["target_info", "ALERTS_FOR_STATE"].contains(&name)
}

/// An expression as Grafana would send it.
fn expanded(expression: &str) -> String {
    let variables =
        [("$__rate_interval", "4s"), ("$__range", "1m"), ("$job", "wim-match"), ("$instance", ".*")];
    let text = variables.iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value));
    assert!(!text.contains('$'), "`{expression}` has a variable that this test does not know");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_of_dashboards_and_rules_has_data_from_a_service_at_work() {
    let Some(binaries) = binaries() else { return };
    let service = Process::start(&[]);
    let prometheus = Prometheus::watch(binaries, &service.monitoring).await;
    let start = now();
    let mut load = Load::begin(&service).await;
    // A rate needs a series that was there before: everything happens twice.
    for _ in 0..2 {
        load.work().await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    }

    let firing =
        "ALERTS{alertstate=\"firing\", severity=\"page\", alertname=~\"WimMatch(Reads|Writes)Fail\"}";
    until("a service that fails many of its calls pages", || prometheus.has_data(firing, start)).await;

    let known = known_names();
    let strange: Vec<String> = prometheus
        .metrics()
        .into_iter()
        .filter(|name| !known.contains_key(name) && !is_of_the_scrape(name))
        .collect();
    assert!(strange.is_empty(), "/metrics has names that the table does not have: {strange:?}");

    until("the rules were evaluated", || prometheus.rules().iter().all(|(_, health, _)| health != "unknown"))
        .await;
    for (name, health, error) in prometheus.rules() {
        assert_eq!(health, "ok", "{name}: {error}");
    }

    let mut asked: Vec<(String, String)> = queries()
        .into_iter()
        .map(|query| (format!("{}: {}", query.place, query.expression), expanded(&query.expression)))
        .collect();
    for rule in rules("rules.yaml").into_iter().chain(rules("alerts.yaml")) {
        // Comparisons leave nothing over as long as all is well, so each selector is asked by itself.
        for selector in names(&rule.expression).selectors {
            // The result of a comparison too; what it compares is asked where it is recorded.
            if ["wim_match:objective_burn:page", "wim_match:objective_burn:ticket"]
                .contains(&&*selector.metric)
            {
                continue;
            }
            asked.push((format!("{}: {}", rule.name, selector.text), selector.text));
        }
    }
    let mut without: BTreeSet<String> = BTreeSet::new();
    for (place, expression) in &asked {
        if !prometheus.has_data(expression, start) {
            without.insert(place.clone());
        }
    }
    let is_rare = |place: &String| RARE.iter().any(|(rare, _)| place.starts_with(rare));
    let empty: Vec<&String> = without.iter().filter(|place| !is_rare(place)).collect();
    assert!(
        empty.is_empty(),
        "these queries have no data:\n  {}",
        empty.iter().map(|place| place.as_str()).collect::<Vec<_>>().join("\n  ")
    );
    for (rare, _) in RARE {
        assert!(
            without.iter().any(|place| place.starts_with(rare)),
            "`{rare}` has data: take it off the list"
        );
    }
}
