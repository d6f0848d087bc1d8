"""The first event: `python first_event.py [ADDRESS]`, a sidecar listening there."""

from __future__ import annotations

import sys
from decimal import Decimal

import sidecar_client


def main(address: str) -> None:
    """Say who a user is, and record what it bought, for exactly so much money."""
    with sidecar_client.connect(address) as client:
        user = client.user("user-1", {"country": "DE"})
        user.identify({"plan": "pro"})
        accepted = user.track(
            "purchase",
            revenue=Decimal("19.90"),
            currency="USD",
            properties={"order_id": "7"},
        )
        for outcome in accepted.outcomes:
            print(f"{outcome.destination}: {outcome.state} {outcome.reason}".rstrip())


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else sidecar_client.DEFAULT_ADDRESS)
