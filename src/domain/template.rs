//! A text with parameters and choices.
//!
//! - `{name}` is replaced by a value.
//! - `{name|one|many}` chooses by the plural form of the count `name`, with as many choices as the language has plural
//!   forms (two here). One more choice, in front, is for zero: `{name|none|one|many}`.
//! - `{name=other|same|different}` chooses by equality. `other` is a parameter, a number or a `'text'`.
//!
//! Choices may hold parameters and choices.

/// A parsed template.
#[derive(Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(String),
    Count { name: String, none: Option<Template>, forms: Vec<Template> },
    Equality { name: String, other: Other, same: Template, different: Template },
}

/// The right side of an equality.
#[derive(Debug, PartialEq, Eq)]
enum Other {
    Parameter(String),
    Number(u64),
    Text(String),
}

/// The value of a parameter.
#[derive(Debug)]
pub struct Value {
    /// Form that choices compare.
    pub raw: String,
    /// Form that the text shows.
    pub words: String,
}

impl Value {
    /// A value with one form for both.
    pub fn same(words: String) -> Self {
        Self { raw: words.clone(), words }
    }
}

impl Template {
    /// Reads a template of a language with that many plural forms. The error describes the first mistake.
    pub fn parse(text: &str, plural_forms: usize) -> Result<Self, String> {
        let mut rest = text;
        Self::parse_until(&mut rest, &[], plural_forms)
    }

    /// Reads up to one of the `ends` at this level, or to the end of the text if there are none.
    fn parse_until(rest: &mut &str, ends: &[char], plural_forms: usize) -> Result<Self, String> {
        let mut parts = Vec::new();
        loop {
            let stop = rest.find(|c: char| c == '{' || c == '}' || ends.contains(&c)).unwrap_or(rest.len());
            let (text, behind) = rest.split_at(stop);
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            *rest = behind;
            match behind.chars().next() {
                Some('{') => {
                    *rest = &behind[1..];
                    parts.push(Self::parse_parameter(rest, plural_forms)?);
                }
                Some(end) if ends.contains(&end) => return Ok(Self(parts)),
                None if ends.is_empty() => return Ok(Self(parts)),
                Some(_) => return Err("a `}` closes nothing".to_owned()),
                None => return Err("a `{` is never closed".to_owned()),
            }
        }
    }

    /// Reads a parameter after its `{`, up to and with its `}`.
    fn parse_parameter(rest: &mut &str, plural_forms: usize) -> Result<Part, String> {
        let stop = rest.find(['|', '}']).ok_or("a `{` is never closed")?;
        let (name, other) = match rest[..stop].split_once('=') {
            Some((name, other)) => (parameter(name)?, Some(Other::parse(other)?)),
            None => (parameter(&rest[..stop])?, None),
        };
        *rest = &rest[stop..];
        let mut choices = Vec::new();
        while let Some(behind) = rest.strip_prefix('|') {
            *rest = behind;
            choices.push(Self::parse_until(rest, &['|', '}'], plural_forms)?);
        }
        *rest = rest.strip_prefix('}').ok_or("a `{` is never closed")?;
        if let Some(other) = other {
            let [same, different] = <[Self; 2]>::try_from(choices)
                .map_err(|choices| format!("`{name}=` needs two choices, not {}", choices.len()))?;
            return Ok(Part::Equality { name, other, same, different });
        }
        match choices.len() {
            0 => Ok(Part::Value(name)),
            given if given == plural_forms => Ok(Part::Count { name, none: None, forms: choices }),
            given if given == plural_forms + 1 => {
                let none = Some(choices.remove(0));
                Ok(Part::Count { name, none, forms: choices })
            }
            given => Err(format!(
                "`{name}` needs {plural_forms} choices, or {} with one for zero, not {given}",
                plural_forms + 1
            )),
        }
    }

    /// The text with its parameters replaced by what `value` returns for their names.
    /// `plural` is the rule of the language: the form of a count.
    pub fn fill(&self, plural: &dyn Fn(u64) -> usize, value: &dyn Fn(&str) -> Value) -> String {
        let mut filled = String::new();
        self.fill_into(&mut filled, plural, value);
        filled
    }

    fn fill_into(&self, filled: &mut String, plural: &dyn Fn(u64) -> usize, value: &dyn Fn(&str) -> Value) {
        for part in &self.0 {
            let chosen = match part {
                Part::Text(text) => {
                    filled.push_str(text);
                    None
                }
                Part::Value(name) => {
                    filled.push_str(&value(name).words);
                    None
                }
                Part::Count { name, none, forms } => match (count_of(&value(name).raw), none) {
                    (0, Some(none)) => Some(none),
                    (count, _) => forms.get(plural(count)).or(forms.last()),
                },
                Part::Equality { name, other, same, different } => {
                    let raw = value(name).raw;
                    let equal = match other {
                        Other::Parameter(other) => raw == value(other).raw,
                        Other::Number(number) => count_of(&raw) == *number,
                        Other::Text(text) => raw == *text,
                    };
                    Some(if equal { same } else { different })
                }
            };
            if let Some(chosen) = chosen {
                chosen.fill_into(filled, plural, value);
            }
        }
    }

    /// Names of all parameters, those that are only compared among them, with repeats.
    #[cfg(test)]
    pub fn parameters(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for part in &self.0 {
            let choices: Vec<&Self> = match part {
                Part::Text(_) => continue,
                Part::Value(name) => {
                    names.push(name.as_str());
                    continue;
                }
                Part::Count { name, none, forms } => {
                    names.push(name);
                    none.iter().chain(forms).collect()
                }
                Part::Equality { name, other, same, different } => {
                    names.push(name);
                    if let Other::Parameter(other) = other {
                        names.push(other);
                    }
                    vec![same, different]
                }
            };
            names.extend(choices.into_iter().flat_map(Self::parameters));
        }
        names
    }
}

impl Other {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(text) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            return Ok(Self::Text(text.to_owned()));
        }
        text.parse().map(Self::Number).or_else(|_| parameter(text).map(Self::Parameter))
    }
}

fn parameter(name: &str) -> Result<String, String> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
        return Err(format!("`{name}` is not the name of a parameter"));
    }
    Ok(name.to_owned())
}

/// Reads a count, with or without separators of thousands.
fn count_of(text: &str) -> u64 {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    digits.fold(0, |count: u64, digit| count.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(count: u64) -> usize {
        usize::from(count != 1)
    }

    fn fill(text: &str, n: &str) -> String {
        Template::parse(text, 2).expect("a good template").fill(&two, &|name| match name {
            "n" => Value::same(n.to_owned()),
            other => Value::same(format!("<{other}>")),
        })
    }

    #[test]
    fn parameters_are_replaced_and_their_values_are_not_read_again() {
        assert_eq!(fill("a {n} b {other_name}", "{n}|}"), "a {n}|} b <other_name>");
        assert_eq!(fill("", "1"), "");
        assert_eq!(fill("a|b=c", "1"), "a|b=c", "signs outside braces are text");
    }

    #[test]
    fn counts_choose_by_the_rules_of_their_language() {
        let chosen = |n| fill("{n|one day|{n} days}", n);
        assert_eq!(["0", "1", "2"].map(chosen), ["0 days", "one day", "2 days"]);
        assert_eq!(fill("{n|one|many}", "1,001"), "many");
        assert_eq!(fill("{n|none|one|many}", "0"), "none");
    }

    /// The rule of Russian and Ukrainian for whole numbers, Unicode CLDR.
    fn slavic(count: u64) -> usize {
        match (count % 10, count % 100) {
            (1, last) if last != 11 => 0,
            (2..=4, last) if !(12..=14).contains(&last) => 1,
            _ => 2,
        }
    }

    #[test]
    fn a_language_with_three_plural_forms_needs_its_rule_and_nothing_else() {
        let filled = |text, n: &str| {
            let template = Template::parse(text, 3).expect("a good template");
            template.fill(&slavic, &|_| Value::same(n.to_owned()))
        };
        let days = |n| filled("{n} {n|den'|dnja|dnej}", n);
        assert_eq!(
            ["1", "3", "5", "11", "21"].map(days),
            ["1 den'", "3 dnja", "5 dnej", "11 dnej", "21 den'"]
        );
        assert_eq!(filled("{n|none|a|b|c}", "0"), "none");
        assert!(Template::parse("{n|one|many}", 3).is_err());
    }

    #[test]
    fn choices_hold_parameters_and_choices() {
        let text = "{n|one {a}|{n} {b|x|{c}}}!";
        assert_eq!(fill(text, "1"), "one <a>!");
        assert_eq!(fill(text, "3"), "3 <c>!");
        let template = Template::parse(text, 2).expect("a good template");
        assert_eq!(template.parameters(), ["n", "a", "n", "b", "c"]);
    }

    #[test]
    fn equal_values_choose_the_first_text() {
        let text = "{n=2|both|{n=m|all|{n='native'|own|{n} of {m}}}}";
        let filled = |n: &str, m: &str| {
            let value = |name: &str| Value::same(if name == "n" { n } else { m }.to_owned());
            Template::parse(text, 2).expect("a good template").fill(&two, &value)
        };
        assert_eq!(filled("2", "2"), "both");
        assert_eq!(filled("3", "3"), "all");
        assert_eq!(filled("native", "3"), "own");
        assert_eq!(filled("1", "3"), "1 of 3");
        let template = Template::parse(text, 2).expect("a good template");
        assert_eq!(template.parameters(), ["n", "n", "m", "n", "n", "m"]);
    }

    #[test]
    fn broken_templates_are_refused_with_the_reason() {
        for (text, why) in [
            ("{n", "never closed"),
            ("{n|a", "never closed"),
            ("n}", "closes nothing"),
            ("{}", "not the name"),
            ("{N}", "not the name"),
            ("{n=|a|b}", "not the name"),
            ("{n=M|a|b}", "not the name"),
            ("{n=m}", "needs two choices"),
            ("{n=m|a|b|c}", "needs two choices"),
            ("{n|a}", "needs 2 choices"),
            ("{n|a|b|c|d}", "needs 2 choices"),
        ] {
            let error = Template::parse(text, 2).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
