"""A datafile in words, as the message of `GetConfig`."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from sidecar.decision import CompiledDatafile
from sidecar.pb import datafile_pb2


def config_message(compiled: CompiledDatafile, flag_keys: AbstractSet[str]) -> datafile_pb2.GetConfigResponse:
    """The description of a datafile; `flag_keys` empty = all flags."""
    described = compiled.describe()
    return datafile_pb2.GetConfigResponse(
        revision=described.revision,
        sdk_key=described.sdk_key,
        environment_key=described.environment_key,
        flags=[
            datafile_pb2.ConfigFlag(flag_key=flag.key, flag_id=flag.id)
            for flag in described.flags
            if not flag_keys or flag.key in flag_keys
        ],
    )
