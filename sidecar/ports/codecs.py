"""What is kept as bytes for speed: decisions for the wire, calls for the outbox. The faces implement it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from sidecar.decision import CompiledDatafile, Decision
from sidecar.events.model import Event, ProjectFacts
from sidecar.ports.outbox import EncodedFacts, StoredRecord
from sidecar.values import Pause


class RecordCodec(Protocol):
    """Reads what the faces wrote into the outbox. Pure; a body that cannot be read raises `ValueError`."""

    def events(self, record: StoredRecord) -> Sequence[Event]:
        """The record's events at `record.indexes`, in that order."""
        ...

    def facts(self, facts: EncodedFacts) -> ProjectFacts:
        """Project facts as they were when the record was accepted."""
        ...

    def encode_facts(self, facts: ProjectFacts) -> EncodedFacts:
        """The other way; equal facts give an equal key."""
        ...


class Rendered(Struct, frozen=True, eq=False, gc=False):
    """One decision in the form the wire wants: `answer` goes into the reply, `impressions` into the outbox record."""

    answer: bytes
    impressions: tuple[bytes, ...]


class DecisionCodec(Protocol):
    """Keeps decisions as bytes, so that a reply is a join of them."""

    def render(self, compiled: CompiledDatafile, pause: Pause) -> Mapping[Decision, Rendered]:
        """The bytes of every prebuilt decision; a decision that is not among them is rendered on look-up.

        Pure and thread-safe; called off the event loop when a datafile is applied. `pause` is called between two
        decisions.
        """
        ...

    def record(  # noqa: PLR0917 - one argument a field of the stored call, in its order
        self,
        call: bytes,
        decision_id: str,
        received_ms: int,
        datafile: str,
        impressions: Sequence[bytes],
        form: str,
    ) -> bytes:
        """The body of the outbox record of one call: its request as received, and the impressions it made.

        `impressions` are those of `Rendered`, in order: the event indexes of the record. `form` names the
        request's field in the outbox's `StoredCall`: `decide`, `decide_user`, `activate`, `is_feature_enabled` or
        `get_enabled_features`.
        """
        ...
