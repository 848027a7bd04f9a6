#!/usr/bin/env python3
"""The instances that wim-match and its peers solve, as .mm files (src/instance/mm.rs describes the format).

Everything is integer arithmetic on a counter-based SplitMix64 stream, so a name always means the same bytes. The objective is
to maximise the sum of scores; to be unmatched is worth 0.

  uniform  nine-digit scores, ties are rare
  int100   scores from 1 to 100, many ties
  geom     closeness in the plane
  profile  people with skills, languages, regions, time zones and seniority: what real rounds look like. A third of the pairs are
           candidates, scores have a few hundred values
"""
import os
import sys

import numpy as np
from numba import int64, njit, prange, uint64

NO_CANDIDATE = np.int32(-(2**31))

# name: kind, mentees, mentors, most seats per mentor, best K per mentee (0: all pairs), mentors looked at (0: all), seed
CATALOGUE = {
    **{f"{kind}-{n}": (kind, n, n, 1, 0, 0, 1)
       for kind in ("uniform", "int100", "geom", "profile") for n in (500, 800, 1000, 2000, 5000, 10000)},
    "cap-5kx2k": ("profile", 5_000, 2_000, 5, 0, 0, 2),
    "sp-50kx20k-k50": ("profile", 50_000, 20_000, 5, 50, 0, 3),
    "sp-50kx12k-k50-tight": ("profile", 50_000, 12_000, 5, 50, 0, 6),
    "sp-200kx80k-k32": ("profile", 200_000, 80_000, 5, 32, 2048, 4),
    "sp-1Mx400k-k20": ("profile", 1_000_000, 400_000, 5, 20, 1024, 5),
    **{f"growth-{n}": ("profile", n, n * 2 // 5, 5, 20, min(1024, n * 2 // 5), 7)
       for n in (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)},
}


@njit(inline="always")
def mix(z):
    z = uint64(z) + uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
    return z ^ (z >> uint64(31))


@njit(inline="always")
def draw(seed, a, b, below):
    """Returns an integer in 0..below, derived from the counter (a, b)."""
    z = mix(mix(mix(uint64(seed)) ^ uint64(a)) ^ uint64(b))
    return int64(((z >> uint64(32)) * uint64(below)) >> uint64(32))


@njit(parallel=True, cache=True)
def uniform(out, seed, least, span):
    for i in prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = least + draw(seed, i, j, span)


@njit(parallel=True, cache=True)
def geom(out, seed):
    for i in prange(out.shape[0]):
        x, y = draw(seed, i, 1, 1 << 20), draw(seed, i, 2, 1 << 20)
        for j in range(out.shape[1]):
            dx, dy = x - draw(seed + 1, j, 1, 1 << 20), y - draw(seed + 1, j, 2, 1 << 20)
            square = dx * dx + dy * dy
            root = int64(np.sqrt(float(square)))
            while root * root > square:
                root -= 1
            while (root + 1) * (root + 1) <= square:
                root += 1
            out[i, j] = (1 << 21) - root


@njit(inline="always")
def pick(seed, i, c, weights):
    """Draws an index by cumulative weights."""
    x = draw(seed, i, c, weights[-1])
    k = 0
    while weights[k] <= x:
        k += 1
    return k


@njit(cache=True)
def people(n, seed, mentor, skill_weights, language_weights):
    """Returns per person: skills (bits), their number, languages (bits), region, time zone in hours, seniority."""
    out = np.zeros((n, 6), np.int64)
    zones = np.array([-8, -5, 0, 1, 5, 9])
    for i in range(n):
        c, bits, got = 0, uint64(0), 0
        wanted = (5 if mentor else 4) + draw(seed, i, 0, 4)
        while got < wanted:
            c += 1
            bit = uint64(1) << uint64(pick(seed, i, uint64(1000) + uint64(c), skill_weights))
            if bits & bit == uint64(0):
                bits |= bit
                got += 1
        languages, got = 0, 0
        wanted_languages = 1 + draw(seed, i, 1, 3)
        while got < wanted_languages:
            c += 1
            bit = 1 << pick(seed, i, uint64(2000) + uint64(c), language_weights)
            if languages & bit == 0:
                languages |= bit
                got += 1
        region = draw(seed, i, 2, 6)
        a, b = draw(seed, i, 4, 6), draw(seed, i, 5, 6)
        out[i] = (int64(bits), wanted, languages, region, zones[region] + draw(seed, i, 3, 4) - 1,
                  1 + (max(a, b) if mentor else min(a, b)))
    return out


@njit(inline="always")
def ones(x):
    x = x - ((x >> uint64(1)) & uint64(0x5555555555555555))
    x = (x & uint64(0x3333333333333333)) + ((x >> uint64(2)) & uint64(0x3333333333333333))
    x = (x + (x >> uint64(4))) & uint64(0x0F0F0F0F0F0F0F0F)
    return int64((x * uint64(0x0101010101010101)) >> uint64(56))


@njit(inline="always")
def score(mentee, mentor):
    """Returns a score of 0 to 10,000; -1 without a common language, with a junior mentor, or more than nine hours apart."""
    if mentee[2] & mentor[2] == 0 or mentor[5] < mentee[5]:
        return -1
    apart = abs(mentee[4] - mentor[4])
    if apart > 12:
        apart = 24 - apart
    if apart > 9:
        return -1
    points = 5000 * ones(uint64(mentee[0]) & uint64(mentor[0])) // mentee[1]
    points += 500 * (4 - abs(mentor[5] - mentee[5] - 2))
    if apart < 8:
        points += 1500 * (8 - apart) // 8
    if mentee[3] == mentor[3]:
        points += 1500
    return points


@njit(parallel=True, cache=True)
def profile(out, mentees, mentors):
    for i in prange(out.shape[0]):
        for j in range(out.shape[1]):
            points = score(mentees[i], mentors[j])
            out[i, j] = NO_CANDIDATE if points < 0 else points


@njit(parallel=True, cache=True)
def best(keep, look, seed, mentees, mentors):
    """Returns the best `keep` mentors of each mentee among `look` drawn ones (0: all). A hash of the pair breaks ties: ties broken
    by index would give everybody the same mentors."""
    n, m = mentees.shape[0], mentors.shape[0]
    keys, found = np.zeros((n, keep), np.uint64), np.full((n, keep), -1, np.int32)
    for i in prange(n):
        count = 0
        for t in range(m if look == 0 else look):
            j = t if look == 0 else draw(seed + 77, i, t, m)
            points = score(mentees[i], mentors[j])
            if points <= 0:
                continue
            lot = mix(uint64(i) * uint64(0x9E3779B97F4A7C15) + uint64(j)) >> uint64(24)
            key = (uint64(points) << uint64(40)) | lot
            if count == keep and key <= keys[i, keep - 1]:
                continue
            twice = False
            for q in range(count):
                twice |= look != 0 and found[i, q] == j
            if twice:
                continue
            p = count if count < keep else keep - 1
            while p > 0 and keys[i, p - 1] < key:
                keys[i, p], found[i, p] = keys[i, p - 1], found[i, p - 1]
                p -= 1
            keys[i, p], found[i, p] = key, j
            count = min(count + 1, keep)
    return keys, found


def write(path, kind, perfect, seats, n, count, *columns):
    with open(path + ".part", "wb") as file:
        file.write(b"MMINST01" + np.array([kind, perfect], "<u4").tobytes())
        file.write(np.array([n, len(seats), count], "<u8").tobytes())
        file.write(np.ones(n, "<i4").tobytes() + seats.astype("<i4").tobytes())
        for column in columns:
            column.tofile(file)
    os.replace(path + ".part", path)


def make(name, folder):
    """Writes an instance unless its file exists, and returns the path."""
    path = os.path.join(folder, name + ".mm")
    if os.path.exists(path):
        return path
    os.makedirs(folder, exist_ok=True)
    kind, n, m, most, keep, look, seed = CATALOGUE[name]
    seats = np.array([1 + draw(seed + 9, j, 3, most) for j in range(m)])
    weights = [np.cumsum([(1 << 20) // (i + 1) for i in range(k)]).astype(np.int64) for k in (64, 12)]
    sides = people(n, seed * 4 + 1, False, *weights), people(m, seed * 4 + 2, True, *weights)
    if keep:
        keys, found = best(keep, look, seed, *sides)
        order = np.argsort(np.where(found < 0, 2**31 - 1, found), axis=1, kind="stable")
        found, points = (np.take_along_axis(x, order, 1) for x in (found, (keys >> np.uint64(40)).astype(np.int32)))
        is_there = found >= 0
        starts = np.concatenate([[0], np.cumsum(is_there.sum(1))])
        columns = starts.astype("<u8"), found[is_there].astype("<u4"), points[is_there].astype("<i4")
        write(path, 1, 0, seats, n, starts[-1], *columns)
        return path
    cells = np.empty((n, m), np.int32)
    if kind == "uniform":
        uniform(cells, seed, 0, 1_000_000_000)
    elif kind == "int100":
        uniform(cells, seed + 100, 1, 100)
    elif kind == "geom":
        geom(cells, seed)
    else:
        profile(cells, *sides)
    write(path, 0, int(kind != "profile"), seats, n, n * m, cells)
    return path


def load(path):
    """(mentees, mentors, seats, perfect, cells or None, (starts, columns, scores) or None)"""
    with open(path, "rb") as file:
        assert file.read(8) == b"MMINST01", path
        kind, perfect = np.fromfile(file, "<u4", 2)
        n, m, count = (int(size) for size in np.fromfile(file, "<u8", 3))
        np.fromfile(file, "<i4", n)
        seats = np.fromfile(file, "<i4", m)
        if kind == 0:
            return n, m, seats, bool(perfect), np.fromfile(file, "<i4", count).reshape(n, m), None
        sparse = np.fromfile(file, "<u8", n + 1).astype(np.int64), np.fromfile(file, "<u4", count).astype(np.int32)
        return n, m, seats, bool(perfect), None, (*sparse, np.fromfile(file, "<i4", count))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("instances.py FOLDER NAME...\n\n" + "\n".join(CATALOGUE))
    for instance in sys.argv[2:]:
        print(make(instance, sys.argv[1]), flush=True)
