"""The daemon: one process that decides, accepts and delivers. The map of its layers: docs/architecture.md."""

__version__ = "0.1.0"
