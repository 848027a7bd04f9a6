//! A text in Markdown that grows by headings, paragraphs and lists.

use super::message;
use crate::domain::message::Message;
use crate::domain::vocabulary::Lang;

/// A text that grows by headings, paragraphs and lists.
pub(super) struct Markdown {
    text: String,
    lang: Lang,
}

impl Markdown {
    /// An empty text in a language.
    pub(super) fn new(lang: Lang) -> Self {
        Self { text: String::new(), lang }
    }

    /// The language of the text.
    pub(super) fn lang(&self) -> Lang {
        self.lang
    }

    /// The whole text.
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Adds the title.
    pub(super) fn title(&mut self, told: &Message) {
        self.line("# ", told);
    }

    fn line(&mut self, before: &str, told: &Message) {
        self.text.push_str(before);
        self.text.push_str(&message(told, self.lang));
        self.text.push('\n');
    }

    /// Adds a heading.
    pub(super) fn heading(&mut self, told: &Message) {
        self.line("\n## ", told);
    }

    /// Adds a paragraph.
    pub(super) fn paragraph(&mut self, told: &Message) {
        self.line("\n", told);
    }

    /// Adds an item of a list.
    pub(super) fn item(&mut self, told: &Message) {
        // The first item of a list stands apart from the text before.
        let is_first = self.text.lines().next_back().is_none_or(|line| !line.starts_with("- "));
        self.line(if is_first { "\n- " } else { "- " }, told);
    }

    /// Adds an item of a list if `holds`.
    pub(super) fn item_if(&mut self, holds: bool, told: &Message) {
        if holds {
            self.item(told);
        }
    }
}
