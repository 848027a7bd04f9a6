"""Runs reminders.py against a service of its own and a small SMTP server: who is reminded of what, and that a restart repeats nothing.

    python clients/python/reminders_test.py
"""

from __future__ import annotations

import concurrent.futures
import email
import email.message
import pathlib
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator

import grpc
from wim.mentorship.v1 import event_pb2, event_service_pb2, event_service_pb2_grpc
from wim.mentorship.v1 import mentorship_pb2, mentorship_service_pb2, mentorship_service_pb2_grpc

TOKEN = "wimm_test"
MENTORSHIP = "rounds/2027-first/mentorships/" + "0a" * 16
OTHER = "rounds/2027-first/mentorships/" + "0b" * 16


class Mailbox(socketserver.ThreadingTCPServer):
    """An SMTP server that keeps every message with its recipient."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.messages: list[tuple[str, email.message.Message]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Session(socketserver.StreamRequestHandler):
    """One connection, by RFC 5321: just what a client needs to hand a message over."""

    def answer(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        assert isinstance(self.server, Mailbox)
        recipient = ""
        self.answer("220 test")
        while line := self.rfile.readline():
            command = line.decode().strip()
            if command.upper().startswith("RCPT TO:"):
                recipient = command[8:].strip("<> ")
            if command.upper() == "DATA":
                self.answer("354 go on")
                lines = []
                while (part := self.rfile.readline().rstrip(b"\r\n")) != b".":
                    lines.append(part.removeprefix(b"."))
                self.server.messages.append((recipient, email.message_from_bytes(b"\n".join(lines))))
            if command.upper() == "QUIT":
                self.answer("221 bye")
                return
            self.answer("250 ok")


def event(at: int, kind: event_pb2.EventKind.ValueType, name: str) -> event_service_pb2.StreamEventsResponse:
    return event_service_pb2.StreamEventsResponse(event=event_pb2.Event(name=name, kind=kind), cursor=f"cursor-{at}")


# What happens, in order: an event that is no reminder, an answer, a first meeting and a check-in.
EVENTS = [
    event(1, event_pb2.EVENT_KIND_CHANGED, MENTORSHIP),
    event(2, event_pb2.EVENT_KIND_ANSWER_OVERDUE, MENTORSHIP),
    event(3, event_pb2.EVENT_KIND_FIRST_MEETING_OVERDUE, OTHER),
    event(4, event_pb2.EVENT_KIND_CHECK_IN_DUE, MENTORSHIP),
]


class Events(event_service_pb2_grpc.EventServiceServicer):
    """The events after a cursor, then a sign of life."""

    def StreamEvents(
        self, request: event_service_pb2.StreamEventsRequest, context: grpc.ServicerContext
    ) -> Iterator[event_service_pb2.StreamEventsResponse]:
        assert ("authorization", f"Bearer {TOKEN}") in context.invocation_metadata()
        after = int(request.cursor.rsplit("-", 1)[-1]) if request.cursor else 0
        yield event_service_pb2.StreamEventsResponse(cursor=request.cursor or "cursor-0")
        yield from EVENTS[after:]
        yield event_service_pb2.StreamEventsResponse(cursor=f"cursor-{len(EVENTS)}")


class Mentorships(mentorship_service_pb2_grpc.MentorshipServiceServicer):
    """What is due, one on each page."""

    def ListDue(
        self, request: mentorship_service_pb2.ListDueRequest, context: grpc.ServicerContext
    ) -> mentorship_service_pb2.ListDueResponse:
        assert request.organisation == "organisations/wim-peru"
        due = [
            (MENTORSHIP, "PE-001", mentorship_pb2.DUE_KIND_ANSWER),
            (MENTORSHIP, "PE-001", mentorship_pb2.DUE_KIND_CHECK_IN),
            (MENTORSHIP, "PE-002", mentorship_pb2.DUE_KIND_CHECK_IN),
            (OTHER, "PE-002", mentorship_pb2.DUE_KIND_FIRST_MEETING),
            (OTHER, "no-address", mentorship_pb2.DUE_KIND_FIRST_MEETING),
        ]
        at = int(request.page_token or 0)
        name, person, kind = due[at]
        profile = f"organisations/wim-peru/profiles/{person}"
        return mentorship_service_pb2.ListDueResponse(
            due=[mentorship_pb2.Due(mentorship=name, profile=profile, kind=kind)],
            next_page_token=str(at + 1) if at + 1 < len(due) else "",
        )


def main() -> None:
    mailbox = Mailbox()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    event_service_pb2_grpc.add_EventServiceServicer_to_server(Events(), server)
    # The other methods are not called.
    mentorships = Mentorships()  # type: ignore[abstract]
    mentorship_service_pb2_grpc.add_MentorshipServiceServicer_to_server(mentorships, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with tempfile.TemporaryDirectory() as home:
        addresses = pathlib.Path(home, "addresses.csv")
        addresses.write_text("id,email\nPE-001,ana@wim.example\nPE-002,bea@wim.example\n", encoding="utf-8")
        command = [
            sys.executable, str(pathlib.Path(__file__).with_name("reminders.py")), "--once",
            "--server", f"127.0.0.1:{port}", "--token", TOKEN, "--organisation", "wim-peru",
            "--addresses", str(addresses), "--smtp", f"127.0.0.1:{mailbox.server_address[1]}",
            "--sender", "programme@wim.example", "--cursor", str(pathlib.Path(home, "cursor.txt")),
        ]  # fmt: skip
        subprocess.run(command, check=True, timeout=60)
        sent = [(recipient, message["Subject"]) for recipient, message in mailbox.messages]
        assert sent == [
            ("ana@wim.example", "Please answer the proposal of your mentorship"),
            ("bea@wim.example", "Please arrange the first meeting of your mentorship"),
            ("ana@wim.example", "A few questions about your mentorship"),
            ("bea@wim.example", "A few questions about your mentorship"),
        ], sent
        for recipient, message in mailbox.messages:
            assert message["From"] == "programme@wim.example" and message["To"] == recipient
            text = message.as_string()
            assert "PE-00" not in text and MENTORSHIP not in text, "a reminder names nobody but its reader"
        # From the cursor on there is nothing more; a new event alone is a new reminder.
        subprocess.run(command, check=True, timeout=60)
        assert len(mailbox.messages) == 4, "a restart repeats nothing"
        EVENTS.append(event(5, event_pb2.EVENT_KIND_FIRST_MEETING_OVERDUE, OTHER))
        subprocess.run(command, check=True, timeout=60)
        assert [recipient for recipient, _ in mailbox.messages[4:]] == ["bea@wim.example"]
    server.stop(None)
    mailbox.shutdown()
    print("reminders.py reminds each member of what is due of her, once")


if __name__ == "__main__":
    main()
