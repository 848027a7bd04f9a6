//! The files of dashboards, rules and alerts, read as far as the checks need.

use std::path::Path;

use serde_json::Value;

/// An expression, with the place where it stands.
#[derive(Debug)]
pub(crate) struct Query {
    /// For example `service.json: Ready`.
    pub(crate) place: String,
    pub(crate) expression: String,
    /// Labels in the text of the legend.
    pub(crate) legend: Vec<String>,
}

/// A rule of a file of Prometheus.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) is_alert: bool,
    pub(crate) expression: String,
    /// The lines of the rule after its expression.
    pub(crate) rest: String,
}

/// The dashboards.
pub(crate) const DASHBOARDS: &[&str] = &["service", "matching", "follow-up"];

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The panels of a dashboard, without the titles of rows.
pub(crate) fn panels(dashboard: &str) -> Vec<Value> {
    let text = read(format!("deploy/grafana/dashboards/{dashboard}.json"));
    let content: Value = serde_json::from_str(&text).expect("is JSON");
    let panels = content["panels"].as_array().expect("panels").clone();
    panels.into_iter().filter(|panel| panel["type"] != "row").collect()
}

/// The queries of all panels.
pub(crate) fn queries() -> Vec<Query> {
    let mut queries = Vec::new();
    for dashboard in DASHBOARDS {
        for panel in panels(dashboard) {
            for target in panel["targets"].as_array().expect("queries") {
                let text = |name: &str| target[name].as_str().expect("a text").to_owned();
                let legend = text("legendFormat");
                let labels = legend.split("{{").skip(1).filter_map(|part| part.split("}}").next());
                queries.push(Query {
                    place: format!("{dashboard}.json: {}", panel["title"].as_str().expect("a title")),
                    expression: text("expr"),
                    legend: labels.map(str::to_owned).collect(),
                });
            }
        }
    }
    queries
}

/// The rules of `deploy/prometheus/FILE`.
pub(crate) fn rules(file: &str) -> Vec<Rule> {
    let text = read(format!("deploy/prometheus/{file}"));
    let mut rules: Vec<Rule> = Vec::new();
    let mut block = false;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let begins = ["      - record: ", "      - alert: "].iter().position(|start| line.starts_with(start));
        if let Some(kind) = begins {
            let name = line.split(": ").nth(1).expect("a name").to_owned();
            let (expression, rest) = (String::new(), String::new());
            rules.push(Rule { name, is_alert: kind == 1, expression, rest });
            block = false;
        } else if let Some(rule) = rules.last_mut() {
            if let Some(expression) = line.strip_prefix("        expr: ") {
                block = expression == "|";
                expression.trim_start_matches('|').clone_into(&mut rule.expression);
            } else if block && line.starts_with("          ") {
                rule.expression += line.trim_start();
                rule.expression.push('\n');
            } else {
                block = false;
                rule.rest += line;
                rule.rest.push('\n');
            }
        }
    }
    rules
}
