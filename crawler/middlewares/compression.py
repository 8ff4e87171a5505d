"""Unpacks bodies (gzip, deflate, br, zstd), within the limit on bytes."""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from crawler.decompress import Bomb, Broken, TooLarge, unpack
from crawler.refusal import Refused
from crawler.values import Health


class CompressionMiddleware:
    """Replaces a packed body by its content, or raises `Refused`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> CompressionMiddleware:
        """Build it from the setting DOWNLOAD_MAXSIZE."""
        return cls(crawler.settings.getint("DOWNLOAD_MAXSIZE"))

    def process_response(self, request: Request, response: Response) -> Response:
        """Return the response with its body unpacked."""
        encoding = response.headers.get("Content-Encoding")
        if not encoding or not response.body:
            return response
        host = urlparse_cached(request).netloc
        size = len(response.body)
        try:
            body = unpack(response.body, encoding.decode("latin-1"), self._max_bytes)
        except Bomb:
            raise Refused(
                Health.DECOMPRESSION_BOMB,
                f"{host} sent {size:,} bytes that unpack into more than {self._max_bytes:,}",
                response.status,
            ) from None
        except TooLarge:
            raise Refused(
                Health.TOO_LARGE,
                f"the page of {host} has more than {self._max_bytes:,} bytes",
                response.status,
            ) from None
        except Broken as error:
            raise Refused(
                Health.TRUNCATED,
                f"{host} sent a packed page that does not unpack: {error}",
                response.status,
            ) from None
        return response.replace(body=body)
