"""Seeded damage to requests, by field and by byte, through every handler of the method table: only our own errors."""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.rpc import status_pb2

from sidecar.rpc.methods import Bidirectional, Code, Method, ServerStream, Unary
from sidecar.rpc.refusals import refusal_of
from tests.support.refusals import said
from tests.support.served import serving

pytestmark = pytest.mark.usefixtures("wire")

MUTATIONS = int(os.environ.get("MUTATIONS", "5000"))
INPUT_S_MAX = 1.0
AT_ONCE = 40
WAITS_S = 0.02
"""How long a stream that may never end is listened to."""
SLOW = ("Flush", "Reload", "Watch", "Subscribe", "ImportStream", "DecideStream", "ServerReflectionInfo")
"""Methods that wait for something or somebody: asked less often."""
DEPTH_MAX = 4
TEXTS = (
    *(
        "u",
        "",
        "user-2",
        "default",
        "purchase",
        "new_checkout",
        "on",
        "é" * 30,
        "\U0001f600",
        "x" * 2_000,
        "USD",
        "9.99",
    ),
    *("00000000-0000-4000-8000-000000000000", "revenue", "value", "$opt_bucketing_id", "optimizely", "hook", "\x00"),
)
PLAUSIBLE_ODDS = 0.97
PLAUSIBLE = {
    "user_id": "u",
    "datafile": "",
    "event_key": "purchase",
    "group_id": "g",
    "previous_id": "p",
    "event_id": "",
    "flag_key": "new_checkout",
    "timestamp": "",
    "amount": "9.99",
    "currency": "USD",
    "destination": "hook",
}
"""What a field usually holds, so that a request gets past its first check."""
REQUIRED = ("user_id", "event_key", "group_id", "previous_id", "flag_key", "experiment_key", "kind")
REFUSED = ("timestamp", "revenue", "forced_decisions", "timeout", "options", "integrations", "event_tags")
NUMBERS = (0, 1, -1, 2, 7, 99, 500, 2**31 - 1, -(2**31))
WIDE = (*NUMBERS, 2**53 + 1, 2**63 - 1, -(2**63), 253402300800, -62135596801)
DOUBLES = (0.0, -0.0, 1.5, float("nan"), float("inf"), 1e308)
WHOLE = {FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64}


@dataclass(slots=True)
class Asked:
    """A call without a transport."""

    peer: str = "unix:"
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self, key: str) -> str | None:
        return self.headers.get(key)

    def time_remaining_s(self) -> float | None:
        return WAITS_S

    def cancelled(self) -> bool:
        return False


def scalar(choice: Random, of: Any) -> Any:
    kind = of.cpp_type
    if kind == FieldDescriptor.CPPTYPE_STRING:
        text = choice.choice(TEXTS)
        if choice.random() < PLAUSIBLE_ODDS:
            text = PLAUSIBLE.get(of.name, text)
        return text.encode() if of.type == FieldDescriptor.TYPE_BYTES else text
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return choice.random() < 0.5
    if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return choice.choice(DOUBLES)
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return choice.choice([0, 1, 2, 3, 4, 99, -1])
    number = choice.choice(WIDE if kind in WHOLE else NUMBERS)
    unsigned = kind in (FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64)
    return abs(number) if unsigned else number


def fill(choice: Random, message: Message, depth: int = 0) -> None:
    """Set some of a message's fields, to what fits them and to what does not."""
    for of in message.DESCRIPTOR.fields:
        # What most requests are refused for is set seldom, what they are refused without nearly always.
        odds = 0.95 if of.name in REQUIRED else 0.1 if of.name in REFUSED else 0.6
        if choice.random() > odds:
            continue
        target: Any = getattr(message, of.name)
        times = choice.choice([0, 1, 1, 2, 3]) if of.is_repeated else 1
        entry = of.message_type.fields_by_name if of.message_type is not None else {}
        is_map = of.message_type is not None and of.message_type.GetOptions().map_entry
        for _ in range(times):
            if is_map:
                key = scalar(choice, entry["key"])
                if entry["value"].message_type is None:
                    target[key] = scalar(choice, entry["value"])
                elif depth < DEPTH_MAX:
                    fill(choice, target[key], depth + 1)
            elif of.message_type is not None:
                if depth < DEPTH_MAX:
                    inner = target.add() if of.is_repeated else target
                    inner.SetInParent() if not of.is_repeated else None
                    fill(choice, inner, depth + 1)
            elif of.is_repeated:
                target.append(scalar(choice, of))
            else:
                setattr(message, of.name, scalar(choice, of))


def damage(choice: Random, body: bytes) -> bytes:
    damaged = bytearray(body)
    for _ in range(choice.randint(1, 5)):
        place = choice.randrange(len(damaged) + 1)
        kind = choice.random()
        if kind < 0.4 and place < len(damaged):
            damaged[place] = choice.randrange(256)
        elif kind < 0.6:
            damaged[place:place] = choice.randbytes(choice.randint(1, 6))
        elif kind < 0.75:
            del damaged[place : place + choice.randint(1, 10)]
        elif kind < 0.9:
            start = choice.randrange(len(damaged) + 1)
            damaged[place:place] = damaged[start : start + choice.randint(1, 100)]
        else:
            del damaged[place:]
    return bytes(damaged)


def request_class(name: str) -> type[Message]:
    """The message that a method of this full name takes."""
    # Reflection's two versions are one in all but the name, and Python's package has the older alone.
    service, _, method = name[1:].replace("reflection.v1.", "reflection.v1alpha.").partition("/")
    found = descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]
    return message_factory.GetMessageClass(found.input_type)


def mutant(choice: Random, of: type[Message]) -> bytes:
    message = of()
    fill(choice, message)
    body = message.SerializeToString()
    return damage(choice, body) if choice.random() < 0.5 else body


async def requests(bodies: list[bytes]) -> AsyncIterator[bytes]:
    for body in bodies:
        yield body


async def heard(replies: AsyncIterator[bytes]) -> None:
    """Listen for a moment, as a reader who then goes away."""
    try:
        async with asyncio.timeout(WAITS_S * 2):
            async for _ in replies:
                pass
    except TimeoutError:
        pass


async def answered(name: str, method: Unary, body: bytes) -> bytes:
    """A unary answer within a second. One that takes longer is asked for again: a busy machine is no hang."""
    for pause_s in (INPUT_S_MAX, 0.0):
        started = time.process_time()
        reply = method.handler(body, Asked())
        assert time.process_time() - started < INPUT_S_MAX, (name, body.hex())
        if not inspect.isawaitable(reply):
            return reply
        try:
            return await asyncio.wait_for(reply, INPUT_S_MAX)
        except TimeoutError:
            await asyncio.sleep(pause_s)
    pytest.fail(f"{name} gave no answer within {INPUT_S_MAX} s, twice, to {body.hex()}")


async def ask(name: str, method: Method, bodies: list[bytes], outcomes: Counter[str]) -> None:
    try:
        if isinstance(method, Unary):
            assert isinstance(await answered(name, method, bodies[0]), bytes)
        elif isinstance(method, ServerStream):
            await heard(method.handler(bodies[0], Asked()))
        else:
            assert isinstance(method, Bidirectional)
            await heard(method.handler(requests(bodies), Asked()))
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001 - what a handler may raise is the question
        refused = refusal_of(error, name)
        if refused.code is Code.INTERNAL:
            pytest.fail(f"{name} raised {error!r} for {[body.hex() for body in bodies]}")
        if refused.code is not Code.UNIMPLEMENTED:
            assert said(status_pb2.Status.FromString(refused.details)).reason, (name, bodies)
        outcomes[refused.code.name] += 1
    else:
        outcomes["OK"] += 1


@pytest.mark.timeout(1_200)
async def test_no_mutated_request_gets_anything_but_an_answer_or_a_named_error(tmp_path: Path) -> None:
    choice = Random(f"requests/{MUTATIONS}")
    outcomes: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    # With sticky profiles, so that the methods that are off by default are asked too.
    async with serving(tmp_path, {"profiles": {"store": "memory"}}) as served:
        table = served.parts.table
        classes = {name: request_class(name) for name in table}
        quick = [name for name in table if not name.endswith(SLOW)]
        slow = [name for name in table if name.endswith(SLOW)]
        for start in range(0, MUTATIONS, AT_ONCE):
            names = [choice.choice(quick) for _ in range(min(AT_ONCE, MUTATIONS - start) - 1)]
            names.append(slow[start // AT_ONCE % len(slow)])
            asked.update(names)
            async with asyncio.TaskGroup() as calls:
                for name in names:
                    bodies = [mutant(choice, classes[name]) for _ in range(3)]
                    calls.create_task(ask(name, table[name], bodies, outcomes))
        assert len((await served.decide()).decisions) > 0
    print(dict(outcomes))  # noqa: T201 - the long form is run for its counts
    assert set(asked) == set(table)
    assert sum(outcomes.values()) == MUTATIONS
    assert outcomes["OK"] > MUTATIONS / 10
    assert outcomes["INVALID_ARGUMENT"] > MUTATIONS / 10
