"""Searching a site for its eligibility pages: by links, by sitemaps, within bounds."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter

import pytest
from crawls import crawl, limits
from loopback import Handler, Site, Visit

from crawler import Fetch, Health, KnownPage, Plan, Target

VISAS = (
    "<title>Visa policy | Larkspur</title><h1>Visa policy</h1>"
    "<p>The residency sponsors J-1 visas through ECFMG, and no H-1B visas.</p>"
)


def page(title: str, *links: tuple[str, str]) -> str:
    anchors = "".join(f'<li><a href="{href}">{text}</a></li>' for href, text in links)
    return f"<title>{title}</title><h1>{title}</h1><p>All about it.</p><ul>{anchors}</ul>"


def hospital(address: str = "127.0.0.1") -> Site:
    """A hospital whose visa policy is three links away from its start page."""
    site = Site(address)
    site.page("/", page("Larkspur Medical Center",
        ("/news", "News"), ("/events?month=1", "Events"), ("/give", "Ways to give"),
        ("/doctors", "Find a doctor"), ("/careers", "Careers"), ("/education", "Medical Education"),
        ("https://elsewhere.example/visa", "Visa policy of others"), ("/logo.png", "Eligibility"),
        ("mailto:gme@larkspur.example", "Apply")))  # fmt: skip
    site.page("/education", page("Medical Education",
        ("/education/im/", "Internal Medicine Residency"), ("/news", "News")))  # fmt: skip
    site.page("/education/im/", page("Internal Medicine Residency",
        ("faculty", "Our Faculty"), ("apply?utm_source=menu#how", "How to Apply"),
        ("contract.pdf", "Application requirements (PDF)")))  # fmt: skip
    site.page("/education/im/apply", VISAS)
    site.page("/education/im/contract.pdf", b"%PDF-1.7\n1 0 obj\n", type="application/pdf")
    for path in ("/news", "/events", "/give", "/doctors", "/careers", "/education/im/faculty"):
        site.page(path, page("Something else"))
    return site


@pytest.fixture
def site() -> Site:
    """The hospital, not yet open."""
    return hospital()


def search(site: Site, *starts: str, **changes: object) -> list[Fetch]:
    target = Target("medicine", tuple(map(site.url, starts or ("/",))), discover=True)
    return crawl(Plan((target,), limits(site, **changes)))


def test_the_policy_is_found_behind_links(site: Site) -> None:
    with site:
        found = {page.url: page for page in search(site)}
        policy = found[site.url("/education/im/apply")]
        assert policy.health is Health.OK
        assert policy.discovered
        assert policy.targets == ("medicine",)
        assert policy.body == VISAS.encode()
        assert policy.title == "Visa policy | Larkspur"
        assert policy.score == max(page.score for page in found.values())
        assert found[site.url("/education/im/contract.pdf")].health is Health.OK
        assert all(page.discovered for page in found.values())
        useless = {"/news", "/events?month=1", "/give", "/doctors", "/careers", "/logo.png"}
        assert not useless & set(site.paths())
        assert len(site.paths()) == len(set(site.paths()))


def test_the_depth_is_kept(site: Site) -> None:
    with site:
        search(site, depth=2)
        assert "/education/im/" in site.paths()
        assert "/education/im/apply" not in site.paths()


def test_the_budget_is_kept(site: Site) -> None:
    def trap(visit: Visit) -> None:
        number = int(visit.path.rpartition("-")[2])
        links = [(f"/apply-{number * 10 + n}", "How to apply for a visa") for n in range(9)]
        visit.send(page("How to apply", *links).encode())

    with site:
        site.page("/", page("Larkspur", *((f"/apply-{n}", "How to apply") for n in range(1, 10))))
        for number in range(10_000):
            site.route(f"/apply-{number}", trap)
        found = search(site, page_budget=6, depth=9)
        assert len(found) == 6
        pages = [path for path in site.paths() if not path.endswith((".txt", ".xml"))]
        assert len(pages) == 6


def test_unnamed_links_are_followed_only_when_there_are_no_others() -> None:
    with Site() as site:
        site.page("/", page("Larkspur", ("/xyz", "More"), ("/news", "News")))
        site.page("/xyz", page("More", ("/visas", "Visas"), ("/abc", "Again more")))
        site.page("/visas", VISAS)
        site.page("/abc", VISAS)
        search(site)
        assert site.paths() == ["/robots.txt", "/", "/sitemap.xml", "/xyz", "/visas"]


def test_a_sitemap_is_used() -> None:
    with Site() as site:
        site.page("/", page("Larkspur"))
        site.page("/hidden/visa-policy", VISAS)
        locations = [site.url(f"/news/{n}") for n in range(500)] + [site.url("/hidden/visa-policy")]
        listed = "".join(f"<url><loc>{location}</loc></url>" for location in locations)
        site.page("/sitemap.xml", f"<urlset>{listed}</urlset>", type="application/xml")
        found = {page.url: page for page in search(site)}
        assert found[site.url("/hidden/visa-policy")].score > 0
        assert site.paths() == ["/robots.txt", "/", "/sitemap.xml", "/hidden/visa-policy"]


def test_sitemaps_of_robots_txt_and_of_an_index_are_read_up_to_five() -> None:
    with Site() as site:
        site.page("/robots.txt", f"Sitemap: {site.url('/index.xml')}\n", type="text/plain")
        site.page("/", page("Larkspur"))
        names = ["news.xml", "gme.xml.gz", *(f"more-{n}.xml" for n in range(9))]
        listed = "".join(f"<sitemap><loc>{site.url('/' + n)}</loc></sitemap>" for n in names)
        site.page("/index.xml", f"<sitemapindex>{listed}</sitemapindex>")
        urls = f"<urlset><url><loc>{site.url('/gme/visas')}</loc></url></urlset>"
        site.page("/gme.xml.gz", gzip.compress(urls.encode()), type="application/gzip")
        site.page("/gme/visas", VISAS)
        found = {page.url for page in search(site)}
        assert site.url("/gme/visas") in found
        sitemaps = [path for path in site.paths() if ".xml" in path]
        assert sitemaps[:2] == ["/index.xml", "/gme.xml.gz"]
        assert len(sitemaps) == 5
        assert "/news.xml" not in sitemaps
        assert "/sitemap.xml" not in sitemaps


def test_robots_txt_binds_a_search_and_costs_no_budget(site: Site) -> None:
    with site:
        site.page("/robots.txt", "User-agent: *\nDisallow: /closed/\n", type="text/plain")
        closed = [(f"/closed/{n}", "Visa policy and eligibility") for n in range(10)]
        site.page("/", page("Larkspur", *closed, ("/education/im/apply", "How to apply")))
        found = {page.url for page in search(site, page_budget=3)}
        assert site.url("/education/im/apply") in found
        assert not any(path.startswith("/closed") for path in site.paths())


def test_a_gone_page_is_searched_for() -> None:
    with hospital("127.0.0.1") as unnamed, hospital("127.0.0.2") as named:
        old = "/education/im/old-visas"
        targets = (
            Target("medicine", (), (KnownPage(unnamed.url(old)),)),
            Target("surgery", (named.url("/education"),), (KnownPage(named.url(old)),)),
        )
        found = {page.url: page for page in crawl(Plan(targets, limits(unnamed, named)))}
        for site, key in ((unnamed, "medicine"), (named, "surgery")):
            gone, policy = found[site.url(old)], found[site.url("/education/im/apply")]
            assert (gone.health, gone.discovered, gone.targets) == (Health.GONE, False, (key,))
            assert (policy.health, policy.discovered, policy.targets) == (Health.OK, True, (key,))
        assert "/" in unnamed.paths()
        assert "/" not in named.paths()


def test_a_search_does_not_fetch_what_is_known_once_more(site: Site) -> None:
    def once_searched(page: str) -> Handler:  # it comes after the search has begun, and is read
        def answer(visit: Visit) -> None:
            site.wait_for("/")
            visit.send(page.encode())

        return answer

    education = page("Medical Education", ("/education/im/apply", "How to Apply"))
    site.route("/education", once_searched(education))
    site.route("/education/im/apply", once_searched(VISAS))
    with site:
        known = [KnownPage(site.url("/gone"))]
        known += [KnownPage(site.url(path)) for path in ("/education", "/education/im/apply")]
        known += [KnownPage(site.url(f"/other-{number}")) for number in range(200)]
        found = crawl(Plan((Target("medicine", pages=tuple(known)),), limits(site)))
        asked = [page.url for page in found if not page.discovered]
        assert sorted(asked) == sorted(page.url for page in known)
        assert [path for path, times in Counter(site.paths()).items() if times > 1] == []


def test_a_known_page_that_is_there_starts_no_search(site: Site) -> None:
    with site:
        target = Target("medicine", (site.url("/"),), (KnownPage(site.url("/education/im/apply")),))
        (found,) = crawl(Plan((target,), limits(site)))
        assert found.health is Health.OK
        assert site.paths() == ["/robots.txt", "/education/im/apply"]


def test_targets_of_one_institution_share_its_pages(site: Site) -> None:
    with site:
        targets = (
            Target("medicine", (site.url("/education/im/"),), discover=True),
            Target("surgery", (site.url("/education"),), discover=True),
            Target("family", (site.url("/education"),), discover=True),
            Target("neurology", (), (KnownPage(site.url("/education/im/apply")),)),
        )
        found = crawl(Plan(targets, limits(site)))
        told = [
            key
            for page in found
            if page.url == site.url("/education/im/apply")
            for key in page.targets
        ]
        assert sorted(told) == ["family", "medicine", "neurology", "surgery"]
        bodies = [page.body for page in found if page.url == site.url("/education/im/apply")]
        assert set(bodies) == {VISAS.encode()}
        assert site.paths().count("/education/im/apply") == 1
        known = [page for page in found if not page.discovered]
        assert [page.targets for page in known] == [("neurology",)]


def test_a_search_reads_a_known_page_that_has_not_changed(site: Site) -> None:
    def education(visit: Visit) -> None:
        if visit.headers.get("If-None-Match") == '"v1"':
            visit.send(b"", 304)
        else:
            visit.send(page("Education", ("/education/im/apply", "How to apply")).encode())

    with site:
        site.route("/education", education)
        targets = (
            Target("medicine", (site.url("/"),), discover=True),
            Target("surgery", (), (KnownPage(site.url("/education"), etag='"v1"'),)),
        )
        found = crawl(Plan(targets, limits(site)))
        outcomes = {(page.url, page.targets): page.health for page in found}
        assert outcomes[site.url("/education"), ("surgery",)] is Health.NOT_MODIFIED
        assert outcomes[site.url("/education"), ("medicine",)] is Health.OK
        assert outcomes[site.url("/education/im/apply"), ("medicine",)] is Health.OK


def test_a_search_reads_a_known_page_whose_bytes_are_not_handed_on(site: Site) -> None:
    education = page("Education", ("/education/im/apply", "How to apply"))
    with site:
        site.page("/education", education)
        url, digest = site.url("/education"), hashlib.sha256(education.encode()).hexdigest()
        known = KnownPage(url, sha256=digest)
        targets = (
            Target("medicine", (url,), discover=True),
            Target("surgery", (), (known,)),
        )
        found = {(page.url, page.targets): page for page in crawl(Plan(targets, limits(site)))}
        assert found[url, ("surgery",)].same
        assert found[url, ("surgery",)].body is None
        assert found[url, ("medicine",)].body == education.encode()
        assert found[site.url("/education/im/apply"), ("medicine",)].health is Health.OK


def test_a_search_stays_on_its_site_and_follows_a_moved_start() -> None:
    with Site("127.0.0.1") as old, Site("127.0.0.2") as new:
        old.redirect("/", new.url("/"), status=301)
        new.page("/", page("Larkspur", ("/apply", "How to apply"), (old.url("/visas"), "Visas")))
        new.page("/apply", VISAS)
        old.page("/visas", page("Visas"))
        new.redirect("/eligibility", "http://127.0.0.3:1/visas")
        target = Target("medicine", (old.url("/"),), discover=True)
        found = crawl(Plan((target,), limits(old, new)))
        assert {page.final_url for page in found} == {
            new.url("/"), new.url("/apply"), old.url("/visas")
        }  # fmt: skip


def test_a_start_page_that_is_gone_gives_way_to_its_site() -> None:
    with hospital("127.0.0.1") as gone, hospital("127.0.0.2") as sent_home:
        gone.page("/im", "<p>Gone</p>", status=404)
        sent_home.redirect("/im", "/")
        targets = tuple(
            Target(site.host, (site.url("/im"),), discover=True) for site in (gone, sent_home)
        )
        found = {page.url: page for page in crawl(Plan(targets, limits(gone, sent_home)))}
        for site in (gone, sent_home):
            assert not found[site.url("/im")].health.is_page
            assert found[site.url("/education/im/apply")].health is Health.OK


def test_a_site_that_cannot_be_reached_is_told() -> None:
    target = Target("medicine", ("http://nowhere.invalid/",), discover=True)
    (found,) = crawl(Plan((target,), limits()))
    assert found.health is Health.UNREACHABLE
    assert found.discovered
    assert found.targets == ("medicine",)
