//! What `deploy/` names exists: settings, commands with their options, files, ports and metrics. What it runs is confined, and
//! every image has its version.

mod reading;
mod scripts;

use std::collections::{BTreeMap, BTreeSet};

use clap::CommandFactory as _;
use wim_match::cli::Cli;
use wim_match::config::DEFAULTS;
use wim_match::telemetry::metrics::{Metric, TABLE};

use self::reading::{Text, exists, texts};

/// Labels that begin as a metric does.
const LABELS: &[&str] = &["db_client_connection_pool_name", "db_client_connection_state"];

/// First words of our metrics.
const FAMILIES: &[&str] = &["wim_match_", "rpc_server_", "db_client_", "process_"];

/// Endings that a histogram adds to its name.
const OF_HISTOGRAMS: &[&str] = &["_bucket", "_sum", "_count"];

/// Ports of the other programs that the manifests start or reach.
const OTHER_PORTS: &[(&str, u16)] = &[
    ("names", 53),
    ("Grafana", 3000),
    ("the collector, OTLP", 4317),
    ("PostgreSQL", 5432),
    ("a pooler", 6432),
    ("the collector, its own metrics", 8888),
    ("Prometheus", 9090),
];

/// Paths of the second port.
const MONITORING_PATHS: &[&str] = &["/livez", "/readyz", "/metrics"];

/// The metrics of the table by the names that Prometheus shows.
fn known_metrics() -> BTreeSet<String> {
    TABLE.iter().map(Metric::name_for_prometheus).collect()
}

/// Settings with their defaults, as far as these are texts.
fn settings() -> BTreeMap<String, String> {
    let table: toml::Table = toml::from_str(DEFAULTS).expect("TOML");
    let text = |value: &toml::Value| value.as_str().unwrap_or_default().to_owned();
    table.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// The ports of the service by their settings.
fn own_ports() -> BTreeMap<&'static str, u16> {
    let settings = settings();
    let port = |name: &'static str| {
        let address = settings[name].rsplit(':').next().unwrap_or_default();
        (name, address.parse().expect("a port"))
    };
    ["listen", "monitoring_listen"].into_iter().map(port).collect()
}

#[track_caller]
fn assert_none(wrong: &[String], what: &str) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

/// Whether `words` are a command or an option of it.
fn accepts(program: &clap::Command, words: &[&str]) -> Result<(), String> {
    let mut command = program;
    let mut options: Vec<&clap::Arg> = command.get_arguments().collect();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(option) = word.strip_prefix("--") {
            let (name, value) =
                option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
            if ["help", "version"].contains(&name) {
                continue;
            }
            let known = options.iter().find(|known| known.get_long() == Some(name));
            let known = known.ok_or_else(|| format!("`{}` has no option --{name}", command.get_name()))?;
            if known.get_action().takes_values() && value.is_none() {
                words.next();
            }
        } else if command.has_subcommands() {
            let below = command.find_subcommand(word);
            command = below.ok_or_else(|| format!("`{}` has no command {word}", command.get_name()))?;
            options.extend(command.get_arguments());
        }
    }
    let is_whole = !command.has_subcommands();
    is_whole.then_some(()).ok_or_else(|| format!("`{}` needs a command", command.get_name()))
}

#[test]
fn every_setting_that_is_set_exists() {
    let mut known: BTreeSet<String> =
        settings().keys().map(|name| format!("WIM_MATCH_{}", name.to_uppercase())).collect();
    let program = Cli::command();
    known.extend(program.get_arguments().filter_map(|option| Some(option.get_env()?.to_str()?.to_owned())));
    let settings = settings();
    // The folder of PostgreSQL names settings of PostgreSQL.
    let is_ours = |text: &Text| !text.path.starts_with("deploy/postgresql/");
    let (mut wrong, mut read) = (Vec::new(), 0);
    for text in texts() {
        for name in
            text.words(|c| c.is_ascii_uppercase() || c == '_').filter(|word| word.starts_with("WIM_MATCH_"))
        {
            read += 1;
            if !known.contains(name) {
                wrong.push(format!("{}: {name}", text.path));
            }
        }
        for span in text.quoted().into_iter().filter(|_| is_ours(&text)) {
            let name = span.split_once(" = ").map_or("", |(name, _)| name);
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if is_name && !settings.contains_key(name) {
                wrong.push(format!("{}: {name}", text.path));
            }
        }
    }
    assert!(read > 10, "the manifests were read");
    assert_none(&wrong, "there are no such settings");
}

#[test]
fn every_command_that_is_run_exists_with_its_options() {
    let program = Cli::command();
    let (mut wrong, mut read) = (Vec::new(), 0);
    for text in texts() {
        for words in text.commands() {
            read += 1;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if let Err(error) = accepts(&program, &words) {
                wrong.push(format!("{}: wim-match {}: {error}", text.path, words.join(" ")));
            }
        }
    }
    assert!(read > 10, "the commands were read: {read}");
    assert_none(&wrong, "there are no such commands");
}

#[test]
fn every_page_of_the_manual_that_a_unit_names_exists() {
    fn pages(command: &clap::Command, name: &str, found: &mut BTreeSet<String>) {
        found.insert(name.to_owned());
        for below in command.get_subcommands() {
            pages(below, &format!("{name}-{}", below.get_name()), found);
        }
    }
    let mut known = BTreeSet::new();
    pages(&Cli::command(), "wim-match", &mut known);
    let texts = texts();
    let named: Vec<&str> = texts.iter().flat_map(Text::pages).collect();
    assert!(named.len() > 2, "{named:?}");
    let absent: Vec<_> = named.iter().filter(|page| !known.contains(**page)).collect();
    assert!(absent.is_empty(), "there are no such pages: {absent:?}");
}

#[test]
fn a_wrong_command_is_found_wherever_it_stands() {
    let program = Cli::command();
    let of = |path: &str, text: &str| Text { path: path.to_owned(), text: text.to_owned() }.commands();
    let page = "Call `wim-match doctor`.\n```sh\nrunuser -u wim-match -- wim-match admin token list --config x | cat\n```\n";
    assert_eq!(of("a.md", page), [vec!["doctor"], vec!["admin", "token", "list", "--config", "x"]]);
    assert_eq!(
        of("a.service", "ExecStart=/usr/local/bin/wim-match serve --config /x"),
        [["serve", "--config", "/x"]]
    );
    assert_eq!(of("a.yaml", "          args: [admin, migrate]"), [["admin", "migrate"]]);
    assert_eq!(of("Dockerfile", "CMD [\"/usr/local/bin/wim-match\", \"health\"]"), [["health"]]);
    assert!(accepts(&program, &["admin", "token", "list", "--config", "x", "--json"]).is_ok());
    assert!(accepts(&program, &["--lang", "es", "doctor"]).is_ok());
    for words in
        [&["sever"][..], &["admin", "token"], &["serve", "--confg", "x"], &["admin", "tokens", "list"]]
    {
        assert!(accepts(&program, words).is_err(), "{words:?}");
    }
}

#[test]
fn every_file_that_a_manifest_names_exists() {
    let absent: Vec<String> = texts()
        .iter()
        .flat_map(|text| {
            text.files().into_iter().filter(|file| !exists(file)).map(|file| format!("{}: {file}", text.path))
        })
        .collect();
    assert_none(&absent, "there are no such files");
}

#[test]
fn every_port_is_a_port_of_the_service_or_of_a_program_beside_it() {
    let own = own_ports();
    let known: BTreeSet<u16> =
        own.values().copied().chain(OTHER_PORTS.iter().map(|(_, port)| *port)).collect();
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for text in texts() {
        for port in text.ports() {
            used.insert(port);
            if !known.contains(&port) {
                wrong.push(format!("{}: {port}", text.path));
            }
        }
        for (setting, port) in &own {
            let variable = format!("WIM_MATCH_{}=", setting.to_uppercase());
            for (at, _) in text.text.match_indices(&variable) {
                let value = text.text[at + variable.len()..].split_whitespace().next().unwrap_or_default();
                if !value.ends_with(&format!(":{port}")) {
                    wrong.push(format!("{}: {variable}{value}, and the other files name {port}", text.path));
                }
            }
        }
        // A path of a probe or a scrape.
        for line in
            text.text.lines().filter(|line| line.contains("httpGet:") || line.contains("metrics_path:"))
        {
            if !MONITORING_PATHS.iter().any(|path| line.contains(path)) {
                wrong.push(format!("{}: {}", text.path, line.trim()));
            }
        }
    }
    let declared: BTreeSet<String> = texts()
        .iter()
        .flat_map(|text| text.port_names().1.into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    for text in texts() {
        let names = text.port_names().0.into_iter().filter(|name| !declared.contains(*name));
        wrong.extend(names.map(|name| format!("{}: {name}", text.path)));
    }
    assert!(own.values().all(|port| used.contains(port)), "the ports were read: {used:?}");
    assert_none(&wrong, "these ports belong to nobody");
}

#[test]
fn whoever_opens_the_port_to_other_machines_says_who_has_tls() {
    let mut wrong = Vec::new();
    for path in ["deploy/compose.yaml", "deploy/kubernetes/base/kustomization.yaml"] {
        let text = reading::read(path);
        let says = |name: &str| text.contains(&format!("WIM_MATCH_{name}"));
        let has_tls = says("TLS_CERTIFICATE") && says("TLS_KEY");
        if !has_tls && !says("PLAIN_TEXT_BEHIND_A_PROXY") {
            wrong.push(path.to_owned());
        }
    }
    for text in texts() {
        for run in text.text.split("docker run").skip(1) {
            let command = run.split("\n```").next().unwrap_or_default();
            if command.contains("wim-match:") && !command.contains("serve --plain-text-behind-a-proxy") {
                wrong.push(format!("{}: docker run", text.path));
            }
        }
    }
    let image = reading::read("deploy/Dockerfile");
    assert!(image.contains("WIM_MATCH_LISTEN=0.0.0.0:"), "the image listens on all addresses");
    assert!(!image.contains("PLAIN_TEXT"), "the image alone does not know what is in front of it");
    assert_none(&wrong, "the service would refuse to start");
}

#[test]
fn every_metric_that_is_read_exists() {
    let known = known_metrics();
    let is_known = |name: &str| {
        let base = |ending: &&str| name.strip_suffix(*ending).is_some_and(|base| known.contains(base));
        known.contains(name) || LABELS.contains(&name) || OF_HISTOGRAMS.iter().any(base)
    };
    let (mut wrong, mut read) = (Vec::new(), 0);
    for text in texts() {
        // Recorded rules have a colon in their names.
        for word in text.words(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == ':') {
            let is_ours = FAMILIES.iter().any(|family| word.starts_with(family) && word.len() > family.len());
            if is_ours && !word.contains(':') {
                read += 1;
                if !is_known(word) {
                    wrong.push(format!("{}: {word}", text.path));
                }
            }
        }
    }
    assert!(read > 0, "the metrics were read");
    assert_none(&wrong, "there are no such metrics");
}

#[test]
fn every_image_has_a_version_and_ours_is_the_one_of_the_package() {
    let version = env!("CARGO_PKG_VERSION");
    let (mut wrong, mut read) = (Vec::new(), 0);
    for text in texts() {
        for line in text.text.lines().map(str::trim) {
            let image = line.strip_prefix("image: ").or_else(|| line.strip_prefix("FROM "));
            if let Some(image) =
                image.and_then(|rest| rest.split_whitespace().next()).filter(|image| *image != "scratch")
            {
                read += 1;
                let tag =
                    image.split('@').next().and_then(|name| name.rsplit_once(':')).map_or("", |(_, tag)| tag);
                let is_ours = image.starts_with("wim-match:");
                if !tag.contains(|c: char| c.is_ascii_digit()) || (is_ours && tag != version) {
                    wrong.push(format!("{}: {image}", text.path));
                }
            }
            let told = line.strip_prefix("ARG VERSION=").or_else(|| line.strip_prefix("newTag: "));
            if told.is_some_and(|told| told != version) {
                wrong.push(format!("{}: {line}", text.path));
            }
        }
    }
    assert!(read > 5, "the images were read");
    assert_none(&wrong, "an image without its version");
}

#[test]
fn everything_that_runs_in_a_container_is_confined_and_bounded() {
    let of_kubernetes = [
        "runAsNonRoot: true",
        "type: RuntimeDefault",
        "allowPrivilegeEscalation: false",
        "readOnlyRootFilesystem: true",
        "drop: [ALL]",
        "automountServiceAccountToken: false",
        "requests:",
        "limits:",
    ];
    let mut read = 0;
    for text in texts().iter().filter(|text| text.path.starts_with("deploy/kubernetes/")) {
        let is_whole = text.text.contains("restartPolicy:") || text.text.contains("revisionHistoryLimit:");
        assert!(!text.text.contains("kind: Secret\n"), "{}: a secret is made by hand", text.path);
        for rule in of_kubernetes.iter().filter(|_| is_whole) {
            read += 1;
            assert!(text.text.contains(rule), "{}: `{rule}` is missing", text.path);
        }
    }
    assert_eq!(read, 3 * of_kubernetes.len(), "three kinds of pods");
    let compose = reading::read("deploy/compose.yaml");
    let services = compose.split("\nservices:\n").nth(1).and_then(|rest| rest.split("\nnetworks:").next());
    let services: Vec<&str> = services.expect("services").split("\n\n").collect();
    assert!(services.len() > 4);
    for service in services {
        for rule in ["<<: *confined", "user: \"", "limits: {cpus: "] {
            assert!(service.contains(rule), "`{rule}` is missing in compose.yaml:\n{service}");
        }
        let published =
            service.split("ports: [").skip(1).map(|rest| rest.split(']').next().unwrap_or_default());
        for port in published {
            assert!(port.starts_with("\"127.0.0.1:"), "{port} is not on loopback");
        }
    }
}
