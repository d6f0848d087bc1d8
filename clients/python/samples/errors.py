"""What goes wrong, and how it reads: `python errors.py [ADDRESS]`, a sidecar listening there."""

from __future__ import annotations

import sys

import sidecar_client
from sidecar_client import Decision, RequestRefused, SidecarError


def main(address: str) -> None:
    """A refused event with its violations, and a decision without a sidecar."""
    with sidecar_client.connect(address) as client:
        try:
            client.user("").track("")
        except RequestRefused as refused:
            for violation in refused.violations:
                print(f"{violation.field}: {violation.description}")
        except SidecarError as error:
            print(f"{error.reason}, again later: {error.retryable}, as event {error.event_id}")

    # Nothing listens there: the caller's default is the answer, and says why.
    with sidecar_client.connect("127.0.0.1:9") as nowhere:
        default = Decision.default("checkout_redesign", variation_key="control", steps=4)
        decision = nowhere.user("user-1").decide("checkout_redesign", default)
        print(f"{decision.variation_key}, because {decision.reason}: {decision.error_reason}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else sidecar_client.DEFAULT_ADDRESS)
