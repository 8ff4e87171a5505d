"""VisaWatch's command line, configuration and demo."""

__version__ = "0.1.0"
