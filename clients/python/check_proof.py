#!/usr/bin/env python3
"""Checks a result of `wim-match solve` and its proof, with nothing but the standard library.

    python check_proof.py problem.mm pairs.csv proof.json
    python check_proof.py mentees.csv mentors.csv scores.csv pairs.csv proof.json
                          [--decisions decisions.csv] [--groups groups.csv]

It follows docs/certificate.md and shares no code with the service. Exit code 0: proved; exit code 1: not proved, with the
reason. The output names the aim for which the result is proved to be the best: compare it with the aim that you asked for.
"""
import argparse
import csv
import json
import sys
from array import array
from collections import Counter
from decimal import Decimal
from typing import NamedTuple

FORBIDDEN = -2**31
LARGEST = 2**80
SIDES = ("mentees", "mentors")


class NotProved(Exception):
    pass


class Problem(NamedTuple):
    wishes: list  # per mentee: tier, mentors wanted, mentors by pins
    offers: list  # per mentor: minimum places and places
    scores: dict  # score by candidate (i, j)
    groups: list = []  # floor and ceiling: groups of mentees, then groups of mentors
    inside: tuple = ({}, {})  # per mentee and per mentor: the groups that contain the person, innermost first


def need(holds, what):
    if not holds:
        raise NotProved(what)


def read_mm(path):
    with open(path, "rb") as file:
        magic, kind, _ = file.read(8), *array("I", file.read(8))
        need(magic == b"MMINST01", "not an instance")
        n, m, count = array("Q", file.read(24))
        wanted, seats = array("i", file.read(4 * n)), array("i", file.read(4 * m))
        if kind == 0:
            cells = array("i", file.read(4 * count))
            scores = {(at // m, at % m): score for at, score in enumerate(cells) if score != FORBIDDEN}
        else:
            starts, columns = array("Q", file.read(8 * (n + 1))), array("I", file.read(4 * count))
            values = array("i", file.read(4 * count))
            scores = {(i, columns[at]): values[at] for i in range(n) for at in range(starts[i], starts[i + 1])}
            need(len(scores) == count, "a candidate is listed twice")
    return Problem([(0, want, 0) for want in wanted], [(0, seat) for seat in seats], scores)


def rows(path):
    """Reads the rows of a CSV file: trimmed cells by trimmed lower-case headers."""
    if path is None:
        return []
    with open(path, newline="", encoding="utf-8-sig") as file:
        lines = [[cell.strip() for cell in line] for line in csv.reader(file) if line]
    return [dict(zip([column.lower() for column in lines[0]], line)) for line in lines[1:]]


def number(row, column, default):
    return int(row.get(column) or default)


def decimals(score):
    # Scores are integers in units of the last decimal that any score has.
    return max(0, -Decimal(score).normalize().as_tuple().exponent)


def units(score, unit):
    return int(Decimal(score).scaleb(unit))


def read_csv(files, groups, proof):
    people = [rows(path) for path in files[:2]]
    position = [{name: at for at, name in enumerate(proof[side])} for side in SIDES]
    for lines, names, column in zip(people, position, ("mentee", "mentor")):
        need(sorted(row[column] for row in lines) == sorted(names), f"the proof is about other {column}s")
    wishes, offers = [None] * len(position[0]), [None] * len(position[1])
    for row in people[0]:
        wishes[position[0][row["mentee"]]] = (number(row, "tier", 0), number(row, "wanted", 1), 0)
    for row in people[1]:
        offers[position[1][row["mentor"]]] = (number(row, "min", 0), number(row, "max", 1))
    lines = rows(files[2])
    unit = max((decimals(r["score"]) for r in lines), default=0)
    pairs = {(position[0][r["mentee"]], position[1][r["mentor"]]): units(r["score"], unit) for r in lines}
    need(len(pairs) == len(lines), "a candidate is listed twice")
    return Problem(wishes, offers, pairs, *read_groups(people, position, rows(groups), proof)), position


def read_groups(people, position, lines, proof):
    keys = zip(SIDES, ("mentee_groups", "mentor_groups"))
    named = [(side, name) for side, key in keys for name in proof.get(key, [])]
    need(sorted((row["side"], row["group"]) for row in lines) == sorted(named), "the proof is about other groups")
    of = {(row["side"], row["group"]): row for row in lines}
    groups = [(number(of[group], "min", 0), number(of[group], "max", 2**32)) for group in named]
    at = {group: at for at, group in enumerate(named)}
    inside = ({}, {})
    for side, lines, positions, around, column in zip(SIDES, people, position, inside, ("mentee", "mentor")):
        for row in lines:
            chain, name = [], row.get("group")
            while name:
                chain.append(at[side, name])
                need(len(chain) <= len(named), "a group is inside itself")
                name = of[side, name].get("parent")
            around[positions[row[column]]] = chain
    return groups, inside


def count_groups(problem, pairs):
    return Counter(group for pair in pairs for side in (0, 1) for group in problem.inside[side].get(pair[side], ()))


def keep_rules(problem, pairs, pins, vetoes):
    wishes, offers, scores, groups, _ = problem
    need(all(pair in scores for pair in pairs), "a pair is not a candidate")
    need(all(count <= wishes[i][1] for i, count in Counter(i for i, _ in pairs).items()), "too many mentors")
    need(all(count <= offers[j][1] for j, count in Counter(j for _, j in pairs).items()), "too many mentees")
    need(all(0 <= want <= 2 for _, want, _ in wishes), "somebody wants more than two mentors")
    need(all(0 <= least for least, _ in offers), "a minimum is below 0")
    need(pins <= pairs, "a pin is missing")
    need(not vetoes & pairs, "a pair is vetoed")
    has = count_groups(problem, pairs)
    need(all(least <= has[at] <= most for at, (least, most) in enumerate(groups)), "a group is out of its bounds")


def without_decisions(problem, pins, vetoes):
    """Removes pins and vetoed pairs from a problem."""
    mine, hers, inside = Counter(i for i, _ in pins), Counter(j for _, j in pins), count_groups(problem, pins)
    return problem._replace(
        wishes=[(tier, want - mine[i], mine[i]) for i, (tier, want, _) in enumerate(problem.wishes)],
        offers=[(max(0, least - hers[j]), most - hers[j]) for j, (least, most) in enumerate(problem.offers)],
        scores={pair: score for pair, score in problem.scores.items() if pair not in pins | vetoes},
        groups=[(max(0, least - inside[g]), most - inside[g]) for g, (least, most) in enumerate(problem.groups)],
    )


def firsts(problem, proof):
    """Points of the next mentor of each mentee: of the first mentor, or of a second one if a pin gave the first."""
    tiers = {entry["tier"]: entry["weight"] for entry in proof["tiers"]}
    return [proof["second"] if pinned else tiers[tier] for tier, _, pinned in problem.wishes]


def points(problem, pairs, proof):
    """Points of an assignment without its scores."""
    first, has, load = firsts(problem, proof), Counter(i for i, _ in pairs), Counter(j for _, j in pairs)
    seconds = proof["second"] * sum(count > 1 for count in has.values())
    filled = sum(min(load[j], problem.offers[j][0]) for j in load)
    return sum(first[i] for i in has) + seconds + proof["minimum"] * filled


def most_pairs(problem):
    wanted = sum(want for _, want, _ in problem.wishes)
    return min(wanted, sum(min(most, len(problem.wishes)) for _, most in problem.offers))


def group_prices(proof):
    return proof.get("mentee_group_prices", []) + proof.get("mentor_group_prices", [])


def bound(problem, proof):
    """Upper limit of the value of every assignment (weak duality)."""
    wishes, offers, scores, groups, inside = problem
    u, p, q = proof["mentee_prices"], proof["mentor_prices"], group_prices(proof)
    need(len(u) == len(wishes) and len(p) == len(offers), "somebody has no price, or more than one")
    need(len(q) == len(groups), "a group has no price, or more than one")
    first = firsts(problem, proof)
    net_u, net_p = (
        [price - sum(q[group] for group in around.get(at, ())) for at, price in enumerate(prices)]
        for prices, around in zip((u, p), inside)
    )
    total = sum(max(0, first[i] + net_u[i]) for i, (_, wanted, _) in enumerate(wishes) if wanted > 0)
    total += sum(max(0, proof["second"] + net_u[i]) for i, (_, wanted, _) in enumerate(wishes) if wanted > 1)
    for j, (least, most) in enumerate(offers):
        most = min(most, len(wishes))
        least = min(least, most)
        total += least * max(0, proof["minimum"] + net_p[j]) + (most - least) * max(0, net_p[j])
    pairs = most_pairs(problem)
    total += sum(price * (min(most, pairs) if price > 0 else least) for price, (least, most) in zip(q, groups))
    return total + sum(max(0, score - u[i] - p[j]) for (i, j), score in scores.items())


def check_weights(problem, proof, coverage_first):
    values = problem.scores.values()
    step = 1 + most_pairs(problem) * (max(0, max(values, default=0)) - min(0, min(values, default=0)))
    tiers = [entry["tier"] for entry in proof["tiers"]]
    weights = [entry["weight"] for entry in proof["tiers"]]
    need(tiers == sorted(set(tiers)), "the tiers do not ascend")
    need({tier for tier, _, _ in problem.wishes} <= set(tiers), "a tier has no weight")
    prices = proof["mentee_prices"] + proof["mentor_prices"] + group_prices(proof)
    numbers = weights + [proof["minimum"], proof["second"]] + prices
    need(all(isinstance(x, int) and abs(x) <= LARGEST for x in numbers), "a number is too large, or not whole")
    need(proof["minimum"] >= step, "the weight of minimum places is too small")
    if not coverage_first:
        need(proof["second"] == 0 and not any(weights), "a weight stands for what the problem does not ask")
        return
    need(proof["second"] >= step, "the weight of second mentors is too small")
    for weight, lesser in zip(weights, weights[1:] + [proof["second"]]):
        need(weight >= lesser + step, "the weight of a tier is too small")
    innermost = {around[0] for around in problem.inside[0].values() if around}
    innermost |= {around[0] for j, around in problem.inside[1].items() if around and problem.offers[j][0] > 0}
    ladder = weights + [proof["minimum"], proof["second"]]
    for weight, lesser in zip(ladder, ladder[1:]) if innermost else ():
        need(weight >= (len(innermost) + 2) * lesser + step, "a weight is too small among so many groups")


def check_best(problem, pairs, proof, coverage_first):
    check_weights(problem, proof, coverage_first)
    value = points(problem, pairs, proof) + sum(problem.scores[pair] for pair in pairs)
    most = bound(problem, proof)
    need(value == most, f"the value is {value}, the bound {most}")


def check_fairest(problem, pairs, proof):
    floor, scores = proof["floor"], problem.scores
    high = {pair: score for pair, score in scores.items() if score >= floor}
    need(all(pair in high for pair in pairs), "a pair scores less than the floor")
    check_best(problem._replace(scores=high), pairs, proof["total"], True)
    check_best(problem._replace(scores=dict.fromkeys(scores, 0)), pairs, proof["coverage"], True)
    higher = problem._replace(scores={pair: 0 for pair, score in scores.items() if score > floor})
    check_weights(higher, proof["above"], True)
    reached = points(problem, pairs, proof["above"])
    need(not pairs or bound(higher, proof["above"]) < reached, "pairs above the floor might do")


def check_stable(problem, pairs):
    wishes, offers, scores, _, _ = problem
    mine, hers = {}, {}
    for i, j in pairs:
        mine.setdefault(i, []).append(scores[i, j])
        hers.setdefault(j, []).append(scores[i, j])
    for (i, j), score in scores.items():
        gains = (i, j) not in pairs and wishes[i][1] > 0 and offers[j][1] > 0
        gains = gains and (len(mine.get(i, [])) < wishes[i][1] or score > min(mine[i]))
        need(not (gains and (len(hers.get(j, [])) < offers[j][1] or score > min(hers[j]))), f"{i}, {j} block it")


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("files", nargs="+", metavar="FILE", help="the problem, the pairs, the proof")
    asked.add_argument("--decisions", metavar="FILE", help="pins and vetoes")
    asked.add_argument("--groups", metavar="FILE", help="groups with floors and ceilings")
    asked = asked.parse_args()
    need(len(asked.files) == 5 or len(asked.files) == 3 and not (asked.decisions or asked.groups), "see --help")
    with open(asked.files[-1], encoding="utf-8") as file:
        proof = json.load(file)
    need(proof["format"] == "wim-match-proof/1", "another form of proof")
    if len(asked.files) == 3:
        problem, find = read_mm(asked.files[0]), (int, int)
    else:
        problem, position = read_csv(asked.files, asked.groups, proof)
        find = (position[0].__getitem__, position[1].__getitem__)

    def named(lines):
        return {(find[0](row["mentee"]), find[1](row["mentor"])) for row in lines}

    lines, decided = rows(asked.files[-2]), rows(asked.decisions)
    pairs = named(lines)
    need(len(pairs) == len(lines), "a pair is used twice")
    need({row["decision"] for row in decided} <= {"pin", "veto"}, "a decision is neither pin nor veto")
    pins, vetoes = (named(row for row in decided if row["decision"] == kind) for kind in ("pin", "veto"))
    keep_rules(problem, pairs, pins, vetoes)
    rest, free = without_decisions(problem, pins, vetoes), pairs - pins
    kind = proof["proof"]
    aim = "the total score alone" if not proof["coverage_first"] else "as many people as possible, then the total score"
    if "best_total" in kind:
        check_best(rest, free, kind["best_total"], proof["coverage_first"])
    else:
        need(not problem.groups, "only the best total is proved with groups")
        if kind == "stable":
            need(not pins, "a pin may be blocked")
            check_stable(rest, free)
            aim = "stability"
        else:
            check_fairest(rest, free, kind["fairest"])
            aim = "as many people as possible, then the worst pair, then the total score"
    total = sum(problem.scores[pair] for pair in pairs)
    print(f"proved ({aim}): {len(pairs)} pairs, total {total}, {len(problem.scores)} candidates")


if __name__ == "__main__":
    try:
        main()
    except (NotProved, LookupError, ValueError, TypeError) as wrong:
        sys.exit(f"not proved: {wrong or type(wrong).__name__}")
