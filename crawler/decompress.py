"""Content-Encoding undone within a limit: gzip, deflate, br and zstd (RFC 9110, 8.4)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import brotli  # type: ignore[import-untyped]  # has no stubs
import zstandard

ACCEPTED = "gzip, deflate, br, zstd"
_CHUNK = 1 << 18
_BOMB_RATIO = 50  # text packs 5 to 20 times smaller; what unpacks further than this is made to
_COUNTED_ON = 4  # times the limit; more than this is no mere large page either
_MAX_LAYERS = 3  # encodings over one another; no server has a reason for two
_MAX_PARTS = 1_000  # members of a gzip stream, frames of a zstd stream
_PIECE = 1 << 16  # bytes that are given to zlib at a time: it copies what it leaves
# A block of four bytes unpacks into 128 KB, and zstandard unpacks all that it is given.
_ZSTD_PIECE = 256
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class TooLarge(ValueError):
    """The content has more bytes than the limit."""


class Bomb(TooLarge):
    """Few bytes that unpack into more than the limit."""


class Broken(ValueError):
    """The packed data is damaged or ends early."""


def unpack(data: bytes, encoding: str, limit: int) -> bytes:
    """Return the content of `data`, which was packed as the header `encoding` says.

    Several encodings are undone last first. Data that does not begin like its encoding is
    returned as it is (servers label plain pages as gzip), and so is an unknown encoding.
    Raises `Bomb`, `TooLarge` or `Broken`.
    """
    packed_size = len(data)
    layers = 0
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        chunks = _chunks(data, name)
        if chunks is None:
            continue
        layers += 1
        if layers > _MAX_LAYERS:
            raise Broken(f"it is packed more than {_MAX_LAYERS} times over")
        try:
            unpacked = _within(chunks, packed_size, limit)
        except (zlib.error, brotli.error, zstandard.ZstdError) as error:
            raise Broken(str(error) or type(error).__name__) from error
        data = unpacked
    return data


def _within(chunks: Iterator[bytes], packed_size: int, limit: int) -> bytes:
    """Join chunks up to the limit; beyond, only count on until it is clear what this is."""
    out = bytearray()
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if (size > packed_size * _BOMB_RATIO and size > limit) or size > limit * _COUNTED_ON:
            raise Bomb
        if size <= limit:
            out += chunk
    if size > limit:
        raise TooLarge
    return bytes(out)


def gunzip(data: bytes, limit: int) -> bytes:
    """Return the content of a .gz file, or `data` if it is none. Raises as `unpack` does."""
    return unpack(data, "gzip", limit)


def _chunks(data: bytes, encoding: str) -> Iterator[bytes] | None:
    if encoding in ("gzip", "x-gzip") and data[:2] == _GZIP:
        return _zlib_chunks(data, zlib.MAX_WBITS | 16)
    if encoding == "deflate":
        # RFC 9110 means the zlib format; some servers send bare deflate.
        is_zlib = len(data) > 1 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
        return _zlib_chunks(data, zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
    if encoding == "br":
        return _brotli_chunks(data)
    if encoding == "zstd" and data[:4] == _ZSTD:
        return _zstd_chunks(data)
    return None


def _zlib_chunks(data: bytes, wbits: int) -> Iterator[bytes]:
    position = 0
    for _ in range(_MAX_PARTS):
        unpacker = zlib.decompressobj(wbits)
        while not unpacker.eof:
            piece = unpacker.unconsumed_tail
            if not piece:
                piece = data[position : position + _PIECE]
                position += len(piece)
            if piece:
                yield unpacker.decompress(piece, _CHUNK)
            else:
                yield unpacker.flush(_CHUNK)
                if not unpacker.eof:
                    raise Broken("it ends early")
        # RFC 1952, 2.2: a gzip file may have several members; padding after them is ignored.
        position -= len(unpacker.unused_data)
        if wbits < 16 or data[position : position + 2] != _GZIP:
            return
    raise Broken(f"it has more than {_MAX_PARTS:,} parts")


def _brotli_chunks(data: bytes) -> Iterator[bytes]:
    unpacker = brotli.Decompressor()
    yield unpacker.process(data, output_buffer_limit=_CHUNK)
    while not unpacker.is_finished():
        chunk = unpacker.process(b"", output_buffer_limit=_CHUNK)
        if not chunk and not unpacker.is_finished():
            raise Broken("it ends early")
        yield chunk


def _zstd_chunks(data: bytes) -> Iterator[bytes]:
    # RFC 8878 for HTTP (RFC 9659): a window of at most 8 MB.
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 23)
    position = 0
    for _ in range(_MAX_PARTS):
        frame = unpacker.decompressobj()
        while not frame.eof:
            piece = data[position : position + _ZSTD_PIECE]
            if not piece:
                raise Broken("it ends early")
            position += len(piece)
            yield frame.decompress(piece)
        position -= len(frame.unused_data)
        if position == len(data):
            return
    raise Broken(f"it has more than {_MAX_PARTS:,} parts")
