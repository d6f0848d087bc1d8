"""What every stack asks of the daemon and of the interoperability suite's service, and the one line that each must say.

A line is what the contract promises of the call; everything else about the answer is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from sidecar.pb import datafile_pb2, decision_pb2, tracking_pb2
from tests.interop.callers import Call, Result
from tests.interop.pb import messages_pb2 as suite
from tests.interop.testing_service import SERVICE
from tests.support.served import DECIDE, TRACK, decide_request, track_request

DECIDE_STREAM: Final = "/sidecar.v1.DecisionService/DecideStream"
GET_DATAFILE: Final = "/sidecar.v1.DatafileService/GetDatafile"
WATCH: Final = "/sidecar.v1.DatafileService/Watch"

_DEADLINE_MS: Final = 700
_STRANGE: Final = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
_CODES: Final[Mapping[int, str]] = {code.value[0]: code.name for code in grpc.StatusCode}


def _hex(*messages: Message) -> Sequence[str]:
    return [one.SerializeToString().hex() for one in messages]


def _asked(*sizes: int, payload: int = 0) -> suite.StreamingOutputCallRequest:
    parameters = [suite.ResponseParameters(size=size) for size in sizes]
    return suite.StreamingOutputCallRequest(
        response_parameters=parameters, payload=suite.Payload(body=bytes(payload)) if payload else None
    )


def daemon_calls() -> Sequence[Call]:
    """The calls to the daemon, in order."""
    nowhere = decide_request(datafile="nowhere")
    # As many attributes of the largest size as make more than 1 MiB.
    large = decide_request(attributes={f"a{number}": "x" * 65_000 for number in range(17)})
    stream = [decision_pb2.DecideStreamRequest(decide=one) for one in (decide_request(), nowhere, decide_request())]
    watch = _hex(datafile_pb2.WatchRequest())
    metadata = [("x-note", "a word"), ("x-trace-bin", "00ff10fe"), ("x-empty-bin", "")]
    return [
        Call(name="decide", kind="unary", method=DECIDE, requests=_hex(decide_request())),
        Call(name="metadata", kind="unary", method=DECIDE, requests=_hex(decide_request()), metadata=metadata),
        Call(name="gzip", kind="unary", method=DECIDE, requests=_hex(large), gzip=True),
        Call(name="large", kind="unary", method=DECIDE, requests=_hex(large)),
        Call(name="track", kind="unary", method=TRACK, requests=_hex(track_request())),
        Call(name="stream", kind="bidi", method=DECIDE_STREAM, requests=_hex(*stream)),
        Call(
            name="datafile", kind="server_stream", method=GET_DATAFILE, requests=_hex(datafile_pb2.GetDatafileRequest())
        ),
        Call(name="deadline", kind="server_stream", method=WATCH, requests=watch, timeout_ms=_DEADLINE_MS),
        Call(name="cancel", kind="server_stream", method=WATCH, requests=watch, cancel_after=1),
        Call(name="refused", kind="unary", method=DECIDE, requests=_hex(nowhere)),
        Call(name="malformed", kind="unary", method=DECIDE, requests=["0affffffff"]),
        Call(name="unknown", kind="unary", method="/sidecar.v1.DecisionService/Guess", requests=[""]),
        # Last: the channel has outlived all that.
        Call(name="after", kind="unary", method=DECIDE, requests=_hex(decide_request())),
    ]


def daemon_lines(datafile: Path, flags: int) -> Mapping[str, str]:
    """What each must say, of a daemon that serves this datafile of so many flags."""
    decided = f"OK, 1 replies: {flags} decisions"
    answers = f"{flags} decisions; error NOT_FOUND; {flags} decisions"
    return {
        "decide": decided,
        "metadata": decided,
        "gzip": decided,
        "large": decided,
        "track": "OK, 1 replies: accepted",
        "stream": f"OK, 3 replies: {answers}",
        "datafile": f"OK: {datafile.stat().st_size} bytes, the file's: True",
        "deadline": "DEADLINE_EXCEEDED, 1 replies",
        "cancel": "CANCELLED, 1 replies",
        "refused": "NOT_FOUND, 0 replies: DATAFILE_NOT_FOUND of sidecar, details say the message: True",
        "malformed": "INVALID_ARGUMENT, 0 replies: MALFORMED of sidecar, details say the message: True",
        "unknown": "UNIMPLEMENTED, 0 replies",
        "after": decided,
    }


def daemon_line(result: Result, datafile: Path) -> str:
    """What a result says."""
    replies = [bytes.fromhex(reply) for reply in result.replies]
    if result.name == "datafile":
        body = b"".join(datafile_pb2.GetDatafileResponse.FromString(reply).chunk for reply in replies)
        return f"{_CODES[result.code]}: {len(body)} bytes, the file's: {body == datafile.read_bytes()}"
    line = f"{_CODES[result.code]}, {len(replies)} replies"
    if result.details:
        return f"{line}: {_reason(result)}"
    said = _SAID.get(result.name)
    return line if said is None or result.code else f"{line}: {'; '.join(map(said, replies))}"


def _reason(result: Result) -> str:
    status = status_pb2.Status.FromString(bytes.fromhex(result.details))
    about = error_details_pb2.ErrorInfo.FromString(status.details[0].value)
    same = (status.code, status.message) == (result.code, result.message)
    return f"{about.reason} of {about.domain}, details say the message: {same}"


def _decided(reply: bytes) -> str:
    return f"{len(decision_pb2.DecideResponse.FromString(reply).decisions)} decisions"


def _streamed(reply: bytes) -> str:
    answer = decision_pb2.DecideStreamResponse.FromString(reply)
    if answer.HasField("error"):
        return f"error {_CODES[answer.error.code]}"
    return f"{len(answer.decided.decisions)} decisions"


def _tracked(reply: bytes) -> str:
    return "accepted" if tracking_pb2.TrackResponse.FromString(reply).event_id else "no event id"


_SAID: Final[Mapping[str, Callable[[bytes], str]]] = {
    **dict.fromkeys(("decide", "metadata", "gzip", "large", "after"), _decided),
    "stream": _streamed,
    "track": _tracked,
}


def suite_calls() -> Sequence[Call]:
    """The calls to the interoperability suite's service, in order."""
    echo = [("x-grpc-test-echo-initial", "a word"), ("x-grpc-test-echo-trailing-bin", "0a0b00ff")]
    unary, duplex, output = SERVICE + "UnaryCall", SERVICE + "FullDuplexCall", SERVICE + "StreamingOutputCall"
    strange = suite.SimpleRequest(response_status=suite.EchoStatus(code=2, message=_STRANGE))
    turns = _hex(*(_asked(150_000, payload=150_000) for _ in range(4)))
    return [
        Call(name="empty", kind="unary", method=SERVICE + "EmptyCall", requests=[""]),
        Call(
            name="echo", kind="unary", method=unary, requests=_hex(suite.SimpleRequest(response_size=9)), metadata=echo
        ),
        Call(name="echo_refused", kind="unary", method=unary, requests=_hex(strange), metadata=echo),
        Call(name="echo_stream", kind="bidi", method=duplex, requests=_hex(_asked(7)), metadata=echo),
        Call(name="many", kind="server_stream", method=output, requests=_hex(_asked(*[200_000] * 8))),
        Call(name="none", kind="server_stream", method=output, requests=_hex(_asked())),
        Call(name="turns", kind="bidi", method=duplex, requests=turns),
        Call(name="turns_gzip", kind="bidi", method=duplex, requests=turns, gzip=True),
    ]


def suite_lines() -> Mapping[str, str]:
    """What each must say."""
    turns = "OK '', 4 replies of 600032 bytes"
    return {
        "empty": "OK '', 1 replies of 0 bytes",
        "echo": "OK '', 1 replies of 13 bytes, initial `a word`, trailing 0a0b00ff",
        "echo_refused": f"UNKNOWN {_STRANGE!r}, 0 replies of 0 bytes, trailing 0a0b00ff",
        "echo_stream": "OK '', 1 replies of 11 bytes, initial `a word`, trailing 0a0b00ff",
        "many": "OK '', 8 replies of 1600064 bytes",
        "none": "OK '', 0 replies of 0 bytes",
        "turns": turns,
        "turns_gzip": turns,
    }


def suite_line(result: Result) -> str:
    """What a result says. The headers of a call that failed are left out: some stacks do not give them."""
    size = sum(len(reply) // 2 for reply in result.replies)
    line = f"{_CODES[result.code]} {result.message!r}, {len(result.replies)} replies of {size} bytes"
    if result.initial and not result.code:
        line += f", initial `{result.initial}`"
    return line + (f", trailing {result.trailing}" if result.trailing else "")
