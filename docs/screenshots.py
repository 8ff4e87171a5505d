"""Takes the pictures of the web site in docs/ from the demo's invented data: `make screenshots`.

They need Chromium. Served is a copy of what `visawatch demo` watched, with one change accepted.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from monitor import clock
from monitor.review import decide
from store.database import Store
from web.site import Site, SiteSettings

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "tests" / "web"))

from serving import serving  # noqa: E402

# By name: the path, the width and height in pixels, the theme, and what is scrolled to.
PICTURES = {
    "web-search": ("/?visa=H-1B", 1100, 760, "light", ""),
    "web-timeline": ("/programs/lantern-hill-internal-medicine", 375, 780, "dark", "#history"),
    "web-review": ("/review/2", 1100, 1180, "light", ""),
    "web-matrix": ("/matrix", 1100, 760, "light", ""),
}


def main() -> None:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        sys.exit("no Chromium on this machine (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "visawatch", "demo", "--keep", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        database = Path(folder) / "visawatch.db"
        with Store(database) as store, store.writing():
            decide(store, 4, "accepted", by="ada", note="", now=clock.system())
        with sync_playwright() as playwright:
            # Its sandbox needs a user namespace, which containers mostly have not.
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
            with serving(Site(database, clock.system, SiteSettings())) as served:
                for name in PICTURES:
                    take(browser, served.origin, name)


def take(browser: Browser, origin: str, name: str) -> None:
    path, width, height, theme, part = PICTURES[name]
    with browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,  # type: ignore[arg-type]
    ) as context:
        page = context.new_page()
        page.goto(origin + path)
        if part:
            page.locator(part).evaluate("e => e.scrollIntoView()")
        page.screenshot(path=HERE / f"{name}.png")


if __name__ == "__main__":
    main()
