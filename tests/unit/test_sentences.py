"""What code says of a run: every sentence has its words in every language, and what is no sentence stays as it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.messages import load_messages
from harness.model.scenario import Catalogue
from harness.model.words import filled
from harness.report.lang import LANGUAGES, Messages, sentence, templates, words
from harness.report.sentences import WIDE, pattern

ROOT = Path(__file__).parents[2]

SAYING = (
    "harness/engine/conduct.py", "harness/engine/invariants.py", "harness/engine/judging.py", "harness/engine/reconcile.py",
    "harness/engine/run.py", "harness/engine/steadiness.py", "harness/engine/drill.py", "harness/model/scoring.py",
    "harness/fronts/drills/facilitator.py", "harness/model/conduct.py", "harness/model/invariants.py",
    "harness/model/witness.py", "harness/model/faults/base.py", "harness/model/faults/data.py",
    "harness/model/faults/links.py", "harness/model/faults/parts.py", "scenarios/invariants.py", "scenarios/ways.py",
)  # fmt: skip
"""Modules whose texts reach a report."""

PIECES = {
    "x1 x1", "x1: x1", "x1: x1: x1", "x1 x1: x1: x1x1", "x1 x1 -> x1", "x1; x1", "x1 over x1 s",
    "x1 x1 a row in the DLQ", "x1 answers x1 ± x1 ms latex1",
    "x1: last x1, met in x1 of x1 sweepsx1",
    "swallows everything", "is refused", "after a placebo", "without any response",
    "never read", "the consistency queries", "without a token", "a call", "a stranger", "no notification", "x1 steps",
    "database sessions", "clients of Redis", "facts of x1", "no answer in time", "broken facts: x1 x1", "not prepared",
    "not found", "alert x1", "changes data", "changes a schema", "at moments", "x1 was let through: x1 x1",
    "the recovery criteria were met x1", "unaffected x1", "x1 x1 with x1", "outbox: x1", "x1: x1, x1",
    "hint: x1", "diagnosis: x1", "rule broken: x1", "nudge x1", "drill x1", "x1: x1 x1", "diagnosis: section",
}  # fmt: skip
"""Parts of sentences that are looked at with the whole one below, what nobody but a programmer meets, and names."""

WHOLE = (
    "SENT with a row in the DLQ",
    "no notification without a row in the DLQ",
    "1 session of account left open in a transaction",
    "60 sessions of account left open in a transaction",
    "a->b swallows everything",
    "a->b is refused",
    "a->b answers 300 ± 30 ms late",
    "a->b answers 300 ± 30 ms late, 8 kB/s",
    "the recovery criteria were met after a placebo",
    "the recovery criteria were met without any response",
    "not recovered in time: a.b_rows == 0: last never read, met in 0 of 3 sweeps, 3 without a sample",
    "a call was let through: 200",
    "existing connection closed, new connection refused",
    "existing connection answered in 272 ms, new connection silent",
    "unaffected held; invariants broken: none; 6.3/sql/1 counts 0; not known: the consistency queries",
    "I7 the DLQ row and FAILED are written together: n-1: SENT with a row in the DLQ (and 2 more)",
    "I7 the DLQ row and FAILED are written together: held, although the fault is said to break it",
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue("scenarios", load_topology(None))


def _counts(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"counted", "agreeing"}


def shape(node: ast.AST) -> str:
    """A text as code makes it, with something put in its places; of what is counted there are two."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(shape, node.values))
    if isinstance(node, ast.FormattedValue):
        return shape(node.value)
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Call) and _counts(node):
        words = [*map(shape, node.args[1:])]
        many = words[1] if len(words) > 1 else f"{words[0]}s"
        return many if isinstance(node.func, ast.Name) and node.func.id == "agreeing" else f"x1 {many}"
    return "x1"


def shapes(path: Path) -> Iterator[str]:
    """Every text of a module that has words, with something put in its places; no docstrings, no queries."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    beside = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    joined = [v for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values]
    beside |= {id(v) for v in joined} | {
        id(v.value) for v in joined if isinstance(v, ast.FormattedValue) and _counts(v.value)
    }
    beside |= {id(v) for n in ast.walk(tree) if _counts(n) for v in ast.walk(n) if v is not n}
    for node in ast.walk(tree):
        said = ""
        if isinstance(node, ast.JoinedStr) or _counts(node):
            said = shape(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value
        if " " in said.strip() and id(node) not in beside and not said.startswith((" ", ",", "SELECT")):
            yield said


def known(said: str, messages: Messages) -> bool:
    """Whether a text is said in the other language, by itself, before what follows it, or as a word of a phase or role."""
    places = {f"{table}.{said}" for table in ("ended", "role", "point", "worth", "over")}
    heads = (said, f"{said}: x1", f"{said} x1 s")
    return bool(places & set(words("en"))) or any(messages.sentence(one) != one for one in heads)


@pytest.mark.parametrize("lang", LANGUAGES[1:])
@pytest.mark.parametrize("module", SAYING)
def test_everything_that_code_says_of_a_run_is_said_in_every_language(module: str, lang: str) -> None:
    messages = load_messages("scenarios", lang)
    assert [said for said in shapes(ROOT / module) if said not in PIECES and not known(said, messages)] == []


@pytest.mark.parametrize("said", WHOLE)
def test_a_sentence_of_several_parts_is_said_to_its_last_part(said: str) -> None:
    told = load_messages("scenarios", "ja").sentence(said)
    assert not {"with", "in", "of", "is", "the", "was", "were", "connection"} & set(told.replace(":", " ").split()), (
        told
    )


def test_a_text_that_nobody_foresaw_stays_as_it_is() -> None:
    for said in ("", "boom", "Connection reset by peer (104)", "a and b", "x: y", "entitlement 1.2.0"):
        assert sentence(said, "ja") == said


def test_a_new_sentence_without_words_would_be_found(tmp_path: Path) -> None:
    module = tmp_path / "m.py"
    module.write_text('"""A module."""\ndef f(x):\n    """Says."""\n    return f"{x} has gone to the moon"\n')
    assert [s for s in shapes(module) if not known(s, load_messages("scenarios", "ja"))] == ["x1 has gone to the moon"]


def test_a_new_sentence_that_counts_would_be_found_too(tmp_path: Path) -> None:
    module = tmp_path / "m.py"
    module.write_text('"""A module."""\ndef f(x):\n    return f"{counted(x, \'moon\')} rose", counted(x, "sun")\n')
    assert [s for s in shapes(module) if not known(s, load_messages("scenarios", "ja"))] == ["x1 moons rose", "x1 suns"]


def test_every_criterion_of_the_catalogue_is_said_with_its_probes(catalogue: Catalogue) -> None:
    said, topology = load_messages("scenarios", "ja"), load_topology(None)
    for scenario in (s.resolve(topology.numbers("ci")) for s in catalogue.scenarios.values()):
        for criterion in (scenario.symptom, scenario.recovery, scenario.unaffected):
            if criterion is None:
                continue
            english = str(criterion)
            told = said.sentence(english)
            assert " and " not in told
            assert "within" not in told
            assert not told.startswith("always")
            assert all(condition.probe.name in told for condition in criterion.conditions)


def test_a_criterion_in_words() -> None:
    english = "a.b_rows >= 4 and c.d_rows stops growing over 1 s, within 14 s, for 0 s"
    assert sentence(english, "ja") == "a.b_rows >= 4 かつ c.d_rows が 1 秒間で増加停止（14 秒以内に成立）"  # noqa: RUF001
    assert sentence("always a.b_rows == 0", "ja") == "常に a.b_rows == 0"
    assert sentence("a.b_rows == 0", "ja") == "a.b_rows == 0"
    assert sentence(english, "en") == english


@pytest.mark.parametrize("lang", LANGUAGES[1:])
def test_every_template_recognises_what_is_made_of_it(lang: str) -> None:
    for english, said in templates(lang).items():
        values = dict.fromkeys(pattern(english).groupindex, "x1")
        assert "; " not in english, "sentences are told apart at semicolons"
        assert sentence(filled(english, values), lang) == filled(said, values), english
        once = dict.fromkeys(values, "1")
        assert sentence(filled(english, once), lang) == filled(said, once), english


def test_places_for_any_text_are_few_for_the_others_tell_sentences_apart() -> None:
    assert sorted(WIDE) == ["error", "names", "says", "what"]
