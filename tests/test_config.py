"""Reading sections: every type, every mistake at once with its path, and secrets that stay secret."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from pathlib import Path

import pytest

from sidecar import config
from sidecar.config import Secret
from sidecar.errors import ConfigInvalid


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A section within a section."""

    path: Path
    """Required."""
    wait_s: float = 1.0
    """A duration."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One field of each type."""

    text: str = "t"
    secret: Secret | None = None
    count: int = 1
    size_bytes_max: int = 2
    ratio: float = 0.5
    delay_s: float = 3.0
    on: bool = False
    colour: Colour = Colour.RED
    names: tuple[str, ...] = ()
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    inner: Inner | None = None

    def __post_init__(self) -> None:
        if self.count > 100:
            raise ValueError(f"count is {self.count}, wanted at most 100")


def problems(given: dict[str, object]) -> tuple[str, ...]:
    with pytest.raises(ConfigInvalid) as invalid:
        config.read(Section, given)
    return invalid.value.problems


def test_nothing_given_is_the_defaults() -> None:
    assert config.read(Section, {}) == config.read(Section, {"text": None, "inner": None}) == Section()


@pytest.mark.parametrize(
    ("key", "given", "field", "value"),
    [
        ("text", "a", "text", "a"),
        ("text", "", "text", ""),
        ("text", 12, "text", "12"),
        ("secret", "k", "secret", Secret("k")),
        ("count", 7, "count", 7),
        ("count", "7", "count", 7),
        ("count", 0, "count", 0),
        ("size_bytes_max", "64KiB", "size_bytes_max", 64 * 1024),
        ("size_bytes_max", "2MiB", "size_bytes_max", 2 * 1024**2),
        ("size_bytes_max", "1GiB", "size_bytes_max", 1024**3),
        ("size_bytes_max", 5, "size_bytes_max", 5),
        ("ratio", "0.25", "ratio", 0.25),
        ("ratio", 2, "ratio", 2.0),
        ("delay", "250ms", "delay_s", 0.25),
        ("delay", "5s", "delay_s", 5.0),
        ("delay", "1.5m", "delay_s", 90.0),
        ("delay", "24h", "delay_s", 86_400.0),
        ("delay", 0, "delay_s", 0.0),
        ("delay", "0.5", "delay_s", 0.5),
        ("on", True, "on", True),
        ("on", "true", "on", True),
        ("on", "False", "on", False),
        ("colour", "blue", "colour", Colour.BLUE),
        ("names", ["a", "b"], "names", ("a", "b")),
        ("names", "a", "names", ("a",)),
        ("names", [], "names", ()),
        ("headers", {"A": "b"}, "headers", {"A": "b"}),
        ("inner", {"path": "/x", "wait": "2s"}, "inner", Inner(path=Path("/x"), wait_s=2.0)),
    ],
)
def test_value_is_read(key: str, given: object, field: str, value: object) -> None:
    read = getattr(config.read(Section, {key: given}), field)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("key", "given", "problem"),
    [
        ("text", ["a"], "text is a list, wanted text"),
        ("text", True, "text is `True`, wanted text"),
        ("count", "many", "count is `many`, wanted a whole number, not negative"),
        ("count", 1.5, "count is `1.5`, wanted a whole number, not negative"),
        ("count", -1, "count is `-1`, wanted a whole number, not negative"),
        ("count", True, "count is `True`, wanted a whole number, not negative"),
        ("count", "5s", "count is `5s`, wanted a whole number, not negative"),
        ("count", "5KiB", "count is `5KiB`, wanted a whole number, not negative"),
        ("ratio", "nan", "ratio is `nan`, wanted a number, not negative"),
        ("ratio", "inf", "ratio is `inf`, wanted a number, not negative"),
        ("delay", "soon", "delay is `soon`, wanted a duration such as `5s` or `250ms`"),
        ("delay", "5 s", "delay is `5 s`, wanted a duration such as `5s` or `250ms`"),
        ("delay", "-5s", "delay is `-5s`, wanted a duration such as `5s` or `250ms`"),
        ("delay", "2d", "delay is `2d`, wanted a duration such as `5s` or `250ms`"),
        ("on", "maybe", "on is `maybe`, wanted true or false"),
        ("on", 1, "on is `1`, wanted true or false"),
        ("colour", "green", "colour is `green`, wanted one of `red`, `blue`"),
        ("names", [["a"]], "names[0] is a list, wanted text"),
        ("headers", ["A"], "headers is a list, wanted a mapping"),
        ("headers", {"A": ["b"]}, "headers.A is a list, wanted text"),
        ("inner", "x", "inner is a single value, wanted a mapping"),
        ("inner", {}, "inner.path is missing, wanted a path"),
        ("inner", {"path": "/x", "wait": "x"}, "inner.wait is `x`, wanted a duration such as `5s` or `250ms`"),
        ("txet", 1, "txet is unknown; did you mean `text`?"),
        ("zzz", 1, "zzz is unknown"),
        ("delay_s", 1, "delay_s is unknown; did you mean `delay`?"),
        ("inner", {"path": "/x", "wat": 1}, "inner.wat is unknown; did you mean `wait`?"),
        ("count", 101, "configuration: count is 101, wanted at most 100"),
    ],
)
def test_mistake_is_named_with_its_path_and_what_was_wanted(key: str, given: object, problem: str) -> None:
    assert problems({key: given}) == (problem,)


def test_all_mistakes_are_named_at_once() -> None:
    given = {"zzz": 1, "count": "x", "delay": "y", "colour": "z", "inner": {"wait": "w", "qqq": 1}}
    found = problems(given)
    assert [problem.split(" ")[0] for problem in found] == [
        "zzz",
        "count",
        "delay",
        "colour",
        "inner.qqq",
        "inner.path",
        "inner.wait",
    ]


def test_section_within_a_place_is_named_from_the_top() -> None:
    with pytest.raises(ConfigInvalid, match=r"destinations\[2\]\.count is `x`"):
        config.read(Section, {"count": "x"}, "destinations[2]")


def test_long_value_is_cut_short_in_a_message() -> None:
    (problem,) = problems({"count": "9" * 500 + "x"})
    assert len(problem) < 120


# --- secrets ------------------------------------------------------------------------------------------------------


def test_secret_does_not_show_itself() -> None:
    secret = Secret("hunter2")
    section = config.read(Section, {"secret": "hunter2"})
    for shown in (
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r:>20}",
        repr(section),
        str(section),
    ):
        assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"


@pytest.mark.parametrize("given", [["hunter2"], {"a": "hunter2"}, True])
def test_secret_of_the_wrong_type_does_not_show_itself(given: object) -> None:
    (problem,) = problems({"secret": given})
    assert problem == "secret is a secret of the wrong type, wanted text"


@pytest.mark.parametrize("key", ["text", "names", "inner", "headers"])
def test_what_stands_in_the_wrong_place_does_not_show_what_it_holds(key: str) -> None:
    for given in ({"write_key": ["hunter2"]}, [{"write_key": "hunter2"}]):
        with pytest.raises(ConfigInvalid) as invalid:
            config.read(Section, {key: given})
        assert "hunter2" not in str(invalid.value)


# --- flags and variables ------------------------------------------------------------------------------------------


def test_flags_and_variables_derive_from_the_keys() -> None:
    options = {option.path: option for option in config.options(Section)}
    assert (options["delay",].flag, options["delay",].variable) == ("--delay", "SIDECAR_DELAY")
    nested = options["inner", "wait"]
    assert (nested.flag, nested.variable, nested.repeatable) == ("--inner-wait", "SIDECAR_INNER_WAIT", False)
    assert options["names",].repeatable
    assert ("headers",) not in options


def test_variables_are_read_and_repeatable_ones_split() -> None:
    environment = {"SIDECAR_INNER_WAIT": "2s", "SIDECAR_NAMES": "a, b", "HOME": "/", "SIDECAR_COUNT": "7"}
    found = config.from_environment(config.options(Section), environment)
    assert found == {"inner": {"wait": "2s"}, "names": ["a", "b"], "count": "7"}


def test_unknown_variable_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigInvalid) as invalid:
        config.from_environment(config.options(Section), {"SIDECAR_CUONT": "7", "SIDECAR_ZZZZZZ": "1"})
    first, second = invalid.value.problems
    assert first == "variable `SIDECAR_CUONT` is unknown; did you mean `SIDECAR_COUNT`?"
    assert second.startswith("variable `SIDECAR_ZZZZZZ` is unknown")


def test_variables_of_a_kubernetes_service_are_passed_over() -> None:
    service = {
        "SIDECAR_SERVICE_HOST": "10.0.0.1",
        "SIDECAR_SERVICE_PORT": "8013",
        "SIDECAR_SERVICE_PORT_GRPC": "8013",
        "SIDECAR_PORT": "tcp://10.0.0.1:8013",
        "SIDECAR_PORT_8013_TCP_ADDR": "10.0.0.1",
    }
    assert config.from_environment(config.options(Section), service) == {}


def test_layers_are_merged_key_by_key_the_last_on_top() -> None:
    file = {"count": 1, "inner": {"path": "/a", "wait": "1s"}, "names": ["a", "b"]}
    flags = {"inner": {"wait": "2s"}, "names": ["c"]}
    merged = config.merge(file, {"count": 2}, flags)
    assert merged == {"count": 2, "inner": {"path": "/a", "wait": "2s"}, "names": ["c"]}
    assert file["inner"] == {"path": "/a", "wait": "1s"}
