"""Steps with the outbox that must succeed before a lane goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from sidecar.delivery.status import DestinationStatus
from sidecar.errors import BoundError

Result = TypeVar("Result")


async def kept_trying(step: Callable[[], Awaitable[Result]], status: DestinationStatus) -> Result:
    """A step with the outbox, until the disk takes it: what is delivered must not be sent for ever."""
    failures = 0
    while True:
        try:
            return await step()
        except BoundError as error:
            failures += 1
            if failures == 1:
                log = structlog.get_logger()
                log.warning("outbox_step_failed", destination=status.destination, detail=str(error))
            status.last_error = str(error)
            await asyncio.sleep(error.retry_after_s)
