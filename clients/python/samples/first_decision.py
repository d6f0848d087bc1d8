"""The first decision: `python first_decision.py [ADDRESS]`, a sidecar listening there."""

from __future__ import annotations

import sys

import sidecar_client


def main(address: str) -> None:
    """Decide the shop's checkout for one user."""
    with sidecar_client.connect(address) as client:
        user = client.user("user-1", {"app_version": "2.5.0", "country": "DE"})
        decision = user.decide("checkout_redesign")
        layout = decision.variables.string("layout", "classic")
        print(f"{decision.flag_key}: {decision.variation_key}, layout {layout}, because {decision.reason}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else sidecar_client.DEFAULT_ADDRESS)
