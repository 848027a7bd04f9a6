//! Conversions of proofs and results, whole and in parts, with prices by name.

use std::collections::HashMap;

use super::{PART, within};
use crate::api::proto::v1;
use crate::api::proto::v1::assignment_proof::Proof;
use crate::domain::policy::Objective;
use crate::domain::violation::Violations;
use crate::engine::certificate::{Certificate, GroupSide, TierWeight};
use crate::engine::fairest::Fairness;
use crate::engine::solution::Evidence;
use crate::instance::{Instance, Names};
use crate::message;

/// A proof, with prices by name.
pub fn proof(instance: &Instance, evidence: &Evidence) -> v1::AssignmentProof {
    let names = &instance.names;
    let of_people = |prices: &[i128], name: &dyn Fn(usize) -> String| {
        let each = prices.iter().enumerate();
        each.map(|(at, price)| v1::PersonPrice { id: name(at), price: price.to_string() }).collect()
    };
    let of_groups = |prices: &[i128], side: GroupSide| {
        let each = prices.iter().enumerate();
        each.map(|(at, price)| v1::GroupPrice { id: names.group(side, at), price: price.to_string() })
            .collect()
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
        // Problems from outside have no directions to choose and no limits.
        Evidence::Stable
        | Evidence::Branches(_)
        | Evidence::FairBranches(_)
        | Evidence::Bounded(_)
        | Evidence::Limited(_) => None,
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

/// Reader of a result by the names of its problem, whole or in parts.
#[derive(Debug)]
pub struct Reader {
    objective: Objective,
    positions: Positions,
    pairs: Vec<(u32, u32)>,
    /// Pairs received, right or wrong.
    received: u64,
    floor: i32,
    /// Prices of the one proof, or of the three of a fairest assignment, in the order of [`KINDS`].
    prices: [Option<Prices>; 4],
    wrong: Violations,
}

/// Fields of the certificates in a message.
const KINDS: [&str; 4] =
    ["proof.best_total", "proof.fairest.total", "proof.fairest.coverage", "proof.fairest.above"];

/// Positions by name: mentees, mentors, groups of mentees, groups of mentors.
type Positions = [HashMap<String, u32>; 4];

/// Number of possible tiers.
const MOST_TIERS: usize = 256;

/// A certificate that is being read.
#[derive(Debug)]
struct Prices {
    /// The first [`MOST_TIERS`].
    tiers: Vec<TierWeight>,
    /// Weights of tiers received, right or wrong.
    received_tiers: usize,
    minimum: String,
    second: String,
    /// In the order of [`Positions`].
    of: [Vec<Option<i128>>; 4],
    /// Prices of each list received, right or wrong.
    received: [u64; 4],
}

/// Names of the lists of prices, in the order of [`Positions`].
const LISTS: [&str; 4] = ["mentee_prices", "mentor_prices", "mentee_group_prices", "mentor_group_prices"];

impl Reader {
    /// A reader of a result of the problem with these names, for an objective.
    pub fn new(names: &Names, objective: Objective) -> Self {
        let names = names.given().cloned().unwrap_or_default();
        let lists = [names.mentees, names.mentors, names.mentee_groups, names.mentor_groups];
        Self {
            objective,
            positions: lists.map(|names| names.into_iter().zip(0..).collect()),
            pairs: Vec::new(),
            received: 0,
            floor: 0,
            prices: [const { None }; 4],
            wrong: Violations::default(),
        }
    }

    /// Pairs received so far, right or wrong.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Reads some pairs, and a part of the proof.
    pub fn take_in(&mut self, pairs: &[v1::AssignmentPair], proof: Option<v1::AssignmentProof>) {
        for pair in pairs {
            match (self.positions[0].get(&pair.mentee), self.positions[1].get(&pair.mentor)) {
                (Some(mentee), Some(mentor)) => self.pairs.push((*mentee, *mentor)),
                _ => self
                    .wrong
                    .add(format!("pairs[{}]", self.received), "names a person who is not in the problem"),
            }
            self.received += 1;
        }
        match (self.objective, proof.and_then(|proof| proof.proof)) {
            (_, None) => {}
            (Objective::BestTotal, Some(Proof::BestTotal(message))) => self.take_prices(0, &message),
            (Objective::Fairest, Some(Proof::Fairest(message))) => {
                self.floor = message.floor;
                for (kind, message) in (1..).zip([message.total, message.coverage, message.above]) {
                    if let Some(message) = message {
                        self.take_prices(kind, &message);
                    }
                }
            }
            _ => self.wrong.add("proof", self.right_kind()),
        }
    }

    /// The pairs by position and their proof, or all violations.
    pub fn finish(mut self) -> Result<(Vec<(u32, u32)>, Evidence), Violations> {
        let kinds = match self.objective {
            Objective::BestTotal => 0..1,
            Objective::Fairest => 1..KINDS.len(),
            Objective::Stable => 0..0,
        };
        if self.wrong.is_empty() && kinds.clone().any(|kind| self.prices[kind].is_none()) {
            self.wrong.add("proof", self.right_kind());
        }
        let mut certificates = kinds.filter_map(|kind| {
            self.prices[kind].take().map(|prices| prices.finish(KINDS[kind], &mut self.wrong))
        });
        let evidence = match self.objective {
            Objective::BestTotal => certificates.next().map(Evidence::BestTotal),
            Objective::Fairest => {
                let three = certificates.next().zip(certificates.next()).zip(certificates.next());
                three.map(|((total, coverage), above)| {
                    Evidence::Fairest(Box::new(Fairness { floor: self.floor, total, coverage, above }))
                })
            }
            Objective::Stable => Some(Evidence::Stable),
        };
        self.wrong.finish(())?;
        evidence.map(|evidence| (self.pairs, evidence)).ok_or_else(Violations::default)
    }

    fn right_kind(&self) -> &'static str {
        match self.objective {
            Objective::BestTotal => "must be of the kind `best_total`",
            Objective::Fairest => "must be of the kind `fairest`, with all three proofs",
            Objective::Stable => "must be empty: stability is seen from the scores",
        }
    }

    fn take_prices(&mut self, kind: usize, message: &v1::PriceCertificate) {
        let Self { positions, prices, wrong, .. } = self;
        let field = KINDS[kind];
        let prices = prices[kind].get_or_insert_with(|| Prices {
            tiers: Vec::new(),
            received_tiers: 0,
            minimum: String::new(),
            second: String::new(),
            of: [0, 1, 2, 3].map(|list| vec![None; positions[list].len()]),
            received: [0; 4],
        });
        prices.received_tiers += message.tiers.len();
        for entry in message.tiers.iter().take(MOST_TIERS - prices.tiers.len()) {
            let field = format!("{field}.tiers[{}]", prices.tiers.len());
            let tier = within(entry.tier, || format!("{field}.tier"), 255, wrong);
            let weight = wide(&format!("{field}.weight"), &entry.weight, wrong);
            prices.tiers.push(TierWeight { tier, weight });
        }
        if !message.minimum.is_empty() {
            prices.minimum.clone_from(&message.minimum);
        }
        if !message.second.is_empty() {
            prices.second.clone_from(&message.second);
        }
        let people = [&message.mentee_prices, &message.mentor_prices];
        for (list, messages) in people.into_iter().enumerate() {
            for price in messages {
                prices.add(list, field, (&price.id, &price.price), positions, wrong);
            }
        }
        let groups = [&message.mentee_group_prices, &message.mentor_group_prices];
        for (list, messages) in (2..).zip(groups) {
            for price in messages {
                prices.add(list, field, (&price.id, &price.price), positions, wrong);
            }
        }
    }
}

impl Prices {
    fn add(
        &mut self,
        list: usize,
        field: &str,
        (id, price): (&str, &str),
        positions: &Positions,
        wrong: &mut Violations,
    ) {
        let place = || format!("{field}.{}[{}]", LISTS[list], self.received[list]);
        let found = positions[list].get(id).map(|at| *at as usize);
        let price = price.parse().unwrap_or_else(|_| {
            wrong.add(place() + ".price", NOT_A_NUMBER);
            0
        });
        match found.map(|at| self.of[list][at].replace(price)) {
            Some(None) => {}
            Some(Some(_)) => wrong.add(place() + ".id", "has two prices; give one"),
            None => wrong.add(place() + ".id", "is not in the problem; remove the price"),
        }
        self.received[list] += 1;
    }

    fn finish(self, field: &str, wrong: &mut Violations) -> Certificate {
        let minimum = wide(&format!("{field}.minimum"), &self.minimum, wrong);
        let second = wide(&format!("{field}.second"), &self.second, wrong);
        if self.received_tiers > MOST_TIERS {
            let description = message!(
                "are {count}; give at most {most}",
                count = self.received_tiers.to_string(),
                most = MOST_TIERS.to_string()
            );
            wrong.add(format!("{field}.tiers"), description);
        }
        for (list, prices) in LISTS.into_iter().zip(&self.of) {
            let missing = prices.iter().filter(|price| price.is_none()).count();
            if missing > 0 {
                wrong.add(
                    format!("{field}.{list}"),
                    message!("is missing {missing|1 price|{missing} prices}", missing = missing.to_string()),
                );
            }
        }
        let [mentee_prices, mentor_prices, mentee_group_prices, mentor_group_prices] =
            self.of.map(|prices| prices.into_iter().map(Option::unwrap_or_default).collect());
        Certificate {
            tiers: self.tiers,
            minimum,
            second,
            mentee_prices,
            mentor_prices,
            mentee_group_prices,
            mentor_group_prices,
        }
    }
}

const NOT_A_NUMBER: &str = "is not a decimal integer of up to 128 bits";

fn wide(field: &str, text: &str, wrong: &mut Violations) -> i128 {
    text.parse().unwrap_or_else(|_| {
        wrong.add(field, NOT_A_NUMBER);
        0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::names::Given;

    #[test]
    fn tiers_without_end_are_refused_once_and_not_kept() {
        let mut reader = Reader::new(&Names::Given(Given::default()), Objective::BestTotal);
        let (minimum, second) = ("0".to_owned(), "0".to_owned());
        let tiers = vec![v1::TierWeight { tier: 0, weight: "1".to_owned() }; 200];
        let part = v1::PriceCertificate { tiers, minimum, second, ..Default::default() };
        for _ in 0..3 {
            let proof = Some(Proof::BestTotal(part.clone()));
            reader.take_in(&[], Some(v1::AssignmentProof { proof }));
        }
        assert_eq!(reader.prices[0].as_ref().map(|prices| prices.tiers.len()), Some(MOST_TIERS));
        let wrong = reader.finish().unwrap_err();
        let wrong: Vec<String> = wrong.listed().iter().map(ToString::to_string).collect();
        assert_eq!(wrong, ["proof.best_total.tiers: are 600; give at most 256"]);
    }
}
