"""Lines of text to the bytes of a one-page PDF, with nothing but the standard library."""

from __future__ import annotations

from collections.abc import Sequence

_PAGE = (612, 792)  # US letter, in points
_MARGIN = 72
_LEADING = 16


def document(lines: Sequence[str]) -> bytes:
    """A PDF 1.4 file that shows `lines` one below the other, in Helvetica.

    Raises ValueError when they do not fit on the page, UnicodeEncodeError for a character
    that windows-1252 lacks.
    """
    if len(lines) * _LEADING > _PAGE[1] - 2 * _MARGIN:
        raise ValueError(f"{len(lines)} lines do not fit on one page")
    content = _content(lines)
    return _file(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R" % _PAGE
        + b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )


def _content(lines: Sequence[str]) -> bytes:
    """The drawing commands: each line is shown (Tj), then the pen goes to the next (T*)."""
    shown = b"\n".join(b"(%s) Tj T*" % _escaped(line) for line in lines)
    top = _PAGE[1] - _MARGIN
    return b"BT /F1 11 Tf %d TL %d %d Td\n%s\nET" % (_LEADING, _MARGIN, top, shown)


def _escaped(line: str) -> bytes:
    escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return escaped.encode("windows-1252")


def _file(*objects: bytes) -> bytes:
    """Numbers the objects from 1, the catalog first, and adds the table of their offsets."""
    data = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return data + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table, len(objects) + 1, len(data))
    )
