//! The notice for participants: how a round forms pairs, who decides, and what the rights of a person are, in plain words.
//!
//! Inputs: a round and one of its policies. Output: a text in Markdown, made of the same sentences for every policy, as far as
//! the policy has what a sentence says.

use super::markdown::Markdown;
use super::{criterion_label, day, level_label, score};
use crate::domain::policy::{HardRules, Objective, Policy, PreviousPartners};
use crate::domain::round::RoundContent;
use crate::domain::vocabulary::Lang;
use crate::message;

/// Shares of all points, in hundredths of a percent, from which a criterion counts very much, much, and as usual.
const SHARES: [u16; 3] = [2_000, 1_000, 400];

/// The notice about the matching of a round under a policy.
pub fn notice(round: &RoundContent, policy: &Policy, lang: Lang) -> String {
    let mut text = Markdown::new(lang);
    text.title(&message!("How the round “{round}” forms pairs", round = &round.display_name));
    text.paragraph(&message!(
        "The round runs from {start} to {end}. Your organisation has entered you into it, or asks whether it may. This notice says how pairs of a mentor and a mentee are formed, who decides, and what your rights are. It describes version {version} of the policy.",
        start = day(round.start_date, lang),
        end = day(round.end_date, lang),
        version = u64::try_from(policy.version).unwrap_or_default()
    ));
    if !round.agreement.is_empty() {
        text.paragraph(&message!(
            "The organisations take part under this agreement: {agreement}.",
            agreement = &round.agreement
        ));
    }
    criteria(policy, &mut text);
    rules(&policy.rules, &mut text);
    objective(policy, &mut text);
    text.heading(&message!("Who decides"));
    text.paragraph(&message!(
        "The program proposes, and people decide. The mentorship working group reads the proposal, and may change it with a written reason. Nothing is published before one of its members has approved the proposal by name, and that is somebody else than the member who proposed it. You may decline a match, and say why."
    ));
    text.heading(&message!("Who sees what"));
    text.paragraph(&message!(
        "The service knows neither your name nor your e-mail address. Your organisation sees your profile. The working group and the organisation of your partner see the id that your organisation gave you, your match and the reasons for it. Whom you prefer or avoid, your previous partners, your reporting line, your identity answers and your consents may change with whom you are matched, but nobody outside of your organisation can read them or work them out."
    ));
    rights(&mut text);
    text.finish()
}

fn criteria(policy: &Policy, text: &mut Markdown) {
    text.heading(&message!("What counts"));
    text.paragraph(&message!(
        "A program compares every mentee with every mentor by their answers. A question that you leave open counts neither for nor against you. These answers count, those that count most first:"
    ));
    let mut shares = policy.max_points();
    shares.retain(|(_, share)| *share > 0);
    shares.sort_by_key(|(criterion, share)| (std::cmp::Reverse(*share), *criterion as i32));
    for (criterion, share) in shares {
        let name = criterion_label(Some(criterion), text.lang());
        let [very_much, much, usual] = SHARES;
        let told = match share {
            share if share >= very_much => message!("{criterion}: counts very much", criterion = name),
            share if share >= much => message!("{criterion}: counts much", criterion = name),
            share if share >= usual => message!("{criterion}: counts", criterion = name),
            _ => message!("{criterion}: counts a little", criterion = name),
        };
        text.item(&told);
    }
}

fn rules(rules: &HardRules, text: &mut Markdown) {
    text.heading(&message!("What always holds"));
    text.paragraph(&message!("No pair breaks one of these rules, whatever else speaks for it:"));
    text.item(&message!("Nobody is matched with a person whom one of the two wants to avoid."));
    text.item(&message!("The rules of both organisations hold."));
    text.item_if(!rules.allow_same_employer, &message!("Two people of one employer are not matched."));
    text.item_if(
        !rules.allow_same_competitor_group,
        &message!("People of competing employers are not matched."),
    );
    text.item_if(
        !rules.allow_same_reporting_line,
        &message!("A person is not matched with somebody above her in her reporting line."),
    );
    text.item(&message!(
        "Both speak one language at the level “{level}” or better.",
        level = level_label(rules.min_language_level, text.lang())
    ));
    text.item_if(
        rules.min_weekly_overlap_minutes > 0,
        &message!(
            "Both have at least {minutes|1 minute|{minutes} minutes} a week in common, if both gave their hours.",
            minutes = u64::from(rules.min_weekly_overlap_minutes)
        ),
    );
    text.item(&message!(
        "The career stage of the mentor is {min} to {max} steps above that of the mentee, if both are known.",
        min = rules.min_stage_gap.to_string(),
        max = rules.max_stage_gap.to_string()
    ));
    text.item(&match rules.previous_partners {
        PreviousPartners::Forbid => message!("People who were matched before are not matched again."),
        PreviousPartners::Discourage => message!("New partners are favoured over previous ones."),
        PreviousPartners::Prefer => message!("Previous partners are favoured over new ones."),
    });
    text.item_if(
        rules.min_score > 0,
        &message!(
            "A pair has a score of at least {score}.",
            score = score(u32::from(rules.min_score), text.lang())
        ),
    );
    text.item_if(!rules.allow_mutual_mentoring, &message!("Two people do not mentor each other."));
    text.item_if(
        rules.require_cross_border_consent,
        &message!("People of two countries are matched only if both have consented to that."),
    );
}

fn objective(policy: &Policy, text: &mut Markdown) {
    text.heading(&message!("Which result is sought"));
    text.paragraph(&match policy.objective {
        Objective::BestTotal => message!(
            "As many mentees as possible get a mentor. Of all results with as many, the one is taken whose pairs fit best in total."
        ),
        Objective::Fairest => message!(
            "As many mentees as possible get a mentor. Of all results with as many, the one is taken whose lowest score is highest, and then the one whose pairs fit best in total."
        ),
        Objective::Stable => message!(
            "No two people would both rather be matched with each other than with the partners whom they get. Of all such results, the one is taken that is best for the mentees."
        ),
    });
    if let Some(days) = policy.waitlist_after_days {
        text.paragraph(&message!(
            "Mentees who have waited for at least {days|1 day|{days} days} come first.",
            days = u64::from(days)
        ));
    }
    if !policy.quotas.is_empty() {
        text.paragraph(&message!(
            "The working group has set how many matches the people of some regions or organisations get at least or at most, or how many they have with other organisations. The result keeps these numbers, even where a pair would fit better or one more mentee could get a mentor."
        ));
    }
    if policy.require_least_places {
        text.paragraph(&message!(
            "A mentor who asks for a least number of mentees gets at least so many, or none: even where one more mentee could get a mentor otherwise."
        ));
    }
    text.paragraph(&message!(
        "The result is computed exactly, and a second program proves it. Chance has no part in it: the same answers give the same pairs."
    ));
}

fn rights(text: &mut Markdown) {
    text.heading(&message!("Your rights"));
    text.paragraph(&message!(
        "Your organisation keeps your data and answers for it. It is the first whom to ask; the Secretariat of the Alliance is the second. You may:"
    ));
    for right in [
        message!("read all that is stored about you, and get a copy"),
        message!("have wrong answers corrected; the pairs are then computed anew"),
        message!(
            "withdraw your consent at any time: you leave every round that has not ended at once, and no reason is needed"
        ),
        message!("have your data kept and not used, while a question about it is open"),
        message!("object to the matching, and have your data erased"),
        message!("hear in words why you were matched as you were, or why you have no match"),
        message!("have a person look at a result that you contest"),
        message!("complain to the data protection authority of your country"),
    ] {
        text.item(&right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::policy::Criterion;
    use crate::domain::quota::ExchangeLimit;
    use crate::domain::round::Invitations;

    fn round() -> RoundContent {
        RoundContent {
            display_name: "2027".to_owned(),
            start_date: "2027-02-01".parse().expect("a day"),
            end_date: "2027-07-31".parse().expect("a day"),
            policy: Policy::default(),
            agreement: String::new(),
            invitations: Invitations::default(),
        }
    }

    #[test]
    fn the_notice_says_each_criterion_that_counts_and_no_other_in_every_language() {
        let policy = Policy::default();
        for lang in Lang::ALL {
            let text = notice(&round(), &policy, lang);
            for (criterion, share) in policy.max_points() {
                let item = format!("\n- {}", criterion_label(Some(criterion), lang));
                assert_eq!(text.contains(&item), share > 0, "{}: {text}", criterion.as_str());
            }
            let first = text.find(criterion_label(Some(Criterion::Topics), lang)).expect("counts most");
            let last = text.find(criterion_label(Some(Criterion::WaitingTime), lang)).expect("counts");
            assert!(first < last);
            assert!(!text.contains('{') && !text.contains("\n\n\n"), "{text}");
        }
    }

    #[test]
    fn each_switch_of_the_policy_changes_the_notice() {
        let text = |change: &dyn Fn(&mut Policy)| {
            let mut policy = Policy::default();
            change(&mut policy);
            notice(&round(), &policy, Lang::ALL[0])
        };
        let plain = text(&|_| ());
        let changes: [&dyn Fn(&mut Policy); 15] = [
            &|policy| policy.rules.allow_same_employer = true,
            &|policy| policy.rules.allow_same_competitor_group = true,
            &|policy| policy.rules.allow_same_reporting_line = true,
            &|policy| policy.rules.min_language_level = crate::domain::language::LanguageLevel::A1,
            &|policy| policy.rules.min_weekly_overlap_minutes = 0,
            &|policy| policy.rules.min_stage_gap = 1,
            &|policy| policy.rules.max_stage_gap = 3,
            &|policy| policy.rules.previous_partners = PreviousPartners::Prefer,
            &|policy| policy.rules.min_score = 4_000,
            &|policy| policy.rules.allow_mutual_mentoring = true,
            &|policy| policy.rules.require_cross_border_consent = true,
            &|policy| policy.objective = Objective::Fairest,
            &|policy| policy.require_least_places = true,
            &|policy| policy.waitlist_after_days = None,
            &|policy| {
                let limit = ExchangeLimit { organisation: None, most_given: Some(1), most_taken: None };
                policy.quotas.exchange.push(limit);
            },
        ];
        for (at, change) in changes.iter().enumerate() {
            assert_ne!(text(*change), plain, "change {at}");
        }
    }
}
