"""Mail to subscribers: who is told of what, in which words, and its delivery."""

from monitor.alerts.addresses import address
from monitor.alerts.channels import canonical, channel, is_channel, shown
from monitor.alerts.composing import enqueue
from monitor.alerts.delivery import Delivery, check, deliver
from monitor.alerts.errors import AddressError, MailError
from monitor.alerts.matching import described, lets_through, matches
from monitor.alerts.reports import enqueue_report

__all__ = [
    "AddressError",
    "Delivery",
    "MailError",
    "address",
    "canonical",
    "channel",
    "check",
    "deliver",
    "described",
    "enqueue",
    "enqueue_report",
    "is_channel",
    "lets_through",
    "matches",
    "shown",
]
