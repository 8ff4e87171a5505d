"""Evidence from every channel beside the pages, and what all of it comes to.

`fuse(evidence, today)` is the one place where channels are weighed against each other.
"""

from sources.fuse import fuse
from sources.values import Age, Channel, Evidence, Fused, Role, Side

__all__ = ["Age", "Channel", "Evidence", "Fused", "Role", "Side", "fuse"]
