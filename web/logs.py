"""What a log may say of a request: the page, and neither a token nor what a form was about."""

from __future__ import annotations

import logging
import re

from fastapi import Request

# Who has one of these may end a subscription, or begin one.
_TOKEN = re.compile(r"/(subscribe/confirm|unsubscribe)/[^?]*")


def shown(target: str) -> str:
    """A request's target without what only its visitor should have.

    >>> shown("/visas/unsubscribe/AbC123"), shown("/shortlist?visa=h1b&step3=2027-01-15")
    ('/visas/unsubscribe/…', '/shortlist')
    """
    return _TOKEN.sub(r"/\1/…", target).partition("?")[0]


def path_shown(request: Request) -> str:
    """The path of a request, as it may be logged."""
    return shown(request.url.path)


class Discreet(logging.Filter):
    """Shortens the targets in uvicorn's access log: client, method, target, version, status."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record through."""
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, target, *rest = record.args
            record.args = (client, method, shown(str(target)), *rest)
        return True
