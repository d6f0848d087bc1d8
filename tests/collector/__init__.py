"""A real HTTP collector on loopback: it takes what destinations send, remembers it, answers as told."""

from tests.collector.server import Answered, Collector, Fault, Received

__all__ = ["Answered", "Collector", "Fault", "Received"]
