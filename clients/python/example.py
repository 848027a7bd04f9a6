"""One whole matching round from Python, against a running wim-match.

    pip install -r clients/python/requirements.txt
    python clients/python/example.py --server localhost:50051 --coordinator TOKEN --manager TOKEN

The script opens a round, imports three mentees and two mentors of the manager's organisation, runs the round, watches the run, and
prints the matches with their reasons. Every mutation takes a `request_id`, so a retry has no second effect.
"""

import argparse
import datetime
import pathlib
import sys
import tempfile
import uuid

import grpc
import grpc_tools
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from grpc_tools import protoc
from google.rpc import error_details_pb2


def load_contract():
    """Compiles the protos of this repository and returns the generated modules."""
    protos = pathlib.Path(__file__).resolve().parents[2] / "proto"
    out = tempfile.mkdtemp(prefix="wim-match-protos-")
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    files = [str(path) for path in sorted(protos.glob("wim/mentorship/v1/*.proto"))]
    if protoc.main(["protoc", f"-I{protos}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}", *files]) != 0:
        sys.exit("the protos do not compile")
    sys.path.insert(0, out)
    from wim.mentorship.v1 import (  # noqa: E402
        match_pb2,
        organisation_service_pb2,
        organisation_service_pb2_grpc,
        profile_pb2,
        profile_service_pb2,
        profile_service_pb2_grpc,
        round_pb2,
        round_service_pb2,
        round_service_pb2_grpc,
        run_service_pb2,
        run_service_pb2_grpc,
        run_pb2,
    )

    return argparse.Namespace(**{name: module for name, module in locals().items() if name.endswith(("_pb2", "_grpc"))})


def request_id():
    return str(uuid.uuid4())


def bearer(token):
    return [("authorization", f"Bearer {token}")]


def person(v1, name, mentor=None, mentee=None):
    """Builds a profile with all answers that help a match. A profile has no field for a name or an e-mail address."""
    given = Timestamp()
    given.FromDatetime(datetime.datetime(2026, 1, 15, tzinfo=datetime.timezone.utc))
    p = v1.profile_pb2
    evenings = [p.WeeklySlot(day=day, start_minute=18 * 60, end_minute=20 * 60) for day in (1, 3)]
    profile = p.Profile(
        name=name,
        country="PE",
        time_zone="America/Lima",
        weekly_slots=evenings,
        languages=[p.Language(tag="es", level=p.LANGUAGE_LEVEL_NATIVE)],
        career_stage="manager" if mentor else "professional",
        meeting_modes=[p.MEETING_MODE_VIRTUAL],
        consents=[p.Consent(purpose=p.CONSENT_PURPOSE_MATCHING, text_version="2026-1", language="es", give_time=given)],
    )
    if mentor:
        profile.mentor_offer.max_mentees = 1
        profile.mentor_offer.topics.extend(mentor)
    if mentee:
        profile.mentee_request.mentors_wanted = 1
        profile.mentee_request.topics.extend(mentee)
    return profile


def import_messages(v1, organisation, profiles):
    s = v1.profile_service_pb2
    yield s.ImportProfilesRequest(header=s.ImportHeader(parent=organisation, request_id=request_id()))
    rows = [s.ImportRow(row=number, profile=profile) for number, profile in enumerate(profiles, start=1)]
    yield s.ImportProfilesRequest(rows=s.ImportRows(rows=rows))
    yield s.ImportProfilesRequest(end=s.ImportEnd(rows=len(rows)))


def expect_error(call, code, reason):
    """Calls a method that must fail, and checks the ErrorInfo that the contract requires."""
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error
        details = rpc_status.from_call(error).details
        infos = [d for d in details if d.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
        assert len(infos) == 1, details
        info = error_details_pb2.ErrorInfo()
        infos[0].Unpack(info)
        assert (info.domain, info.reason) == ("mentorship.wim", reason), info
        return
    raise AssertionError(f"expected {reason}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--server", default="localhost:50051")
    arguments.add_argument("--coordinator", required=True, help="token of a coordinator")
    arguments.add_argument("--manager", required=True, help="token of a manager")
    arguments.add_argument("--organisation", default="wim-example", help="the manager's organisation")
    options = arguments.parse_args()

    v1 = load_contract()
    channel = grpc.insecure_channel(options.server)
    health = health_pb2_grpc.HealthStub(channel)
    service = "wim.mentorship.v1.RoundService"
    assert health.Check(health_pb2.HealthCheckRequest(service=service)).status == health_pb2.HealthCheckResponse.SERVING

    coordinator, manager = bearer(options.coordinator), bearer(options.manager)
    organisation = f"organisations/{options.organisation}"
    profiles = v1.profile_service_pb2_grpc.ProfileServiceStub(channel)
    rounds = v1.round_service_pb2_grpc.RoundServiceStub(channel)
    r = v1.round_service_pb2
    runs = v1.run_service_pb2_grpc.RunServiceStub(channel)
    u = v1.run_service_pb2

    people = [
        person(v1, "profiles/mentor-1", mentor=["leadership", "negotiation"]),
        person(v1, "profiles/mentor-2", mentor=["networking"]),
        person(v1, "profiles/mentee-1", mentee=["leadership"]),
        person(v1, "profiles/mentee-2", mentee=["networking"]),
        person(v1, "profiles/mentee-3", mentee=["negotiation"]),
    ]
    answers = list(profiles.ImportProfiles(import_messages(v1, organisation, people), metadata=manager))
    summary = answers[-1].summary
    assert summary.stored and summary.rejected == 0, answers
    print(f"imported {summary.received} profiles: {summary.created} new, {summary.unchanged} unchanged")

    round_id = f"python-{uuid.uuid4().hex[:8]}"
    new_round = v1.round_pb2.Round(display_name="A round from Python", start_date="2027-01-15", end_date="2027-07-15")
    create = r.CreateRoundRequest(round_id=round_id, round=new_round, request_id=request_id())
    name = rounds.CreateRound(create, metadata=coordinator).round.name
    enrol = r.EnrolProfilesRequest(round=name, organisation=organisation, request_id=request_id())
    print(f"enrolled {rounds.EnrolProfiles(enrol, metadata=manager).enrolled} in {name}")

    start = u.StartRunRequest(round=name, request_id=request_id())
    run = runs.StartRun(start, metadata=coordinator).run
    assert runs.StartRun(start, metadata=coordinator).run.name == run.name, "a retry starts nothing new"
    for update in runs.WatchRun(u.WatchRunRequest(name=run.name), metadata=coordinator):
        run = update.run
    assert run.state == v1.run_pb2.RUN_STATE_SUCCEEDED, run
    assert run.summary.proof.proved and run.summary.proof.gap == 0, run.summary.proof
    print(f"{run.summary.matched_mentees} of {run.summary.mentees} mentees matched, proved optimal")

    with_reasons = u.ListMatchesRequest(parent=run.name, language_code="es", view=v1.match_pb2.MATCH_VIEW_FULL)
    matches = runs.ListMatches(with_reasons, metadata=coordinator).matches
    for match in matches:
        print(f"{match.score / 100:6.2f} %  {match.mentee}  with  {match.mentor}")
        best = max(match.contributions, key=lambda contribution: contribution.points)
        print(f"          {best.reason.text}")
    assert len(matches) == 2, matches
    unmatched = runs.ListUnmatched(u.ListUnmatchedRequest(parent=run.name), metadata=coordinator).unmatched
    for somebody in unmatched:
        print(f"no match  {somebody.profile}: {somebody.details[0].text}")
    assert len(unmatched) == 1, unmatched

    expect_error(
        lambda: rounds.CreateRound(r.CreateRoundRequest(round_id="x"), metadata=manager),
        grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_DENIED",
    )
    expect_error(lambda: rounds.GetRound(r.GetRoundRequest(name=name)), grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
    print("done")


if __name__ == "__main__":
    main()
