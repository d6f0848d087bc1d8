"""`DatafileService`: what is loaded, where it came from, and each change of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import status_pb2

from sidecar.datafiles import Datafiles, DatafileStatus, Snapshot
from sidecar.errors import DatafileRejected, NoDatafile, SourceUnavailable
from sidecar.pb import datafile_pb2
from sidecar.rpc.descriptions import config_message, disabled_flags
from sidecar.rpc.methods import Call, Code, Method, ServerStream, Unary
from sidecar.rpc.refusals import refusal, refusal_of
from sidecar.rpc.requests import Violations, check_flag_keys, parse

SERVICE: Final = "/sidecar.v1.DatafileService/"


class DatafileHandlers:
    """Handlers of the service over the datafiles."""

    def __init__(self, datafiles: Datafiles) -> None:
        self._datafiles = datafiles

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        return {
            SERVICE + "GetStatus": Unary(self.get_status),
            SERVICE + "GetDatafile": ServerStream(self.get_datafile),
            SERVICE + "GetConfig": Unary(self.get_config),
            SERVICE + "Watch": ServerStream(self.watch),
            SERVICE + "Reload": Unary(self.reload),
        }

    def get_status(self, request: bytes, call: Call) -> bytes:
        """`GetStatus`: also of a datafile that is not loaded yet; only an unknown name is an error."""
        name = parse(datafile_pb2.GetStatusRequest, request, Violations()).datafile
        if not name and not self._datafiles.names:
            return datafile_pb2.GetStatusResponse().SerializeToString()
        status = self._datafiles.status(name)
        reply = datafile_pb2.GetStatusResponse(
            revision=status.revision,
            source=status.location,
            stale=status.stale,
            name=status.name,
            sdk_key=status.sdk_key,
            sha256=status.content_hash,
            from_cache=status.from_cache,
            configured_names=sorted(self._datafiles.names, key=lambda each: each != self._datafiles.default_name),
        )
        _set_time(reply.loaded_time, status.loaded_ms)
        _set_time(reply.checked_time, status.last_checked_ms)
        if status.last_error:
            reason = "DATAFILE_REJECTED" if status.rejected else "SOURCE_UNAVAILABLE"
            failed = refusal(Code.FAILED_PRECONDITION, reason, status.last_error)
            reply.last_error.CopyFrom(status_pb2.Status.FromString(failed.details))
        with contextlib.suppress(NoDatafile):
            _add_loaded(reply, self._datafiles.current(name))
        return reply.SerializeToString()

    async def get_datafile(self, request: bytes, call: Call) -> AsyncIterator[bytes]:
        """`GetDatafile`: the body as loaded, byte for byte, in chunks of one revision."""
        name = parse(datafile_pb2.GetDatafileRequest, request, Violations()).datafile
        snapshot = self._datafiles.current(name)
        chunks, revision, size_bytes = snapshot.body_chunks(), snapshot.revision, snapshot.body_bytes
        # Why: the snapshot is large, and a reader may be slow.
        del snapshot
        for chunk in chunks:
            yield datafile_pb2.GetDatafileResponse(
                chunk=chunk, revision=revision, size_bytes=size_bytes
            ).SerializeToString()

    def get_config(self, request: bytes, call: Call) -> bytes:
        """`GetConfig`: flags, rules, variations, variables, events, attributes and audiences in words."""
        violations = Violations()
        message = parse(datafile_pb2.GetConfigRequest, request, violations)
        check_flag_keys(message.flag_keys, violations)
        violations.raise_if_any()
        compiled = self._datafiles.current(message.datafile).compiled
        return config_message(compiled, frozenset(message.flag_keys)).SerializeToString()

    async def watch(self, request: bytes, call: Call) -> AsyncIterator[bytes]:
        """`Watch`: the current revision first, then each change of it, and how many a slow reader missed."""
        name = parse(datafile_pb2.WatchRequest, request, Violations()).datafile
        said, applied = None, 0
        async for status in self._datafiles.watch(name):
            # Why: the act tells of failures too; a reader of revisions wants what is served now.
            if status.content_hash != said:
                first, said = said is None, status.content_hash
                before, applied = applied, self._datafiles.stats(name).applied
                yield _watched(status, lost=0 if first else max(0, applied - before - 1))

    async def reload(self, request: bytes, call: Call) -> bytes:
        """`Reload`: returns when the source was read and applied; its error is part of the answer, not of the call."""
        name = parse(datafile_pb2.ReloadRequest, request, Violations()).datafile
        before = self._datafiles.status(name)
        error = None
        try:
            after = await self._datafiles.reload(name)
        except (SourceUnavailable, DatafileRejected) as failed:
            error, after = _status_of(failed), self._datafiles.status(name)
        return datafile_pb2.ReloadResponse(
            revision=after.revision,
            changed=after.content_hash != before.content_hash,
            error=error,
            warnings=len(after.warnings),
        ).SerializeToString()


def _add_loaded(reply: datafile_pb2.GetStatusResponse, snapshot: Snapshot) -> None:
    compiled = snapshot.compiled
    reply.account_id, reply.project_id = compiled.account_id, compiled.project_id
    reply.environment_key, reply.size_bytes = compiled.environment_key, snapshot.body_bytes
    disabled = disabled_flags(compiled)
    for warning in compiled.warnings:
        reply.warnings.add(
            path=warning.path,
            description=warning.message,
            disabled_flag_key=disabled.get(f"{warning.path} {warning.message}", ""),
        )


def _watched(status: DatafileStatus, lost: int) -> bytes:
    reply = datafile_pb2.WatchResponse(
        revision=status.revision, source=status.location, warnings=len(status.warnings), lost=lost
    )
    _set_time(reply.loaded_time, status.loaded_ms)
    return reply.SerializeToString()


def _set_time(field: Timestamp, time_ms: int) -> None:
    """Absent stands for never."""
    if time_ms:
        field.FromMilliseconds(time_ms)


def _status_of(error: Exception) -> status_pb2.Status:
    return status_pb2.Status.FromString(refusal_of(error, SERVICE).details)
