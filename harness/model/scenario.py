"""A scenario is a frozen value with named behaviours: data where the engine reasons, functions where a person acts."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from harness.model.alerts import Alert
from harness.model.conduct import Conduct
from harness.model.criteria import Criterion
from harness.model.faults import Fault
from harness.model.invariants import Invariants
from harness.model.ports import Client, Operator
from harness.model.probes import Probe
from harness.model.runbook import Bullet, Query
from harness.model.slis import Series, Sli
from harness.model.span import Number, Settings, as_span
from harness.model.values import Ability


class Workload(Protocol):
    """A stream of requests from outside, sent at planned times whatever the system does."""

    @property
    def name(self) -> str: ...

    @property
    def rate_hz(self) -> float: ...

    @property
    def uses(self) -> frozenset[str]:
        """Parts that must be ready before it begins, beyond the services (keycloak, say)."""

    async def prepare(self, client: Client, seed: int) -> None:
        """Bring its users into the state from which requests can be sent; not counted."""

    async def send(self, client: Client, planned_s: float, n: int, rng: random.Random) -> None:
        """Send the n-th request and enter it in the ledger; never raises for a failing system."""


class Spare(StrEnum):
    """Why a claim stands without a step; there are no other reasons."""

    CHECKS = "checks only"
    SECOND_SAFETY = "a second safety"


@dataclass(frozen=True)
class Step:
    """One instruction that a person reads, and the one act that carries it out.

    Attributes:
        title: the instruction.
        act: what it does, with the Operator's verbs alone.
        unless: when this is met within its own time, the step is not needed and is skipped.
        needs: abilities of the runtime that the act asks for.
        in_runbook: false for a mitigation that no runbook section names.
        spare: why the claim stands without it; None when it must fall.
    """

    title: str
    act: Callable[[Operator], Awaitable[None]] = field(compare=False)
    unless: Criterion | None = None
    needs: frozenset[Ability] = frozenset()
    in_runbook: bool = True
    spare: Spare | None = None


def step(
    title: str,
    *,
    unless: Criterion | None = None,
    needs: frozenset[Ability] = frozenset(),
    in_runbook: bool = True,
    spare: Spare | None = None,
) -> Callable[[Callable[[Operator], Awaitable[None]]], Step]:
    """Make a step of a function that acts through the Operator; what is done only if need be is a second safety."""

    def wrap(act: Callable[[Operator], Awaitable[None]]) -> Step:
        return Step(title, act, unless, needs, in_runbook, Spare.SECOND_SAFETY if unless else spare)

    return wrap


@dataclass(frozen=True)
class Check:
    """One of a section's ordered checks: what on-call looks at.

    Attributes:
        key: `<section>/<part>/<number>`.
        title: what is looked at.
        probes: what it shows.
    """

    key: str
    title: str
    probes: tuple[Probe, ...]


@dataclass(frozen=True)
class Section:
    """A section of the runbook as the catalogue carries it out.

    Attributes:
        checks: its ordered checks; each executes the bullet of the same key.
        bullets: what executes the others.
    """

    key: str
    title: str
    checks: tuple[Check, ...]
    bullets: tuple[Bullet, ...] = ()


@dataclass(frozen=True)
class Limit:
    """An inequality between the stack's settings and a scenario's own lengths, checked when the catalogue loads.

    Attributes:
        says: why it must hold.
        less: what is smaller; `HOLD` and `UNTIL_RECOVERED` stand for the scenario's own lengths.
        than: what is greater.
    """

    says: str
    less: Number | str
    than: Number | str


HOLD = "hold"
"""The length of the hold stretch."""

UNTIL_RESPONDED = "symptom + hold + response"
"""The longest from the injection to the end of the response."""

RESPONSE_BUDGET_S = 5.0
"""What the acts of a response may take together before limits are computed: restarts are 0.2 s each when warm."""


SETTLE_S = 2.5
"""The settling stretch after a restart, unless a scenario says otherwise: what looks back 2 s then sees none of it."""


@dataclass(frozen=True)
class Variant:
    """The same failure mode by another mechanism: the fields that differ."""

    name: str
    fields: dict[str, Any] = field(compare=False)


@dataclass(frozen=True)
class Scenario:
    """One failure mode, broken for real and recovered by the runbook.

    Attributes:
        id: the runbook's id, `FM-...`.
        title: what fails, in a few words.
        sections: the runbook sections that it belongs to; the first one's checks are judged between steps.
        workload: what people do meanwhile.
        fault: what breaks.
        symptom: what the runbook documents.
        response: what it says first.
        recovery: what it calls recovered.
        hold_s: how long the untreated stretch is watched; longer than the longest automatic retry.
        placebo: a harmless act on something else, for the placebo arm.
        steady: beyond the workloads' own figures, what must be so before anything is broken.
        unaffected: conditions that stay true throughout, so that the blast radius is a claim too.
        limits: inequalities on the path that the fault breaks.
        settings: overrides for its cell, by (service, property).
        settle_s: after any restart by an act, this long is judged by neither side.
        variants: other mechanisms.
        variant: the name of the variant this is, or empty.
        queries: of the runbook, sampled while it goes on; given by whoever starts the run.
        breaks: the invariants that it breaks on purpose, by name.
        settings_ci_only: overrides for the ci profile alone.
    """

    id: str
    title: str
    sections: tuple[str, ...]
    workload: tuple[Workload, ...]
    fault: Fault
    symptom: Criterion
    response: tuple[Step, ...]
    recovery: Criterion
    hold_s: Number
    placebo: Step
    steady: Criterion | None = None
    unaffected: Criterion | None = None
    limits: tuple[Limit, ...] = ()
    settings: dict[tuple[str, str], str] = field(default_factory=dict, compare=False)
    settle_s: Number = SETTLE_S
    variants: tuple[Variant, ...] = ()
    variant: str = ""
    breaks: tuple[str, ...] = ()
    summary: str = ""
    module: str = ""
    queries: tuple[Query, ...] = field(default=(), compare=False)

    @property
    def label(self) -> str:
        """The id, with the variant when it is one."""
        return f"{self.id}:{self.variant}" if self.variant else self.id

    @property
    def needs(self) -> frozenset[Ability]:
        """The abilities without which it is skipped."""
        return self.fault.needs.union(*(s.needs for s in self.response))

    @property
    def uses(self) -> frozenset[str]:
        """The parts that its workloads need."""
        return frozenset[str]().union(*(w.uses for w in self.workload))

    @property
    def probes(self) -> tuple[Probe, ...]:
        """Every probe of its criteria, each once."""
        criteria = [self.symptom, self.recovery, self.steady, self.unaffected, *(s.unless for s in self.response)]
        return tuple({p.name: p for c in criteria if c is not None for p in c.probes}.values())

    def with_variant(self, name: str) -> "Scenario":
        """The scenario with a variant's fields; raises KeyError for a name it does not have."""
        chosen = {v.name: v for v in self.variants}[name]
        return replace(self, variant=name, **chosen.fields)

    @property
    def forms(self) -> tuple["Scenario", ...]:
        """The scenario itself, then each of its variants."""
        return (self, *(self.with_variant(v.name) for v in self.variants))

    @property
    def own(self) -> dict[str, str]:
        """The settings of its cell by property alone, as topologies derive numbers from them."""
        return {name: value for (_, name), value in self.settings.items()}

    def resolve(self, settings: Settings) -> "Scenario":
        """The scenario with every length and threshold as a plain number."""
        return replace(
            self,
            symptom=self.symptom.resolve(settings),
            recovery=self.recovery.resolve(settings),
            steady=self.steady.resolve(settings) if self.steady else None,
            unaffected=self.unaffected.resolve(settings) if self.unaffected else None,
            hold_s=as_span(self.hold_s).of(settings),
            settle_s=as_span(self.settle_s).of(settings),
            response=tuple(replace(s, unless=s.unless.resolve(settings) if s.unless else None) for s in self.response),
        )

    def broken_limits(self, settings: Settings) -> list[str]:
        """The limits that do not hold with these settings, one line each."""
        plain = self.resolve(settings)
        hold_s = as_span(plain.hold_s).of({})
        waits_s = sum(s.unless.deadline_s for s in plain.response if s.unless)
        own = {HOLD: hold_s, UNTIL_RESPONDED: plain.symptom.deadline_s + hold_s + RESPONSE_BUDGET_S + waits_s}

        def value(side: Number | str) -> float:
            return own[side] if isinstance(side, str) else as_span(side).of(settings)

        def text(side: Number | str) -> str:
            return side if isinstance(side, str) else as_span(side).text

        return [
            f"{limit.says}: {text(limit.less)} ({value(limit.less):g} s) is not less than "
            f"{text(limit.than)} ({value(limit.than):g} s)"
            for limit in self.limits
            if not value(limit.less) < value(limit.than)
        ]


@dataclass(frozen=True)
class Catalogue:
    """The scenarios and sections of one system.

    Attributes:
        scenarios: by id, in the order of their ids.
        sections: by key.
        steady: what every scenario asks of the ledger before it breaks anything: the share of good answers.
        common: probes that are read in every scenario, for the record.
        series: what indicators and alerts are fed with, by name.
        slis: the indicators with their objectives.
        alerts: the alert policy.
        invariants: what must hold through every scenario; None when the catalogue has none.
        conduct: what the runbook asks of every incident; None when the catalogue does not say.
    """

    name: str
    scenarios: dict[str, Scenario]
    sections: dict[str, Section]
    series: Mapping[str, Series] = field(default_factory=dict)
    slis: tuple[Sli, ...] = ()
    alerts: tuple[Alert, ...] = ()
    invariants: Invariants | None = None
    conduct: Conduct | None = None
