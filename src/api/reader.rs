//! The language of the person who reads the answer of a call, from its `accept-language` header. The call and the stream that
//! it opens share one language.

use tonic::codegen::http::HeaderMap;

use crate::domain::vocabulary::Lang;

tokio::task_local! {
    static READER: Lang;
}

/// The language that the caller has asked for: the first of `accept-language`, by weight, in which there are texts. English
/// without one.
pub(super) fn of(headers: &HeaderMap) -> Lang {
    let asked = headers.get("accept-language").and_then(|value| value.to_str().ok()).unwrap_or_default();
    asked
        .split(',')
        .filter_map(choice)
        .rev()
        .max_by_key(|(_, weight)| *weight)
        .map_or_else(Lang::default, |(lang, _)| lang)
}

/// The language of the call that this task serves.
pub(super) fn current() -> Lang {
    READER.try_with(|lang| *lang).unwrap_or_default()
}

/// Runs a call under its language, so that the call can read it.
pub(super) fn scope<F: Future>(lang: Lang, call: F) -> impl Future<Output = F::Output> {
    READER.scope(lang, call)
}

/// One choice of `accept-language`, for example `fr-CA;q=0.8`, with its weight in thousandths.
fn choice(text: &str) -> Option<(Lang, u16)> {
    let (tag, weight) = text.split_once(';').unwrap_or((text, "q=1"));
    let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
    let lang = Lang::from_tag(tag.trim()).filter(|_| !tag.trim().is_empty())?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the weight is from 0 to 1")]
    let thousandths = (weight.clamp(0.0, 1.0) * 1_000.0) as u16;
    (thousandths > 0).then_some((lang, thousandths))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_known_language_is_chosen_and_the_first_of_equals() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("accept-language", text.parse().expect("a header value"));
            of(&headers).tag()
        };
        assert_eq!(read("fr-CA,fr;q=0.9,en;q=0.8"), "fr");
        assert_eq!(read("de, en;q=0.3, es ; q=0.7"), "es");
        assert_eq!(read("pt, es"), "pt");
        for none in ["", "de", "*", "fr;q=0", "fr;x", ";"] {
            assert_eq!(read(none), "en", "{none}");
        }
        assert_eq!(of(&HeaderMap::new()).tag(), "en");
    }

    #[tokio::test]
    async fn a_call_reads_its_own_language_and_another_task_reads_english() {
        let spanish = Lang::from_tag("es").expect("a language");
        assert_eq!(scope(spanish, async { current() }).await, spanish);
        assert_eq!(current(), Lang::default());
    }
}
