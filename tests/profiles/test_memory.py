from __future__ import annotations

from sidecar.profiles.memory import MemoryProfiles


async def test_past_the_bound_the_user_saved_longest_ago_is_forgotten() -> None:
    store = MemoryProfiles(users_max=2)
    await store.save("p", "a", {"e1": "v"})
    await store.save("p", "b", {"e1": "v"})
    await store.save("p", "a", {"e2": "v"})
    await store.save("p", "c", {"e1": "v"})
    assert [await store.lookup("p", user) for user in "abc"] == [{"e1": "v", "e2": "v"}, {}, {"e1": "v"}]
    assert store.evicted == 1


async def test_profile_that_was_looked_up_does_not_change_under_its_reader() -> None:
    store = MemoryProfiles(users_max=2)
    await store.save("p", "u", {"e": "v"})
    before = await store.lookup("p", "u")
    await store.delete("p", "u", ["e"])
    assert before == {"e": "v"}
