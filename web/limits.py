"""How often one visitor may do something, whichever process answers, and after a restart, too."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request
from starlette.exceptions import HTTPException

from monitor.timeline import season
from store import evidence, visits
from store.database import Store
from store.records import stamp


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` times in `seconds`, for each visitor: what they do has the name `what`."""

    what: str
    most: int
    seconds: int = 3600

    def check(self, store: Store, request: Request, now: datetime) -> None:
        """Counts one more time. Raises HTTPException, 429, for a visitor who did it too often."""
        address = request.client.host if request.client else ""
        with store.writing():
            salt = evidence.salt(store, season(stamp(now)), secrets.token_bytes(16))
            who = hashlib.blake2b(address.encode(), key=salt, digest_size=16).hexdigest()
            within = timedelta(seconds=self.seconds)
            if visits.allowed(store, self.what, who, most=self.most, within=within, now=now):
                return
        raise HTTPException(429, headers={"Retry-After": str(self.seconds)})
