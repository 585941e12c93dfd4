"""A drill as it was: what was broken, what the runbook says, and everything the trainee did, in order of time.

All times are seconds since the run began. A record is facts alone: what it is worth is worked out in model.scoring.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.model.conduct import verb_of
from harness.model.events import Acted
from harness.model.topology import Topology

HINTS = ("nudge", "check", "section", "step")
"""The hints, each telling more than the one before."""

KIND_OF_VERB = {
    "cut": "route",
    "slow": "route",
    "slow_briefly": "route",
    "reset": "route",
    "restore_route": "route",
    "stop": "process",
    "kill": "process",
    "freeze": "process",
    "restart": "process",
    "set_setting": "setting",
    "rollback_setting": "setting",
    "deploy": "release",
    "rollback_release": "release",
    "scale": "scale",
    "start_job": "job",
    "slow_job": "job",
    "stop_job": "job",
    "hold_locks": "locks",
    "end_session": "locks",
    "load": "load",
    "sql": "data",
    "publish": "data",
    "delete_consumer": "data",
    "redis": "data",
    "http": "data",
    "run_tool": "data",
    "end_redis_client": "load",
}
"""What a verb works on, in the words of a diagnosis."""

CAUSES = ("route", "process", "setting", "release", "scale", "job", "locks", "load", "data")
"""The causes that a diagnosis may name."""

WHOEVER = frozenset({"end_session", "end_redis_client", "sql", "redis"})
"""Verbs whose target is only known when they are used: two of them do the same, whoever it was."""

PLACED = {"redis": "redis", "end_redis_client": "redis", "end_session": "postgres", "hold_locks": "postgres"}
"""The protocol of the part in which a verb does its work, where its target (a command, a session, a role) does not say."""

NAMELESS = frozenset({"redis", "end_session", "end_redis_client"})
"""Verbs whose target is no place."""

VALUES = ("value", "version", "instances", "rate_hz")
"""The arguments of verbs that say what something is to be."""

PACE_RATIO = 2.0
"""How much faster than the runbook says a job may be let go on: nobody on call knows its exact pace."""


@dataclass(frozen=True)
class Deed:
    """One act as the operator's or the injector's verb, and what it is done to.

    Attributes:
        name: of a setting, when it is one.
        value: what it is to be: of a setting, a release, a number of instances, a pace.
        part: the part in which it is done, where the target does not say so.
    """

    verb: str
    target: str
    name: str = ""
    value: str = ""
    part: str = ""

    @property
    def kind(self) -> str:
        """What it works on."""
        return KIND_OF_VERB.get(self.verb, "data")

    @property
    def places(self) -> frozenset[str]:
        """The target, both ends of one that is a link, and the part in which it is done."""
        own = set() if self.verb in NAMELESS else {self.target, *self.target.split("->")}
        return frozenset({*own, self.part}) - {"", "client"}

    def carries_out(self, asked: "Deed") -> bool:
        """Whether it is what was asked for; a rollback is a change of the same kind."""
        if WHOEVER & {self.verb, asked.verb}:
            return self.verb == asked.verb
        if self.kind != "job":
            return self._alike(asked)
        slow_enough = self.verb != "slow_job" or not asked.value or _pace(self) <= _pace(asked) * PACE_RATIO
        return (self.verb, self.target) == (asked.verb, asked.target) and slow_enough

    def takes_back(self, broken: "Deed") -> bool:
        """Whether it is the opposite of what was broken."""
        if self.kind in {"locks", "load"}:
            return self.kind == broken.kind
        if WHOEVER & {self.verb, broken.verb}:
            return self.verb == broken.verb
        return self._alike(broken) and (self.kind != "job" or (self.verb, broken.verb) == ("stop_job", "start_job"))

    def repeats(self, broken: "Deed") -> bool:
        """Whether it does once more what was broken."""
        again = self.verb == broken.verb and self.verb in {"set_setting", "deploy", "scale", "start_job"}
        same = self.verb == "start_job" or (self.value != "" and self.value == broken.value)
        return again and same and self._alike(broken)

    def _alike(self, other: "Deed") -> bool:
        named = not self.name or not other.name or self.name == other.name
        return self.kind == other.kind and self.target == other.target and named


def _pace(deed: Deed) -> float:
    try:
        return float(deed.value)
    except ValueError:
        return 0.0


def value_of(act: Acted) -> str:
    """What an act says that something is to be; empty when it says nothing of it."""
    return next((act.arguments[key] for key in VALUES if key in act.arguments), "")


def deed_of(act: Acted, topology: Topology) -> Deed:
    """An act on a stack as what it comes to."""
    verb = verb_of(act)
    part = topology.speaking(PLACED[verb]) if verb in PLACED else None
    return Deed(verb, act.target, act.arguments.get("name", ""), value_of(act), part or "")


@dataclass(frozen=True)
class RunbookStep:
    """A step of the runbook's response, and the acts that carry it out."""

    title: str
    deeds: tuple[Deed, ...]
    in_runbook: bool = True


@dataclass(frozen=True)
class Answer:
    """What the trainee has to find out; in the facilitator's memory alone until the debrief.

    Attributes:
        label: of the scenario.
        broken: the acts that broke it.
        checks: the keys of the first section's checks, in the runbook's order.
        decoys: what was done only to mislead, one line each.
        others: label and title of every other scenario whose fault was added to the first one's.
        check_titles: the titles of the checks, in their order.
    """

    label: str
    title: str
    sections: tuple[str, ...]
    fault: str
    broken: tuple[Deed, ...]
    steps: tuple[RunbookStep, ...]
    checks: tuple[str, ...]
    decoys: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    check_titles: tuple[str, ...] = ()

    @property
    def places(self) -> frozenset[str]:
        """Every part, service, link or job that is involved in what is broken."""
        return frozenset().union(*(d.places for d in self.broken)) if self.broken else frozenset()

    @property
    def involved(self) -> frozenset[str]:
        """The same with everything that the response works on."""
        return self.places.union(*(d.places for s in self.steps for d in s.deeds))

    @property
    def kinds(self) -> frozenset[str]:
        """The causes that are right in a diagnosis."""
        return frozenset(d.kind for d in self.broken)


@dataclass(frozen=True)
class Entry:
    """One thing that happened in a drill.

    Attributes:
        kind: `page`, `view`, `check`, `act`, `hint`, `detect`, `diagnose`, `recovered`, `alert` or `note`.
        says: one line for people; of what a trainee does, the words of the trainee.
        data: for `act` verb, target, name, text, value, failed; for `check` key; for `hint` level; for `diagnose` section,
            place, cause; for `recovered` confirmed.
    """

    t: float
    kind: str
    says: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BrokenRule:
    """A rule for changes that the trainee broke; `key` as in the runbook."""

    key: str
    title: str
    says: str


@dataclass(frozen=True)
class DrillRecord:
    """A drill from its beginning to its end.

    Attributes:
        limit_s: the time limit, from the page on.
        injected_s: when it was broken; None when it never was.
        paged_s: when the trainee was paged; None when nobody was.
        page: what the page said.
        ended: why it ended: `recovered`, `the time is over`, `given up` or `closed`, or why it could not go on.
        whole: whether the drill itself went as it should; else it is no measure of the trainee.
        recovered_s: from when on the recovery criteria were met and stayed so; None when they were not.
        collateral: what should have stayed whole and did not; empty when it did.
        rules: broken rules, when somebody else judged them; None when they are judged on the acts here.
        budget_minutes: of the error budgets, spent from the injection on; None when it cannot be known.
    """

    drill_id: str
    trainee: str
    level: int
    seed: int
    limit_s: float
    answer: Answer
    injected_s: float | None
    paged_s: float | None
    page: str
    ended_s: float
    ended: str
    whole: bool
    entries: tuple[Entry, ...]
    recovered_s: float | None = None
    collateral: str = ""
    rules: tuple[BrokenRule, ...] | None = None
    budget_minutes: float | None = None

    def of(self, kind: str) -> list[Entry]:
        """The entries of one kind."""
        return [e for e in self.entries if e.kind == kind]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)
