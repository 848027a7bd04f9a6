//! Reads as much of PromQL as the checks need: the selectors of an expression and the labels that it groups by.

/// A selector: `metric{label="value"}`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    /// The selector as it stands, without its range.
    pub(crate) text: String,
    pub(crate) metric: String,
    pub(crate) labels: Vec<String>,
}

/// What an expression names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) selectors: Vec<Selector>,
    /// Labels after `by`, `on` and the like.
    pub(crate) groups: Vec<String>,
}

/// Words after which labels stand in parentheses.
const GROUPING: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Operators, and functions that may have their labels before their argument.
const WORDS: &[&str] =
    &["and", "or", "unless", "bool", "offset", "inf", "nan", "sum", "min", "max", "avg", "count", "topk"];

/// The names in an expression.
pub(crate) fn names(expression: &str) -> Names {
    let mut names = Names::default();
    let mut at = 0;
    while let Some(c) = expression[at..].chars().next() {
        let rest = &expression[at..];
        at += match c {
            '"' => 2 + rest[1..].find('"').expect("a text ends"),
            '[' => 1 + rest.find(']').expect("a range ends"),
            // Numbers and durations.
            _ if c.is_ascii_digit() => length(rest, |c| c.is_ascii_alphanumeric() || c == '.'),
            _ if is_start(c) => word(rest, &mut names),
            _ => c.len_utf8(),
        };
    }
    names
}

fn is_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == ':'
}

fn length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// Reads a word with what belongs to it, and returns the length of both.
fn word(text: &str, names: &mut Names) -> usize {
    let end = length(text, |c| is_start(c) || c.is_ascii_digit());
    let (word, rest) = text.split_at(end);
    let blank = rest.len() - rest.trim_start().len();
    let next = rest.trim_start().chars().next();
    if GROUPING.contains(&word) {
        if next != Some('(') {
            return end;
        }
        let close = rest.find(')').expect("a list of labels ends");
        names.groups.extend(listed(&rest[blank + 1..close]));
        return end + close + 1;
    }
    if WORDS.contains(&word) || next == Some('(') {
        return end;
    }
    let mut selector = Selector { text: word.to_owned(), metric: word.to_owned(), labels: Vec::new() };
    let mut read = end;
    if rest.starts_with('{') {
        let close = rest.find('}').expect("a selector ends");
        // A matcher is a label, an operator and a text in quotation marks.
        let outside: Vec<&str> = rest[1..close].split('"').step_by(2).collect();
        selector.labels = outside
            .iter()
            .flat_map(|part| listed(part))
            .map(|label| label.trim_end_matches(['=', '~', '!', ' ']).to_owned())
            .collect();
        selector.text += &rest[..=close];
        read += close + 1;
    }
    names.selectors.push(selector);
    read
}

fn listed(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_names_in_an_expression_are_found() {
    let selector = |text: &str, metric: &str, labels: &[&str]| Selector {
        text: text.to_owned(),
        metric: metric.to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    let read = names(
        "topk(10, sum by (a, le) (rate(x_bucket{job=\"j, k\", b!~\"(y|z).*\"}[5m] offset 1d))) > bool 1.5e3 \
         and on (c) (w:x:rate1m or vector(0)) / on (d) group_left () up",
    );
    assert_eq!(
        read.selectors,
        [
            selector("x_bucket{job=\"j, k\", b!~\"(y|z).*\"}", "x_bucket", &["job", "b"]),
            selector("w:x:rate1m", "w:x:rate1m", &[]),
            selector("up", "up", &[]),
        ]
    );
    assert_eq!(read.groups, ["a", "le", "c", "d"]);
}
