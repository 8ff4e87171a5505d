"""What a mail looks like, whatever the pages say."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from alerts_bench import BOTH, NOW, Bench, html_of, parsed, policy, text_of

from extractors.conditions import ConditionKind
from extractors.values import Condition, Stance, Visa
from store.records import Mail, Program

HOSTILE = (
    '<script>alert(1)</script>"><img src=x onerror=alert(2)> {{ 7*7 }} {% raw %}\r\n'
    "Bcc: all@x.example\r\n\r\n--boundary \x00\x1b[31m\u202egnikees ton\u202c שלום " + "long" * 5000
)


class Page(HTMLParser):
    """The tags and links of an HTML part."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.fixture
def hostile(bench: Bench) -> Mail:
    """A mail about a page, and a program, that mean harm."""
    bench.add_program(Program("evil", f"Evil\r\nBcc: all@x.example {HOSTILE}", "<b>IM</b>\nX: y"))
    bench.subscribe("ana@a.example", institution="x")
    bench.subscribe("ana@a.example")
    after = policy(
        Stance.SPONSORED,
        Stance.NOT_SPONSORED,
        HOSTILE,
        Condition(Visa.H1B, ConditionKind.STEP3_PASSED, "<i>\r\nsoon</i>"),
        url="javascript:alert(3)",
    )
    bench.flag("evil", BOTH, after)
    assert bench.enqueue() == 1
    return bench.mails()[0]


def test_page_text_never_becomes_a_header(hostile: Mail) -> None:
    message = parsed(hostile)
    assert message["Bcc"] is None
    assert message["X"] is None
    assert message["To"] == "ana@a.example"
    assert len(message["Subject"]) <= 150
    assert "\n" not in hostile.subject
    head = hostile.message.split(b"\r\n\r\n", 1)[0]
    assert max(map(len, head.split(b"\r\n"))) <= 120
    assert [d for part in message.walk() for d in part.defects] == []


def test_page_text_is_escaped(hostile: Mail) -> None:
    page = Page(html_of(hostile))
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert page.handlers == []
    assert all(link.startswith(("https:", "http:", "mailto:", "#")) for link in page.links)
    assert "{{ 7*7 }}" in html_of(hostile)
    assert "javascript:alert(3)" in html_of(hostile)  # shown, and no link


def test_page_text_is_marked_line_by_line_in_the_text(hostile: Mail) -> None:
    text = text_of(hostile)
    assert "  > Bcc: all@x.example" in text
    assert "{{ 7*7 }} {% raw %}" in text
    assert not [line for line in text.splitlines() if line.startswith(("Bcc", "--boundary"))]
    assert not set(text) & set("\x00\x1b\u202e\u202c")
    assert "שלום" in text


def test_lines_are_short_and_seven_bit_on_the_wire(hostile: Mail) -> None:
    lines = hostile.message.split(b"\r\n")
    assert max(map(len, lines)) < 998
    assert all(b"\n" not in line for line in lines)
    assert hostile.message.isascii()


@pytest.fixture
def mail(bench: Bench) -> Mail:
    """An ordinary mail, with a place to review and to stop."""
    bench.subscribe("ana@a.example", visa="H-1B")
    bench.flag()
    bench.enqueue(base_url="https://visawatch.example/")
    return bench.mails()[0]


def test_headers(mail: Mail, bench: Bench) -> None:
    message = parsed(mail)
    token = bench.store.rows("SELECT token FROM subscriptions")[0]["token"]
    assert message["Subject"] == (
        "VisaWatch: Harborview Medical, Internal Medicine no longer sponsors H-1B"
    )
    assert message["From"] == "VisaWatch <alerts@visawatch.example>"
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == mail.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"].replace(" ", "") == (
        f"<https://visawatch.example/unsubscribe/{token}>,"
        f"<mailto:alerts@visawatch.example?subject=unsubscribe%20{token}>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    raw = mail.message.split(b"\r\n\r\n")[0].decode()
    assert f"<https://visawatch.example/unsubscribe/{token}>" in raw  # not an encoded word


def test_both_parts_tell_what_changed_and_why_it_came(mail: Mail, bench: Bench) -> None:
    token = bench.store.rows("SELECT token FROM subscriptions")[0]["token"]
    for part in (text_of(mail), html_of(mail)):
        assert "We sponsor J-1 and H-1B visas for our residents." in part
        assert "We sponsor J-1 visas only; we do not sponsor H-1B." in part
        assert "https://harborview.example/im/visas" in part
        assert "https://visawatch.example/changes/1" in part
        assert f"https://visawatch.example/unsubscribe/{token}" in part
        assert "2026-11-25 02:30 UTC" in part
        assert "critical and major changes about H-1B, as soon as they are seen" in part
    assert "[-and H-1B visas for our residents-]" in text_of(mail)
    assert "J-1 and H-1B -> J-1 only" in text_of(mail)
    page = Page(html_of(mail))
    assert "del" in page.tags
    assert "ins" in page.tags
    assert "https://harborview.example/im/visas" in page.links


def test_only_the_visas_that_changed_are_shown(bench: Bench) -> None:
    bench.subscribe("ana@a.example")
    bench.flag()
    bench.enqueue()
    text = text_of(bench.mails()[0])
    assert "\nH-1B:" in text
    assert "\nJ-1:" not in text


def test_without_a_web_address_commands_and_mail_do(bench: Bench) -> None:
    one = bench.subscribe("ana@a.example")
    bench.flag()
    bench.enqueue()
    (mail,) = bench.mails()
    assert parsed(mail)["List-Unsubscribe-Post"] is None
    assert "visawatch review 1 accept" in text_of(mail)
    assert f"visawatch unsubscribe {one.token}" in text_of(bench.mails()[0])
    assert f"visawatch unsubscribe {one.token}" in html_of(bench.mails()[0])
    assert f'write to alerts@visawatch.example with the subject "unsubscribe {one.token}"' in (
        text_of(mail)
    )


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ((None, None), (Stance.SPONSORED, None), "now sponsors J-1"),
        ((None, None), (None, Stance.NOT_SPONSORED), "says that it does not sponsor H-1B"),
        (
            (Stance.SPONSORED, Stance.SPONSORED),
            (Stance.NOT_SPONSORED, Stance.NOT_SPONSORED),
            "no longer sponsors J-1 and H-1B",
        ),
        (
            (Stance.SPONSORED, Stance.SPONSORED),
            (Stance.SPONSORED, None),
            "no longer says anything about H-1B",
        ),
        (
            (Stance.SPONSORED, Stance.SPONSORED),
            (Stance.SPONSORED, Stance.CONFLICTING),
            "now contradicts itself about H-1B",
        ),
        (
            (Stance.NOT_SPONSORED, Stance.SPONSORED),
            (Stance.SPONSORED, Stance.CONDITIONAL),
            "now sponsors J-1, now sponsors H-1B conditionally",
        ),
    ],
)
def test_headlines(
    bench: Bench,
    before: tuple[Stance | None, Stance | None],
    after: tuple[Stance | None, Stance | None],
    says: str,
) -> None:
    bench.subscribe("ana@a.example")
    bench.flag(before=policy(*before, "a"), after=policy(*after, "b"))
    bench.enqueue()
    assert bench.mails()[0].subject == f"VisaWatch: Harborview Medical, Internal Medicine {says}"


def test_a_page_that_is_gone_and_a_policy_without_evidence(bench: Bench) -> None:
    bench.subscribe("ana@a.example", visa="J-1")
    bench.flag(after=BOTH, kind="page_gone", severity="major")
    bench.flag("lakeside-fm", before=policy(None, None, ""), after=policy(None, None, ""))
    assert bench.enqueue() == 1
    (mail,) = bench.mails()
    assert mail.subject.endswith("has taken its visa page down")
    assert "the page is gone; last known: J-1 and H-1B" in text_of(mail)


def test_very_long_addresses_and_hosts_stay_whole(bench: Bench) -> None:
    email = "x" * 60 + "@" + "a" * 60 + "." + "b" * 60 + ".example"
    bench.subscribe(email)
    bench.flag()
    bench.enqueue(base_url="https://" + "c" * 60 + "." + "d" * 60 + ".example")
    raw = bench.mails()[0].message.decode()
    assert f"\r\nTo: {email}\r\n" in raw
    assert "=?" not in raw.split("\r\n\r\n")[0]
    assert parsed(bench.mails()[0])["To"] == email
