"""What applicants and reviewers come for, in Chromium, with JavaScript and without."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from mailserver import MailServer
from playwright.sync_api import Browser, Page, expect
from proxy import proxying
from serving import NOON, PASSWORD, Serve, Served, serving

from monitor import clock
from monitor.alerts import deliver, enqueue
from store import changes, remarks, subscriptions
from store.database import Store
from store.records import Subscription
from visawatch.config import MailSettings
from web.site import Site, SiteSettings

ANA = "ana@inbox.example"


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A phone: small, touched, with JavaScript or without."""
    with browser.new_context(
        viewport={"width": 375, "height": 667},
        has_touch=True,
        is_mobile=True,
        java_script_enabled=request.param,
    ) as context:
        context.set_default_timeout(15_000)
        yield context.new_page()


@pytest.fixture
def mailing(database: Path, mail: MailServer) -> Iterator[Served]:
    """The site, which sends its mail through a real server."""
    settings = MailSettings(smtp_url=f"smtp://127.0.0.1:{mail.port}", sender="watch@visas.example")
    home = "https://visas.example"
    site = Site(
        database,
        clock.fixed(NOON),
        SiteSettings(home=home, sender=settings.sender),
        lambda store, now: deliver(store, settings, now),
    )
    with serving(site) as served:
        yield served


def test_an_applicant_searches_on_a_phone_subscribes_and_unsubscribes(
    mailing: Served, mail: MailServer, phone: Page
) -> None:
    came = threading.Event()
    mail.on_data = lambda _: came.set()
    phone.goto(mailing.origin)
    phone.get_by_label("Find a program").fill("lantern hill")
    phone.locator("summary").first.tap()
    phone.locator("#visa").select_option("H-1B")
    phone.get_by_role("button", name="Search").first.tap()
    phone.wait_for_url(re.compile("q=lantern"))
    expect(phone.get_by_role("heading", name="1 program")).to_be_visible()
    phone.get_by_role("link", name="Lantern Hill Medical Center, Pediatrics").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Pediatrics")
    expect(phone.locator("blockquote").first).to_contain_text("H-1B")
    expect(phone.get_by_role("heading", name="Make sure before you apply")).to_be_visible()
    expect(phone.get_by_role("link", name="FREIDA")).to_be_visible()
    assert wide(phone) == []
    phone.get_by_role("link", name="Get a mail when this changes").tap()
    phone.get_by_label("Your e-mail address").fill(ANA)
    phone.get_by_role("button", name="Send me a link").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    assert came.wait(30)
    link = links(mail)["confirm"]
    phone.goto(mailing.origin + link)
    assert active(mailing) == []  # to look at it is not to agree
    phone.get_by_role("button", name="Yes, I want this").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Confirmed")
    with Store(mailing.site.database) as store:
        (made,) = subscriptions.listed(store)
    assert (made.address, made.program_id) == (ANA, "lantern-hill-pediatrics")
    phone.goto(f"{mailing.origin}/unsubscribe/{made.token}")
    phone.get_by_role("button", name="End this").tap()
    expect(phone.locator("main")).to_contain_text("This has ended")
    assert active(mailing) == []


def wide(page: Page) -> list[str]:
    """What stands out of the screen. Playwright can look without the page's JavaScript."""
    box = page.locator("html").bounding_box()
    boxes = [(e, e.bounding_box()) for e in page.locator("main > *").all()]
    assert box
    return [e.inner_text() for e, b in boxes if b and b["x"] + b["width"] > box["width"] + 1]


def links(mail: MailServer) -> dict[str, str]:
    """Where the links of the last mail lead, by what they do, without the site's own address."""
    body = message_from_bytes(mail.received[-1][1], policy=default).get_body(("plain",))
    assert body
    found = re.findall(r"https://visas\.example(/\S+)", str(body.get_content()))
    return {re.split(r"[/]", path)[-2]: path for path in found}


def active(served: Served) -> list[str]:
    with Store(served.site.database) as store:
        return [s.address for s in subscriptions.listed(store)]


def test_a_reviewer_needs_no_script(users: Path, serve: Serve, browser: Browser) -> None:
    served = serve(users)
    with browser.new_context(java_script_enabled=False) as context:
        context.set_default_timeout(15_000)
        page = context.new_page()
        enter(page, f"{served.origin}/review")
        page.locator(".entry").first.click()
        page.get_by_role("button", name="Accept").click()
        page.wait_for_url("**/review/2?done=1")
        page.locator("summary", has_text="Dismiss").click()
        page.get_by_label("Why?").fill("an old page")
        page.get_by_role("button", name="Dismiss", exact=True).click()
        page.wait_for_url("**/review/3?done=2")
        page.locator("summary", has_text="Correct").click()
        page.get_by_label("Is it sponsored?").first.select_option("conditional")
        page.get_by_role("button", name="This is true").click()
        page.wait_for_url("**/review/4?done=3")
        page.get_by_role("link", name="Change 3").click()
        page.get_by_role("button", name="Make it a labelled example").click()
        page.wait_for_url("**/review/3")
        with Store(users) as store:
            (kept,) = remarks.examples(store)
        assert kept.by == "ada"
        assert kept.example["stances"]["J-1"] == "conditional"
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".trail").first).to_contain_text("undone by ada")
    with Store(users) as store:
        assert [changes.get(store, n).status for n in (1, 2, 3)] == [
            "accepted",
            "dismissed",
            "open",
        ]


def enter(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/review")


@pytest.mark.parametrize("cuts", [True, False], ids=["cuts", "keeps"])
def test_behind_a_proxy_under_a_path(
    users: Path, serve: Serve, browser_page: Page, cuts: bool
) -> None:
    page = browser_page
    asked: list[str] = []
    missing: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda r: missing.append(r.url) if r.status == 404 else None)
    with proxying("/visas", cuts=cuts) as proxy:
        proxy.origin = serve(users, base_url=proxy.url).origin
        page.goto(f"{proxy.url}/")
        page.get_by_label("Find a program").fill("lantern")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Lantern Hill Medical Center, Internal Medicine").click()
        page.get_by_role("link", name="what changed, word by word").click()
        expect(page.get_by_role("heading", name="Word by word")).to_be_visible()
        page.get_by_role("link", name="Specialties").click()
        expect(page.locator("table")).to_be_visible()
        enter(page, f"{proxy.url}/review")
        page.locator(".entry").first.click()
        expect(page.frame_locator("iframe").first.locator("mark")).to_be_visible()
        page.keyboard.press("a")
        page.wait_for_url("**/visas/review/2?done=1")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url(re.compile("/visas/"))
        assert missing == []
        assert [url for url in asked if not url.startswith(f"{proxy.url}/")] == []


def test_one_click_in_a_mail_program_ends_it(mailing: Served, mail: MailServer) -> None:
    """By the header of a change's mail, as RFC 8058 has it, without any page."""
    settings = MailSettings(smtp_url=f"smtp://127.0.0.1:{mail.port}", sender="watch@visas.example")
    with Store(mailing.site.database) as store:
        wish = Subscription(0, ANA, program_id="lantern-hill-internal-medicine")
        with store.writing():
            subscriptions.add(store, wish, NOON - timedelta(days=7))
            store.write("UPDATE subscriptions SET after_change = 0")  # before there was any
        assert enqueue(store, NOON, sender=settings.sender, base_url="https://visas.example") == 1
        assert not deliver(store, settings, NOON).problems
    (told,) = mail.received
    message = message_from_bytes(told[1], policy=default)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (link,) = re.findall(r"<https://visas\.example(/[^>]+)>", message["List-Unsubscribe"])
    answer = mailing.client.post(link, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.text) == (200, "unsubscribed\n")
    assert active(mailing) == []
