"""The public data set: its tables, and the SQLite file that has them."""

from store.dataset.file import write
from store.dataset.tables import TABLES, VIEWS, Column, Table, View

__all__ = ["TABLES", "VIEWS", "Column", "Table", "View", "write"]
