"""Asks a running sidecar about its outbox through `AdminService`. Answers are the mappings of `app.inspect`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sidecar.client.channel import Target, connect, metadata
from sidecar.errors import SidecarError
from sidecar.pb import admin_pb2, event_pb2

_SERVICE: Final = "/sidecar.v1.AdminService/"
_KIND_PREFIX: Final = "EVENT_KIND_"

ReplyT = TypeVar("ReplyT", bound=Message)


class NotAdministered(SidecarError):
    """The sidecar gave no answer; the message names it, the code and what it said."""


class Admin:
    """One sidecar's outbox. Every method raises `NotAdministered`."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self._target, self._timeout_s = target, timeout_s

    def counts(self) -> Sequence[dict[str, Any]]:
        """The counts of every destination."""
        reply = self._ask("GetOutboxStats", admin_pb2.GetOutboxStatsRequest(), admin_pb2.GetOutboxStatsResponse)
        return [
            {
                "destination": one.destination,
                "accepted": one.accepted,
                "delivered": one.delivered,
                "pending": one.pending,
                "pending_bytes": one.pending_bytes,
                "dead": one.dead,
                "dead_bytes": one.dead_bytes,
                "dropped": dict(one.dropped),
                "oldest_age_s": one.oldest_age.ToMilliseconds() / 1000,
                "pause_reason": one.pause_reason,
                "last_error": one.last_error,
                "conserved": one.accepted == one.delivered + one.pending + one.dead + sum(one.dropped.values()),
            }
            for one in reply.destinations
        ]

    def pending(self, destination: str, limit: int) -> Sequence[dict[str, Any]]:
        """The oldest events that wait for a destination."""
        request = admin_pb2.PeekRequest(destination=destination, limit=limit)
        return [_event(one) for one in self._ask("Peek", request, admin_pb2.PeekResponse).events]

    def dead_letters(self, destination: str, limit: int) -> Sequence[dict[str, Any]]:
        """The oldest dead letters of a destination, of as many pages as it takes."""
        found: list[dict[str, Any]] = []
        request = admin_pb2.ListDeadLettersRequest(destination=destination)
        while len(found) < limit:
            request.page_size = min(1_000, limit - len(found))
            reply = self._ask("ListDeadLetters", request, admin_pb2.ListDeadLettersResponse)
            found += map(_dead_letter, reply.dead_letters)
            request.page_token = reply.next_page_token
            if not request.page_token:
                break
        return found

    def requeue(self, destination: str, dead_ids: Sequence[int] | None) -> dict[str, int]:
        """Put dead letters (None = all) back into the queue."""
        request = admin_pb2.RequeueRequest(
            destination=destination, dead_letter_ids=map(str, dead_ids or ()), all=dead_ids is None
        )
        reply = self._ask("Requeue", request, admin_pb2.RequeueResponse)
        return {"requeued": reply.requeued, "left": reply.left}

    def purge(self, destination: str, dead_ids: Sequence[int] | None) -> dict[str, int]:
        """Drop dead letters (None = all) for good."""
        request = admin_pb2.PurgeRequest(
            destination=destination, dead_letter_ids=map(str, dead_ids or ()), all=dead_ids is None
        )
        return {"purged": self._ask("Purge", request, admin_pb2.PurgeResponse).purged}

    def _ask(self, method: str, request: Message, reply: type[ReplyT]) -> ReplyT:
        with connect(self._target) as channel:
            ask: grpc.UnaryUnaryMultiCallable[Message, ReplyT] = channel.unary_unary(
                _SERVICE + method,
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=reply.FromString,
            )
            try:
                return ask(request, timeout=self._timeout_s, metadata=metadata(self._target))
            except grpc.RpcError as failed:
                cause = f"{failed.code().name}: {failed.details()}"
                if failed.code() is grpc.StatusCode.UNIMPLEMENTED:
                    cause += "; AdminService is served on Unix sockets, elsewhere only with `admin_over_tcp`"
                raise NotAdministered(f"no answer from {self._target.address}: {cause}") from failed


def _event(one: admin_pb2.PendingEvent) -> dict[str, Any]:
    kind = event_pb2.EventKind.Name(one.kind).removeprefix(_KIND_PREFIX).lower() if one.kind else ""
    return {
        "event_id": one.event_id,
        "kind": kind,
        "accepted_time": _instant(one.accepted_time),
        "datafile": one.datafile,
        "event": json.loads(one.event_json) if one.event_json else None,
    }


def _dead_letter(one: admin_pb2.DeadLetter) -> dict[str, Any]:
    return {
        "dead_letter_id": one.dead_letter_id,
        "reason": one.reason,
        "error": one.error,
        "http_status": one.http_status,
        "attempts": one.attempts,
        "dead_time": _instant(one.dead_time),
        "event": _event(one.event),
    }


def _instant(time: Timestamp) -> str:
    return time.ToDatetime().isoformat(timespec="milliseconds") + "Z"
