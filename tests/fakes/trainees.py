"""Scripted trainees: what each would have done in a drill, as facts, without a stack."""

import contextlib
import random
from collections.abc import Callable
from typing import Any

from harness.engine.rehearsal import response_of
from harness.model.drill import Answer, Deed, DrillRecord, Entry, deed_of
from harness.model.events import Acted
from harness.model.scenario import Catalogue, Scenario
from harness.model.topology import Topology
from harness.model.values import Reply

LIMIT_S = 900.0
PAGED_S = 20.0


SAID = {
    "set_setting": ("name", "value"),
    "deploy": ("version",),
    "scale": ("instances",),
    "sql": ("statement",),
    "redis": ("arguments",),
}
"""What the injector's verbs say of their target, in their order."""


class FakeInjector:
    """An Injector that breaks nothing and remembers what it was asked for."""

    def __init__(self, topology: Topology) -> None:
        self.deeds: list[Deed] = []
        self._topology = topology

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        async def note(*args: Any, **kwargs: Any) -> Any:
            words = [str(a) for a in (*args, *kwargs.values())] or [""]
            said = dict(zip(SAID.get(verb, ()), words[1:], strict=False))
            self.deeds.append(deed_of(Acted(0.0, None, "injector", verb, words[0], said, 0.0), self._topology))
            if verb == "http":
                return Reply(200, b"{}", {}, None, 0.0)
            return [] if verb == "sql" else None

        return note


async def answer_to(scenario: Scenario, catalogue: Catalogue, topology: Topology) -> Answer:
    """What a trainee has to find out in a drill of a scenario."""
    injector: Any = FakeInjector(topology)
    with contextlib.suppress(LookupError, TypeError):
        await scenario.fault.inject(injector)
    section = catalogue.sections[scenario.sections[0]]
    return Answer(
        scenario.label, scenario.title, scenario.sections, scenario.fault.says, tuple(injector.deeds),
        await response_of(scenario, topology), tuple(c.key for c in section.checks),
        check_titles=tuple(c.title for c in section.checks),
    )  # fmt: skip


def drilled(catalogue: Catalogue) -> dict[str, Scenario]:
    """What can be drilled, by label: with the variants, from the second level on."""
    known = [s for s in catalogue.scenarios.values() if s.sections]
    return {one.label: one for s in known for one in s.forms}


class Trainee:
    """Facts in the making; times are shares of the limit."""

    def __init__(self, answer: Answer, topology: Topology, seed: int) -> None:
        self.answer = answer
        self.pace = random.Random(seed).uniform(0.95, 1.0)
        self.entries: list[Entry] = [Entry(PAGED_S, "page", "an alert")]
        self.recovered_s: float | None = None
        self.ended_s = PAGED_S + LIMIT_S
        self.elsewhere = [n for n, s in topology.services.items() if n not in answer.involved and not s.external] or [
            "nothing-else"
        ]

    def at(self, share: float, kind: str, says: str, **data: Any) -> None:
        # Nobody is the same to the second; the seed moves everything a little.
        self.entries.append(Entry(PAGED_S + LIMIT_S * share * self.pace, kind, says, data))

    def check(self, share: float) -> None:
        for key in self.answer.checks:
            self.at(share, "check", f"checks {key.partition('/')[0]}", key=key)

    def diagnose(self, share: float, *, right: bool) -> None:
        section, place, cause = ("9.9", "nowhere", "load")
        if right:
            section = self.answer.sections[0]
            place = min(self.answer.places) if self.answer.places else ""
            cause = min(self.answer.kinds) if self.answer.kinds else ""
        self.at(share, "diagnose", f"{section} {place} {cause}", section=section, place=place, cause=cause)

    def act(self, share: float, deed: Deed, text: str = "", failed: str | None = None) -> None:
        data = {"verb": deed.verb, "target": deed.target, "name": deed.name, "text": text, "failed": failed}
        self.at(share, "act", f"{deed.verb} {deed.target} {text}".strip(), **data, value=deed.value)

    def respond(self, share: float) -> None:
        for n, step in enumerate(self.answer.steps):
            for deed in step.deeds:
                self.act(share + n * 0.01, deed)
                self.at(share + n * 0.01 + 0.002, "view", "dashboard")

    def recover(self, share: float) -> None:
        self.recovered_s = PAGED_S + LIMIT_S * share * self.pace
        self.at(share + 0.03, "recovered", "confirmed", confirmed=True)
        self.ended_s = PAGED_S + LIMIT_S * (share + 0.03) * self.pace

    def record(self, seed: int) -> DrillRecord:
        entries = tuple(sorted(self.entries, key=lambda e: e.t))
        return DrillRecord(
            "drill-1", "somebody", 1, seed, LIMIT_S, self.answer, 5.0, PAGED_S, "an alert", self.ended_s, "recovered",
            True, entries, self.recovered_s,
        )  # fmt: skip


def perfect(t: Trainee) -> None:
    t.at(0.02, "detect", "an incident")
    t.check(0.05)
    t.diagnose(0.1, right=True)
    t.respond(0.12)
    t.recover(0.2)


def slow(t: Trainee) -> None:
    t.at(0.2, "detect", "an incident")
    t.check(0.4)
    t.diagnose(0.5, right=True)
    t.respond(0.6)
    t.recover(0.75)


def guessing(t: Trainee) -> None:
    t.at(0.1, "detect", "an incident")
    t.diagnose(0.15, right=False)
    t.act(0.18, Deed("restart", t.elsewhere[0]))
    t.at(0.2, "view", "dashboard")
    t.diagnose(0.3, right=False)
    t.diagnose(0.45, right=True)
    t.respond(0.5)
    t.recover(0.6)


def careless(t: Trainee) -> None:
    t.diagnose(0.4, right=False)
    for n in range(2):
        t.act(0.42 + n * 1e-4, Deed("restart", f"{t.elsewhere[0]}-{n}" if n else t.elsewhere[0]))
        t.at(0.44 + n * 0.01, "recovered", "not confirmed", confirmed=False)
    t.respond(0.7)
    t.recover(0.8)


def idle(_t: Trainee) -> None:
    """Reads nothing, does nothing."""


def harmful(t: Trainee) -> None:
    t.at(0.1, "detect", "an incident")
    t.act(0.2, Deed("sql", "oncall"), "DROP SCHEMA everything CASCADE", "the database refused it under oncall: 42501")
    t.act(0.25, Deed("sql", "oncall"), "TRUNCATE everything", "the database refused it under oncall: 42501")
    t.act(0.3, Deed("scale", t.elsewhere[0]))
    t.act(0.35, Deed("set_setting", t.elsewhere[0], "a.b"))


TRAINEES: dict[str, Callable[[Trainee], None]] = {
    f.__name__: f for f in (perfect, slow, guessing, careless, idle, harmful)
}
"""From the best to the worst."""


def record_of(name: str, answer: Answer, topology: Topology, seed: int) -> DrillRecord:
    """The drill of one of them."""
    trainee = Trainee(answer, topology, seed)
    TRAINEES[name](trainee)
    return trainee.record(seed)
