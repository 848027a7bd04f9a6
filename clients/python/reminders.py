"""Follows the events of mentorships and sends reminders by e-mail, to addresses that only the organisation keeps.

    python clients/python/reminders.py --server localhost:50051 --token TOKEN --organisation wim-peru \\
        --addresses addresses.csv --smtp localhost:25 --sender programme@wim.example --cursor cursor.txt

The file of addresses has the columns `id` and `email`; the service never sees it. The file of the cursor keeps the place in the
stream, so that a restart goes on there; a crash right after an e-mail sends that one again. With `--once` the script ends at the first
sign of life that the stream sends when it has no more events.
"""

from __future__ import annotations

import argparse
import csv
import email.message
import pathlib
import smtplib

import grpc
import wim_match
from wim.mentorship.v1 import event_pb2, event_service_pb2, event_service_pb2_grpc
from wim.mentorship.v1 import mentorship_pb2, mentorship_service_pb2, mentorship_service_pb2_grpc

SUBJECTS = {
    event_pb2.EVENT_KIND_ANSWER_OVERDUE: "Please answer the proposal of your mentorship",
    event_pb2.EVENT_KIND_FIRST_MEETING_OVERDUE: "Please arrange the first meeting of your mentorship",
    event_pb2.EVENT_KIND_CHECK_IN_DUE: "A few questions about your mentorship",
}
KINDS = {
    event_pb2.EVENT_KIND_ANSWER_OVERDUE: mentorship_pb2.DUE_KIND_ANSWER,
    event_pb2.EVENT_KIND_FIRST_MEETING_OVERDUE: mentorship_pb2.DUE_KIND_FIRST_MEETING,
    event_pb2.EVENT_KIND_CHECK_IN_DUE: mentorship_pb2.DUE_KIND_CHECK_IN,
}


def addresses_of(path: pathlib.Path) -> dict[str, str]:
    """Reads the addresses of the organisation's members by their ids."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["id"]: row["email"] for row in csv.DictReader(file)}


def due_of(channel: grpc.Channel, organisation: str, event: event_pb2.Event) -> set[str]:
    """Returns the ids of the members of whom the thing of an event is due."""
    stub, found, token = mentorship_service_pb2_grpc.MentorshipServiceStub(channel), set(), ""
    while True:
        request = mentorship_service_pb2.ListDueRequest(organisation=f"organisations/{organisation}", page_token=token)
        page = stub.ListDue(request)
        for due in page.due:
            if due.mentorship == event.name and due.kind == KINDS[event.kind]:
                found.add(due.profile.rsplit("/", 1)[-1])
        token = page.next_page_token
        if not token:
            return found


def send(smtp: str, sender: str, address: str, subject: str) -> None:
    """Sends one reminder. It names nobody but its reader."""
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, address, subject
    message.set_content(f"{subject}.\n\nYour organisation's programme team answers your questions.\n")
    host, _, port = smtp.partition(":")
    with smtplib.SMTP(host, int(port or 25), timeout=30) as server:
        server.send_message(message)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--server", default="localhost:50051")
    arguments.add_argument("--token", required=True)
    arguments.add_argument("--ca", type=pathlib.Path, help="authority of the service, in PEM")
    arguments.add_argument("--organisation", required=True, metavar="ID")
    arguments.add_argument("--addresses", type=pathlib.Path, required=True)
    arguments.add_argument("--smtp", default="localhost:25", metavar="HOST:PORT")
    arguments.add_argument("--sender", required=True)
    arguments.add_argument("--cursor", type=pathlib.Path, required=True)
    arguments.add_argument("--once", action="store_true", help="end when the stream has no more events")
    options = arguments.parse_args()
    addresses = addresses_of(options.addresses)
    ca = options.ca.read_bytes() if options.ca else None
    cursor = options.cursor.read_text().strip() if options.cursor.exists() else ""
    with wim_match.connect(options.server, token=options.token, ca=ca) as channel:
        events = event_service_pb2_grpc.EventServiceStub(channel)
        request = event_service_pb2.StreamEventsRequest(cursor=cursor, from_oldest=not cursor)
        began = False
        for answer in events.StreamEvents(request):
            if answer.HasField("event"):
                if answer.event.kind in SUBJECTS:
                    for member in sorted(due_of(channel, options.organisation, answer.event)):
                        if member in addresses:
                            send(options.smtp, options.sender, addresses[member], SUBJECTS[answer.event.kind])
                            print(f"reminded {member}: {SUBJECTS[answer.event.kind]}")
            elif options.once and began:
                return
            began = True
            options.cursor.write_text(answer.cursor)


if __name__ == "__main__":
    main()
