"""What a call costs across the seam, in memory: `python native/bench/seam.py`. Server and client apart.

No socket, event loop or handler: bytes of a client go in, the reply's bytes come out. Each figure is of the read at the
border of the fastest tenth, as what else the machine does is not the codec's.
"""

import time

from decision_sidecar_native import CALL, FINISHED, Budget, ClientConnection, Limits, Methods, ServerConnection

_PATH = "/sidecar.v1.DecisionService/Decide"
_CALLS = 200_000


def measure(together: int, request_bytes: int, reply_bytes: int) -> str:
    """Unary calls with a deadline, `together` of them in each read."""
    limits = Limits()
    server = ServerConnection(Methods([(_PATH, True, 4 << 20)]), limits, Budget(64 << 20), 0.0)
    client = ClientConnection(scheme="http", authority="127.0.0.1:8013", user_agent="bench", limits=limits, now_s=0.0)
    request, reply = bytes(request_bytes), bytes(reply_bytes)
    done, serving, asking = 0, list[int](), list[int]()
    clock = time.perf_counter_ns
    while done < _CALLS:
        start = clock()
        for _ in range(together):
            client.call(_PATH, request, (), 1.0)
        asked = client.take_output()
        middle = clock()
        answer = server.reply
        for event in server.receive(asked, 0.0):
            if event[0] == CALL:
                _, call_id, _method, _message, _timeout_s = event
                answer(call_id, reply)
        output = server.take_output()
        end = clock()
        done += sum(event[0] == FINISHED and event[2].code == 0 for event in client.receive(output, 0.0))
        asking.append(middle - start + clock() - end)
        serving.append(end - middle)
    return (
        f"{together} a read, {request_bytes} B in, {reply_bytes} B out: "
        f"server {_tenth(serving) / together / 1000:.2f} us a call, client {_tenth(asking) / together / 1000:.2f} us"
    )


def _tenth(times_ns: list[int]) -> int:
    return sorted(times_ns)[len(times_ns) // 10]


if __name__ == "__main__":
    print(measure(1, 200, 300))
    print(measure(40, 200, 300))
    print(measure(40, 200, 8_000))
