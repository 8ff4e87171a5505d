"""Mail to subscribers: who is told of what, in which words, and its delivery."""

from monitor.alerts.addresses import address
from monitor.alerts.composing import enqueue
from monitor.alerts.delivery import Delivery, check, deliver
from monitor.alerts.errors import AddressError, MailError
from monitor.alerts.matching import described, lets_through, matches

__all__ = [
    "AddressError",
    "Delivery",
    "MailError",
    "address",
    "check",
    "deliver",
    "described",
    "enqueue",
    "lets_through",
    "matches",
]
