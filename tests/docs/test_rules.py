"""The examples of docs/rules.md do what they show, and its tables name what there is."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import re
from typing import Any

import pytest
import yaml

from sidecar import config
from sidecar.destinations import outcomes
from sidecar.destinations.rules import RulesSection
from sidecar.events.model import Event
from sidecar.events.plain import json_event
from sidecar.events.rules import MAPS, REVENUE, SAMPLE_SEED, TEXTS
from tests.docs.reading import blocks, page, rows, section, words
from tests.events.samples import a_page, a_track, an_identify

PAGE = "docs/rules.md"
MADE: dict[str, Any] = {"track": a_track, "identify": an_identify, "page": a_page}
STAMPED = {"schema_version", "event_id", "time", "received_time"}


def examples() -> list[tuple[str, str, str]]:
    """Rules, an event as accepted, and as the destination gets it: three blocks behind each mark."""
    found = blocks(PAGE)
    marked = [at for at, block in enumerate(found) if block.mark == "example"]
    return [(found[at].text, found[at + 1].text, found[at + 2].text) for at in marked]


def event_of(text: str) -> Event:
    fields: dict[str, Any] = json.loads(text)
    made: Event = MADE[fields.pop("kind")](**fields)
    return made


def said(event: Event, shown: str) -> dict[str, Any]:
    """Our JSON of the event, without what is stamped and what is empty in an example that does not mention it."""
    mentioned = json.loads(shown)
    told = json.loads(json_event(event, None))
    return {key: value for key, value in told.items() if key not in STAMPED and (value or key in mentioned)}


def test_there_is_an_example_of_each_change() -> None:
    assert {key for rules, _, _ in examples() for key in yaml.safe_load(rules)} == {
        "drop",
        "hash",
        "hash_key",
        "rename",
        "context",
    }


@pytest.mark.parametrize(("rules", "accepted", "sent"), examples())
def test_example_does_what_it_shows(rules: str, accepted: str, sent: str) -> None:
    compiled = config.read(RulesSection, yaml.safe_load(rules)).compiled()
    event = event_of(accepted)
    shaped = said(compiled.reshaped(event), sent)
    shaped.pop("event_key", None)
    assert shaped == json.loads(sent)
    before = said(event, accepted)
    before.pop("event_key", None)
    assert before == json.loads(accepted)


def test_first_example_is_a_configuration() -> None:
    (whole,) = [yaml.safe_load(one.text) for one in blocks(PAGE) if one.text.startswith("destinations:")]
    section_ = config.read(RulesSection, whole["destinations"][0]["rules"])
    assert section_.compiled().sampled_below == 2**32 / 8


def test_documented_hash_is_the_one_that_is_made() -> None:
    (code,) = [one.text for one in blocks(PAGE) if one.language == "python"]
    names: dict[str, Any] = {"hashlib": hashlib, "hmac": hmac}
    exec(code, names)  # noqa: S102 - the text of our own page
    rules = config.read(RulesSection, {"hash": ["user_id"], "hash_key": "correct-horse-battery-staple"}).compiled()
    assert names["hashed"]("correct-horse-battery-staple", "größe") == rules.hashed("größe")


def test_documented_seed_is_the_one_that_is_used() -> None:
    (seed,) = re.findall(r"seed (0x[0-9A-F]+)", page(PAGE))
    assert int(seed, 16) == SAMPLE_SEED


def test_table_of_roots_names_each_root() -> None:
    table = section(PAGE, "Paths").split("| step |")[0]
    assert {word for row in rows(table) for word in words(row[0])} == MAPS | TEXTS | {REVENUE}


def test_every_outcome_word_is_documented() -> None:
    documented = {words(row[0])[0] for row in rows(section("docs/events.md", "Outcomes"))}
    known = {value for name, value in vars(outcomes).items() if name.isupper() and isinstance(value, str)}
    assert known | {"SEEN"} == {word for word in documented if word.isupper() and ":" not in word}


def test_every_key_of_the_section_is_in_the_page() -> None:
    mentioned = page(PAGE)
    assert [one.name for one in dataclasses.fields(RulesSection) if f"{one.name}" not in mentioned] == []
