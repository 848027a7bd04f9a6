//! Reports, and the parameters by which they count.

use std::collections::BTreeSet;

use wim_match::client::v1;

use crate::world::World;

/// All parameters that a caller reads in a language, by pages of `size`.
async fn parameters(world: &World, size: i32, language: &str) -> Vec<v1::Parameter> {
    let (client, _) = world.caller(&["committee-member"]).await;
    let (mut client, mut found, mut page_token) = (client.reports, Vec::new(), String::new());
    loop {
        let request =
            v1::ListParametersRequest { page_size: size, page_token, language_code: language.to_owned() };
        let page = client.list_parameters(request).await.expect("lists").into_inner();
        assert_eq!((page.list_version, page.language_code.as_str()), (1, language));
        found.extend(page.parameters);
        if page.next_page_token.is_empty() {
            return found;
        }
        page_token = page.next_page_token;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_common_parameters_are_read_in_every_language_page_by_page() {
    let world = World::sqlite().await;
    let english = parameters(&world, 0, "en").await;
    let rate = english.first().expect("a parameter");
    assert_eq!((rate.parameter_id.as_str(), rate.unit()), ("match_rate", v1::ParameterUnit::Percent));
    assert_eq!(rate.numerator, "mentees with a published match");
    for language in ["en", "fr", "es", "pt"] {
        let paged = parameters(&world, 3, language).await;
        let ids = |all: &[v1::Parameter]| all.iter().map(|one| one.parameter_id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&paged), ids(&english), "{language}: the same parameters in the same order");
        let definitions: BTreeSet<&str> = paged.iter().map(|one| one.definition.as_str()).collect();
        let same = english.iter().filter(|one| definitions.contains(one.definition.as_str())).count();
        assert_eq!(same, if language == "en" { english.len() } else { 0 }, "{language}");
    }
    world.stop().await;
}
