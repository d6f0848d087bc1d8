"""Reads `known_failures.yaml`: what of a suite is not asked, and what fails on a transport, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml


def not_asked(suite: str) -> Mapping[str, str]:
    """The cases that are not run."""
    return _section(suite, "not_asked")


def known_failures(suite: str, transport: str) -> Mapping[str, str]:
    """The cases that must fail until somebody mends them."""
    return _section(suite, transport)


def _section(suite: str, name: str) -> Mapping[str, str]:
    everything = yaml.safe_load(Path(__file__).with_name("known_failures.yaml").read_text())
    section: Mapping[str, str] = everything[suite][name]
    assert all(section.values()), f"a case under {suite}, {name} gives no reason"
    return section
