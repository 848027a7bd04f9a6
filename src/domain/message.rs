//! Messages: what a person has to know, as an English text with named values. The text is also the key under which
//! `data/wording/messages.toml` has the text of the other languages, so that English is written at one place only.
//!
//! [`wording::message`](crate::wording::message) renders a message for a reader. `Display` gives the English text, for logs
//! and for sources of errors. The text is a [`Template`]: `{count|1 row was|{count} rows were} rejected`.

use std::borrow::Cow;
use std::fmt;

use super::explanation::Reason;
use super::template::{Template, Value};
use super::vocabulary::{Country, Lang};

/// A text with named values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    text: Cow<'static, str>,
    /// `None` for a text that is shown as it is, in every language.
    values: Option<Vec<(&'static str, MessageValue)>>,
}

/// A value of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageValue {
    /// A text that is the same in every language: a name, an id, a value that somebody gave.
    Text(String),
    /// A number, which the reader's language groups.
    Number(i128),
    /// A number whose last `places` digits are decimals, in the manner of the reader's language.
    Decimal {
        /// The number in units of its last decimal.
        units: i128,
        /// Number of decimals.
        places: u8,
    },
    /// A text of the wording by its key `table.code`; an unknown one is shown as its code.
    Label(String),
    /// Several such texts.
    Labels(Vec<String>),
    /// A country, by its label.
    Country(Country),
    /// A message within the message.
    Message(Message),
    /// Messages, one after the other, with semicolons.
    Several(Vec<Message>),
    /// Reasons, one after the other, with semicolons.
    Reasons(Vec<Reason>),
}

impl Message {
    /// A message with values by the names that the text uses. [`message!`](crate::message) is shorter.
    pub fn new(text: &'static str, values: Vec<(&'static str, MessageValue)>) -> Self {
        Self { text: Cow::Borrowed(text), values: Some(values) }
    }

    /// A text that is the same in every language, for example a line that another program wrote.
    pub fn verbatim(text: impl Into<String>) -> Self {
        Self { text: Cow::Owned(text.into()), values: None }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The English text with its parameters, which is the key of its translations; `None` for a verbatim text.
    pub fn key(&self) -> Option<&str> {
        self.values.is_some().then_some(&*self.text)
    }

    /// The message in the words of `template`, or of its own text if there is none. `plural` is the rule of the
    /// template's language, and `words` renders a value.
    pub fn fill(
        &self,
        template: Option<&Template>,
        plural: &dyn Fn(u64) -> usize,
        words: &dyn Fn(&MessageValue) -> Value,
    ) -> String {
        let Some(values) = self.values.as_ref().filter(|values| template.is_some() || !values.is_empty())
        else {
            return self.text.clone().into_owned();
        };
        let value = |name: &str| {
            let found = values.iter().find(|(known, _)| *known == name);
            debug_assert!(found.is_some(), "no value {name} of `{}`", self.text);
            found.map_or_else(|| Value::same(String::new()), |(_, value)| words(value))
        };
        match template {
            Some(template) => template.fill(plural, &value),
            None => match Template::parse(&self.text, ENGLISH_FORMS) {
                Ok(template) => template.fill(plural, &value),
                Err(wrong) => {
                    debug_assert!(false, "`{}`: {wrong}", self.text);
                    self.text.clone().into_owned()
                }
            },
        }
    }
}

/// A number of units with its decimals behind a point, without separators of thousands.
fn with_point(units: i128, places: u8) -> String {
    let places = usize::from(places);
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = places + 1);
    let (whole, decimals) = digits.split_at(digits.len() - places);
    if decimals.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{decimals}") }
}

/// Plural forms of English.
const ENGLISH_FORMS: usize = 2;

/// The code in the key of a label.
pub fn code_of(key: &str) -> &str {
    key.split_once('.').map_or(key, |(_, code)| code)
}

fn english(count: u64) -> usize {
    usize::from(count != 1)
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fill(None, &english, &|value| Value::same(value.to_string())))
    }
}

impl fmt::Display for MessageValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Decimal { units, places } => f.write_str(&with_point(*units, *places)),
            Self::Label(key) => f.write_str(code_of(key)),
            Self::Labels(keys) => {
                f.write_str(&keys.iter().map(|key| code_of(key)).collect::<Vec<_>>().join(", "))
            }
            Self::Country(country) => f.write_str(country.label(Lang::default())),
            Self::Message(message) => message.fmt(f),
            Self::Reasons(reasons) => {
                let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
                f.write_str(&codes.join("; "))
            }
            Self::Several(messages) => {
                for (i, message) in messages.iter().enumerate() {
                    write!(f, "{}{message}", if i == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
        }
    }
}

impl Default for Message {
    fn default() -> Self {
        Self::from("")
    }
}

impl From<&'static str> for Message {
    fn from(text: &'static str) -> Self {
        Self::new(text, Vec::new())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::verbatim(text)
    }
}

impl From<Message> for MessageValue {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

impl From<Vec<Message>> for MessageValue {
    fn from(messages: Vec<Message>) -> Self {
        Self::Several(messages)
    }
}

impl From<Country> for MessageValue {
    fn from(country: Country) -> Self {
        Self::Country(country)
    }
}

impl From<&str> for MessageValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for MessageValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for MessageValue {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

macro_rules! numbers {
    ($($number:ty)+) => {$(
        impl From<$number> for MessageValue {
            fn from(number: $number) -> Self {
                Self::Number(number.into())
            }
        }
    )+};
}

numbers!(u8 u16 u32 u64 i8 i16 i32 i64 i128);

impl From<usize> for MessageValue {
    fn from(number: usize) -> Self {
        Self::Number(number as i128)
    }
}

/// A [`Message`]: its English text, and values by name: `message!("is outside 0 to {most}", most = 20)`.
#[macro_export]
macro_rules! message {
    ($text:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::domain::message::Message::new(
            $text,
            vec![$((stringify!($name), $crate::domain::message::MessageValue::from($value))),*],
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_needs_no_catalogue_and_chooses_by_counts() {
        let rejected = |count: u64| message!("{count|1 row was|{count} rows were} rejected", count = count);
        assert_eq!([1, 2].map(|n| rejected(n).to_string()), ["1 row was rejected", "2 rows were rejected"]);
        let inner = message!(
            "`{name}` is {state}",
            name = "a{b",
            state = MessageValue::Label("x.not_yet".to_owned())
        );
        let outer = message!("{all}", all = vec![inner, Message::from("wait")]);
        assert_eq!(outer.to_string(), "`a{b` is not_yet; wait");
    }

    #[test]
    fn a_number_keeps_its_decimals_and_its_sign() {
        let shown = |units, places| MessageValue::Decimal { units, places }.to_string();
        assert_eq!(
            [(350, 2), (-25, 2), (5, 3), (0, 2)].map(|(n, p)| shown(n, p)),
            ["3.50", "-0.25", "0.005", "0.00"]
        );
        assert_eq!([(-7, 0), (1_234, 0)].map(|(n, p)| shown(n, p)), ["-7", "1234"]);
    }

    #[test]
    fn a_verbatim_text_is_no_template() {
        let text = Message::from("a {brace|".to_owned());
        assert_eq!((text.to_string().as_str(), text.key()), ("a {brace|", None));
    }
}
