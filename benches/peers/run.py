#!/usr/bin/env python3
"""Times wim-match beside its peers on one machine, in one run, and writes the table and the growth plot.

    python run.py --solver target/dist/wim-match --lapx LAPX_FOLDER [--data FOLDER] [--rows ROW,...] [--write]

Each row is measured without interruption: the peers, then wim-match. Every solver runs in a process of its own that repeats the
solve; the shortest repetition counts. The time of wim-match covers solving and proving, the time of a peer its solve call
alone. A row fails if two objectives differ.
"""
import argparse
import json
import math
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from instances import make  # noqa: E402

# Instance: its peers, the best one first.
ROWS = {
    "profile-5000": ["srcd_lapjv", "lapx_lapjvs"],
    "profile-10000": ["srcd_lapjv"],
    "geom-5000": ["srcd_lapjv", "lapx_lapjvs"],
    "uniform-5000": ["srcd_lapjv", "lapx_lapjvs"],
    "cap-5kx2k": ["scipy_lapjvsp", "ortools_mcf"],
    "sp-50kx20k-k50": ["ortools_mcf"],
    "sp-50kx12k-k50-tight": ["ortools_mcf"],
    "sp-200kx80k-k32": ["ortools_mcf"],
    "sp-1Mx400k-k20": ["ortools_mcf"],
    "int100-2000": ["lapx_lapjvs", "srcd_lapjv"],
    "profile-800": ["srcd_lapjv", "lapx_lapjvs"],
    "profile-500": ["srcd_lapjv", "lapx_lapjvs"],
}
GROWTH = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]


def run(command, env=None):
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def peer(options, name, file, repetitions):
    env = dict(os.environ)
    if name.startswith("lapx"):
        env["PYTHONPATH"] = options.lapx
    return run([sys.executable, os.path.join(HERE, "peer.py"), name, file, str(repetitions)], env)


def ours(options, file, repetitions, threads=()):
    told = run([options.solver, "solve", "--instance", file, "--json", "--repeat", str(repetitions), *threads])
    assert told["proved"] and told["gap"] == 0, told
    told["total"] = told["seconds"]["solve"] + told["seconds"]["prove"]
    return told


def peak_mb(options, file):
    """Returns the peak resident size of a solve. The kernel reports the maximum over all children, so each solve is a grandchild."""
    program = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
               "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)")
    command = [sys.executable, "-c", program, options.solver, "solve", "--instance", file, "--json"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def table(options):
    lines = ["| instance | best peer | its solve, s | wim-match solve + proof, s | with one thread, s | times faster | peak MB | bids | searches + phases | scans | pairs looked at | pricing rounds |",
             "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for name in options.rows:
        file = make(name, options.data)
        few = 2 if name.startswith(("profile-10000", "sp-200k", "sp-1M")) else 5
        peers = [peer(options, one, file, 1 if name.startswith("sp-1M") else few) for one in ROWS[name]]
        told = ours(options, file, few)
        alone = ours(options, file, few, ("--threads", "1"))
        assert alone["total_score"] == told["total_score"] and alone["counters"] == told["counters"], name
        for one in peers:
            assert one["total_score"] == told["total_score"], (name, one, told["total_score"])
        best = min(peers, key=lambda one: one["seconds"])
        counters = told["counters"]
        searches = counters["searches"] + counters["reverse_searches"] + counters["phases"]
        lines.append(
            f"| {name} | {best['peer']} | {best['seconds']:.4f} | {told['total']:.4f} | {alone['total']:.4f} | {best['seconds'] / told['total']:.1f} | "
            f"{peak_mb(options, file)} | {counters['bids']:,} | {searches:,} | {counters['scans']:,} | {counters['arcs']:,} | "
            f"{counters['pricing_rounds']} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def growth(options):
    points = []
    for n in GROWTH:
        file = make(f"growth-{n}", options.data)
        told = ours(options, file, 3 if n < 300_000 else 2)
        points.append((n, told["total"], peak_mb(options, file), told["candidates"]))
        print(points[-1], flush=True)
    return points


def svg(points):
    """Plots time and memory by the number of mentees, both axes logarithmic."""
    width, height, left, top, right, bottom = 720, 420, 70, 46, 70, 56
    x_low, x_high = 3, 6

    def x(n):
        return left + (math.log10(n) - x_low) / (x_high - x_low) * (width - left - right)

    def y(value, low, high):
        return height - bottom - (math.log10(value) - low) / (high - low) * (height - top - bottom)
    seconds = (math.floor(math.log10(min(p[1] for p in points))), math.ceil(math.log10(max(p[1] for p in points))))
    memory = (math.floor(math.log10(min(p[2] for p in points))), math.ceil(math.log10(max(p[2] for p in points))))
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
           f'<rect width="{width}" height="{height}" fill="white"/>',
           f'<text x="{left}" y="24" font-size="16">Solve and prove, 1,000 to 1,000,000 mentees (20 candidates each)</text>']
    for n in (1_000, 10_000, 100_000, 1_000_000):
        out.append(f'<line x1="{x(n):.1f}" y1="{top}" x2="{x(n):.1f}" y2="{height - bottom}" stroke="#ddd"/>')
        out.append(f'<text x="{x(n):.1f}" y="{height - bottom + 20}" text-anchor="middle">{n:,}</text>')
    out.append(f'<text x="{(left + width - right) / 2}" y="{height - 12}" text-anchor="middle">mentees</text>')
    for series, (low, high), colour, anchor, at, unit in (
            (1, seconds, "#0b6e4f", "end", left - 8, "s"), (2, memory, "#8f3985", "start", width - right + 8, "MB")):
        for power in range(low, high + 1):
            label = f"{10.0 ** power:g} {unit}"
            out.append(f'<text x="{at}" y="{y(10.0 ** power, low, high) + 4:.1f}" text-anchor="{anchor}" fill="{colour}">{label}</text>')
        line = " ".join(f"{x(p[0]):.1f},{y(p[series], low, high):.1f}" for p in points)
        dash = ' stroke-dasharray="6 4"' if series == 2 else ""
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"{dash}/>')
        for p in points:
            out.append(f'<circle cx="{x(p[0]):.1f}" cy="{y(p[series], low, high):.1f}" r="3.5" fill="{colour}"/>')
    out.append(f'<text x="{left + 12}" y="{top + 16}" fill="#0b6e4f">time, left, seconds</text>')
    out.append(f'<text x="{left + 12}" y="{top + 34}" fill="#8f3985">peak memory, right, dashed</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def replace(file, mark, text):
    with open(file) as old:
        head, _, rest = old.read().partition(f"<!-- {mark} -->\n")
        _, _, tail = rest.partition(f"<!-- end of {mark} -->\n")
    with open(file, "w") as new:
        new.write(f"{head}<!-- {mark} -->\n{text}\n<!-- end of {mark} -->\n{tail}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solver", default="target/dist/wim-match")
    parser.add_argument("--lapx", default="")
    parser.add_argument("--data", default="target/peers")
    parser.add_argument("--rows", type=lambda text: text.split(","), default=list(ROWS))
    parser.add_argument("--growth", action="store_true", help="measure growth, too")
    parser.add_argument("--write", action="store_true", help="put table and plot into the repository")
    options = parser.parse_args()
    if not os.path.isdir(os.path.join(options.lapx, "lap")):
        sys.exit("--lapx must name the folder that holds lapx: see README.md")
    measured = table(options)
    if options.write:
        replace(os.path.join(HERE, "README.md"), "table", measured)
    if options.growth:
        points = growth(options)
        lines = ["| mentees | candidates | solve + proof, s | peak MB |", "|---:|---:|---:|---:|"]
        lines += [f"| {n:,} | {candidates:,} | {seconds:.4f} | {mb} |" for n, seconds, mb, candidates in points]
        if options.write:
            replace(os.path.join(HERE, "README.md"), "growth", "\n".join(lines))
            with open(os.path.join(HERE, "growth.svg"), "w") as file:
                file.write(svg(points))


if __name__ == "__main__":
    main()
