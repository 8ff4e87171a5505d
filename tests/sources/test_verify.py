"""From a plan to a question to an answer in the queue: real SMTP, real IMAP."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from imapserver import ImapServer
from mailserver import MailServer
from shell import Shell
from watching import NOW, Says

from sources import asking
from sources.asking import AskingError
from sources.weigh import weigh
from store import evidence, questions
from store.database import Store

SENDER = "VisaWatch <ask@visawatch.example>"
TODAY = ("--now", "2026-11-28T09:00:00Z")


def ask(shell: Shell, *ids: str, season: str = "2026-11-28T09:00:00Z") -> str:
    """Asks programs by command, and gives what it says."""
    return shell("--now", season, "verify", "send", *ids, "--yes", "--by", "ada").err


def reply(question: str, text: str, **headers: str) -> bytes:
    """A coordinator's answer to a question."""
    mail = EmailMessage(policy=default)
    mail["From"] = headers.pop("sender", "Pat Rivers <pat@marrow.example>")
    mail["To"] = SENDER
    mail["Subject"] = headers.pop("subject", "Re: Visas")
    mail["Date"] = "Fri, 27 Nov 2026 10:00:00 -0500"
    mail["Message-ID"] = headers.pop("message_id", "<answer-1@marrow.example>")
    mail["In-Reply-To"] = question
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


@pytest.fixture
def asked(shell: Shell, watched: Store, mail: MailServer) -> str:
    """The Message-ID of a question that went out for marrow-neuro."""
    shell.settings["mail"] = {"smtp_url": f"smtp://127.0.0.1:{mail.port}", "sender": SENDER}
    ask(shell, "marrow-neuro")
    ((_, raw),) = mail.received
    return str(message_from_bytes(raw, policy=default)["Message-ID"])


def read(shell: Shell, folder: Path, *mails: bytes) -> list[dict[str, object]]:
    """Reads mails from .eml files, and gives what became of each."""
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    for number, raw in enumerate(mails):
        (inbox / f"{number}.eml").write_bytes(raw)
    return shell(*TODAY, "verify", "read", str(inbox), "--json").json


def test_the_plan_has_what_is_not_known_and_why(
    shell: Shell, watched: Store, page_says: Says
) -> None:
    page_says("We sponsor J-1 visas only. H-1B visas are not sponsored.")
    planned = {line["program_id"]: line for line in shell("verify", "plan", "--json").json}
    assert set(planned) == {"marrow-im", "quill-im", "lantern-im"}
    assert planned["marrow-im"]["reasons"] == ["its pages were never read"]
    assert planned["lantern-im"]["obstacle"] == "its coordinator's address is not known"
    page_says("We welcome international graduates. J-1 visas are sponsored.")
    reasons = {w.program.program_id: w.reasons for w in asking.plan(watched, NOW)}
    assert reasons["marrow-neuro"] == ("unstated",)


def test_nothing_goes_out_without_a_go_and_each_program_is_asked_once(
    shell: Shell, watched: Store, mail: MailServer
) -> None:
    shell.settings["mail"] = {"smtp_url": f"smtp://127.0.0.1:{mail.port}", "sender": SENDER}
    shown = shell(*TODAY, "verify", "send", "--all")
    assert "To: pat@marrow.example" in shown.out
    assert "nothing was sent" in shown.err
    assert mail.received == []
    assert "3 asked, 0 were" in shell(*TODAY, "verify", "send", "--all", "--yes", "--by", "ada").err
    assert len(mail.received) == 3
    assert "0 asked, 1 were asked in this season already" in ask(shell, "marrow-neuro")
    assert len(mail.received) == 3
    assert "1 asked" in ask(shell, "marrow-neuro", season="2027-06-10T09:00:00Z")
    text = message_from_bytes(mail.received[0][1], policy=default).get_body()
    assert text is not None
    assert "1. Does the program sponsor J-1 visas, H-1B visas, or both" in text.get_content()
    shell("verify", "send", status=2)


def test_who_lets_it_go_is_on_record(shell: Shell, asked: str, watched: Store) -> None:
    question = questions.of_mail(watched, [asked])
    assert question is not None
    assert (question.approved_by, question.season) == ("ada", 2027)
    with pytest.raises(AskingError, match="Give a name"):
        asking.ask(watched, [], NOW, by=" ", sender=SENDER)


def test_a_template_of_ones_own(shell: Shell, watched: Store, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("Subject: {{ specialty }}?\n\nVisas, please.\n")
    shown = shell("verify", "send", "marrow-neuro", "--template", str(mine))
    assert "Subject: Neurology?\n\nVisas, please." in shown.out
    for bad, says in (("Hello", "begins with a line 'Subject:"), ("Subject: {{ x", "filled in")):
        mine.write_text(bad)
        told = shell("verify", "send", "marrow-neuro", "--template", str(mine), status=1)
        assert says in told.err
    assert "address is not known" in shell("verify", "send", "lantern-im", status=1).err


def test_an_answer_is_queued_and_counts_once_it_was_read(
    shell: Shell, asked: str, watched: Store, tmp_path: Path, page_says: Says
) -> None:
    page_says("We sponsor J-1 visas only.")
    answer = reply(asked, "Both are sponsored: J-1 and H-1B.\n\nBest,\nPat Rivers\n")
    (outcome,) = read(shell, tmp_path, answer)
    assert (outcome["outcome"], outcome["program_id"]) == ("queued", "marrow-neuro")
    (waits,) = shell("verify", "queue", "--json").json
    assert (waits["category"], waits["season"]) == ("j1_and_h1b", 2027)
    assert "Pat" not in waits["quote"]
    assert weigh(watched, NOW, ["marrow-neuro"]) == []  # as each night does
    before = shell("policies", "--json").json
    assert next(p for p in before if p["program_id"] == "marrow-neuro")["category"] == "j1_only"
    assert read(shell, tmp_path, answer) == []  # each mail once
    shell(*TODAY, "verify", "accept", str(waits["id"]), "--by", "ada")
    after = next(p for p in shell("policies", "--json").json if p["program_id"] == "marrow-neuro")
    assert (after["category"], after["needs_review"]) == ("j1_and_h1b", True)


def test_what_is_offered_to_fellows_is_no_answer_for_residents(
    shell: Shell, asked: str, watched: Store, tmp_path: Path
) -> None:
    read(shell, tmp_path, reply(asked, "Residents: J-1 only. Fellows: J-1 and H-1B."))
    (waits,) = shell("verify", "queue", "--json").json
    assert waits["stances"] == {"J-1": "sponsored", "H-1B": "not_sponsored"}


def test_answers_come_from_imap_and_nothing_there_is_touched(
    shell: Shell, asked: str, watched: Store, imap: ImapServer
) -> None:
    shell.settings["verify"] = {"imap_url": imap.url}
    imap.put(reply(asked, "J-1 only."))
    imap.put(reply("<something@else.example>", "Lunch?", message_id="<2@x.example>"))
    imap.put(reply(asked, "x" * 6_000_000, message_id="<3@marrow.example>"))
    done = shell(*TODAY, "verify", "read")
    assert "1 answers queued" in done.err
    assert "larger than 5,000,000 bytes" in done.err
    assert "Lunch" not in done.err
    assert imap.unseen() == 3
    again = shell(*TODAY, "verify", "read")
    assert "0 answers queued" in again.err
    assert [s.quote for s in evidence.waiting(watched)] == ["J-1 only."]
    for before, after, says in (
        ("s3cret", "wrong", "does not accept this user and password"),
        ("/INBOX", "/Nothing", "no folder 'Nothing'"),
        ("imap://", "http://", "imaps://USER:PASSWORD@HOST"),
        (str(imap.port), "1", "refused"),
    ):
        shell.settings["verify"] = {"imap_url": imap.url.replace(before, after, 1)}
        told = shell(*TODAY, "verify", "read", status=1).err
        assert says in told
        assert "s3cret" not in told


def test_auto_replies_and_bounces_are_told_apart(
    shell: Shell, asked: str, watched: Store, tmp_path: Path
) -> None:
    away = reply(asked, "We sponsor both visas. I am away.", Auto_Submitted="auto-replied")
    old = reply(asked, "Away.", message_id="<2@x>", Precedence="bulk")
    plain = reply(asked, "Away.", message_id="<3@x>", subject="Automatic reply: Visas")
    bounce = f"""From: MAILER-DAEMON@mx.example
To: ask@visawatch.example
Message-ID: <b@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: text/plain

Not delivered: both J-1 and H-1B visas are sponsored.
--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; pat@marrow.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 no such user

--x
Content-Type: text/rfc822-headers

From: ask@visawatch.example
Message-ID: {asked}
--x--
""".encode()
    told = read(shell, tmp_path, away, old, plain, bounce)
    assert [(t["outcome"], t["program_id"]) for t in told] == [
        ("auto_reply", "marrow-neuro"),
        ("auto_reply", "marrow-neuro"),
        ("auto_reply", "marrow-neuro"),
        ("bounce", "marrow-neuro"),
    ]
    assert told[-1]["why"] == "smtp; 550 no such user"
    assert evidence.waiting(watched) == []


def nested(levels: int) -> bytes:
    head = b"From: pat@marrow.example\r\nMessage-ID: <n@x>\r\n"
    for level in range(levels):
        head += f"Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n".encode()
    return head + b"\r\nJ-1 only\r\n"


def parts(count: int) -> bytes:
    head = b"From: pat@marrow.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return head + b"--b\r\n\r\nJ-1 only\r\n" * count + b"--b--\r\n"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"x" * 5_000_001, "larger than 5,000,000 bytes"),
        (nested(30), "deeper than 12"),
        (nested(3000), "more than 60 parts"),
        (parts(100), "more than 60 parts"),
        (
            b"From: a@b.example\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n"
            b"\xff\xfe\x00\xd8J",
            "not in 'utf-16'",
        ),
        (
            b"From: a@b.example\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff",
            "nonsense",
        ),
        (b"Subject: hello\r\n\r\nJ-1 only", "names 0 senders"),
        (b"From: a@b.example, c@d.example\r\n\r\nJ-1 only", "names 2 senders"),
        (b"From: a@b.example\r\nFrom: c@d.example\r\n\r\nJ-1 only", "names 2 senders"),
        (
            b"From: pat@marrow.example\r\n"
            b"Authentication-Results: mx.example; spf=fail; dkim=none\r\n\r\nBoth",
            "our mail server found that it is not",
        ),
        (b"", "names 0 senders"),
        (bytes(range(256)) * 40, "senders"),
    ],
)
def test_bad_mail_gets_a_clear_error(
    shell: Shell, watched: Store, tmp_path: Path, raw: bytes, says: str
) -> None:
    (outcome,) = read(shell, tmp_path, raw)
    assert outcome["outcome"] == "refused"
    assert says in str(outcome["why"])


@pytest.mark.parametrize(
    "date", [b"10:00:0099999999999999999999 -0500", b"10:00:00 -05009999999999"]
)
def test_a_day_that_cannot_be_is_the_day_of_reading(
    shell: Shell, asked: str, tmp_path: Path, date: bytes
) -> None:
    raw = reply(asked, "J-1 only.").replace(b"10:00:00 -0500", date)
    (outcome,) = read(shell, tmp_path, raw)
    assert outcome["outcome"] == "queued"
    (waits,) = shell("verify", "queue", "--json").json
    assert waits["at"] == TODAY[1]


def test_a_mail_that_cannot_be_read_keeps_none_from_being_read(
    shell: Shell, asked: str, tmp_path: Path
) -> None:
    told = read(shell, tmp_path, b"", reply(asked, "J-1 only."))
    assert [one["outcome"] for one in told] == ["refused", "queued"]


def test_an_answer_from_somebody_else_is_refused_by_name(
    shell: Shell, asked: str, watched: Store, tmp_path: Path
) -> None:
    forged = reply(asked, "We sponsor both.", sender="Pat Rivers <pat@elsewhere.example>")
    colleague = reply(asked, "J-1 only.", sender="kim@marrow.example", message_id="<k@x>")
    told = read(shell, tmp_path, forged, colleague)
    assert told[0]["why"] == "comes from pat@elsewhere.example; pat@marrow.example was asked"
    (waits,) = shell("verify", "queue", "--json").json
    assert (waits["needs_review"], waits["note"]) == (
        True,
        "from another address of the same domain",
    )


def test_a_charset_that_is_wrong_but_readable_is_read(
    shell: Shell, asked: str, watched: Store, tmp_path: Path
) -> None:
    raw = (
        f"From: pat@marrow.example\nMessage-ID: <c@x>\nIn-Reply-To: {asked}\n"
        "Content-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 8bit\n\n"
        "Señor, J-1 only.\n"
    ).encode()
    read(shell, tmp_path, raw)
    assert "J-1 only" in evidence.waiting(watched)[0].quote
