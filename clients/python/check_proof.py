#!/usr/bin/env python3
"""Checks a result of `wim-match solve` and its proof, with nothing but the standard library.

    python check_proof.py problem.mm pairs.csv proof.json
    python check_proof.py mentees.csv mentors.csv scores.csv pairs.csv proof.json

It follows docs/certificate.md and shares no code with the service. Exit code 0: proved; 1: not proved, and why. What the
result is proved to be best at is told: see that it is what you asked for.
"""
import csv
import json
import sys
from array import array
from collections import Counter

FORBIDDEN = -2**31
LARGEST = 2**80


class NotProved(Exception):
    pass


def need(holds, what):
    if not holds:
        raise NotProved(what)


def read_mm(path):
    """Demands, seats and candidates of a .mm file: [(tier, wanted)], [(min, max)], {(i, j): score}."""
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
    return [(0, want) for want in wanted], [(0, seat) for seat in seats], scores


def rows(path):
    """The lines of a CSV file, with trimmed cells under trimmed lower-case headers."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        lines = [[cell.strip() for cell in line] for line in csv.reader(file) if line]
    return [dict(zip([column.lower() for column in lines[0]], line)) for line in lines[1:]]


def number(row, column, default):
    return int(row.get(column) or default)


def read_csv(mentees, mentors, scores, proof):
    people = [rows(mentees), rows(mentors)]
    position = [{name: at for at, name in enumerate(proof[side])} for side in ("mentees", "mentors")]
    for lines, names, column in zip(people, position, ("mentee", "mentor")):
        need(sorted(row[column] for row in lines) == sorted(names), f"the proof is about other {column}s")
    wishes, offers = [None] * len(position[0]), [None] * len(position[1])
    for row in people[0]:
        wishes[position[0][row["mentee"]]] = (number(row, "tier", 0), number(row, "wanted", 1))
    for row in people[1]:
        offers[position[1][row["mentor"]]] = (number(row, "min", 0), number(row, "max", 1))
    lines = rows(scores)
    pairs = {(position[0][r["mentee"]], position[1][r["mentor"]]): int(r["score"]) for r in lines}
    need(len(pairs) == len(lines), "a candidate is listed twice")
    return wishes, offers, pairs, position


def points(wishes, offers, pairs, proof):
    """What an assignment counts for besides its scores."""
    tiers = {entry["tier"]: entry["weight"] for entry in proof["tiers"]}
    has, load = Counter(i for i, _ in pairs), Counter(j for _, j in pairs)
    first = sum(tiers[wishes[i][0]] for i in has)
    second = proof["second"] * sum(count > 1 for count in has.values())
    return first + second + proof["minimum"] * sum(min(load[j], offers[j][0]) for j in load)


def bound(wishes, offers, scores, proof):
    """What no assignment exceeds."""
    tiers = {entry["tier"]: entry["weight"] for entry in proof["tiers"]}
    u, p = proof["mentee_prices"], proof["mentor_prices"]
    need(len(u) == len(wishes) and len(p) == len(offers), "somebody has no price, or more than one")
    total = sum(max(0, tiers[tier] + u[i]) for i, (tier, wanted) in enumerate(wishes) if wanted > 0)
    total += sum(max(0, proof["second"] + u[i]) for i, (_, wanted) in enumerate(wishes) if wanted > 1)
    for j, (least, most) in enumerate(offers):
        most = min(most, len(wishes))
        least = min(least, most)
        total += least * max(0, proof["minimum"] + p[j]) + (most - least) * max(0, p[j])
    return total + sum(max(0, score - u[i] - p[j]) for (i, j), score in scores.items())


def check_weights(wishes, offers, scores, proof, coverage_first):
    wanted = sum(want for _, want in wishes)
    most_pairs = min(wanted, sum(min(most, len(wishes)) for _, most in offers))
    values = scores.values()
    step = 1 + most_pairs * (max(0, max(values, default=0)) - min(0, min(values, default=0)))
    tiers = [entry["tier"] for entry in proof["tiers"]]
    weights = [entry["weight"] for entry in proof["tiers"]]
    need(tiers == sorted(set(tiers)), "the tiers do not ascend")
    need({tier for tier, _ in wishes} <= set(tiers), "a tier has no weight")
    numbers = weights + [proof["minimum"], proof["second"]] + proof["mentee_prices"] + proof["mentor_prices"]
    need(all(isinstance(x, int) and abs(x) <= LARGEST for x in numbers), "a number is too large, or not whole")
    need(proof["minimum"] >= step, "the weight of minimum places is too small")
    if not coverage_first:
        need(proof["second"] == 0 and not any(weights), "a weight stands for what the problem does not ask")
        return
    need(proof["second"] >= step, "the weight of second mentors is too small")
    for weight, lesser in zip(weights, weights[1:] + [proof["second"]]):
        need(weight >= lesser + step, "the weight of a tier is too small")


def check_best(wishes, offers, scores, pairs, proof, coverage_first):
    check_weights(wishes, offers, scores, proof, coverage_first)
    value = points(wishes, offers, pairs, proof) + sum(scores[pair] for pair in pairs)
    most = bound(wishes, offers, scores, proof)
    need(value == most, f"the value is {value}, the bound {most}")


def check_fairest(wishes, offers, scores, pairs, proof):
    floor = proof["floor"]
    high = {pair: score for pair, score in scores.items() if score >= floor}
    need(all(pair in high for pair in pairs), "a pair scores less than the floor")
    check_best(wishes, offers, high, pairs, proof["total"], True)
    check_best(wishes, offers, dict.fromkeys(scores, 0), pairs, proof["coverage"], True)
    higher = {pair: 0 for pair, score in scores.items() if score > floor}
    check_weights(wishes, offers, higher, proof["above"], True)
    reached = points(wishes, offers, pairs, proof["above"])
    need(not pairs or bound(wishes, offers, higher, proof["above"]) < reached, "pairs above the floor might do")


def check_stable(wishes, offers, scores, pairs):
    mine, hers = {}, {}
    for i, j in pairs:
        mine.setdefault(i, []).append(scores[i, j])
        hers.setdefault(j, []).append(scores[i, j])
    for (i, j), score in scores.items():
        gains = (i, j) not in pairs and wishes[i][1] > 0 and offers[j][1] > 0
        gains = gains and (len(mine.get(i, [])) < wishes[i][1] or score > min(mine[i]))
        need(not (gains and (len(hers.get(j, [])) < offers[j][1] or score > min(hers[j]))), f"{i}, {j} block it")


def main(*files):
    need(len(files) in (3, 5), "usage: " + __doc__)
    with open(files[-1], encoding="utf-8") as file:
        proof = json.load(file)
    need(proof["format"] == "wim-match-proof/1", "another form of proof")
    if len(files) == 3:
        wishes, offers, scores = read_mm(files[0])
        find = (int, int)
    else:
        wishes, offers, scores, position = read_csv(*files[:3], proof)
        find = (position[0].__getitem__, position[1].__getitem__)
    lines = rows(files[-2])
    pairs = {(find[0](row["mentee"]), find[1](row["mentor"])) for row in lines}
    need(len(pairs) == len(lines), "a pair is used twice")
    need(all(pair in scores for pair in pairs), "a pair is not a candidate")
    need(all(count <= wishes[i][1] for i, count in Counter(i for i, _ in pairs).items()), "too many mentors")
    need(all(count <= offers[j][1] for j, count in Counter(j for _, j in pairs).items()), "too many mentees")
    need(all(0 <= want <= 2 for _, want in wishes), "somebody wants more than two mentors")
    need(all(0 <= least for least, _ in offers), "a minimum is below 0")
    kind = proof["proof"]
    aim = "the total score alone" if not proof["coverage_first"] else "as many people as possible, then the total score"
    if kind == "stable":
        check_stable(wishes, offers, scores, pairs)
        aim = "stability"
    elif "best_total" in kind:
        check_best(wishes, offers, scores, pairs, kind["best_total"], proof["coverage_first"])
    else:
        check_fairest(wishes, offers, scores, pairs, kind["fairest"])
        aim = "as many people as possible, then the worst pair, then the total score"
    print(f"proved ({aim}): {len(pairs)} pairs, total {sum(scores[pair] for pair in pairs)}, {len(scores)} candidates")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (NotProved, LookupError, ValueError, TypeError) as wrong:
        sys.exit(f"not proved: {wrong or type(wrong).__name__}")
