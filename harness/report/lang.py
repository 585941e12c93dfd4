"""The message catalogue: the harness's own words by key, and what a catalogue package says, in another language.

English is what scenario modules, probes and sections say themselves. Another language is looked up; what it lacks is
said in English.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from harness.model.words import filled
from harness.report.sentences import Sentences

LANGUAGES = ("en", "ja")

ENGLISH = LANGUAGES[0]

FOLDER = Path(__file__).parent / "messages"

VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""What says in the environment which language is wanted; the first one that is not empty decides."""


def language(asked: str | None, environ: Mapping[str, str]) -> str:
    """The language that was asked for, else the environment's, else English; an unknown one of the environment is that."""
    if asked:
        return asked
    said = next((environ[name] for name in VARIABLES if environ.get(name)), "")
    code = re.split(r"[_.@-]", said)[0].lower()
    return code if code in LANGUAGES else ENGLISH


@cache
def words(lang: str) -> Mapping[str, str]:
    """The harness's own words in one language, by `<table>.<name>`."""
    tables = tomllib.loads((FOLDER / f"{lang}.toml").read_text(encoding="utf-8"))
    return {f"{table}.{name}": str(said) for table, entries in tables.items() for name, said in entries.items()}


def text(key: str, lang: str = ENGLISH, /, **values: object) -> str:
    """The words of a key with values put in.

    What the language lacks is said in English; an unknown key (a phase or finding of a newer version) gives its last
    part as it is.
    """
    said = words(lang).get(key) if lang in LANGUAGES else None
    if said is None:
        said = words(ENGLISH).get(key)
    if said is None:
        return key.partition(".")[2] or key
    return filled(said, values) if values else said


def beginning(prefix: str, lang: str) -> dict[str, str]:
    """All words whose keys begin with a prefix, by the rest of the key."""
    return {key.removeprefix(prefix): text(key, lang) for key in words(ENGLISH) if key.startswith(prefix)}


def ended(verdict: str, lang: str) -> str:
    """What a phase came to, in words: its own word, a number of steps, or the findings that it made."""
    steps = re.fullmatch(r"(\d+) steps?", verdict)
    if steps:
        return text("report.steps", lang, n=steps[1])
    known = words(ENGLISH)
    return "; ".join(
        text(f"{'ended' if f'ended.{one}' in known else 'finding'}.{one}", lang) for one in verdict.split("; ")
    )


def role(what: str, lang: str) -> str:
    """What a judgement was made for; of a step that may not be needed, with the step."""
    word, _, step = what.partition(": ")
    return f"{text(f'role.{word}', lang)}: {step}" if step else text(f"role.{what}", lang)


def named(prefix: str, name: str, lang: str) -> str:
    """A name of the records in words; one that nobody foresaw as it stands, with spaces."""
    return words(lang).get(f"{prefix}.{name}") or name.replace("_", " ")


@cache
def _sentences(lang: str) -> Sentences:
    return Sentences(lambda key: text(f"criterion.{key}", lang), templates(lang), {})


def templates(lang: str) -> dict[str, str]:
    """The harness's sentences in a language by their English."""
    return {said: text(f"sentence.{key}", lang) for key, said in beginning("sentence.", ENGLISH).items()}


def sentence(english: str, lang: str) -> str:
    """A sentence that code makes of names and numbers in another language; English where nothing fits."""
    return english if lang == ENGLISH or lang not in LANGUAGES else _sentences(lang).say(english)


@dataclass(frozen=True)
class Messages:
    """What a catalogue package says, in one language: every answer is English where it lacks the other.

    Attributes:
        lang: the language.
        tables: its translations: `scenarios` by id or label (each a table with `title` and `summary`), and `sections`,
            `checks`, `probes`, `slis`, `alerts` by their keys and names, `steps` and `sentences` by their English, `told`
            (what its invariants tell of a run) by English templates.
    """

    lang: str = ENGLISH
    tables: Mapping[str, Any] = field(default_factory=dict)

    def title(self, label: str, english: str) -> str:
        """A scenario's title; a variant's is its id's unless it has one of its own."""
        return self._scenario(label, "title", english)

    def summary(self, label: str, english: str) -> str:
        """A scenario's summary, with its lines of symptom, response and recovery."""
        return self._scenario(label, "summary", english)

    def step(self, english: str) -> str:
        """A step's title, placebos included."""
        return self._of("steps", english, english)

    def section(self, key: str, english: str) -> str:
        """A section's title."""
        return self._of("sections", key, english)

    def check(self, key: str, english: str) -> str:
        """A check's title."""
        said = self._of("checks", key, english)
        return sentence(english, self.lang) if said == english else said

    def probe(self, name: str, english: str = "") -> str:
        """What a probe measures; its name where nothing says so."""
        return self._of("probes", name, english or name)

    def sli(self, name: str, english: str) -> str:
        """What an indicator measures."""
        return self._of("slis", name, english)

    def alert(self, name: str) -> str:
        """An alert's name."""
        said = self._of("alerts", name, name)
        return sentence(name, self.lang) if said == name else said

    def sentence(self, english: str) -> str:
        """What code says of names and numbers: a fault, a criterion, a finding; English where nothing fits."""
        return english if self.lang == ENGLISH else self._sentences.say(english)

    @cached_property
    def _sentences(self) -> Sentences:
        exact = {k: str(v) for table in ("steps", "alerts", "sentences") for k, v in self.tables.get(table, {}).items()}
        told = {k: str(v) for k, v in self.tables.get("told", {}).items()}
        return Sentences(lambda key: text(f"criterion.{key}", self.lang), {**templates(self.lang), **told}, exact)

    def _scenario(self, label: str, what: str, english: str) -> str:
        for key in (label, label.partition(":")[0]):
            said = self.tables.get("scenarios", {}).get(key, {}).get(what)
            if said:
                return str(said).strip()
        return english

    def _of(self, table: str, key: str, english: str) -> str:
        return str(self.tables.get(table, {}).get(key) or english)
