"""Random histories of remembered ids against a plain list: restarts, kills and failed transactions at any point.

What is promised must be known with the first outcomes; what was never committed must not be; and what is kept beyond
the promise has a bound.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sidecar.limits import REMEMBERED_IDS_AGE_S, REMEMBERED_IDS_GENERATION_AGE_S
from sidecar.outbox.opening import open_database
from sidecar.outbox.remembered import RememberedIds
from sidecar.outbox.rows import digest_of
from sidecar.outbox.schema import Durability
from sidecar.values import Outcome, OutcomeState

IDS_MAX, GENERATION = 60, 8
AGE_MS = REMEMBERED_IDS_AGE_S * 1000
SLACK_MS = REMEMBERED_IDS_GENERATION_AGE_S * 1000
SAID = tuple((Outcome(name, OutcomeState.QUEUED),) for name in "abc")

said = st.sampled_from(SAID)
new_ids = st.lists(said, min_size=1, max_size=30)


class RememberedMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.now_ms = AGE_MS
        self.numbers = 0
        self.seen: dict[bytes, tuple[int, tuple[Outcome, ...]]] = {}
        """In the order of being seen first; what was forgotten is seen anew."""
        self.never: list[bytes] = []

    @initialize()
    def start(self) -> None:
        self.connection = open_database(Path(self.directory.name), Durability.PROCESS, 0)
        self.ids = RememberedIds(self.connection, IDS_MAX, GENERATION)

    def fresh(self, outcomes: list[tuple[Outcome, ...]]) -> dict[bytes, tuple[Outcome, ...]]:
        self.numbers += len(outcomes)
        return {digest_of(f"{self.numbers}-{number}"): one for number, one in enumerate(outcomes)}

    def take(self, batch: dict[bytes, tuple[Outcome, ...]]) -> dict[bytes, tuple[Outcome, ...]]:
        """As `intake` does: what of it was new."""
        self.ids.prune(self.now_ms, len(batch))
        known = self.ids.known(list(batch))
        new = {digest: outcomes for digest, outcomes in batch.items() if digest not in known}
        self.ids.remember(new, self.now_ms)
        return new

    @rule(outcomes=new_ids)
    def see_new_ones(self, outcomes: list[tuple[Outcome, ...]]) -> None:
        self.see(self.fresh(outcomes))

    @rule(picks=st.lists(st.tuples(st.integers(0, 500), said), min_size=1, max_size=20), outcomes=new_ids)
    def see_some_again(self, picks: list[tuple[int, tuple[Outcome, ...]]], outcomes: list[tuple[Outcome, ...]]) -> None:
        ever = [*self.seen, digest_of("first")]
        self.see({ever[at % len(ever)]: one for at, one in picks} | self.fresh(outcomes))

    def see(self, batch: dict[bytes, tuple[Outcome, ...]]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        new = self.take(batch)
        self.connection.execute("COMMIT")
        for digest, outcomes in new.items():
            self.seen.pop(digest, None)
            self.seen[digest] = (self.now_ms, outcomes)

    @rule(outcomes=new_ids)
    def fail_to_commit(self, outcomes: list[tuple[Outcome, ...]]) -> None:
        batch = self.fresh(outcomes)
        self.connection.execute("BEGIN IMMEDIATE")
        self.take(batch)
        self.connection.execute("ROLLBACK")
        self.ids.expire_mirror()
        self.never += batch

    @rule(outcomes=new_ids)
    def be_killed_before_the_commit(self, outcomes: list[tuple[Outcome, ...]]) -> None:
        batch = self.fresh(outcomes)
        self.connection.execute("BEGIN IMMEDIATE")
        self.take(batch)
        self.restart()
        self.never += batch

    @rule()
    def restart(self) -> None:
        self.connection.close()
        self.start()

    @rule(turned_ms=st.sampled_from([1, SLACK_MS // 2, 2 * SLACK_MS, AGE_MS // 2, 2 * AGE_MS]))
    def turn_clock(self, turned_ms: int) -> None:
        self.now_ms += turned_ms

    @invariant()
    def what_was_promised_is_known_and_little_more(self) -> None:
        if not hasattr(self, "ids"):
            return
        known = self.ids.known([*self.seen, *self.never])
        for digest in list(self.seen)[-IDS_MAX:]:
            seen_ms, outcomes = self.seen[digest]
            if self.now_ms - seen_ms <= AGE_MS:
                assert known[digest] == outcomes
        assert known.items() <= {digest: outcomes for digest, (_, outcomes) in self.seen.items()}.items()
        assert not known.keys() & set(self.never)

    @invariant()
    def what_is_kept_has_a_bound(self) -> None:
        if not hasattr(self, "ids"):
            return
        for _ in range(50):
            self.ids.prune(self.now_ms, 0)
        known = self.ids.known(list(self.seen))
        assert len(known) < IDS_MAX + 3 * GENERATION
        oldest_ms = min((self.seen[digest][0] for digest in known), default=self.now_ms)
        assert self.now_ms - oldest_ms <= AGE_MS + SLACK_MS
        assert sum(map(len, self.ids._index._buckets)) // 3 < IDS_MAX + 40 * GENERATION

    def teardown(self) -> None:
        if hasattr(self, "connection"):
            self.connection.close()
        self.directory.cleanup()


RememberedMachine.TestCase.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnyHistoryKeepsThePromise = RememberedMachine.TestCase
