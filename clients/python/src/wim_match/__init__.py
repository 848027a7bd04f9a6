"""Client of wim-match: a channel that carries a credential and retries what may be retried.

    import wim_match
    from wim.mentorship.v1 import round_service_pb2, round_service_pb2_grpc

    with wim_match.connect("wim.example.org:50051", token=token) as channel:
        rounds = round_service_pb2_grpc.RoundServiceStub(channel)
        for found in rounds.ListRounds(round_service_pb2.ListRoundsRequest()).rounds:
            print(found.name)

The channel retries a call that the service refused for now: when it is unavailable, or when a limit of calls is reached. The service
says when to call again. A mutation needs a `request_id`: with it a repetition has no second effect.
"""

from __future__ import annotations

import importlib.resources
import uuid
from collections.abc import Sequence
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

__all__ = ["connect", "reason", "request_id", "service_config"]

#: Bytes of an answer at most: a page of very long profiles.
_MOST_BYTES = 256 << 20

_Metadata = Sequence[tuple[str, str | bytes]]


class _Caller(grpc.AuthMetadataPlugin):
    """The credential and the language of the reader, on a channel with TLS."""

    def __init__(self, metadata: _Metadata) -> None:
        self._metadata = tuple(metadata)

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        callback(self._metadata, None)


class _Details(grpc.ClientCallDetails):
    """The details of a call with other metadata."""

    def __init__(self, details: grpc.ClientCallDetails, metadata: _Metadata) -> None:
        self.method = details.method
        self.timeout = details.timeout
        self.metadata = tuple(metadata)
        self.credentials = details.credentials
        self.wait_for_ready = details.wait_for_ready
        self.compression = details.compression


class _Plain(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """The same on a channel without TLS, where gRPC sends no call credentials."""

    def __init__(self, metadata: _Metadata) -> None:
        self._metadata = tuple(metadata)

    def _with(self, details: grpc.ClientCallDetails) -> _Details:
        return _Details(details, (*(details.metadata or ()), *self._metadata))

    def intercept_unary_unary(self, continuation: Any, client_call_details: grpc.ClientCallDetails, request: Any) -> Any:
        return continuation(self._with(client_call_details), request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: grpc.ClientCallDetails, request: Any) -> Any:
        return continuation(self._with(client_call_details), request)

    def intercept_stream_unary(self, continuation: Any, client_call_details: grpc.ClientCallDetails, request_iterator: Any) -> Any:
        return continuation(self._with(client_call_details), request_iterator)

    def intercept_stream_stream(self, continuation: Any, client_call_details: grpc.ClientCallDetails, request_iterator: Any) -> Any:
        return continuation(self._with(client_call_details), request_iterator)


def service_config() -> str:
    """The retry policy that wim-match publishes, as the JSON of a gRPC service config."""
    return (importlib.resources.files(__name__) / "service-config.json").read_text(encoding="utf-8")


def connect(
    server: str,
    *,
    token: str | None = None,
    language: str = "en",
    tls: bool = False,
    ca: bytes | None = None,
    client_certificate: bytes | None = None,
    client_key: bytes | None = None,
) -> grpc.Channel:
    """Opens a channel to `server`, for example `wim.example.org:50051`.

    `token` is an API token or a JWT. `language` is that of the texts of the service: en, es, fr or pt. With `tls` or one of the files in
    PEM the service has to show a certificate of `ca`, or of an authority that the machine trusts.
    """
    options = [
        ("grpc.service_config", service_config()),
        ("grpc.enable_retries", 1),
        ("grpc.max_receive_message_length", _MOST_BYTES),
    ]
    metadata: list[tuple[str, str | bytes]] = [("accept-language", language)]
    if token is not None:
        metadata.append(("authorization", f"Bearer {token}"))
    if not (tls or ca or client_certificate):
        return grpc.intercept_channel(grpc.insecure_channel(server, options=options), _Plain(metadata))
    secure = grpc.ssl_channel_credentials(ca, client_key, client_certificate)
    caller = grpc.metadata_call_credentials(_Caller(metadata))
    return grpc.secure_channel(server, grpc.composite_channel_credentials(secure, caller), options=options)


def request_id() -> str:
    """A new `request_id`: the same id sent again makes a retry safe."""
    return str(uuid.uuid4())


def reason(error: grpc.RpcError) -> str | None:
    """The reason of an error of the service, a name of `ErrorReason` without its prefix; `None` for an error of the network."""
    if not isinstance(error, grpc.Call):
        return None
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return None
