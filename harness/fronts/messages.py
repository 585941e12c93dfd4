"""Loading what a catalogue package says in another language, and what is missing there."""

import importlib.resources
import tomllib
from collections.abc import Iterator

from harness.fronts.catalogue import look_here_too
from harness.model.errors import CatalogueError
from harness.model.scenario import Catalogue
from harness.report.lang import ENGLISH, Messages, sentence


def load_messages(package: str, lang: str) -> Messages:
    """The translations of `<package>/messages/<lang>.toml`; none for English, nor for a package that brings none.

    Raises CatalogueError with the place when the file is there and cannot be read.
    """
    if lang == ENGLISH:
        return Messages(lang)
    look_here_too()
    try:
        file = importlib.resources.files(package).joinpath("messages", f"{lang}.toml")
        return Messages(lang, tomllib.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, ModuleNotFoundError, NotADirectoryError):
        return Messages(lang)
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{package}/messages/{lang}.toml cannot be read: {error}; correct the file") from None


def wanted(catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    """Everything that a translation has to have: its table, key, and the English text."""
    for scenario in catalogue.scenarios.values():
        for one in scenario.forms:
            label = one.label if one.title != scenario.title else one.id
            yield "scenarios", label, one.title
            yield from (("steps", step.title, step.title) for step in (*one.response, one.placebo))
            yield from (("probes", probe.name, probe.says) for probe in one.probes)
            yield from (("sentences", part, part) for part in one.fault.says.split("; "))
    for section in catalogue.sections.values():
        yield "sections", section.key, section.title
        for check in section.checks:
            yield "checks", check.key, check.title
            yield from (("probes", probe.name, probe.says) for probe in check.probes)
    for said in _of_every_incident(catalogue):
        yield "sentences", said, said
    yield from (("slis", sli.name, sli.says) for sli in catalogue.slis)
    yield from (("alerts", alert.name, alert.name) for alert in catalogue.alerts)


def _of_every_incident(catalogue: Catalogue) -> Iterator[str]:
    """What the invariants, rules and conditions of completion say of themselves."""
    if catalogue.invariants is not None:
        yield from (invariant.title for invariant in catalogue.invariants.invariants)
    if catalogue.conduct is not None:
        yield from (rule.title for rule in catalogue.conduct.rules)
        yield from (said for _, said in catalogue.conduct.conditions)
        yield from catalogue.conduct.remarks.values()


def missing(catalogue: Catalogue, messages: Messages) -> list[str]:
    """What the translation lacks, `<table> <key>: <English>` each, in order and once."""
    lacks: dict[str, None] = {}
    for table, key, english in wanted(catalogue):
        if not _has(messages, table, key):
            lacks[f"{table} {key}: {english}"] = None
    for scenario in catalogue.scenarios.values():
        if messages.summary(scenario.id, "") == "":
            lacks[f"scenarios {scenario.id}.summary"] = None
    return list(lacks)


def _has(messages: Messages, table: str, key: str) -> bool:
    found = messages.tables.get(table, {})
    if table == "scenarios":
        return bool(found.get(key, {}).get("title"))
    if key in found:
        return bool(found[key])
    return table in {"sentences", "alerts"} and sentence(key, messages.lang) != key


def surplus(catalogue: Catalogue, messages: Messages) -> list[str]:
    """Translations of what the catalogue does not have (any more), `<table> <key>` each.

    What invariants tell of a run is known only when they tell it, so `told` is not looked at.
    """
    needed = {(table, key) for table, key, _ in wanted(catalogue)} | {("scenarios", i) for i in catalogue.scenarios}
    return [
        f"{table} {key}"
        for table, found in messages.tables.items()
        for key in found
        if table != "told" and (table, key) not in needed
    ]
