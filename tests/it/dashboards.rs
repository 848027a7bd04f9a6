//! Metrics, dashboards, rules, alerts and runbooks name each other, and each name exists. `observed/live.rs` runs the
//! queries.

pub(crate) mod files;
pub(crate) mod promql;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use prost::Message as _;
use prost_types::method_options::IdempotencyLevel;
use wim_match::api::proto::DESCRIPTORS;
use wim_match::telemetry::metrics::{CALL_DURATION, Kind, Metric, TABLE};

use self::files::{DASHBOARDS, panels, queries, read, rules};
use self::promql::names;

/// Set to `always` to write documents anew, as for snapshots.
const UPDATE: &str = "INSTA_UPDATE";
/// Labels of every scrape.
const OF_A_SCRAPE: &[&str] = &["job", "instance"];
/// Metrics that Prometheus makes, with their labels.
const OF_PROMETHEUS: &[(&str, &[&str])] =
    &[("up", &[]), ("ALERTS", &["alertname", "alertstate", "severity"])];

/// The names of a metric at `/metrics`.
fn shown_names(metric: &Metric) -> Vec<String> {
    let name = metric.name_for_prometheus();
    match metric.kind {
        Kind::Histogram(_) => {
            ["_bucket", "_sum", "_count"].iter().map(|end| format!("{name}{end}")).collect()
        }
        Kind::Counter | Kind::Gauge | Kind::UpDown => vec![name],
    }
}

fn shown_label(label: &str) -> String {
    label.replace('.', "_")
}

/// All names that a query may use, each with its labels.
pub(crate) fn known_names() -> BTreeMap<String, BTreeSet<String>> {
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let of_a_scrape = || OF_A_SCRAPE.iter().map(|label| (*label).to_owned());
    for metric in TABLE {
        for name in shown_names(metric) {
            let mut labels: BTreeSet<String> = metric.labels.iter().map(|label| shown_label(label)).collect();
            labels.extend(of_a_scrape());
            if name.ends_with("_bucket") {
                labels.insert("le".to_owned());
            }
            known.insert(name, labels);
        }
    }
    for (name, labels) in OF_PROMETHEUS {
        let labels = labels.iter().map(|label| (*label).to_owned()).chain(of_a_scrape());
        known.insert((*name).to_owned(), labels.collect());
    }
    for rule in rules("rules.yaml") {
        known.insert(rule.name, BTreeSet::from(["job".to_owned(), "objective".to_owned()]));
    }
    known
}

/// Expressions of panels, rules and alerts, each with its place and the labels that its texts name.
fn expressions() -> Vec<(String, String, Vec<String>)> {
    let of_panels = queries().into_iter().map(|query| (query.place, query.expression, query.legend));
    let of_rules = ["rules.yaml", "alerts.yaml"].into_iter().flat_map(|file| {
        rules(file).into_iter().map(move |rule| {
            let labels = rule.rest.split("$labels.").skip(1);
            let labels = labels.filter_map(|part| part.split([' ', '}']).next()).map(str::to_owned);
            (format!("{file}: {}", rule.name), rule.expression, labels.collect())
        })
    });
    of_panels.chain(of_rules).collect()
}

#[test]
fn every_name_in_a_query_is_one_of_the_table_of_metrics() {
    let known = known_names();
    let mut wrong = Vec::new();
    for (place, expression, texts) in expressions() {
        let named = names(&expression);
        assert!(!named.selectors.is_empty() || expression.starts_with("vector("), "{place}: `{expression}`");
        let mut labels_of_all = BTreeSet::new();
        for selector in &named.selectors {
            let Some(labels) = known.get(&selector.metric) else {
                wrong.push(format!(
                    "{place}: src/telemetry/metrics.rs has no metric `{}`; was it renamed?",
                    selector.metric
                ));
                continue;
            };
            for label in selector.labels.iter().filter(|label| !labels.contains(*label)) {
                wrong.push(format!("{place}: the metric `{}` has no label `{label}`", selector.metric));
            }
            labels_of_all.extend(labels.iter().cloned());
        }
        for label in named.groups.iter().chain(&texts).filter(|label| !labels_of_all.contains(*label)) {
            wrong.push(format!("{place}: none of its metrics has the label `{label}`"));
        }
    }
    assert!(wrong.is_empty(), "these names do not exist:\n  {}", wrong.join("\n  "));
}

#[test]
fn every_metric_is_on_a_dashboard_or_in_an_alert() {
    let mut used = BTreeSet::new();
    for (_, expression, _) in expressions() {
        used.extend(names(&expression).selectors.into_iter().map(|selector| selector.metric));
    }
    let unused: Vec<&str> = TABLE
        .iter()
        .filter(|metric| shown_names(metric).iter().all(|name| !used.contains(name)))
        .map(|metric| metric.name)
        .collect();
    assert!(
        unused.is_empty(),
        "no panel and no rule shows these metrics; add a panel in deploy/grafana/build, or delete them: {unused:?}"
    );
}

#[test]
fn every_panel_says_what_it_shows() {
    for dashboard in DASHBOARDS {
        let mut titles = BTreeSet::new();
        for panel in panels(dashboard) {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let title = text(&panel["title"]);
            assert!(titles.insert(title.clone()), "{dashboard}.json has two panels `{title}`");
            let description = text(&panel["description"]);
            assert!(
                description.len() > 20 && description.ends_with('.'),
                "{dashboard}.json: {title}: {description}"
            );
            assert!(!text(&panel["fieldConfig"]["defaults"]["unit"]).is_empty(), "{dashboard}.json: {title}");
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{dashboard}.json: {title}");
        }
    }
}

/// Compares a document with the file, or writes it anew.
#[track_caller]
fn assert_document(path: &str, content: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var(UPDATE).is_ok_and(|update| update == "always") {
        std::fs::write(&file, content).expect("is written");
    }
    let is = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        is == content,
        "{path} is old: write it anew with `{UPDATE}=always cargo test --test it dashboards`"
    );
}

#[test]
fn the_document_of_metrics_is_the_table() {
    let mut text = "# Metrics\n\n\
        This page is made from the table in `src/telemetry/metrics.rs` by `the_document_of_metrics_is_the_table` in `tests/it/dashboards.rs`.\n\
        `/metrics` on the second port shows the names for Prometheus; a collector of OpenTelemetry gets the names with dots.\n\
        [telemetry.md](telemetry.md) describes both ways, [objectives.md](objectives.md) what is demanded of some of these numbers.\n\n\
        | metric | name for Prometheus | kind | unit | labels | meaning |\n|---|---|---|---|---|---|\n"
        .to_owned();
    for metric in TABLE {
        let kind = match metric.kind {
            Kind::Histogram(_) => "histogram",
            Kind::Counter => "counter",
            Kind::Gauge | Kind::UpDown => "gauge",
        };
        let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
        let labels: Vec<String> = metric.labels.iter().map(|label| code(label)).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {kind} | {} | {} | {} |",
            code(metric.name),
            code(&metric.name_for_prometheus()),
            code(metric.unit),
            labels.join(", "),
            metric.meaning
        );
    }
    text += "\nUnits are those of UCUM: `s` seconds, `By` bytes, `1` a share, `{run}` a number of runs. In names for Prometheus and in\n\
        labels an underscore stands for each dot. The upper bounds of the histograms:\n\n| metric | upper bounds in seconds |\n|---|---|\n";
    for metric in TABLE {
        if let Kind::Histogram(bounds) = metric.kind {
            let bounds: Vec<String> = bounds.iter().map(f64::to_string).collect();
            let _ = writeln!(text, "| `{}` | {} |", metric.name, bounds.join(", "));
        }
    }
    assert_document("docs/metrics.md", &text);
}

/// Whether a method name matches one of the alternatives of a selector: `…/(Get|List).*`.
fn is_selected(expression: &str, method: &str) -> bool {
    let (_, list) = expression.split_once("v1[.].*/(").expect("a list of methods");
    let (list, _) = list.split_once(").*").expect("the list ends");
    list.split('|').any(|start| method.starts_with(start))
}

/// What may last as long as its work, and so has no objective of time.
const OF_ANY_LENGTH: &[(&str, &str)] = &[
    ("VerifyRun", "checks the proof of a whole run"),
    ("ReplayRun", "solves a whole run again"),
    ("CompareRuns", "reads whole runs"),
    ("VerifyAudit", "reads the whole audit"),
    ("WhatIfDecisions", "prepares a whole run at the first question"),
    ("DiagnoseRound", "looks at all pairs of a round"),
    ("SuggestWeights", "reads all mentorships, and solves rounds again"),
    ("PurgeExpired", "erases up to 200 people"),
    ("ExportPersonalData", "reads everything that is stored of a person"),
    ("Solve", "solves a problem of any size"),
    ("Verify", "checks the proof of a problem of any size"),
    ("WhatIf", "solves a problem of any size several times"),
    ("Repair", "solves a problem of any size"),
    ("Diagnose", "solves a problem of any size"),
];

#[test]
fn the_objectives_cover_every_method_of_the_contract() {
    let set = prost_types::FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors");
    let expression = |objective: &str, record: &str| {
        let rule = rules("rules.yaml")
            .into_iter()
            .find(|rule| rule.name == record && rule.rest.contains(&format!("{{objective: {objective}}}")));
        rule.unwrap_or_else(|| panic!("{record} of {objective}")).expression
    };
    let all = "wim_match:objective_all:rate1m";
    let files = set.file.iter().filter(|file| file.package() == "wim.mentorship.v1");
    let mut methods = 0;
    for method in files.flat_map(|file| &file.service).flat_map(|service| &service.method) {
        methods += 1;
        let level = method.options.as_ref().map(prost_types::MethodOptions::idempotency_level);
        let is_read = level == Some(IdempotencyLevel::NoSideEffects);
        let is_stream = method.client_streaming() || method.server_streaming();
        let is_short = !is_stream && OF_ANY_LENGTH.iter().all(|(name, _)| *name != method.name());
        let is_in = |objective: &str| is_selected(&expression(objective, all), method.name());
        let name = method.name();
        assert_eq!(is_in("reads_available"), is_read, "{name} in the objective reads_available");
        assert_eq!(is_in("writes_available"), !is_read, "{name} in the objective writes_available");
        assert_eq!(is_in("reads_fast"), is_read && is_short, "{name} in the objective reads_fast");
        assert_eq!(is_in("writes_fast"), !is_read && is_short, "{name} in the objective writes_fast");
    }
    assert!(methods > 20);
    let Kind::Histogram(bounds) = CALL_DURATION.kind else { panic!("a histogram") };
    for objective in ["reads_fast", "writes_fast"] {
        let bad = expression(objective, "wim_match:objective_bad:rate1m");
        let bound = bad.split("le=\"").nth(1).and_then(|text| text.split('"').next()).expect("a bound");
        assert!(
            bounds.contains(&bound.parse().expect("a number")),
            "{objective}: {bound} is no bound of {bounds:?}"
        );
        let text = read("docs/objectives.md");
        let milliseconds = bound.parse::<f64>().expect("a number") * 1_000.0;
        assert!(
            text.contains(&format!("{milliseconds} ms")),
            "docs/objectives.md does not name {milliseconds} ms"
        );
    }
}

/// Names of alerts, each once.
fn alerts() -> BTreeSet<String> {
    rules("alerts.yaml").into_iter().filter(|rule| rule.is_alert).map(|rule| rule.name).collect()
}

#[test]
fn every_alert_has_a_severity_words_and_a_runbook() {
    for rule in rules("alerts.yaml") {
        let name = &rule.name;
        let severity =
            ["severity: page", "severity: ticket"].iter().filter(|text| rule.rest.contains(*text)).count();
        assert_eq!(severity, 1, "{name} is for a person now (page) or for a working day (ticket)");
        // A rule of a second severity takes over the texts of the first one.
        if !rule.rest.contains("annotations: *") {
            for part in ["summary: ", "description: ", &format!("runbook_url: deploy/runbooks/{name}.md")] {
                assert!(rule.rest.contains(part), "{name} has no `{part}`");
            }
        }
    }
}

#[test]
fn every_alert_has_a_story_in_which_it_is_silent_fires_and_ends() {
    let mut stories: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for file in ["alerts_test.yaml", "objectives_test.yaml"] {
        for story in read(format!("deploy/prometheus/{file}")).split("\n  - name: ").skip(1) {
            let mut name = String::new();
            let mut of_story: BTreeMap<String, Vec<bool>> = BTreeMap::new();
            for line in story.lines() {
                if let Some((_, rest)) = line.split_once("alertname: ") {
                    rest.split(',').next().unwrap_or_default().clone_into(&mut name);
                }
                if line.contains("exp_alerts:") {
                    of_story.entry(name.clone()).or_default().push(!line.contains("exp_alerts: []"));
                }
            }
            for (alert, looks) in of_story {
                // The longest story of an alert counts.
                let known = stories.entry(alert).or_default();
                if looks.len() > known.len() {
                    *known = looks;
                }
            }
        }
    }
    for alert in alerts() {
        let looks =
            stories.get(&alert).unwrap_or_else(|| panic!("{alert} has no story in deploy/prometheus"));
        assert!(
            looks.starts_with(&[false, true]) && looks[2..].contains(&false),
            "the story of {alert} shows it silent, then firing, then over: {looks:?}"
        );
    }
    let unknown: Vec<&String> = stories.keys().filter(|name| !alerts().contains(*name)).collect();
    assert!(unknown.is_empty(), "stories of alerts that do not exist: {unknown:?}");
}

/// The headings of every runbook, in their order.
const HEADINGS: &[&str] = &["What it means", "Look", "Causes and remedies", "When to escalate"];

#[test]
fn every_alert_has_a_runbook_of_the_same_shape() {
    let mut files = BTreeSet::new();
    for entry in
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/runbooks")).expect("runbooks")
    {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let name = name.strip_suffix(".md").filter(|name| name.starts_with("WimMatch"));
        files.extend(name.map(str::to_owned));
    }
    assert_eq!(files, alerts(), "each alert has a runbook, and each runbook an alert");
    for alert in alerts() {
        let page = read(format!("deploy/runbooks/{alert}.md"));
        assert!(page.starts_with(&format!("# {alert}\n")), "{alert}.md begins with its name");
        let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{alert}.md");
        assert!(page.contains("```sh"), "{alert}.md has a command");
    }
    let index = read("deploy/runbooks/README.md");
    let absent: Vec<String> =
        alerts().into_iter().filter(|alert| !index.contains(&format!("({alert}.md)"))).collect();
    assert!(absent.is_empty(), "deploy/runbooks/README.md does not list {absent:?}");
}
