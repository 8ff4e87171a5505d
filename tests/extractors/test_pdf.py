"""PDFs are read like pages; one that cannot be read states nothing."""

from extractors import Category, Policy, classify, page_text


def make_pdf(*lines: str) -> bytes:
    """A PDF of one page, a line of text each (ASCII)."""
    shown = "".join(f"({line}) Tj 0 -14 Td " for line in lines)
    stream = f"BT /F1 11 Tf 50 740 Td {shown}ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj%sendobj\n" % (number, content)
    xref = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        body
        + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (
            xref,
            len(body),
        )
    )


def test_a_pdf_is_read() -> None:
    body = make_pdf(
        "Visa policy", "The residency programs of Oak Bay Hospital spon-", "sor only J-1 visas."
    )
    policy = classify(body, "application/pdf")
    assert policy.category is Category.J1_ONLY
    quote = policy.evidence[0]
    assert quote.quote == "The residency programs of Oak Bay Hospital sponsor only J-1 visas."
    assert page_text(body)[quote.start : quote.end] == quote.quote  # known by its first bytes


def test_a_broken_pdf_states_nothing() -> None:
    body = make_pdf("We sponsor J-1 visas.")
    for broken in (body[:60], b"%PDF-1.7\n%%EOF", b"%PDF-" + bytes(range(256)) * 20, b""):
        assert classify(broken, "application/pdf") == Policy(
            confidence=classify(broken, "application/pdf").confidence
        )


def test_html_that_is_sent_as_pdf_is_html() -> None:
    assert classify(b"<p>J-1 visas only.</p>", "application/pdf").category is Category.J1_ONLY
