"""Tells readers what the daemon does, as it does it: decisions, accepted events, deliveries, datafile updates.

Publishing never waits, never fails and, while nobody listens, costs one look-up. Nothing is kept for who is not there.
`values` are what is told, `readers` who is told; `rpc/notification.py` makes messages of it. Rules:
docs/notifications.md.
"""

from sidecar.notifications.readers import Notifications, Subscription, Told
from sidecar.notifications.values import (
    DatafileUpdated,
    DecisionKind,
    DecisionMade,
    DeliveryDone,
    DeliveryState,
    EventTracked,
    Kind,
    Notification,
)

__all__ = [
    "DatafileUpdated",
    "DecisionKind",
    "DecisionMade",
    "DeliveryDone",
    "DeliveryState",
    "EventTracked",
    "Kind",
    "Notification",
    "Notifications",
    "Subscription",
    "Told",
]
