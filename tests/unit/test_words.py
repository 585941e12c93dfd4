"""English numbers: one helper for code and templates, so that nothing is ever said of `1 scenarios`."""

import ast
import re
from pathlib import Path

import pytest

from harness.model.words import agreeing, counted, filled
from harness.report.lang import beginning, sentence, text
from harness.report.sentences import pattern

ROOT = Path(__file__).parents[2]
CODE = sorted(p for package in ("harness", "scenarios") for p in (ROOT / package).rglob("*.py"))
HAND_MADE = re.compile(
    r"\} ?(?:\{\s*)?['\"]s['\"] if|['\"]s['\"] if .* else ['\"]['\"]|['\"]{2} if .* else ['\"]s['\"]"
)


def test_a_number_and_its_word() -> None:
    assert [counted(n, "step") for n in (0, 1, 2)] == ["0 steps", "1 step", "2 steps"]
    assert [counted(n, "query", "queries") for n in (1, 3)] == ["1 query", "3 queries"]
    assert [counted(n, "minute") for n in (1.0, 1.5)] == ["1 minute", "1.5 minutes"]
    assert [agreeing(n, "is", "are") for n in (1, "1", 2)] == ["is", "is", "are"]
    assert counted(1234567, "row") == "1234567 rows"


def test_a_template_takes_the_word_that_goes_with_its_number() -> None:
    template = "{n} of {all} {all:claim|claims} {n:was|were} refuted"
    assert filled(template, {"n": 1, "all": 1}) == "1 of 1 claim was refuted"
    assert filled(template, {"n": 2, "all": "29"}) == "2 of 29 claims were refuted"
    with pytest.raises(KeyError):
        filled(template, {"n": 1})


def test_a_sentence_of_one_and_of_many_is_recognised_by_the_same_template() -> None:
    shape = pattern("{n} {n:session|sessions} of {role}")
    assert [bool(shape.fullmatch(f"{said} of x")) for said in ("1 session", "2 sessions", "2 rows")] == [
        True,
        True,
        False,
    ]
    assert sentence(counted(1, "violation"), "ja") == "違反 1 件"
    assert sentence(counted(2, "violation"), "ja") == "違反 2 件"


PLURAL = re.compile(r"\{(?:n|all|wanted|count)\} (?!is\b|was\b|has\b)[a-z]+s\b")


def test_no_message_has_a_number_before_a_fixed_plural() -> None:
    """What can never be one is left out: all claims of several, scenarios shown and not one, the first of many."""
    allowed = {"report.head_all", "script.shown", "script.thinned", "report.excerpt", "desk.most_words"}
    assert [k for k, said in beginning("", "en").items() if PLURAL.search(said) and k not in allowed] == []


def test_no_plural_is_made_by_hand() -> None:
    assert [str(p.relative_to(ROOT)) for p in CODE if HAND_MADE.search(p.read_text())] == []


LENGTHS = re.compile(r"^x (?:scenarios|steps|minutes|claims|queries|gaps|lines|acts|rows|sweeps|violations)\b")


def test_code_counts_with_the_helper_alone() -> None:
    """No text of code has a place before a plural of what reports and summaries count."""
    guilty = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                said = "".join(str(v.value) if isinstance(v, ast.Constant) else "\0" for v in node.values)
                guilty += [f"{path.name}: {said!r}" for part in said.split("\0")[1:] if LENGTHS.match(f"x{part}")]
    assert guilty == []


def test_one_scenario_is_one_in_the_words_of_the_report() -> None:
    assert text("report.head_refuted", "en", n=1, all=1) == "1 of 1 claim refuted"
    assert text("report.lost", "en", n=1).startswith("1 line of")
    assert text("report.steps", "en", n="1") == "1 step"
    assert text("report.steps", "en", n="2") == "2 steps"
