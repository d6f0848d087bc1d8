"""`ProfileService`: sticky profiles by hand. In the method table only when they are switched on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sidecar import limits
from sidecar.datafiles import Datafiles
from sidecar.pb import profile_pb2
from sidecar.rpc.methods import Call, Method, Unary
from sidecar.rpc.requests import Violations, check_text, check_user_id, parse
from sidecar.sticky import StickyProfiles

PROFILES: Final = "sidecar.v1.ProfileService"
"""The full name of the service."""
SERVICE: Final = f"/{PROFILES}/"


class ProfileHandlers:
    """Handlers of the service over the act that decisions use too."""

    def __init__(self, datafiles: Datafiles, sticky: StickyProfiles) -> None:
        self._datafiles, self._sticky = datafiles, sticky

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        return {
            SERVICE + "Lookup": Unary(self.lookup),
            SERVICE + "Save": Unary(self.save),
            SERVICE + "Delete": Unary(self.delete),
        }

    async def lookup(self, request: bytes, call: Call) -> bytes:
        """`Lookup`: the profile as the next decision here sees it."""
        violations = Violations()
        message = parse(profile_pb2.LookupRequest, request, violations)
        check_user_id(message.user_id, violations)
        violations.raise_if_any()
        found = await self._sticky.read(self._project(message.datafile), message.user_id)
        return profile_pb2.LookupResponse(variation_ids=found).SerializeToString()

    async def save(self, request: bytes, call: Call) -> bytes:
        """`Save`: answers with the merged profile once it is written."""
        violations = Violations()
        message = parse(profile_pb2.SaveRequest, request, violations)
        check_user_id(message.user_id, violations)
        _check_changes(message.variation_ids, violations)
        violations.raise_if_any()
        changed = dict(message.variation_ids)
        merged = await self._sticky.merge(self._project(message.datafile), message.user_id, changed)
        return profile_pb2.SaveResponse(variation_ids=merged).SerializeToString()

    async def delete(self, request: bytes, call: Call) -> bytes:
        """`Delete`: some experiments, or all when none is named; one named twice counts once."""
        violations = Violations()
        message = parse(profile_pb2.DeleteRequest, request, violations)
        check_user_id(message.user_id, violations)
        _check_experiments(message.experiment_ids, violations)
        violations.raise_if_any()
        ids = dict.fromkeys(message.experiment_ids) or None
        deleted = await self._sticky.forget(self._project(message.datafile), message.user_id, ids)
        return profile_pb2.DeleteResponse(deleted=deleted).SerializeToString()

    def _project(self, datafile: str) -> str:
        """Raises `DatafileNotFound`, `NoDatafile`."""
        return self._datafiles.current(datafile).compiled.project_id


def _check_changes(variation_ids: Mapping[str, str], violations: Violations) -> None:
    entries_max = limits.PROFILE_EXPERIMENTS_MAX
    if not 1 <= len(variation_ids) <= entries_max:
        violations.add("variation_ids", f"has {len(variation_ids)} entries, wanted 1 to {entries_max}")
        return
    for experiment_id, variation_id in variation_ids.items():
        if not experiment_id:
            violations.add("variation_ids", "has an empty key, wanted the id of an experiment")
        check_text(experiment_id, "variation_ids", violations, limits.KEY_BYTES_MAX)
        # A key may be long; the error shortens what it shows.
        place = f"variation_ids[{experiment_id}]"
        if not variation_id:
            violations.add(place, "is empty, wanted the id of a variation")
        check_text(variation_id, place, violations, limits.KEY_BYTES_MAX)


def _check_experiments(experiment_ids: Collection[str], violations: Violations) -> None:
    ids_max = limits.PROFILE_EXPERIMENTS_MAX
    if len(experiment_ids) > ids_max:
        violations.add("experiment_ids", f"has {len(experiment_ids)} ids, wanted at most {ids_max}")
        return
    for at, experiment_id in enumerate(experiment_ids):
        if not experiment_id:
            violations.add(f"experiment_ids[{at}]", "is empty, wanted the id of an experiment")
        check_text(experiment_id, f"experiment_ids[{at}]", violations, limits.KEY_BYTES_MAX)
