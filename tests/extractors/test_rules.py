"""Every rule fires in its own examples and in none of its counter-examples."""

from pathlib import Path

import pytest

import extractors.rulebook as rulebook_module
from benchmarks.labelled import development, reworded, taught
from extractors.clauses import fired
from extractors.rulebook import Rule, RuleError, load, rulebook, rules_version, use
from extractors.sentences import sentence_spans
from extractors.sieve import may_speak_of_visas

RULES = rulebook().rules
VALID = """
[fragments]
beast = 'cat|dog'
[[rule]]
id = "pet"
says = "a pet"
kind = "offer"
source = "d001"
match = '''\\b{beast}\\b'''
yes = ["A cat."]
"""


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [(r, s) for r in RULES for s in r.yes],
    ids=lambda v: v.id if isinstance(v, Rule) else str(v)[:40],
)
def test_a_rule_fires_in_its_examples(rule: Rule, sentence: str) -> None:
    assert rule.id in fired(sentence)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [(r, s) for r in RULES for s in r.no],
    ids=lambda v: v.id if isinstance(v, Rule) else str(v)[:40],
)
def test_a_rule_keeps_silent_in_its_counter_examples(rule: Rule, sentence: str) -> None:
    assert rule.id not in fired(sentence)


def test_the_sieve_lets_through_whatever_names_a_visa() -> None:
    held_back = [
        s for r in RULES if r.kind == "visa" for s in r.yes if not may_speak_of_visas(f"<p>{s}</p>")
    ]
    assert held_back == []


def test_every_rule_has_a_counter_example() -> None:
    assert [r.id for r in RULES if not r.no] == []


def test_a_rule_fires_in_the_labelled_passage_that_is_its_source() -> None:
    known = {p.id: p.text for p in [*development(), *taught()]}
    known |= {p.id.replace("real-", "statement "): p.text for p in reworded()}
    silent = [
        f"{rule.id}: {rule.source}"
        for rule in RULES
        if not rule.source.startswith("https://")
        and rule.id not in _fired_somewhere(known[rule.source])
    ]
    assert silent == []


def _fired_somewhere(text: str) -> set[str]:
    lines = [line.lstrip("#- ") for line in text.split("\n")]
    sentences = [line[a:b] for line in lines for a, b in sentence_spans(line)]
    return {name for part in (*lines, *sentences) for name in fired(part)}


def _load(folder: Path, text: str) -> None:
    (folder / "x.toml").write_text(text, "utf-8")
    load(folder)


def test_a_valid_file_loads(tmp_path: Path) -> None:
    _load(tmp_path, VALID)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (VALID + 'colour = "red"\n', "unknown key 'colour'"),
        (VALID.replace('yes = ["A cat."]', "yes = []"), "'yes' is missing or empty"),
        (VALID.replace('says = "a pet"\n', ""), "'says' is missing"),
        (VALID.replace("{beast}", "{monster}"), "unknown fragment {monster}"),
        (VALID.replace('"offer"', '"gift"'), "'gift' is not a valid RuleKind"),
        (VALID.replace("{beast}", "(?=cat)"), "bad match"),
        (VALID.replace('"offer"', '"condition"'), "'condition' goes with"),
        (VALID.replace('"offer"', '"visa"'), "'visa' goes with"),
        (VALID + VALID.split("dog'")[1], "defined twice"),
        ("[colours]\n", "unknown table 'colours'"),
        ("[[rule", "x.toml"),
        (VALID.replace("{beast}", "{monster}"), "x.toml: rule 'pet': "),
        (VALID.replace("{beast}", "(?=cat)"), "x.toml: rule 'pet': "),
        (VALID.replace('["A cat."]', '"A cat."'), "x.toml: rule 'pet': 'yes' is not a list"),
        (VALID.replace('"a pet"', "7"), "x.toml: rule 'pet': 'says' is not a text"),
        (VALID.replace("'cat|dog'", "7"), "'beast' of 'fragments' is not a text"),
        (VALID + 'file = "y.toml"\n', "unknown key 'file'"),
        ("rule = 7\n", "unknown table 'rule'"),
        ("rule = [7]\n", "begins with [[rule]]"),
        ("fragments = 7\n", "unknown table 'fragments'"),
    ],
)
def test_a_fault_in_a_file_is_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(RuleError) as error:
        _load(tmp_path, text)
    assert fault in str(error.value)


def test_a_rule_may_be_long(tmp_path: Path) -> None:
    beasts = "|".join(f"beast{n} of [a-z]{{1,50}}" for n in range(60))
    (tmp_path / "x.toml").write_text(VALID.replace("cat|dog", beasts), "utf-8")
    (hit,) = load(tmp_path).phrases.hits("the beast7 of prey")
    assert (hit.rule.id, hit.start, hit.end) == ("pet", 4, 18)


def test_a_fragment_is_defined_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[fragments]\nbeast = 'cow'\n", "utf-8")
    with pytest.raises(RuleError, match="defined twice"):
        _load(tmp_path, VALID)


def test_a_folder_without_rules_is_no_rulebook(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no rule files"):
        load(tmp_path)


def test_a_changed_copy_is_read_in_its_place(tmp_path: Path) -> None:
    version, packaged = rules_version(), rulebook_module._folder
    _load(tmp_path, VALID)
    try:
        use(tmp_path)
        assert [rule.id for rule in rulebook().rules] == ["pet"]
        assert rules_version() != version
    finally:
        use(packaged)
    assert rules_version() == version
