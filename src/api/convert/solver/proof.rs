//! Proofs of results, with prices by name: out, whole and in parts, and back.

use std::collections::HashMap;

use super::result::PART;
use super::within;
use crate::api::proto::v1;
use crate::api::proto::v1::assignment_proof::Proof;
use crate::domain::policy::Objective;
use crate::engine::certify::{Certificate, GroupSide, TierWeight};
use crate::engine::fairest::Fairness;
use crate::engine::objective::Evidence;
use crate::instance::names::Given;
use crate::instance::{Instance, Violations};

/// A proof, with prices by name.
pub fn proof(instance: &Instance, evidence: &Evidence) -> v1::AssignmentProof {
    let names = &instance.names;
    let of_people = |prices: &[i128], name: &dyn Fn(usize) -> String| {
        let each = prices.iter().enumerate();
        each.map(|(at, price)| v1::PersonPrice { id: name(at), price: price.to_string() }).collect()
    };
    let of_groups = |prices: &[i128], side: GroupSide| {
        let each = prices.iter().enumerate();
        each.map(|(at, price)| v1::GroupPrice { id: names.group(side, at), price: price.to_string() }).collect()
    };
    let certificate = |certificate: &Certificate| v1::PriceCertificate {
        tiers: certificate
            .tiers
            .iter()
            .map(|entry| v1::TierWeight { tier: entry.tier.into(), weight: entry.weight.to_string() })
            .collect(),
        minimum: certificate.minimum.to_string(),
        second: certificate.second.to_string(),
        mentee_prices: of_people(&certificate.mentee_prices, &|at| names.mentee(at)),
        mentor_prices: of_people(&certificate.mentor_prices, &|at| names.mentor(at)),
        mentee_group_prices: of_groups(&certificate.mentee_group_prices, GroupSide::Mentees),
        mentor_group_prices: of_groups(&certificate.mentor_group_prices, GroupSide::Mentors),
    };
    let proof = match evidence {
        Evidence::BestTotal(found) => Some(Proof::BestTotal(certificate(found))),
        Evidence::Fairest(fairness) => Some(Proof::Fairest(v1::FairnessCertificate {
            floor: fairness.floor,
            total: Some(certificate(&fairness.total)),
            coverage: Some(certificate(&fairness.coverage)),
            above: Some(certificate(&fairness.above)),
        })),
        Evidence::Stable => None,
    };
    v1::AssignmentProof { proof }
}

/// A proof in parts that each fit a message.
pub(super) fn parts(proof: v1::AssignmentProof) -> Vec<v1::AssignmentProof> {
    let in_parts = |certificate: v1::PriceCertificate, wrap: &dyn Fn(v1::PriceCertificate) -> Proof| {
        let part = v1::PriceCertificate::default;
        let (mentees, mentors) = (certificate.mentee_prices, certificate.mentor_prices);
        let groups = (certificate.mentee_group_prices, certificate.mentor_group_prices);
        let (tiers, minimum, second) = (certificate.tiers, certificate.minimum, certificate.second);
        let mut found = vec![v1::PriceCertificate { tiers, minimum, second, ..part() }];
        found.extend(
            mentees.chunks(PART).map(|some| v1::PriceCertificate { mentee_prices: some.to_vec(), ..part() }),
        );
        found.extend(
            mentors.chunks(PART).map(|some| v1::PriceCertificate { mentor_prices: some.to_vec(), ..part() }),
        );
        found.extend(groups.0.chunks(PART).map(|some| {
            let mentee_group_prices = some.to_vec();
            v1::PriceCertificate { mentee_group_prices, ..part() }
        }));
        found.extend(groups.1.chunks(PART).map(|some| {
            let mentor_group_prices = some.to_vec();
            v1::PriceCertificate { mentor_group_prices, ..part() }
        }));
        let proofs = found.into_iter().map(|part| v1::AssignmentProof { proof: Some(wrap(part)) });
        proofs.collect::<Vec<_>>()
    };
    match proof.proof {
        None => Vec::new(),
        Some(Proof::BestTotal(certificate)) => in_parts(certificate, &Proof::BestTotal),
        Some(Proof::Fairest(v1::FairnessCertificate { floor, total, coverage, above })) => {
            let part = v1::FairnessCertificate::default;
            let mut all = in_parts(total.unwrap_or_default(), &|total| {
                Proof::Fairest(v1::FairnessCertificate { floor, total: Some(total), ..part() })
            });
            all.extend(in_parts(coverage.unwrap_or_default(), &|coverage| {
                Proof::Fairest(v1::FairnessCertificate { floor, coverage: Some(coverage), ..part() })
            }));
            all.extend(in_parts(above.unwrap_or_default(), &|above| {
                Proof::Fairest(v1::FairnessCertificate { floor, above: Some(above), ..part() })
            }));
            all
        }
    }
}

/// Reads pairs and their proof back, by the names of an instance.
pub struct Reader<'a> {
    people: [HashMap<&'a str, u32>; 2],
    groups: [HashMap<&'a str, u32>; 2],
    wrong: Violations,
}

impl<'a> Reader<'a> {
    /// Reads for an instance whose people have names.
    pub fn new(names: &'a Given) -> Self {
        let positions =
            |names: &'a [String]| names.iter().map(String::as_str).zip(0..).collect::<HashMap<_, _>>();
        Self {
            people: [positions(&names.mentees), positions(&names.mentors)],
            groups: [positions(&names.mentee_groups), positions(&names.mentor_groups)],
            wrong: Violations::default(),
        }
    }

    /// The pairs by position.
    pub fn pairs(&mut self, messages: &[v1::AssignmentPair]) -> Vec<(u32, u32)> {
        let mut pairs = Vec::with_capacity(messages.len());
        for (at, pair) in messages.iter().enumerate() {
            match (self.people[0].get(&*pair.mentee), self.people[1].get(&*pair.mentor)) {
                (Some(mentee), Some(mentor)) => pairs.push((*mentee, *mentor)),
                _ => self.wrong.add(format!("pairs[{at}]"), "names somebody who is not in the problem"),
            }
        }
        pairs
    }

    /// The proof, for an objective.
    pub fn evidence(
        mut self,
        message: Option<v1::AssignmentProof>,
        objective: Objective,
    ) -> Result<Evidence, Violations> {
        let proof = message.and_then(|message| message.proof);
        let evidence = match (objective, proof) {
            (Objective::Stable, None) => Some(Evidence::Stable),
            (Objective::BestTotal, Some(Proof::BestTotal(message))) => {
                Some(Evidence::BestTotal(self.certificate("proof.best_total", &message)))
            }
            (Objective::Fairest, Some(Proof::Fairest(message))) => {
                let mut read = |message: Option<v1::PriceCertificate>, field: &str| {
                    self.certificate(&format!("proof.fairest.{field}"), &message.unwrap_or_default())
                };
                Some(Evidence::Fairest(Box::new(Fairness {
                    floor: message.floor,
                    total: read(message.total, "total"),
                    coverage: read(message.coverage, "coverage"),
                    above: read(message.above, "above"),
                })))
            }
            _ => {
                let what = match objective {
                    Objective::BestTotal => "must be of the kind `best_total`",
                    Objective::Fairest => "must be of the kind `fairest`",
                    Objective::Stable => "must be empty: stability is seen from the scores",
                };
                self.wrong.add("proof", what);
                None
            }
        };
        self.wrong.none()?;
        evidence.ok_or_else(Violations::default)
    }

    fn certificate(&mut self, field: &str, message: &v1::PriceCertificate) -> Certificate {
        let Self { people, groups, wrong } = self;
        let mut tiers = Vec::with_capacity(message.tiers.len());
        for (at, entry) in message.tiers.iter().enumerate() {
            let field = format!("{field}.tiers[{at}]");
            let tier = within(entry.tier, || format!("{field}.tier"), 255, wrong);
            tiers.push(TierWeight { tier, weight: wide(&format!("{field}.weight"), &entry.weight, wrong) });
        }
        let mut of_people = |name: &str, messages: &[v1::PersonPrice], side: usize| {
            let each = messages.iter().map(|price| (price.id.as_str(), price.price.as_str()));
            prices(&format!("{field}.{name}"), each, &people[side], wrong)
        };
        let mentee_prices = of_people("mentee_prices", &message.mentee_prices, 0);
        let mentor_prices = of_people("mentor_prices", &message.mentor_prices, 1);
        let mut of_groups = |name: &str, messages: &[v1::GroupPrice], side: usize| {
            let each = messages.iter().map(|price| (price.id.as_str(), price.price.as_str()));
            prices(&format!("{field}.{name}"), each, &groups[side], wrong)
        };
        Certificate {
            mentee_group_prices: of_groups("mentee_group_prices", &message.mentee_group_prices, 0),
            mentor_group_prices: of_groups("mentor_group_prices", &message.mentor_group_prices, 1),
            tiers,
            minimum: wide(&format!("{field}.minimum"), &message.minimum, wrong),
            second: wide(&format!("{field}.second"), &message.second, wrong),
            mentee_prices,
            mentor_prices,
        }
    }
}

/// One price for each of those who have a position.
fn prices<'m>(
    field: &str,
    messages: impl Iterator<Item = (&'m str, &'m str)>,
    positions: &HashMap<&str, u32>,
    wrong: &mut Violations,
) -> Vec<i128> {
    let mut prices = vec![None; positions.len()];
    for (at, (id, price)) in messages.enumerate() {
        let found = positions.get(id).map(|at| *at as usize);
        let price = wide(&format!("{field}[{at}].price"), price, wrong);
        match found.map(|at| prices[at].replace(price)) {
            Some(None) => {}
            Some(Some(_)) => wrong.add(format!("{field}[{at}].id"), "has a price already"),
            None => wrong.add(format!("{field}[{at}].id"), "is not in the problem"),
        }
    }
    let missing = prices.iter().filter(|price| price.is_none()).count();
    if missing > 0 {
        wrong.add(field, format!("is missing {missing} prices"));
    }
    prices.into_iter().map(Option::unwrap_or_default).collect()
}

fn wide(field: &str, text: &str, wrong: &mut Violations) -> i128 {
    text.parse().unwrap_or_else(|_| {
        wrong.add(field, "is not a decimal integer of up to 128 bits");
        0
    })
}
