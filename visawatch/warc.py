"""The archive as WARC 1.1 (ISO 28500), through warcio.

A page's bytes are stored without the HTTP headers that came with them, so each is a `resource`
record, and no response is made up. The same bytes at the same place again are a `revisit` that
refers to it. The order, the ids and the dates follow from what is stored: the same archive gives
the same file.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO
from urllib.parse import quote

from warcio.recordloader import ArcWarcRecord
from warcio.warcwriter import WARCWriter

from monitor.archive import Capture
from store.snapshots import Snapshot
from visawatch import __version__

_PROFILE = "http://netpreserve.org/warc/1.1/revisit/"
_NAMES = uuid.UUID("5b1b3c1e-6f0e-4d0c-9d43-0d6f6a7d8a11")  # of our record ids
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:; ?charset=[\w.:+-]+)?", re.ASCII)
_URL_SAFE = "%/:?#[]@!$&'()*+,;=~"  # RFC 3986; all else is percent-encoded


@dataclass(slots=True)
class Written:
    """What a file holds so far, in records."""

    pages: int = 0
    revisits: int = 0


@dataclass(slots=True)
class _Place:
    """The records of one address: by hash, the first one's id and date."""

    url: str = ""
    first: dict[str, tuple[str, str]] = field(default_factory=dict)


def write(
    out: IO[bytes],
    captures: Iterable[Capture],
    body_of: Callable[[int], Snapshot],
    *,
    filename: str,
    date: str,
) -> Written:
    """Writes the captures, which come by address, as gzipped records; one body in memory at once.

    `body_of` gives the snapshot of an id. `date` (ISO 8601) is that of the file.
    """
    writer = WARCWriter(out, gzip=True, warc_version="1.1")
    writer.write_record(_info(writer, filename, date))
    written, place = Written(), _Place()
    for capture in captures:
        url = _uri(capture.url)
        if url != place.url:
            place = _Place(url)
        known = place.first.get(capture.sha256)
        record_id = _record_id(url, capture.at, capture.sha256)
        if known is None:
            place.first[capture.sha256] = record_id, capture.at
            writer.write_record(_resource(writer, url, record_id, capture, body_of))
            written.pages += 1
        elif known[0] != record_id:  # two sights in one second are one
            writer.write_record(_revisit(writer, url, record_id, capture, known))
            written.revisits += 1
    return written


def _info(writer: WARCWriter, filename: str, date: str) -> ArcWarcRecord:
    filename = quote(filename)
    record = writer.create_warcinfo_record(
        filename,
        {
            "software": f"VisaWatch/{__version__}",
            "format": "WARC File Format 1.1",
            "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            "description": "pages of US residency programs, as they were fetched",
            "robots": "obey",
        },
    )
    record.rec_headers.replace_header("WARC-Record-ID", _record_id(filename, date, "warcinfo"))
    record.rec_headers.replace_header("WARC-Date", date)
    return record


def _resource(
    writer: WARCWriter,
    url: str,
    record_id: str,
    capture: Capture,
    body_of: Callable[[int], Snapshot],
) -> ArcWarcRecord:
    snapshot = body_of(capture.snapshot_id)
    digest = _digest(capture.sha256)
    return writer.create_warc_record(
        url,
        "resource",
        payload=BytesIO(snapshot.body),
        length=len(snapshot.body),
        warc_content_type=_media_type(snapshot.content_type),
        warc_headers_dict={
            "WARC-Record-ID": record_id,
            "WARC-Date": capture.at,
            "WARC-Block-Digest": digest,
            "WARC-Payload-Digest": digest,
        },
    )


def _revisit(
    writer: WARCWriter, url: str, record_id: str, capture: Capture, first: tuple[str, str]
) -> ArcWarcRecord:
    profile = "server-not-modified" if capture.not_modified else "identical-payload-digest"
    return writer.create_warc_record(
        url,
        "revisit",
        warc_headers_dict={
            "WARC-Record-ID": record_id,
            "WARC-Date": capture.at,
            "WARC-Profile": _PROFILE + profile,
            "WARC-Payload-Digest": _digest(capture.sha256),
            "WARC-Refers-To": first[0],
            "WARC-Refers-To-Target-URI": url,
            "WARC-Refers-To-Date": first[1],
        },
    )


def _record_id(*parts: str) -> str:
    return f"<urn:uuid:{uuid.uuid5(_NAMES, ' '.join(parts))}>"


def _digest(sha256: str) -> str:
    """A hash as WARC writes it: in base 32."""
    return f"sha256:{base64.b32encode(bytes.fromhex(sha256)).decode()}"


def _uri(url: str) -> str:
    """An address that stays within its header: no space, no line break, ASCII."""
    return quote(url, safe=_URL_SAFE)


def _media_type(content_type: str) -> str:
    """What a server called a page, if that is a media type."""
    found = _MEDIA_TYPE.match(content_type)
    return found.group() if found else "application/octet-stream"
