"""The public data set as files: what the API answers, all at once."""

from visawatch.dataset.files import files

__all__ = ["files"]
