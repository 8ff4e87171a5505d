"""Scrapy's downloader middlewares of this project: one behaviour per file."""
