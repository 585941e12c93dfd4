"""The journal's events: everything the engine has to say; command line, reports, drills and history only render them.

An event is one JSON object a line: `v` (version of the form), `t` (seconds since the run began), `kind`, `scenario` (its
label, or null for the run's own), and the fields of its kind.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from typing import Any, ClassVar

JOURNAL_VERSION = 1


class Phase(Enum):
    """The phases of a scenario in their order."""

    STEADY = "steady"
    INJECT = "inject"
    WITNESS = "witness"
    SYMPTOM = "symptom"
    HOLD = "hold"
    RESPOND = "respond"
    RECOVER = "recover"
    INVARIANTS = "invariants"
    RESTORE = "restore"


class Finding(Enum):
    """What one scenario run came to."""

    AS_EXPECTED = "AS_EXPECTED"
    NOT_STEADY = "NOT_STEADY"
    NO_WITNESS = "NO_WITNESS"
    TOO_BUSY = "TOO_BUSY"
    VACUOUS_SYMPTOM = "VACUOUS_SYMPTOM"
    NOT_REPRODUCED = "NOT_REPRODUCED"
    SELF_HEALED = "SELF_HEALED"
    NOT_RECOVERED = "NOT_RECOVERED"
    COLLATERAL = "COLLATERAL"
    INVARIANT_BROKEN = "INVARIANT_BROKEN"
    UNKNOWN = "UNKNOWN"


class Claim(Enum):
    """What may be claimed of the runbook after it."""

    PROVEN = "PROVEN"
    REFUTED = "REFUTED"
    INCONCLUSIVE = "INCONCLUSIVE"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True)
class Event:
    """What all events have: `t` in seconds since the run began, and the scenario's label or None."""

    kind: ClassVar[str] = "event"
    t: float
    scenario: str | None


@dataclass(frozen=True)
class RunStarted(Event):
    """A run began; `planned` are the labels in their order, `at` the time of day."""

    kind = "run_started"
    run_id: str
    at: str
    seed: int
    runtime: str
    profile: str
    arm: str
    planned: list[str]
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunFinished(Event):
    """A run ended; a journal without it is that of a run that was ended from outside."""

    kind = "run_finished"
    at: str
    interrupted: bool = False


@dataclass(frozen=True)
class CellReady(Event):
    """A cell answers; `took_s` from asking for it."""

    kind = "cell_ready"
    cell: str
    took_s: float


@dataclass(frozen=True)
class ScenarioStarted(Event):
    """A scenario began; criteria are texts."""

    kind = "scenario_started"
    title: str
    sections: list[str]
    arm: str
    seed: int
    fault: str
    symptom: str
    recovery: str


@dataclass(frozen=True)
class PhaseStarted(Event):
    """A phase began."""

    kind = "phase_started"
    phase: str


@dataclass(frozen=True)
class PhaseEnded(Event):
    """A phase ended with a word for how."""

    kind = "phase_ended"
    phase: str
    started_s: float
    verdict: str
    says: str = ""


@dataclass(frozen=True)
class Swept(Event):
    """One reading of all probes; None where one could not be read."""

    kind = "sweep"
    values: dict[str, float | None]
    cost_ms: float


@dataclass(frozen=True)
class Acted(Event):
    """Somebody acted on the system: the injector or the operator."""

    kind = "act"
    who: str
    verb: str
    target: str
    arguments: dict[str, str]
    took_s: float
    failed: str | None = None


@dataclass(frozen=True)
class Stepped(Event):
    """A step of the response was carried out, or was not needed (`skipped`)."""

    kind = "step"
    title: str
    skipped: bool
    took_s: float
    in_runbook: bool = True


@dataclass(frozen=True)
class Checked(Event):
    """What one of the section's checks showed at one moment."""

    kind = "check"
    key: str
    title: str
    values: dict[str, float | None]


@dataclass(frozen=True)
class Witnessed(Event):
    """What the witness saw; `bites` is None when it could not tell."""

    kind = "witness"
    bites: bool | None
    says: str


@dataclass(frozen=True)
class Judged(Event):
    """A criterion was judged: `what` is its role, `conditions` the evidence."""

    kind = "judged"
    what: str
    verdict: str
    since_s: float
    met_at_s: float | None
    text: str
    conditions: list[dict[str, Any]]


@dataclass(frozen=True)
class CohortTaken(Event):
    """A cohort was captured for a probe."""

    kind = "cohort"
    probe: str
    size: int


@dataclass(frozen=True)
class WorkloadSummary(Event):
    """What was sent and accepted, and how late (p99, milliseconds; None when nothing was sent)."""

    kind = "workload"
    sent: int
    accepted: int
    late_p99_ms: float | None
    cpu_ratio: float | None = None


@dataclass(frozen=True)
class Found(Event):
    """A finding, with the phase it was made in and one line that says exactly what fell short."""

    kind = "finding"
    finding: str
    phase: str
    says: str


@dataclass(frozen=True)
class Claimed(Event):
    """The scenario's claim; times are seconds, None when they do not exist."""

    kind = "claim"
    claim: str
    findings: list[str]
    reason: str
    symptom_s: float | None
    ttd_s: float | None
    ttr_s: float | None
    response_to_recovery_s: float | None


@dataclass(frozen=True)
class Noted(Event):
    """Something people should know that changes no verdict."""

    kind = "note"
    says: str


@dataclass(frozen=True)
class Timed(Event):
    """Where time went: a named stretch of the run, in seconds."""

    kind = "timed"
    what: str
    took_s: float


KINDS: dict[str, type[Event]] = {
    cls.kind: cls
    for cls in (
        RunStarted,
        RunFinished,
        CellReady,
        ScenarioStarted,
        PhaseStarted,
        PhaseEnded,
        Swept,
        Acted,
        Stepped,
        Checked,
        Witnessed,
        Judged,
        CohortTaken,
        WorkloadSummary,
        Found,
        Claimed,
        Noted,
        Timed,
    )
}


def to_line(event: Event) -> str:
    """The event as one line of JSON without a line break."""
    return json.dumps(
        {"v": JOURNAL_VERSION, "kind": event.kind, **asdict(event)}, ensure_ascii=False, separators=(",", ":")
    )


def from_mapping(data: Mapping[str, Any]) -> Event | None:
    """The event of a JSON object; None for a kind this version does not know; raises ValueError for a broken one."""
    cls = KINDS.get(data.get("kind", ""))
    if cls is None:
        return None
    known = {f.name for f in fields(cls)}
    try:
        return cls(**{k: v for k, v in data.items() if k in known})
    except TypeError as error:
        raise ValueError(f"a broken {data.get('kind')} event: {error}") from None


def read_lines(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a journal; a last line that was cut off, and lines that are no events, are passed over."""
    for line in lines:
        try:
            event = from_mapping(json.loads(line))
        except (ValueError, AttributeError):
            continue
        if event is not None:
            yield event
