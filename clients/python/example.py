"""One whole matching round from Python, against a running wim-match.

    pip install 'clients/python[examples]'
    python clients/python/example.py --server localhost:50051 --coordinator TOKEN --manager TOKEN

The script opens a round, imports three mentees and two mentors of the manager's organisation, runs the round, watches the run, and
prints the matches with their reasons. Every mutation takes a `request_id`, so a retry has no second effect.
"""

from __future__ import annotations

import argparse
import datetime
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import wim_match
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2, health_pb2_grpc
from wim.mentorship.v1 import (
    consent_pb2,
    match_pb2,
    profile_pb2,
    profile_service_pb2,
    profile_service_pb2_grpc,
    round_pb2,
    round_service_pb2,
    round_service_pb2_grpc,
    run_pb2,
    run_service_pb2,
    run_service_pb2_grpc,
)
from wim_match import request_id


def person(name: str, mentor: list[str] | None = None, mentee: list[str] | None = None) -> profile_pb2.Profile:
    """Builds a profile with all answers that help a match. A profile has no field for a name or an e-mail address."""
    given = Timestamp()
    given.FromDatetime(datetime.datetime(2026, 1, 15, tzinfo=datetime.timezone.utc))
    p = profile_pb2
    evenings = [p.WeeklySlot(day=day, start_minute=18 * 60, end_minute=20 * 60) for day in (p.WEEKDAY_MONDAY, p.WEEKDAY_WEDNESDAY)]
    profile = p.Profile(
        name=name,
        country="PE",
        time_zone="America/Lima",
        weekly_slots=evenings,
        languages=[p.Language(tag="es", level=p.LANGUAGE_LEVEL_NATIVE)],
        career_stage="manager" if mentor else "professional",
        meeting_modes=[p.MEETING_MODE_VIRTUAL],
        consents=[consent_pb2.Consent(purpose=consent_pb2.CONSENT_PURPOSE_MATCHING, text_version="2026-1", language="es", give_time=given)],
    )
    if mentor:
        profile.mentor_offer.max_mentees = 1
        profile.mentor_offer.topics.extend(mentor)
    if mentee:
        profile.mentee_request.mentors_wanted = 1
        profile.mentee_request.topics.extend(mentee)
    return profile


def import_messages(organisation: str, profiles: list[profile_pb2.Profile]) -> Iterator[profile_service_pb2.ImportProfilesRequest]:
    s = profile_service_pb2
    yield s.ImportProfilesRequest(header=s.ImportHeader(parent=organisation, request_id=request_id()))
    rows = [s.ImportRow(row=number, profile=profile) for number, profile in enumerate(profiles, start=1)]
    yield s.ImportProfilesRequest(rows=s.ImportRows(rows=rows))
    yield s.ImportProfilesRequest(end=s.ImportEnd(rows=len(rows)))


def expect_error(call: Callable[[], object], code: grpc.StatusCode, reason: str) -> None:
    """Calls a method that must fail, and checks the reason that the contract requires."""
    try:
        call()
    except grpc.RpcError as error:
        assert isinstance(error, grpc.Call) and error.code() == code, error
        assert wim_match.reason(error) == reason, error
        return
    raise AssertionError(f"expected {reason}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--server", default="localhost:50051")
    arguments.add_argument("--coordinator", required=True, help="token of a coordinator")
    arguments.add_argument("--manager", required=True, help="token of a manager")
    arguments.add_argument("--organisation", default="wim-example", help="the manager's organisation")
    options = arguments.parse_args()

    with wim_match.connect(options.server) as stranger:
        health: Any = health_pb2_grpc.HealthStub(stranger)
        service = "wim.mentorship.v1.RoundService"
        assert health.Check(health_pb2.HealthCheckRequest(service=service)).status == health_pb2.HealthCheckResponse.SERVING
    coordinator = wim_match.connect(options.server, token=options.coordinator)
    manager = wim_match.connect(options.server, token=options.manager)
    organisation = f"organisations/{options.organisation}"
    profiles = profile_service_pb2_grpc.ProfileServiceStub(manager)
    rounds = round_service_pb2_grpc.RoundServiceStub(coordinator)
    rounds_of_manager = round_service_pb2_grpc.RoundServiceStub(manager)
    r = round_service_pb2
    runs = run_service_pb2_grpc.RunServiceStub(coordinator)
    u = run_service_pb2

    people = [
        person("profiles/mentor-1", mentor=["leadership", "negotiation"]),
        person("profiles/mentor-2", mentor=["networking"]),
        person("profiles/mentee-1", mentee=["leadership"]),
        person("profiles/mentee-2", mentee=["networking"]),
        person("profiles/mentee-3", mentee=["negotiation"]),
    ]
    answers = list(profiles.ImportProfiles(import_messages(organisation, people)))
    summary = answers[-1].summary
    assert summary.stored and summary.rejected == 0, answers
    print(f"imported {summary.received} profiles: {summary.created} new, {summary.unchanged} unchanged")

    round_id = f"python-{uuid.uuid4().hex[:8]}"
    new_round = round_pb2.Round(
        display_name="A round from Python",
        start_date="2027-01-15",
        end_date="2027-07-15",
        organisations=[organisation],
    )
    create = r.CreateRoundRequest(round_id=round_id, round=new_round, request_id=request_id())
    name = rounds.CreateRound(create).round.name
    enrol = r.EnrolProfilesRequest(
        round=name, organisation=organisation, all_profiles=True, request_id=request_id()
    )
    print(f"enrolled {rounds_of_manager.EnrolProfiles(enrol).enrolled} in {name}")

    start = u.StartRunRequest(round=name, request_id=request_id())
    run = runs.StartRun(start).run
    assert runs.StartRun(start).run.name == run.name, "a retry starts nothing new"
    for update in runs.WatchRun(u.WatchRunRequest(name=run.name)):
        run = update.run
    assert run.state == run_pb2.RUN_STATE_SUCCEEDED, run
    assert run.summary.proof.proved and run.summary.proof.gap == 0, run.summary.proof
    print(f"{run.summary.matched_mentees} of {run.summary.mentees} mentees matched, proved optimal")

    with_reasons = u.ListMatchesRequest(parent=run.name, language_code="es", view=match_pb2.MATCH_VIEW_FULL)
    matches = runs.ListMatches(with_reasons).matches
    for match in matches:
        print(f"{match.score / 100:6.2f} %  {match.mentee}  with  {match.mentor}")
        best = max(match.contributions, key=lambda contribution: contribution.points)
        print(f"          {best.reason.text}")
    assert len(matches) == 2, matches
    unmatched = runs.ListUnmatched(u.ListUnmatchedRequest(parent=run.name)).unmatched
    for somebody in unmatched:
        print(f"no match  {somebody.profile}: {somebody.details[0].text}")
    assert len(unmatched) == 1, unmatched

    expect_error(
        lambda: rounds_of_manager.CreateRound(r.CreateRoundRequest(round_id="x")),
        grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_DENIED",
    )
    nobody = round_service_pb2_grpc.RoundServiceStub(wim_match.connect(options.server))
    expect_error(lambda: nobody.GetRound(r.GetRoundRequest(name=name)), grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
    print("done")


if __name__ == "__main__":
    main()
