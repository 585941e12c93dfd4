"""What a run does: which scenarios, in which order, with which seeds, and which are skipped and why."""

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.model.arms import Arm
from harness.model.errors import UsageError
from harness.model.scenario import Catalogue, Scenario
from harness.model.span import Settings, as_span
from harness.model.values import Ability


@dataclass(frozen=True)
class Item:
    """One scenario run that is planned."""

    scenario: Scenario
    arm: Arm
    seed: int

    @property
    def label(self) -> str:
        """The scenario's id with its variant."""
        return self.scenario.label


def choose(
    catalogue: Catalogue, ids: Sequence[str] = (), sections: Sequence[str] = (), variant: str = ""
) -> list[Scenario]:
    """The scenarios that were asked for, in the catalogue's order; all when nothing was.

    An id may carry a variant, `FM-OB-01:black-hole`. `variant` is a name, or `all` for the scenario itself and every
    variant of it; scenarios without that name are left out. Raises UsageError for what the catalogue does not have.
    """
    wanted: dict[str, list[str]] = {}
    for asked in ids:
        name, _, own = asked.partition(":")
        wanted.setdefault(name.upper(), []).append(own)
    known = ", ".join(catalogue.scenarios)
    for name in wanted:
        if name not in catalogue.scenarios:
            raise UsageError(f"there is no scenario {name}; there are {known}")
    for section in sections:
        if not any(section in s.sections for s in catalogue.scenarios.values()):
            there = ", ".join(sorted({k for s in catalogue.scenarios.values() for k in s.sections}, key=_by_number))
            raise UsageError(f"no scenario belongs to section {section}; the sections are {there}")
    named = [s for s in catalogue.scenarios.values() if not wanted or s.id in wanted]
    within = [s for s in named if not sections or set(sections) & set(s.sections)]
    if named and not within:
        raise UsageError("; ".join(f"{s.id} is {_elsewhere(s, sections)}" for s in named))
    chosen = [found for s in within for found in _variants(s, wanted.get(s.id, [""]), variant)]
    if not chosen and wanted:
        raise UsageError("; ".join(_lacks(s, variant) for s in within))
    if not chosen:
        raise UsageError(f"no scenario has a variant {variant}" if variant else f"{catalogue.name} has no scenario")
    return chosen


def _by_number(section: str) -> list[tuple[int, str]]:
    """A section's place among others: 5.2 comes before 5.10."""
    return [(int(part) if part.isdecimal() else 0, part) for part in section.split(".")]


def _elsewhere(scenario: Scenario, sections: Sequence[str]) -> str:
    return f"not of section {' or '.join(sections)}, but of {', '.join(scenario.sections) or 'none'}"


def _lacks(scenario: Scenario, variant: str) -> str:
    have = ", ".join(v.name for v in scenario.variants) or "none"
    return f"{scenario.id} has no variant {variant}; it has {have}"


def _variants(scenario: Scenario, own: Sequence[str], variant: str) -> list[Scenario]:
    names = [v.name for v in scenario.variants]
    if variant == "all":
        return list(scenario.forms)
    if variant:
        return [scenario.with_variant(variant)] if variant in names else []
    found = []
    # Asked for twice is once: --repeat runs again.
    for name in dict.fromkeys(own):
        if name and name not in names:
            raise UsageError(_lacks(scenario, name))
        found.append(scenario.with_variant(name) if name else scenario)
    return found


def items(scenarios: Sequence[Scenario], arm: Arm, seed: int) -> list[Item]:
    """The runs of the scenarios; a scenario's seed follows from the run's and its label, not from its place."""
    return [Item(s, arm, zlib.crc32(f"{seed}:{s.label}:{arm.name}".encode())) for s in scenarios]


def shard(planned: Sequence[Item], number: int, count: int) -> list[Item]:
    """The n-th of so many parts, 1-based; every item is in exactly one, whatever else was chosen."""
    return [item for place, item in enumerate(planned) if place % count == number - 1]


def shuffled(planned: Sequence[Item], seed: int) -> list[Item]:
    """Another order, the same for the same seed: what holds in one order alone holds by what came before it."""
    order = list(planned)
    random.Random(f"order {seed}").shuffle(order)
    return order


def longest_first(planned: Sequence[Item], numbers_of: Callable[[Scenario], Settings]) -> list[Item]:
    """The order for several cells side by side: what may take longest begins first, so that no cell works alone at the end.

    What uses no shared part begins before that: shared parts take longest to start.
    """

    def length_s(item: Item) -> float:
        s = item.scenario.resolve(numbers_of(item.scenario))
        return s.symptom.deadline_s + as_span(s.hold_s).of({}) + s.recovery.deadline_s

    return sorted(planned, key=lambda item: (bool(item.scenario.uses), -length_s(item), item.label))


def skipped(item: Item, abilities: frozenset[Ability], runtime: str) -> str | None:
    """Why an item cannot run here; None when it can."""
    missing = item.scenario.needs - abilities
    if missing:
        return f"the {runtime} runtime cannot {', '.join(sorted(a.value for a in missing))}"
    return None
