//! A text with parameters: `{name}` is replaced by a value, `{name|one|many}` and `{name|none|one|many}` choose between
//! texts by the count `name`. Choices may hold parameters.

use crate::domain::vocabulary::Lang;

/// A parsed template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(String),
    Choice { count: String, none: Option<Template>, one: Template, many: Template },
}

impl Template {
    /// Reads a template; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        Self::parse_until(&mut rest, &[])
    }

    /// Reads up to one of the `ends` at this level, or to the end of the text if there are none.
    fn parse_until(rest: &mut &str, ends: &[char]) -> Result<Self, String> {
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
                    parts.push(Self::parse_parameter(rest)?);
                }
                Some(end) if ends.contains(&end) => return Ok(Self(parts)),
                None if ends.is_empty() => return Ok(Self(parts)),
                Some(_) => return Err("a `}` closes nothing".to_owned()),
                None => return Err("a `{` is never closed".to_owned()),
            }
        }
    }

    /// Reads what stands behind a `{`, with its `}`.
    fn parse_parameter(rest: &mut &str) -> Result<Part, String> {
        let stop = rest.find(['|', '}']).ok_or("a `{` is never closed")?;
        let name = rest[..stop].to_owned();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            return Err(format!("`{name}` is not the name of a parameter"));
        }
        *rest = &rest[stop..];
        let mut choices = Vec::new();
        while let Some(behind) = rest.strip_prefix('|') {
            *rest = behind;
            choices.push(Self::parse_until(rest, &['|', '}'])?);
        }
        *rest = rest.strip_prefix('}').ok_or("a `{` is never closed")?;
        let mut choices = choices.into_iter();
        match (choices.next(), choices.next(), choices.next(), choices.next()) {
            (None, ..) => Ok(Part::Value(name)),
            (Some(one), Some(many), None, _) => Ok(Part::Choice { count: name, none: None, one, many }),
            (Some(none), Some(one), Some(many), None) => {
                Ok(Part::Choice { count: name, none: Some(none), one, many })
            }
            _ => Err(format!("`{name}` needs two or three choices")),
        }
    }

    /// The text with its parameters replaced by what `value` gives for their names.
    pub(super) fn fill(&self, lang: Lang, value: &dyn Fn(&str) -> String) -> String {
        let mut filled = String::new();
        self.fill_into(&mut filled, lang, value);
        filled
    }

    fn fill_into(&self, filled: &mut String, lang: Lang, value: &dyn Fn(&str) -> String) {
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Value(name) => filled.push_str(&value(name)),
                Part::Choice { count, none, one, many } => {
                    let chosen = match (count_of(&value(count)), none) {
                        (0, Some(none)) => none,
                        (count, _) if is_one(count, lang) => one,
                        _ => many,
                    };
                    chosen.fill_into(filled, lang, value);
                }
            }
        }
    }

    /// Names of its parameters, counts among them, with repeats.
    #[cfg(test)]
    pub(super) fn parameters(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(_) => {}
                Part::Value(name) => names.push(name.as_str()),
                Part::Choice { count, none, one, many } => {
                    names.push(count);
                    let choices = [none.as_ref(), Some(one), Some(many)].into_iter().flatten();
                    names.extend(choices.flat_map(Self::parameters));
                }
            }
        }
        names
    }
}

/// A count as it is written, with or without separators of thousands.
fn count_of(text: &str) -> u64 {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    digits.fold(0, |count: u64, digit| count.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

/// Whether a count takes the singular (Unicode CLDR, cardinal plural rules): in French and Portuguese zero does too.
fn is_one(count: u64, lang: Lang) -> bool {
    match lang {
        Lang::En | Lang::Es => count == 1,
        Lang::Fr | Lang::Pt => count <= 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str, lang: Lang, n: &str) -> String {
        Template::parse(text).expect("a good template").fill(lang, &|name| match name {
            "n" => n.to_owned(),
            other => format!("<{other}>"),
        })
    }

    #[test]
    fn parameters_are_replaced_and_their_values_are_not_read_again() {
        assert_eq!(fill("a {n} b {other_name}", Lang::En, "{n}|}"), "a {n}|} b <other_name>");
        assert_eq!(fill("", Lang::En, "1"), "");
        assert_eq!(fill("a|b", Lang::En, "1"), "a|b", "a bar outside braces is a bar");
    }

    #[test]
    fn counts_choose_by_the_rules_of_their_language() {
        let text = "{n|un jour|{n} jours}";
        let chosen = |lang, n| fill(text, lang, n);
        assert_eq!(
            [chosen(Lang::En, "0"), chosen(Lang::En, "1"), chosen(Lang::En, "2")],
            ["0 jours", "un jour", "2 jours"]
        );
        assert_eq!(
            [chosen(Lang::Fr, "0"), chosen(Lang::Pt, "0"), chosen(Lang::Es, "0")],
            ["un jour", "un jour", "0 jours"]
        );
        assert_eq!(chosen(Lang::En, "1,001"), "1,001 jours");
        assert_eq!(fill("{n|none|one|many}", Lang::Fr, "0"), "none");
    }

    #[test]
    fn choices_hold_parameters_and_choices() {
        let text = "{n|one {a}|{n} {b|x|{c}}}!";
        assert_eq!(fill(text, Lang::En, "1"), "one <a>!");
        assert_eq!(fill(text, Lang::En, "3"), "3 <c>!");
        let template = Template::parse(text).expect("a good template");
        assert_eq!(template.parameters(), ["n", "a", "n", "b", "c"]);
    }

    #[test]
    fn broken_templates_are_refused_with_the_reason() {
        for (text, why) in [
            ("{n", "never closed"),
            ("{n|a", "never closed"),
            ("n}", "closes nothing"),
            ("{}", "not the name"),
            ("{N}", "not the name"),
            ("{n|a}", "two or three"),
            ("{n|a|b|c|d}", "two or three"),
        ] {
            let error = Template::parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
