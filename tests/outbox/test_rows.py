from __future__ import annotations

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sidecar.outbox.rows import (
    ROWS_PER_STATEMENT,
    Target,
    digest_of,
    event_bytes,
    indexes_of,
    pack_id,
    pack_outcomes,
    pack_routes,
    spread,
    statement_chunks,
    unpack_outcomes,
    unpack_routes,
)
from sidecar.values import Outcome, OutcomeState

masks = st.integers(1, 2**500 - 1)
targets = st.builds(lambda number, mask: Target(number, mask, mask.bit_count()), st.integers(1, 2**31), masks)
outcomes = st.builds(Outcome, st.text(), st.sampled_from(OutcomeState), st.text())


@given(st.lists(targets, max_size=5))
def test_routes_come_back_as_they_were_packed(routes: list[Target]) -> None:
    packed = pack_routes(routes)
    assert list(unpack_routes(packed.hex())) == routes
    assert all(pack_id(target.destination_id) in packed for target in routes)


@given(masks)
def test_indexes_are_the_set_bits(mask: int) -> None:
    assert sum(1 << index for index in indexes_of(mask)) == mask


@given(st.lists(outcomes, max_size=5).map(tuple))
def test_outcomes_come_back_as_they_were_packed(some: tuple[Outcome, ...]) -> None:
    assert unpack_outcomes(pack_outcomes(some)) == some


@given(st.integers(0, 2**30), st.integers(1, 500))
def test_the_events_of_a_record_are_charged_at_least_its_body(body_bytes: int, event_count: int) -> None:
    assert event_bytes(body_bytes, event_count) * event_count >= body_bytes


def test_ids_in_order_of_time_fall_into_places_all_over() -> None:
    early = int("018bcfe568007000800000000000000a", 16)
    digests = [digest_of(str(UUID(int=early + number))) for number in range(4096)]
    assert len({digest[0] for digest in digests}) == 256
    assert max(Counter(digest[0] for digest in digests).values()) < 64


@given(st.uuids())
def test_the_digest_of_a_uuid_is_made_from_that_of_the_first_release(event_id: UUID) -> None:
    assert spread(event_id.bytes) == digest_of(str(event_id))


@given(
    st.sets(
        st.sampled_from(["018bcfe5-6800-7000-8000-00000000000a", "018BCFE5-6800-7000-8000-00000000000A"])
        | st.text(min_size=1, max_size=100),
        max_size=20,
    )
)
def test_different_ids_are_never_taken_for_each_other(ids: set[str]) -> None:
    assert len({digest_of(event_id) for event_id in ids}) == len(ids)


def test_statement_chunks_hold_everything_in_order_in_few_and_known_sizes() -> None:
    items = list(range(3 * ROWS_PER_STATEMENT))
    sizes = set()
    for count in range(len(items) + 1):
        parts = list(statement_chunks(items[:count]))
        assert [item for part in parts for item in part] == items[:count]
        assert len(parts) <= 3 + count // ROWS_PER_STATEMENT
        sizes |= {len(part) for part in parts}
    assert len(sizes) == 12
    assert max(sizes) == ROWS_PER_STATEMENT
