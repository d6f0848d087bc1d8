"""A real collector behind every delivery."""

from __future__ import annotations

from tests.collector.fixtures import collector

__all__ = ["collector"]
