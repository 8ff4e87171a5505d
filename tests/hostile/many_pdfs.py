"""Reads PDFs one after the other in a process limited as that for one is (extractors.pdf_child).

On standard input, four bytes that say how long it is stand before each; nothing is answered.
"""

from __future__ import annotations

import struct
import sys

from extractors import pdf_child
from extractors.pdf import CPU_SECONDS, MEMORY_BYTES


def main() -> None:
    """Read all of them; what breaks one ends the process."""
    pdf_child.limit(CPU_SECONDS, MEMORY_BYTES)
    while size := sys.stdin.buffer.read(4):
        body = sys.stdin.buffer.read(*struct.unpack("!I", size))
        (pdf_child.text_of(body) or "").encode("utf-8", errors="replace")


if __name__ == "__main__":
    main()
