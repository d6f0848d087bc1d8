"""Twin of tools/docs.py."""

import dataclasses
import re
import typing
from pathlib import Path

import pytest

from sidecar import config, limits
from sidecar.app.settings import Settings
from sidecar.destinations.catalog import TYPES
from sidecar.destinations.segment import SegmentConfig
from tools import docs, docs_text
from tools.docs import docstrings, main, render


@pytest.fixture(scope="module")
def page() -> str:
    return render()


def row(page: str, key: str) -> list[str]:
    (line,) = [line for line in page.splitlines() if line.startswith((f"| `{key}` |", f"| `{key}`<br>"))]
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_the_page_of_the_repository_is_fresh(page: str) -> None:
    assert docs.PATH.read_text(encoding="utf-8") == page


def test_every_option_has_its_key_flag_and_variable(page: str) -> None:
    for option in config.options(Settings):
        assert f"| `{'.'.join(option.path)}`<br>`{option.flag}`<br>`{option.variable}` |" in page


def test_a_field_that_only_the_file_can_set_shows_no_flag(page: str) -> None:
    assert "`--datafiles`" not in page
    assert "`--destinations`" not in page


def test_durations_sizes_choices_and_secrets_read_as_they_are_written(page: str) -> None:
    assert row(page, "stop_delay")[1:3] == ["duration", "`5s`"]
    assert row(page, "outbox.bytes_max")[1:3] == ["size", "`512MiB`"]
    assert row(page, "outbox.durability")[1:3] == ["`memory`, `process`, `power`", "`process`"]
    assert row(page, "write_key")[1:3] == ["secret", "required"]


def test_a_default_as_the_page_shows_it_is_read_as_that_default(page: str) -> None:
    section = typing.get_type_hints(Settings)["outbox"]
    keys = [config.key_of(field.name) for field in dataclasses.fields(section)]

    given = {key: row(page, f"outbox.{key}")[2].strip("`") for key in keys}

    assert config.read(section, given) == section()


def test_what_a_field_says_is_its_docstring_on_one_line(page: str) -> None:
    assert docstrings(Worded) == {"a": "A number, which has more to say."}
    assert row(page, "stop_delay")[3] == docstrings(Settings)["stop_delay_s"]


@dataclasses.dataclass
class Worded:
    """Its field says what it is."""

    a: int = 1
    """A number,
    which has more to say."""


def test_a_section_has_the_words_of_the_fields_that_it_shares(page: str) -> None:
    assert set(docstrings(SegmentConfig)) == {field.name for field in dataclasses.fields(SegmentConfig)}


def test_a_field_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Wordless\.b has no docstring under it"):
        docstrings(Wordless)


@dataclasses.dataclass
class Wordless:
    """One field says what it is, the other does not."""

    a: int = 1
    """A number."""
    b: int = 2


def test_every_type_of_destination_and_every_key_of_it_is_there(page: str) -> None:
    for kind, declared in TYPES.items():
        part = page.partition(f"### Destination of type `{kind}`\n")[2].partition("\n#")[0]
        keys = re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)
        assert sorted(keys) == sorted(config.key_of(field.name) for field in dataclasses.fields(declared.section))


def test_every_bound_shown_is_one_of_the_limits(page: str) -> None:
    assert set(docs_text.BOUNDS) <= set(vars(limits))
    assert row(page, "MESSAGE_BYTES_MAX")[1] == "`4MiB`"


def test_check_names_a_stale_page_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "docs" / "configuration.md"
    stale.parent.mkdir()
    stale.write_text("old")
    monkeypatch.setattr(docs, "PATH", stale)
    monkeypatch.setattr(docs, "ROOT", tmp_path)

    assert main(["--check"]) == 1
    assert capsys.readouterr().out.startswith("docs/configuration.md is stale")
    assert stale.read_text() == "old"


def test_writing_makes_the_page_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    monkeypatch.setattr(docs, "PATH", tmp_path / "configuration.md")

    assert main([]) == 0
    assert (tmp_path / "configuration.md").read_text() == page


def test_an_argument_that_is_none_is_refused() -> None:
    assert main(["--chek"]) == 2
