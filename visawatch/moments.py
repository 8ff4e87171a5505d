"""Times on the command line: a moment, or a whole day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import click


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time; without an offset it is UTC."""

    name = "ISO8601"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The aware time. Fails with what was given."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"'{value}' is not a time; write 2026-11-25T02:00:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Day(Moment):
    """A day, or a moment: of a day its beginning, or its end, in UTC."""

    name = "DATE"

    def __init__(self, *, end: bool = False) -> None:
        self.end = end

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The aware time. Fails with what was given."""
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            return super().convert(value, param, ctx)
        return datetime.combine(day, time(23, 59, 59) if self.end else time(), UTC)
