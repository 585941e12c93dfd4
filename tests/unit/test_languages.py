"""The message catalogue: nothing is missing in any language, and what is missing would be named."""

import string
from pathlib import Path

import pytest
from rich.cells import cell_len

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.messages import load_messages, missing, surplus
from harness.fronts.show import text_of
from harness.model.errors import CatalogueError
from harness.model.scenario import Catalogue
from harness.report.lang import LANGUAGES, Messages, language, sentence, text, words


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue("scenarios", load_topology(None))


def fields(said: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(said) if name}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_word_of_the_harness_is_in_every_language(lang: str) -> None:
    assert set(words(lang)) == set(words("en"))
    assert [key for key, said in words(lang).items() if not said] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_values_are_put_in_under_the_same_names(lang: str) -> None:
    assert [key for key in words("en") if fields(words(lang)[key]) != fields(words("en")[key])] == []


@pytest.mark.parametrize("lang", LANGUAGES[1:])
def test_everything_the_catalogue_says_is_translated(lang: str, catalogue: Catalogue) -> None:
    assert missing(catalogue, load_messages("scenarios", lang)) == []


def test_what_is_not_translated_is_named(catalogue: Catalogue) -> None:
    whole = load_messages("scenarios", "ja")
    scenario = next(iter(catalogue.scenarios.values()))
    step = scenario.response[0].title
    lacking = {
        **whole.tables,
        "steps": {k: v for k, v in whole.tables["steps"].items() if k != step},
        "scenarios": {k: v for k, v in whole.tables["scenarios"].items() if k != scenario.id},
    }
    said = missing(catalogue, Messages("ja", lacking))
    assert f"steps {step}: {step}" in said
    assert f"scenarios {scenario.id}: {scenario.title}" in said
    assert f"scenarios {scenario.id}.summary" in said


def test_a_translation_of_what_is_gone_is_named(catalogue: Catalogue) -> None:
    assert surplus(catalogue, Messages("ja", {"steps": {"Nobody says this": "x"}})) == ["steps Nobody says this"]


def test_what_a_language_lacks_is_said_in_english() -> None:
    assert text("claim.PROVEN", "fr") == text("claim.PROVEN", "en")
    assert Messages("ja", {}).step("Restart it") == "Restart it"
    assert sentence("something nobody foresaw", "ja") == "something nobody foresaw"


@pytest.mark.parametrize(
    ("asked", "environ", "wanted"),
    [
        (None, {}, "en"),
        (None, {"LANG": "ja_JP.UTF-8"}, "ja"),
        (None, {"LANG": "ja_JP.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        (None, {"LANG": "C", "LC_MESSAGES": "ja"}, "ja"),
        (None, {"LANG": "de_DE"}, "en"),
        ("en", {"LANG": "ja_JP.UTF-8"}, "en"),
        ("ja", {}, "ja"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_environments(
    asked: str | None, environ: dict[str, str], wanted: str
) -> None:
    assert language(asked, environ) == wanted


def test_a_fault_of_several_parts_is_said_part_by_part() -> None:
    assert sentence("a->b is refused; c is frozen", "ja") == "a->b の接続が拒否される; c が凍結する"


def test_a_broken_translation_is_told_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "broken_words" / "messages"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "ja.toml").write_text("[steps\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CatalogueError, match=r"broken_words/messages/ja\.toml cannot be read"):
        load_messages("broken_words", "ja")


def test_a_scenario_in_japanese_fits_eighty_columns(catalogue: Catalogue) -> None:
    shown = text_of(next(iter(catalogue.scenarios)), "scenarios", None, "ci", "ja")
    body, code = shown.rsplit("\n", 1)
    assert "対応" in body
    assert code
    assert [line for line in body.splitlines() if cell_len(line) > 80] == []
