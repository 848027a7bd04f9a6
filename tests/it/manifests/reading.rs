//! The files of `deploy/`, and what they name: words, spans in quotation marks, commands, files and ports.

use std::path::Path;

/// Folders at the top of the repository whose names begin a path.
const FOLDERS: &[&str] = &["deploy/", "docs/", "src/", "tests/", "migrations/", "clients/", "fuzz/", ".ci/"];

/// Files of `deploy/` that a command makes.
const MADE: &str = "deploy/secrets";

/// Options of other programs whose value is the name of our user, folder or container.
const NAMES_FOLLOW: &[&str] = &["-u", "-n", "-g", "--namespace", "--name", "--user", "exec", "chown", "-o"];

/// Characters that end a command of a shell.
const ENDS: &[char] = &['|', ';', '&', '>', '<', ')', '#', '`'];

/// A file of `deploy/`.
pub(super) struct Text {
    /// Its path in the repository.
    pub(super) path: String,
    pub(super) text: String,
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn read(path: &str) -> String {
    std::fs::read_to_string(package().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether the repository has a file or folder of this path, or a command makes it.
pub(super) fn exists(path: &str) -> bool {
    path.starts_with(MADE) || package().join(path).exists()
}

/// All files of `deploy/`.
pub(super) fn texts() -> Vec<Text> {
    let mut found = Vec::new();
    let mut folders = vec!["deploy".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(package().join(&folder)).expect("a folder") {
            let entry = entry.expect("an entry");
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if path == MADE || path.ends_with("__pycache__") {
                continue;
            }
            if entry.path().is_dir() {
                folders.push(path);
            } else {
                found.push(Text { text: read(&path), path });
            }
        }
    }
    found
}

impl Text {
    /// Whether the name of the file ends with a point and `ending`.
    fn is(&self, ending: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, found)| found == ending)
    }

    /// All words of characters that `is_part` accepts.
    pub(super) fn words(&self, is_part: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
        self.text.split(move |c: char| !is_part(c)).filter(|word| !word.is_empty())
    }

    /// Texts between backquotes outside of blocks.
    pub(super) fn quoted(&self) -> Vec<&str> {
        let prose = self.text.split("```").step_by(2);
        prose.flat_map(|text| text.lines()).flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
    }

    /// The words after `wim-match` of all commands: in backquotes, in blocks of pages, in scripts, units, and lists of words.
    pub(super) fn commands(&self) -> Vec<Vec<String>> {
        let mut found: Vec<Vec<String>> = self.quoted().into_iter().filter_map(command_of).collect();
        let joined = self.text.replace("\\\n", " ");
        let lines: Vec<&str> = if self.is("md") {
            joined.split("```").skip(1).step_by(2).flat_map(str::lines).collect()
        } else {
            joined.lines().filter(|line| !line.trim_start().starts_with('#')).collect()
        };
        let is_script = self.text.starts_with("#!") && !self.is("py");
        for line in lines {
            let list = ["args: [", "CMD ["].iter().find_map(|start| line.trim_start().split_once(start));
            if let Some((_, list)) = list {
                let words = list.split(']').next().unwrap_or_default().split(',');
                let words = words.map(|word| word.trim().trim_matches('"').to_owned());
                found.push(words.filter(|word| !is_program(word)).collect());
            } else if let Some(run) = line.strip_prefix("ExecStart=") {
                found.extend(command_of(run));
            } else if is_script || self.is("md") {
                found.extend(command_of(line));
            }
        }
        found
    }

    /// Paths in the repository that the file names, and files that a manifest reads relative to itself.
    pub(super) fn files(&self) -> Vec<String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        let mut found: Vec<String> = self
            .words(is_plain)
            .map(|word| word.trim_end_matches(['.', '/']))
            .filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)))
            .map(str::to_owned)
            .collect();
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        // The installed program of a unit is a file of this folder, unless it is the binary.
        let programs =
            self.text.lines().filter_map(|line| line.strip_prefix("ExecStart=")?.split_whitespace().next());
        let programs = programs.filter(|program| *program != "/usr/local/bin/wim-match");
        found.extend(programs.map(|program| program.replace("/usr/local/libexec/", "deploy/")));
        for line in self.text.lines().map(str::trim) {
            let relative = match self.path.rsplit('/').next().unwrap_or_default() {
                "kustomization.yaml" => {
                    let item = line.strip_prefix("- path: ").or_else(|| line.strip_prefix("- "));
                    item.filter(|item| !item.contains([':', '=', ' ']))
                }
                "compose.yaml" => {
                    let item = line.trim_start_matches("volumes: [\"").trim_start_matches("- ");
                    let mount = item.split(':').next().filter(|item| item.starts_with("./"));
                    mount.or_else(|| line.strip_prefix("env_file: "))
                }
                "prometheus.yaml" => line.strip_prefix("- ").filter(|item| item.ends_with("alerts.yaml")),
                _ => None,
            };
            found.extend(relative.map(|item| normal(&format!("{folder}/{item}"))));
        }
        found
    }

    /// The pages for `man` that a unit names.
    pub(super) fn pages(&self) -> Vec<&str> {
        let named = self.text.split("man:").skip(1).filter(|_| self.is("service"));
        named.map(|rest| rest.split('(').next().unwrap_or_default()).collect()
    }

    /// Ports of Kubernetes that are named, and the names that are declared.
    pub(super) fn port_names(&self) -> (Vec<&str>, Vec<&str>) {
        let lines =
            || self.text.lines().map(str::trim).filter(|_| self.path.starts_with("deploy/kubernetes/"));
        let is_name = |value: &&str| value.chars().all(|c| c.is_ascii_lowercase());
        let inside = lines()
            .filter_map(|line| line.split_once(", port: ").map(|(_, rest)| rest.trim_end_matches('}')));
        let used = lines().filter_map(|line| line.strip_prefix("targetPort: ")).chain(inside).filter(is_name);
        (used.collect(), lines().filter_map(|line| line.strip_prefix("- name: ")).collect())
    }

    /// Ports: of keys that hold a port, of addresses, and of `EXPOSE`.
    pub(super) fn ports(&self) -> Vec<u16> {
        let mut found = Vec::new();
        let is_manifest = self.is("yaml") || self.path.ends_with("Dockerfile");
        for line in self.text.lines().map(|line| line.trim().trim_start_matches("- ")) {
            let key = ["port: ", "containerPort: ", "targetPort: ", "prometheus.io/port: ", "EXPOSE "]
                .iter()
                .find_map(|key| line.strip_prefix(key));
            if let Some(value) = key.filter(|_| is_manifest) {
                found.extend(
                    value.split_whitespace().filter_map(|port| port.trim_matches('"').parse::<u16>().ok()),
                );
                continue;
            }
            let words = line.split(|c: char| c.is_whitespace() || "\"'`[](){},=<>|".contains(c));
            found.extend(words.flat_map(ports_of));
        }
        found
    }
}

/// `a/b/../c` as `a/c`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn is_program(word: &str) -> bool {
    // The folder of the state has the name of the program.
    word == "wim-match" || (word.ends_with("/wim-match") && !word.ends_with("/lib/wim-match"))
}

/// The words after `wim-match` of a command line, if it runs the program.
fn command_of(line: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let runs = |at: usize| {
        let before = at.checked_sub(1).map_or("", |before| words[before]);
        let after = words.get(at + 1).copied().unwrap_or_default();
        let after = after.split(ENDS).next().unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '-';
        let is_word = if after.starts_with('-') {
            after.starts_with("--") && after.len() > 2
        } else {
            !after.is_empty() && after.chars().all(is_plain) && !is_program(after)
        };
        is_program(words[at].trim_start_matches(['"', '(', '$']))
            && is_word
            && !NAMES_FOLLOW.contains(&before)
    };
    let at = (0..words.len()).find(|at| runs(*at))?;
    let mut command = Vec::new();
    for word in &words[at + 1..] {
        let end = word.find(ENDS).unwrap_or(word.len());
        if end > 0 {
            command.push(word[..end].trim_matches('"').to_owned());
        }
        if end < word.len() {
            break;
        }
    }
    Some(command)
}

/// The ports of `host:port`, `scheme://host:port/path` or `address:port:port`.
fn ports_of(word: &str) -> Vec<u16> {
    let word = word.split_once("://").map_or(word, |(_, rest)| rest);
    let word = word.split_once('@').map_or(word, |(_, rest)| rest);
    let address = word.split('/').next().unwrap_or_default();
    let (host, rest) = address.split_once(':').unwrap_or((address, ""));
    let is_address = host.split('.').count() == 4 && host.split('.').all(|part| part.parse::<u8>().is_ok());
    let is_name = !host.is_empty()
        && host.chars().all(|c| c.is_ascii_lowercase() || "-.".contains(c))
        && host.chars().any(|c| c.is_ascii_lowercase());
    let ports: Vec<&str> = rest.split(':').filter(|_| !rest.is_empty()).collect();
    let are_numbers = ports.iter().all(|port| port.len() > 1 && port.parse::<u16>().is_ok());
    if (is_address || is_name) && are_numbers {
        ports.iter().filter_map(|port| port.parse().ok()).collect()
    } else {
        Vec::new()
    }
}

#[test]
fn ports_and_files_are_found_where_they_stand() {
    assert_eq!(ports_of("http://collector.monitoring:4317"), [4317]);
    assert_eq!(ports_of("127.0.0.1:50051:50051"), [50051, 50051]);
    assert_eq!(ports_of("postgres://wim@pooler:6432/wim?x"), [6432]);
    for word in ["02:30:00", "postgres:17.11-bookworm", "65532:65532", "sha256:84560e", "cap:"] {
        assert!(ports_of(word).is_empty(), "{word}");
    }
    assert_eq!(normal("deploy/kubernetes/production/../base"), "deploy/kubernetes/base");
}
