"""Takes the pictures of the web site in docs/ from the demo's invented data: `make screenshots`.

They need Chromium. Served is what `visawatch demo` watched, with one change accepted, and a
coordinator who contradicts a page. With names, only these are taken (`... sources-review`).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from extractors import Policy, Stance, Visa
from monitor import clock
from monitor.review import decide
from monitor.timeline import season
from sources.deciding import accept
from sources.freida import import_
from sources.weigh import weigh
from store import changes, evidence, programs
from store.database import Store
from store.evidence import Saying
from store.records import stamp
from web.site import Site, SiteSettings

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "tests" / "web"))

from serving import serving  # noqa: E402

DISPUTED = "marrow-bay-psychiatry"  # whose office's page says J-1 only

LIST = "/shortlist?visa=either&prefers=H-1B&step3=planned&step3_on=2027-01-15&graduated=2016"

# By name: the path, the width and height in pixels, the theme, and what is scrolled to.
PICTURES = {
    "web-search": ("/?visa=H-1B", 1100, 760, "light", ""),
    "web-timeline": ("/programs/lantern-hill-internal-medicine", 375, 780, "dark", "#history"),
    "web-review": ("/review/2", 1100, 1180, "light", ""),
    "web-matrix": ("/matrix", 1100, 760, "light", ""),
    "shortlist-web": (LIST, 1000, 900, "light", "#classes"),
    "shortlist-phone": (LIST, 375, 780, "light", "#list"),
    "shortlist-calendar": ("/calendar", 375, 780, "light", ""),
    "sources-review": ("/review/{disputed}", 1000, 620, "light", "#sources"),
    "sources-program": (f"/programs/{DISPUTED}", 1000, 560, "light", "#sides"),
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
            number = disagree(store)
        with sync_playwright() as playwright:
            # Its sandbox needs a user namespace, which containers mostly have not.
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
            with serving(Site(database, clock.system, SiteSettings())) as served:
                for name in sys.argv[1:] or PICTURES:
                    take(browser, served.origin, name, number)


def disagree(store: Store) -> int:
    """A coordinator and FREIDA say otherwise than a page; gives the change that is made of it."""
    now = clock.system()
    program = programs.get(store, DISPUTED)
    columns = "Institution,Specialty,Visa"
    row = f"{program.institution},{program.specialty},J-1 visa sponsorship through ECFMG"
    import_(store, f"{columns}\n{row}\n".encode(), now, by="ada")
    weigh(store, now)
    both = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.SPONSORED))).to_json()
    answer = Saying(
        DISPUTED,
        "coordinator",
        season(stamp(now)),
        stamp(now),
        {"stances": both["stances"], "conditions": []},
        key="picture",
        who="program coordinator",
        quote="We now sponsor both J-1 and H-1B visas for our residents.",
    )
    number = evidence.add(store, answer)
    accept(store, number or 0, by="ada", now=now)
    return changes.of_program(store, DISPUTED)[-1].id


def take(browser: Browser, origin: str, name: str, disputed: int) -> None:
    path, width, height, theme, part = PICTURES[name]
    with browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,  # type: ignore[arg-type]
    ) as context:
        page = context.new_page()
        page.goto(origin + path.format(disputed=disputed))
        if part:
            page.locator(part).evaluate("e => e.scrollIntoView()")
        page.screenshot(path=HERE / f"{name}.png")


if __name__ == "__main__":
    main()
