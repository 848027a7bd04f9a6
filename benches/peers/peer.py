#!/usr/bin/env python3
"""Solves one instance with one peer, in a process of its own, and prints one JSON object.

    python peer.py PEER FILE.mm REPETITIONS

Only the peer's own solve call is timed; what a user must do before it (whole matrix, split seats, adding arcs) is told as
`build`. The objective is counted here from the pairs, after checking seats: no peer's own claim is trusted.
"""
import json
import os
import resource
import sys
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from instances import NO_CANDIDATE, load  # noqa: E402


def matrix(instance):
    """Returns gains with one column per seat. A pair that is not a candidate gains 0, like an unmatched mentee."""
    n, m, seats, perfect, cells, _ = instance
    owner = np.repeat(np.arange(m), seats)
    gains = cells if perfect else np.maximum(cells, 0)
    return (gains if len(owner) == m else gains[:, owner]), owner


def arcs(instance):
    """Returns mentees, mentors and gains of the candidates with a positive gain."""
    n, m, seats, perfect, cells, sparse = instance
    if sparse is not None:
        starts, columns, scores = sparse
        return np.repeat(np.arange(n, dtype=np.int32), np.diff(starts)), columns, scores
    rows, columns = np.nonzero(cells > 0) if not perfect else np.indices(cells.shape).reshape(2, -1)
    return rows.astype(np.int32), columns.astype(np.int32), cells[rows, columns]


def costs(instance):
    gains, owner = matrix(instance)
    return (int(gains.max()) - gains).astype(np.float64), owner


def scipy_lsa(instance):
    from scipy.optimize import linear_sum_assignment
    gains, owner = matrix(instance)
    gains = gains.astype(np.float64)
    return lambda: linear_sum_assignment(gains, maximize=True), lambda x: (x[0], owner[x[1]])


def scipy_lapjvsp(instance):
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching
    n, m, seats, _, _, _ = instance
    rows, columns, gains = arcs(instance)
    first = np.concatenate([[0], np.cumsum(seats)])
    copies = seats[columns]
    offset = np.arange(copies.sum()) - np.repeat(np.cumsum(copies) - copies, copies)
    width = int(first[-1])
    # One dummy mentor of gain 0 per mentee stands for being unmatched.
    row = np.concatenate([np.repeat(rows, copies), np.arange(n)])
    column = np.concatenate([np.repeat(first[columns], copies) + offset, width + np.arange(n)])
    cost = int(gains.max()) + 1 - np.concatenate([np.repeat(gains, copies), np.zeros(n, gains.dtype)])
    graph = csr_matrix((cost.astype(np.float64), (row, column)), shape=(n, width + n))
    owner = np.concatenate([np.repeat(np.arange(m), seats), np.full(n, -1)])
    return lambda: min_weight_full_bipartite_matching(graph), lambda x: (x[0], owner[x[1]])


def lapx_lapjvs(instance):
    import lap
    cost, owner = costs(instance)
    wide = {} if cost.shape[0] == cost.shape[1] else {"extend_cost": True}

    def finish(x):
        found = [part for part in x if isinstance(part, np.ndarray)]
        return found[0], owner[found[1]]
    return lambda: lap.lapjvs(cost, return_cost=False, **wide), finish


def srcd_lapjv(instance):
    import lapjv
    cost, owner = costs(instance)
    n, m = cost.shape
    if n != m:
        square = np.zeros((max(n, m), max(n, m)))
        square[:n, :m] = cost
        cost = square
    owner = np.concatenate([owner, np.full(max(0, n - m), -1)])
    return lambda: lapjv.lapjv(cost), lambda x: (np.arange(n), owner[x[0][:n]])


def ortools_mcf(instance):
    from ortools.graph.python import min_cost_flow
    n, m, seats, perfect, _, _ = instance
    rows, columns, gains = arcs(instance)
    flow = min_cost_flow.SimpleMinCostFlow()
    one = np.ones(len(rows), np.int64)
    flow.add_arcs_with_capacity_and_unit_cost(rows, n + columns, one, -gains.astype(np.int64))
    people = np.arange(m, dtype=np.int32)
    sink = np.full(m, n + m, np.int32)
    flow.add_arcs_with_capacity_and_unit_cost(n + people, sink, seats.astype(np.int64), np.zeros(m, np.int64))
    people = np.arange(n, dtype=np.int32)
    if not perfect:
        sink = np.full(n, n + m, np.int32)
        flow.add_arcs_with_capacity_and_unit_cost(people, sink, np.ones(n, np.int64), np.zeros(n, np.int64))
    flow.set_nodes_supplies(people, np.ones(n, np.int64))
    flow.set_node_supply(n + m, -n)

    def finish(_):
        used = flow.flows(np.arange(len(rows), dtype=np.int32)) > 0
        return rows[used], columns[used]
    return flow.solve, finish


PEERS = {f.__name__: f for f in (scipy_lsa, scipy_lapjvsp, lapx_lapjvs, srcd_lapjv, ortools_mcf)}


def objective(instance, rows, mentors):
    n, m, seats, _, cells, sparse = instance
    made = mentors >= 0
    rows, mentors = np.asarray(rows)[made], np.asarray(mentors)[made]
    if cells is not None:
        scores = cells[rows, mentors].astype(np.int64)
        is_pair = scores != NO_CANDIDATE
    else:
        starts, columns, values = sparse
        keys = np.repeat(np.arange(n, dtype=np.int64), np.diff(starts)) * m + columns
        wanted = rows.astype(np.int64) * m + mentors
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        scores, is_pair = values[at].astype(np.int64), keys[at] == wanted
    rows, mentors, scores = rows[is_pair], mentors[is_pair], scores[is_pair]
    assert len(np.unique(rows)) == len(rows), "a mentee is used twice"
    assert (np.bincount(mentors, minlength=m) <= seats).all(), "a mentor has too many mentees"
    return int(scores.sum())


def main(name, path, repetitions):
    instance = load(path)
    times = []
    for _ in range(repetitions):
        begun = time.perf_counter()
        solve, finish = PEERS[name](instance)
        build = time.perf_counter() - begun
        begun = time.perf_counter()
        answer = solve()
        times.append(time.perf_counter() - begun)
        if times[-1] > 30:
            break
    print(json.dumps({
        "peer": name, "seconds": min(times), "build": build, "total_score": objective(instance, *finish(answer)),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
