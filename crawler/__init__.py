"""The Scrapy project: which pages to fetch, and how politely. Knows HTTP and pages, not policies."""
