"""The whole configuration: precedence, the file, and every mistake at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sidecar.app import configured
from sidecar.app.settings import DecideOptionName, LogLevel, Settings
from sidecar.errors import ConfigInvalid


def load(
    tmp_path: Path, text: str = "", environment: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None
) -> Settings:
    file = tmp_path / "sidecar.yaml"
    file.write_text(text)
    return configured.load(flags or {}, environment or {}, file)


def problems(tmp_path: Path, text: str = "", environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigInvalid) as invalid:
        load(tmp_path, text, environment)
    return invalid.value.problems


def test_nothing_is_the_defaults() -> None:
    given = configured.load({}, {}, None)
    assert given == Settings()
    assert (given.grpc_listen, given.http_listen) == (("127.0.0.1:8013",), "127.0.0.1:8014")
    (only,) = configured.destinations_of(given)
    assert (only.name, only.type) == ("optimizely", "optimizely")


def test_flags_stand_above_variables_above_the_file_above_defaults(tmp_path: Path) -> None:
    text = "stop_delay: 1s\ngrace: 1s\ndrain: 1s\noutbox: {bytes_max: 1MiB, age_max: 1h}"
    environment = {"SIDECAR_GRACE": "2s", "SIDECAR_DRAIN": "2s", "SIDECAR_OUTBOX_AGE_MAX": "2h"}
    given = load(tmp_path, text, environment, {"drain": "3s"})
    assert (given.stop_delay_s, given.grace_s, given.drain_s) == (1.0, 2.0, 3.0)
    assert (given.outbox.bytes_max, given.outbox.age_max_s) == (2**20, 7200.0)
    assert given.log.level is LogLevel.INFO


def test_options_and_addresses_are_lists_in_every_layer(tmp_path: Path) -> None:
    both = (DecideOptionName.ENABLED_FLAGS_ONLY, DecideOptionName.INCLUDE_REASONS)
    text = "default_decide_options: [ENABLED_FLAGS_ONLY, INCLUDE_REASONS]"
    assert load(tmp_path, text).default_decide_options == both
    environment = {"SIDECAR_DEFAULT_DECIDE_OPTIONS": "ENABLED_FLAGS_ONLY, INCLUDE_REASONS"}
    assert load(tmp_path, "", environment).default_decide_options == both
    listen = ["127.0.0.1:1", "unix:/run/s"]
    assert load(tmp_path, "", {}, {"grpc_listen": listen}).grpc_listen == tuple(listen)


@pytest.mark.parametrize("mode", ["0600", '"0600"', "'0600'"])
def test_plain_words_of_the_file_are_what_they_look_like(tmp_path: Path, mode: str) -> None:
    given = load(tmp_path, f"http_listen: off\nsocket_mode: {mode}\nsdk_key: 0123\nhints: true\ntoken_file: no")
    assert (given.http_listen, given.socket_mode, given.sdk_key, given.hints) == ("off", "0600", "0123", True)
    assert given.token_file == Path("no")


def test_empty_keys_are_absent_ones(tmp_path: Path) -> None:
    assert load(tmp_path, "datafile:\ngrace: ~\nlog:\n  level: null") == Settings()


def test_merged_mappings_of_the_file_are_merged(tmp_path: Path) -> None:
    text = """
datafiles:
  a: &base {path: /a.json, destinations: [one]}
  b: {<<: *base, path: /b.json}
destinations: [{name: one, type: stdout}]
"""
    first, second = configured.datafiles_of(load(tmp_path, text))
    assert (first.destinations, second.destinations) == (("one",), ("one",))


def test_every_mistake_is_said_at_once_with_its_path(tmp_path: Path) -> None:
    text = """
grpc_listen: [nowhere, "127.0.0.1:1"]
graec: 5s
drain: soon
outbox: {bytes_max: much}
datafiles:
  one: {path: /a.json, poll_intervall: 5s}
  two: {path: /a.json, url: https://b}
  three: nothing
  four: {path: /a.json, destinatons: [d]}
destinations:
  - {name: a, type: nope}
  - {type: stdout}
  - {name: c, type: segment, batch_events_max: x}
  - {name: d, type: stdout}
  - {name: d, type: stdout}
  - {name: [e], type: [stdout]}
"""
    found = problems(tmp_path, text, {"SIDECAR_GRCAE": "1s"})
    starts = [
        "variable `SIDECAR_GRCAE` is unknown; did you mean `SIDECAR_GRACE`?",
        "graec is unknown; did you mean `grace`?",
        "drain is `soon`",
        "outbox.bytes_max is `much`",
        "datafiles.one.poll_intervall is unknown; did you mean `poll_interval`?",
        "datafiles.two has `path` and `url`, wanted one of",
        "datafiles.three is a single value, wanted a mapping",
        "datafiles.four.destinatons is unknown; did you mean `destinations`?",
        "destinations[0].type is `nope`, wanted one of",
        "destinations[1].name is `None`",
        "destinations[2].write_key is missing",
        "destinations[2].batch_events_max is `x`",
        "destinations[4].name is `d` again",
        "destinations[5].type is a list, wanted one of",
    ]
    for start in starts:
        assert [one for one in found if one.startswith(start)], (start, found)
    assert len(found) == len(set(found)) == len(starts), found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("datafile: a\nsdk_key: b", "datafile and sdk_key are both given, wanted one of them"),
        ("datafile: a\ndatafiles: {x: {path: b}}", "datafile or sdk_key is given beside datafiles, wanted one way"),
        ("tls_cert: a", "tls_cert and tls_key go together, wanted both or none"),
        (
            "datafile: a\naccess_token: b",
            "access_token is given without sdk_key, wanted both, or the token in datafiles",
        ),
        ("grpc_listen: [unix:/s, unix:/s]", "grpc_listen[1] is `unix:/s` again, wanted each address once"),
        ("tls_client_ca: a", "tls_client_ca is given without tls_cert and tls_key"),
        ("grpc_listen: []", "grpc_listen is empty, wanted at least one address"),
        ("grpc_listen: here", "grpc_listen[0] is `here`, wanted HOST:PORT or unix:PATH (at most 107 bytes)"),
        ("http_listen: unix:/run/s", "http_listen is `unix:/run/s`, wanted HOST:PORT or `off`"),
        ("http_listen: '8014'", "http_listen is `8014`, wanted HOST:PORT or `off`"),
        ("socket_mode: '0999'", "socket_mode is `0999`, wanted four octal digits, as 0660"),
        ("socket_mode: 432", "socket_mode is `432`, wanted four octal digits, as 0660"),
        (
            "datafiles: {x: {path: a, destinations: [gone]}}",
            "datafiles.x.destinations names `gone`, which is not among destinations",
        ),
        ("datafiles: {x: {path: a, destinations: gone}}", "datafiles.x.destinations is `gone`, wanted a list of names"),
        ("datafiles: {x: {}}", "datafiles.x has none of them, wanted one of `path`, `url` and `sdk_key`"),
    ],
)
def test_contradiction_is_named(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == (problem,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1", "is no YAML: line 1, column 6: "),
        ("grace: 1s\nlog: {level: info}\ngrace: 2s", "is no YAML: line 3, column 1: the key `grace` is there twice"),
        ("write_key: hunter2: oops", "is no YAML: line 1, column 19: "),
        ("- a", "is a list, wanted a mapping"),
        ("just text", "is a str, wanted a mapping"),
        ("a: !!python/object:os.system x", "is no YAML: line 1, column 4: "),
        ("a: \x00", "is no YAML"),
    ],
)
def test_file_that_is_no_mapping_is_said_without_its_text(tmp_path: Path, text: str, problem: str) -> None:
    (said,) = problems(tmp_path, text)
    assert problem in said
    assert str(tmp_path / "sidecar.yaml") in said
    assert "hunter2" not in said


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"missing\.yaml` cannot be read: No such file"):
        configured.load({}, {}, tmp_path / "missing.yaml")
    (tmp_path / "latin.yaml").write_bytes("grace: é".encode("latin-1"))
    with pytest.raises(ConfigInvalid, match="is no UTF-8 at byte 7"):
        configured.load({}, {}, tmp_path / "latin.yaml")


def test_short_forms_make_a_default_datafile(tmp_path: Path) -> None:
    (by_path,) = configured.datafiles_of(load(tmp_path, "datafile: shop.json"))
    (by_url,) = configured.datafiles_of(load(tmp_path, "datafile: https://example.com/d.json"))
    (by_upper,) = configured.datafiles_of(load(tmp_path, "datafile: HTTPS://example.com/d.json"))
    (by_key,) = configured.datafiles_of(load(tmp_path, "sdk_key: abc\naccess_token: hunter2"))
    assert {one.name for one in (by_path, by_url, by_key)} == {"default"}
    kinds = [type(one.source).__name__ for one in (by_path, by_url, by_upper, by_key)]
    assert kinds == ["FileSourceSection", "HttpSourceSection", "HttpSourceSection", "OptimizelySourceSection"]


def test_short_destinations_are_named_like_their_type(tmp_path: Path) -> None:
    given = configured.destinations_of(load(tmp_path, "destination: [stdout]\ndestinations: [{name: a, type: stdout}]"))
    assert [one.name for one in given] == ["a", "stdout"]


def test_mistakes_in_rules_are_said_with_their_path_beside_those_of_the_type(tmp_path: Path) -> None:
    text = """
destinations:
  - {name: console, type: stdout}
  - name: hook
    type: webhook
    endpoint: nowhere
    rules: {rename: {properties.email: ""}, drop: [nowhere]}
  - {name: other, type: stdout, rules: [1]}
  - {name: third, type: stdout, rule: {}}
"""
    found = "\n".join(problems(tmp_path, text))
    assert "destinations[1]: endpoint is no URL" in found
    assert "destinations[1].rules.rename.properties.email is ``, wanted a key" in found
    assert "destinations[1].rules.drop[0] begins with `nowhere`" in found
    assert "destinations[2].rules is a list, wanted a mapping" in found
    assert "destinations[3].rule is unknown; did you mean `rules`?" in found


def test_destination_has_the_rules_that_it_was_given(tmp_path: Path) -> None:
    text = (
        "destinations: [{name: a, type: stdout, rules: {sample_percent: 12.5}}, {name: b, type: stdout, rules: null}]"
    )
    ruled, plain = configured.destinations_of(load(tmp_path, text))
    assert ruled.rules is not None
    assert ruled.rules.sample_percent == 12.5
    assert plain.rules is None


EVERY_SECRET = """
datafiles:
  url: {url: "https://user:hunter2-1@cdn.example/d.json?k=hunter2-2", poll_interval: 1s}
  token: {url: "https://cdn.example/d.json", token: hunter2-3}
  key: {sdk_key: hunter2-4, access_token: hunter2-5, url_template: "https://m.example/{sdk_key}?k=hunter2-6"}
destinations:
  - name: optimizely
    type: optimizely
    endpoint: "https://user:hunter2-7@o.example/"
    proxy: "http://user:hunter2-8@proxy.example"
  - {name: segment, type: segment, write_key: hunter2-9, endpoint: "https://h.example/hunter2-10"}
  - name: hook
    type: webhook
    endpoint: "https://user:hunter2-11@h.example/hunter2-12"
    secret: hunter2-13
    headers: {X-Key: hunter2-14}
    rules: {hash: [user_id], hash_key: hunter2-15-0123456789}
profiles: {store: redis, url: "redis://user:hunter2-16@store"}
"""


@pytest.mark.parametrize("more", ["", "datafile: https://user:hunter2-17@cdn.example/d.json?k=hunter2-18"])
def test_no_section_shows_a_secret_of_its_own(tmp_path: Path, more: str) -> None:
    text = (
        EVERY_SECRET
        if not more
        else EVERY_SECRET.partition("destinations:")[1] + EVERY_SECRET.partition("destinations:")[2] + more
    )
    given = load(tmp_path, text)
    shown = [
        show(one)
        for show in (repr, str, "{}".format)
        for one in (given, configured.destinations_of(given), configured.datafiles_of(given))
    ]
    assert [one for one in shown if "hunter2" in one] == []
    assert "webhook" in "".join(shown), "what is no secret is shown"


def test_secrets_stand_in_no_repr_and_no_message(tmp_path: Path) -> None:
    text = """
sdk_key: a
access_token: hunter2
destinations:
  - {name: segment, type: segment, write_key: hunter2}
  - {name: hook, type: webhook, endpoint: "https://example.com/", secret: hunter2}
"""
    given = load(tmp_path, text)
    shown = [repr(given), str(given), repr(configured.destinations_of(given)), repr(configured.datafiles_of(given))]
    assert not [one for one in shown if "hunter2" in one]
    for broken in (
        "destinations: [[hunter2]]",
        "destinations: {segment: {write_key: hunter2}}",
        "datafiles: [{access_token: hunter2}]",
        "datafiles: {a: [hunter2]}",
        "datafile: ftp://user:hunter2@cdn.example/d.json",
        "profiles: redis://user:hunter2@store",
        "destinations: [hunter2]",
        "datafiles: {a: hunter2}",
        "destinations: [{name: a, type: webhook, endpoint: https://h, headers: 'Authorization: hunter2'}]",
        "access_token: [hunter2]",
        "access_token: {value: hunter2}",
        "destinations: [{name: s, type: segment, write_key: {value: hunter2}}]",
        "destinations: [{name: s, type: segment, write_key: [hunter2]}]",
    ):
        assert "hunter2" not in "\n".join(problems(tmp_path, broken)), broken


def test_a_url_under_path_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        load(tmp_path, "datafiles: {one: {path: 'https://user:hunter2@example.com/d.json'}}")
    assert "datafiles.one: path is a URL, wanted a path; a URL goes under `url`" in str(refused.value)
    assert "hunter2" not in str(refused.value)


FORMERLY = "destinations: [{{name: new, type: stdout, formerly: {}}}, {{name: other, type: stdout{}}}]"


def test_a_destination_may_say_which_names_it_had(tmp_path: Path) -> None:
    given = load(tmp_path, FORMERLY.format("[old, older]", ""))
    assert [one.formerly for one in configured.destinations_of(given)] == [("old", "older"), ()]


@pytest.mark.parametrize(
    ("formerly", "more", "problem"),
    [
        ("[other]", "", "destinations `new`: formerly names `other`, which is configured"),
        ("[new]", "", "destinations `new`: formerly names `new`, which is configured"),
        ("[old]", ", formerly: [old]", "destinations `other`: formerly names `old`, as `new` does"),
        ("[old, old]", "", "destinations `new`: formerly names `old`, as `new` does"),
        ("old", "", "destinations[0].formerly is `old`, wanted a list of names"),
        ('[""]', "", "destinations[0].formerly is a list, wanted a list of names"),
    ],
)
def test_former_names_that_contradict_are_refused(tmp_path: Path, formerly: str, more: str, problem: str) -> None:
    (found,) = problems(tmp_path, FORMERLY.format(formerly, more))
    assert found.startswith(problem)
