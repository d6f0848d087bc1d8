"""What is remembered: a table of fingerprints with the step of time of each, of a size that never changes. No I/O.

A pair of user and experiment belongs to one bucket of 16 slots, by its hash; a slot is a fingerprint of 16 bits and a
step of 8, no id. Recording a pair that is there renews its step; one that is not takes a free slot, an expired one, or
that of the bucket's oldest. So a full table forgets the oldest first, and never answers for more than 16 fingerprints:

    an answer "seen" for a pair that was not recorded: at most 16 / 65,535 = 0.025 %, however full the table is
    an answer "not seen" for a recorded pair: when it expired, or when its bucket was full of newer ones

Time is a count of steps, given by the caller: a pair is remembered for `STEPS_KEPT` steps, up to one more.
"""

from __future__ import annotations

from array import array
from typing import Final

import mmh3

WAYS: Final = 16
"""Slots of a bucket. More would make a full table fairer and a false answer likelier."""
SLOT_BYTES: Final = 3
STEPS_KEPT: Final = 100
"""How long a pair is remembered, in steps; a step more at most."""
FALSE_SEEN_RATE_MAX: Final = WAYS / 65_535
"""How often a pair that was never recorded is said to be seen, at most."""
_CYCLE: Final = 250
"""Steps that a byte can tell apart; 0 stands for a free slot."""
_SWEEP_STEPS: Final = _CYCLE - STEPS_KEPT - 1
"""Steps after which expired slots must have been freed, before their byte would mean a new step."""
_FREE: Final = _CYCLE
"""The age of a free slot: older than all."""


class Sketch:
    """The table. `fingerprints` and `steps` are its state, for whoever keeps it; treat them as read-only."""

    def __init__(self, bytes_max: int) -> None:
        """Empty, at step 0; takes `bytes_max` bytes, rounded down to whole buckets, at least one."""
        self.bucket_count = max(1, bytes_max // (WAYS * SLOT_BYTES))
        self.fingerprints = array("H", bytes(2 * WAYS * self.bucket_count))
        self.steps = bytearray(WAYS * self.bucket_count)
        self.step = 0
        self._swept = 0
        self._now = _byte_of(0)
        self._ages = _ages(0)

    @property
    def size_bytes(self) -> int:
        """The memory that the table takes, and the bytes of its state."""
        return SLOT_BYTES * WAYS * self.bucket_count

    def record(self, user_id: str, experiment_id: str, step: int) -> bool:
        """Remember a pair from this step on; whether one that had not expired was forgotten for it.

        `step` never goes back.
        """
        if step != self.step:
            self._turn(step)
        base, fingerprint = self._place(user_id, experiment_id)
        bucket = self.fingerprints[base : base + WAYS]
        if fingerprint in bucket:
            self.steps[base + bucket.index(fingerprint)] = self._now
            return False
        at, forgotten = self.steps.find(0, base, base + WAYS), False
        if at < 0:
            ages = self.steps[base : base + WAYS].translate(self._ages)
            oldest = max(ages)
            at, forgotten = base + ages.index(oldest), oldest <= STEPS_KEPT
        self.fingerprints[at], self.steps[at] = fingerprint, self._now
        return forgotten

    def seen(self, user_id: str, experiment_id: str, step: int) -> bool:
        """Whether a pair was recorded at most `STEPS_KEPT` steps ago."""
        if step != self.step:
            self._turn(step)
        base, fingerprint = self._place(user_id, experiment_id)
        bucket = self.fingerprints[base : base + WAYS]
        if fingerprint not in bucket:
            return False
        return self._ages[self.steps[base + bucket.index(fingerprint)]] <= STEPS_KEPT

    def remembered(self) -> int:
        """How many pairs are remembered now. Looks at every slot: some milliseconds a megabyte."""
        alive = bytes(age <= STEPS_KEPT for age in self._ages)
        return self.steps.translate(alive).count(1)

    def restore(self, fingerprints: bytes, steps: bytes, *, saved_step: int, stretch: float, passed_steps: int) -> None:
        """Take over a saved state of the same size at step 0, its ages put into this sketch's steps.

        `saved_step` is the step at which it was saved, `stretch` how long one of its steps is in steps of ours,
        `passed_steps` how many of ours have passed since.
        """
        aged = bytearray(256)
        for byte, age in enumerate(_ages(saved_step)):
            now = int(age * stretch) + passed_steps
            aged[byte] = _byte_of(-now) if age <= STEPS_KEPT and now <= STEPS_KEPT else 0
        self.fingerprints = array("H", fingerprints)
        self.steps = bytearray(steps).translate(aged)

    def _place(self, user_id: str, experiment_id: str) -> tuple[int, int]:
        """The first slot of a pair's bucket, and its fingerprint, which is never 0: a free slot matches none."""
        # Why bytes: mmh3 5.3.1 crashes on a str with a lone surrogate, which a client in another language can send.
        high, low = mmh3.hash64(f"{experiment_id}\0{user_id}".encode(errors="surrogatepass"), signed=False)
        return high % self.bucket_count * WAYS, low % 65_535 + 1

    def _turn(self, step: int) -> None:
        """Go on to another step; free what has expired before its bytes come to mean something else."""
        if step - self._swept > _SWEEP_STEPS:
            skipped = step - self.step >= _CYCLE - STEPS_KEPT
            kept = bytes(0 if age > STEPS_KEPT or skipped else byte for byte, age in enumerate(self._ages))
            self.steps = self.steps.translate(kept)
            self._swept = step if skipped else self.step
        self.step, self._now, self._ages = step, _byte_of(step), _ages(step)


def _byte_of(step: int) -> int:
    return 1 + step % _CYCLE


def _ages(step: int) -> bytes:
    """By the byte of a slot: how many steps ago that was, `_FREE` for a free one."""
    ages = bytearray([_FREE]) * 256
    for age in range(_CYCLE):
        ages[_byte_of(step - age)] = age
    return bytes(ages)
