"""The log: structlog on standard error, one event a line."""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog

from sidecar.app.settings import LogFormat, LogSection

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure(section: LogSection) -> None:
    """Set structlog up for the process, and let libraries that use `logging` speak from warnings on."""
    level = _LEVELS[section.level.value]
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if section.format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr)
