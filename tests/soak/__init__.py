"""Load, kills and a failing destination for minutes: nothing is lost, and memory stays. `make soak` runs it."""

from tests.soak.run import Outcome, Plan, run

__all__ = ["Outcome", "Plan", "run"]
