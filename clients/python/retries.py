"""Calls faster than the service allows, and is served: the channel waits as long as the service says.

    python clients/python/retries.py --server localhost:50051 --token TOKEN --calls 12

Fails if a call is refused in the end, or if nothing was ever waited for.
"""

from __future__ import annotations

import argparse
import pathlib
import time

import wim_match
from wim.mentorship.v1 import round_service_pb2, round_service_pb2_grpc


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--server", default="localhost:50051")
    arguments.add_argument("--token", required=True)
    arguments.add_argument("--ca", type=pathlib.Path, help="authority of the service, in PEM")
    arguments.add_argument("--calls", type=int, default=12)
    arguments.add_argument("--at-least", type=float, default=1.5, metavar="SECONDS", help="time that the calls must take")
    options = arguments.parse_args()
    began = time.monotonic()
    ca = options.ca.read_bytes() if options.ca else None
    with wim_match.connect(options.server, token=options.token, ca=ca) as channel:
        rounds = round_service_pb2_grpc.RoundServiceStub(channel)
        for _ in range(options.calls):
            rounds.ListRounds(round_service_pb2.ListRoundsRequest())
    took = time.monotonic() - began
    assert took >= options.at_least, f"{options.calls} calls took {took:.1f} s: no limit was met"
    print(f"{options.calls} calls were served in {took:.1f} s")


if __name__ == "__main__":
    main()
