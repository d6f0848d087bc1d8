"""Ids that are derived, never drawn: the same event has the same id at each attempt, restart and destination.

Rules: docs/events.md "Identity". UUIDv5 is RFC 9562 §5.5.
"""

from __future__ import annotations

import re
from hashlib import sha1
from typing import Final

NAMESPACE: Final = "8add031e-e0a4-5c9e-a2aa-31236f405094"
"""The namespace of ids that we derive: UUIDv5 of `decision-sidecar` in the DNS namespace.

Part of the contract: another value would make every event a new one.
"""

_NAMESPACE_BYTES: Final = bytes.fromhex(NAMESPACE.replace("-", ""))
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def event_uuid(event_id: str) -> str:
    """Optimizely's uuid of an event: its id as it is when that is a UUID (8-4-4-4-12), else UUIDv5 of it.

    Source: docs/events.md "Identity".
    """
    if _UUID.fullmatch(event_id):
        return event_id
    return _uuid5(_NAMESPACE_BYTES, event_id)


def impression_id(decision_id: str, flag_key: str, rule_key: str, rule_type: str) -> str:
    """The event id of an impression: UUIDv5 of `flag/rule/rule type` in the namespace of the decision id.

    One decision makes at most one impression for a flag, rule and rule type, so a retried Decide gives the
    same ids. The decision id is its own namespace when it is a UUID, else UUIDv5 of it in ours; `%` and `/`
    within a part are percent-encoded, so that no two triples are one name. Source: docs/events.md "Identity".
    """
    space = bytes.fromhex(event_uuid(decision_id).replace("-", ""))
    return _uuid5(space, f"{_part(flag_key)}/{_part(rule_key)}/{_part(rule_type)}")


def _part(key: str) -> str:
    return key.replace("%", "%25").replace("/", "%2F") if "/" in key or "%" in key else key


def _uuid5(space: bytes, name: str) -> str:
    # Why not `uuid.uuid5`: this is a third of its time, and it runs for every impression that leaves.
    digest = bytearray(sha1(space + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
