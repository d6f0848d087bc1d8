"""The words that generated datafiles and people are made of, odd ones among them."""

from __future__ import annotations

from typing import Any, Final

ATTRIBUTES: Final = ("country", "age", "version", "beta", "plan", "größe")
TEXTS: Final = ("us", "de", "US", "", "us-east", "日本", "1", "true", "u" * 40)
NUMBERS: Final = (
    *(0, 1, -1, 18, 30, 30.0, 30.5, -0.0, 1e-300, 2**53, -(2**53), 2**53 + 1, 2**53 - 1, 2.0**53, 1e300),
    *(-(2**53) - 1, 2**63),
)
VERSIONS: Final = (
    *("2", "2.0", "2.0.0", "2.0.7", "2.1", "1.9.9", "3.0.0", "02.0", "10.0", "2.0.0.0", "2..0", "2.0.x", "-2.0", ""),
    *("2.0.0-beta", "2.0.0-beta.2", "2.0.0-beta.11", "2.0.0-1", "2.0.0-2", "2.0-beta", "2.0.0-", "2.0.0-rc-1"),
    *(
        "2.0.0+b1",
        "2.0.0+1",
        "2.0.0-beta+b1",
        "2.0.0+b1-beta",
        "2.0.0+",
        " 2.0",
        "2.0 0",
        "٢.0",
        "²",
        "2.0.0-²",
        "v2.0",
    ),
)
ODD_VALUES: Final[tuple[Any, ...]] = (None, True, False, [], ["us"], {}, {"a": 1})
NOT_FINITE: Final = (float("nan"), float("inf"), float("-inf"))
SEGMENTS: Final = ("vip", "trial", "日")
MATCHES: Final = (
    *("exact", "exists", "substring", "qualified", "gt", "ge", "lt", "le"),
    *("semver_eq", "semver_gt", "semver_ge", "semver_lt", "semver_le"),
)
UNKNOWN_MATCHES: Final[tuple[Any, ...]] = ("regex", "Exact", "", 5)
UNREADABLE_MATCHES: Final[tuple[Any, ...]] = (["exact"], {"a": 1})
KINDS: Final = ("string", "boolean", "integer", "double", "json")
VALUES: Final = {
    "string": ("text", "", "日本", " padded "),
    "boolean": ("true", "false"),
    "integer": ("0", "42", "-7", "9223372036854775807", "007"),
    "double": ("0.5", "-1", "1e3", "2.50", ".5"),
    "json": ('{"a": 1}', "[1, 2.0]", '"s"', "5", "null", "true", '{"a": {"b": [null]}}'),
}
ODD_TEXTS: Final = {
    "string": ("true", "5", "{"),
    "boolean": ("TRUE", "1", "", "yes", " true"),
    "integer": (
        " 7 ",
        "+5",
        "1_000",
        "1.5",
        "",
        "abc",
        "9223372036854775808",
        "-9223372036854775809",
        "٣",
        "1e3",
        "- 1",
    ),
    "double": ("NaN", "Infinity", "1e999", "1_0.5", " 2 ", "", "abc", "0x10", "٣.5", "-inf", "1."),
    "json": (
        "NaN",
        "[Infinity]",
        "{",
        "",
        "[1,]",
        "18446744073709551616",
        "[" * 40 + "]" * 40,
        '{"a": 1, "a": 2}',
        "[1e999]",
    ),
}
VARIATION_KEYS: Final = ("on", "off", "a", "b", "treatment", "größer")
ENDS: Final[tuple[list[int], ...]] = (
    *([10_000], [5_000, 10_000], [2_500, 5_000], [3_333, 6_666, 10_000], [], [0, 10_000], [6_000, 4_000, 9_000]),
    *([1], [9_999], [-5, 5_000], [12_000], [5_000, 5_000, 7_000], [100, 200]),
)
USERS: Final = ("u1", "u2", "u3", "ünïcode", "用户", "\U0001f600", "", "a b", "x" * 300, "u1 ")
