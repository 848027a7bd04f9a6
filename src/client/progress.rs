//! Progress bars on standard error.

use indicatif::{ProgressBar, ProgressStyle};

use super::connection::Client;
use super::error::Error;
use super::run::watch;
use crate::api::convert;
use crate::api::proto::v1;
use crate::domain::run::Stage;
use crate::domain::vocabulary::Lang;
use crate::wording;

/// A progress bar over `length` steps, in the template language of indicatif.
pub fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Follows a run until it ends, as [`watch`] does, with a bar that names the stage.
pub async fn watch_with_bar(client: &Client, run: &str, lang: Lang) -> Result<v1::Run, Error> {
    let bar = bar(0, "{spinner} {msg:<28} {bar:30} {percent:>3} %");
    let ended = watch(client, run, |run| {
        if let Some(progress) = &run.progress {
            let stage = convert::run::stage(progress.stage).unwrap_or(Stage::Encode);
            bar.set_message(wording::stage_label(stage, lang));
            // A manager sees the stage only.
            let work = progress.work.unwrap_or_default();
            bar.set_length(work.total.and_then(|total| u64::try_from(total).ok()).unwrap_or(1));
            bar.set_position(u64::try_from(work.done).unwrap_or_default());
        }
    });
    let ended = ended.await;
    bar.finish_and_clear();
    ended
}
