"""Seeded damage to whole datafiles, by byte and by field: rejected in one way, or compiled and decided, and soon."""

from __future__ import annotations

import copy
import json
import os
import time
from random import Random
from typing import Any

import pytest

from sidecar.decision import User, load
from sidecar.errors import DatafileRejected
from tools.differential.ours import user_of
from tools.differential.people import person
from tools.differential.writing import Written, write

MUTATIONS = int(os.environ.get("MUTATIONS", "5000"))
INPUT_S_MAX = 1.0
DEEP = "stands for 500 lists"
MUTANTS_OF_A_DATAFILE = 25
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2.5, 1e308, 2**70, "", "100", "\ud800", "é" * 500, [], {}, [[]], [None], {"id": "100"}),
    *(["or", ["and"]], ["not"], ["xor", 5], "[", '["or"]', [["or"] * 3] * 3, {"a": {"b": []}}),
)


def nodes(tree: Any) -> list[tuple[Any, Any]]:
    """Every place of a tree, as (container, key)."""
    found, rest = [], [tree]
    while rest:
        node = rest.pop()
        keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            found.append((node, key))
            rest.append(node[key])
    return found


def damage_fields(choice: Random, datafile: Any) -> bytes:
    damaged = copy.deepcopy(datafile)
    for _ in range(choice.randint(1, 4)):
        places = nodes(damaged)
        if not places:
            break
        node, key = choice.choice(places)
        kind = choice.random()
        if kind < 0.2:
            del node[key]
        elif kind < 0.4:
            other, name = choice.choice(places)
            node[key] = copy.deepcopy(other[name])
        elif kind < 0.5 and isinstance(node, list):
            node.append(copy.deepcopy(node[key]))
        elif kind < 0.52:
            node[key] = DEEP
        else:
            node[key] = copy.deepcopy(choice.choice(ODD))
    return json.dumps(damaged).replace(f'"{DEEP}"', "[" * 500 + "]" * 500).encode()


def damage_bytes(choice: Random, body: bytes) -> bytes:
    damaged = bytearray(body)
    for _ in range(choice.randint(1, 8)):
        place = choice.randrange(len(damaged) + 1)
        kind = choice.random()
        if kind < 0.4 and place < len(damaged):
            damaged[place] ^= 1 << choice.randrange(8)
        elif kind < 0.6:
            damaged[place:place] = choice.choice(
                [b"[", b"{", b'"', b",", b"\xff", b"\\", b"\x00", b"0", b"null", b"1e999"]
            )
        elif kind < 0.8:
            del damaged[place : place + choice.randint(1, 20)]
        elif kind < 0.95:
            start = choice.randrange(len(damaged) + 1)
            damaged[place:place] = damaged[start : start + choice.randint(1, 200)]
        else:
            del damaged[place:]
    return bytes(damaged)


def survives(body: bytes, written: Written, choice: Random) -> bool:
    """Whether the datafile compiled; whatever else happens is a fault."""
    started = time.process_time()
    try:
        datafile = load(body)
    except DatafileRejected:
        compiled = False
    else:
        compiled = True
        datafile.decide_keys(User("u"))
        datafile.decide_keys(user_of(person(choice, written.names, set())), (*written.names.flag_keys, "unknown"))
        assert len(datafile.warnings) <= 1_000_000
    assert time.process_time() - started < INPUT_S_MAX, body
    return compiled


@pytest.mark.timeout(1_200)
def test_no_mutated_datafile_raises_anything_but_its_rejection() -> None:
    compiled = rejected = 0
    for block in range(-(-MUTATIONS // MUTANTS_OF_A_DATAFILE)):
        choice = Random(f"mutations/{block}")
        written = write(choice)
        body = json.dumps(written.datafile).encode()
        for number in range(MUTANTS_OF_A_DATAFILE):
            mutant = damage_fields(choice, written.datafile) if number % 2 else damage_bytes(choice, body)
            if survives(mutant, written, choice):
                compiled += 1
            else:
                rejected += 1
    print(f"{compiled} compiled, {rejected} rejected")  # noqa: T201 - the long form is run for its counts
    # Damage that only ever rejects, or never does, tests one half.
    assert compiled > MUTATIONS / 5
    assert rejected > MUTATIONS / 5
