"""Shows pages that are empty until their scripts have run, in a Chromium that has no network.

`Renderer` is the way in. Nothing here knows Scrapy: whatever a page asks for is asked of a
function, which the crawl gives (`crawler.parts`); and nothing here is loaded, nor Playwright
needed, before the first page is to be shown.
"""

from crawler.browser.renderer import Renderer
from crawler.browser.values import Ask, Part, Shell, Shown

__all__ = ["Ask", "Part", "Renderer", "Shell", "Shown"]
