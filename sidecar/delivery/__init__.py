"""Brings accepted events to their destinations, at its own pace, apart from decisions.

One lane a destination, one batch in flight in it, in order. `backlog` reads and renders, `attempts` sends one
batch until it is answered for good, `lane` bisects what is refused and settles, `service` is the face for
`app` and `rpc`. Rules: docs/decisions/0030-delivery.md; what an answer means: `sidecar.retry`.
"""

from sidecar.delivery.pace import Pace
from sidecar.delivery.section import DeliverySection
from sidecar.delivery.service import Delivery
from sidecar.delivery.status import DestinationStatus

__all__ = ["Delivery", "DeliverySection", "DestinationStatus", "Pace"]
