"""Events of a run and its scenarios as they go on."""

from dataclasses import dataclass, field
from typing import Any

from harness.model.events.base import Event


@dataclass(frozen=True)
class RunStarted(Event):
    """A run began; `planned` are the labels in their order, `at` the time of day, `shard` is i/n or empty for a whole run."""

    kind = "run_started"
    run_id: str
    at: str
    seed: int
    runtime: str
    profile: str
    arm: str
    planned: list[str]
    versions: dict[str, str] = field(default_factory=dict)
    shard: str = ""


@dataclass(frozen=True)
class RunFinished(Event):
    """A run ended; a journal without it is that of a run that was ended from outside."""

    kind = "run_finished"
    at: str
    interrupted: bool = False


@dataclass(frozen=True)
class ShardJoined(Event):
    """In a merged journal: what follows is of this shard; its seconds count from `at`, a time of day, less this event's."""

    kind = "shard"
    run_id: str
    at: str


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
    """What one of the section's checks showed at one moment; without a section what the recovery criteria ask."""

    kind = "check"
    key: str
    title: str
    values: dict[str, float | None]


@dataclass(frozen=True)
class Moved(Event):
    """Whether each measurement left its steady band between injection and response; None when too little was read."""

    kind = "moved"
    probes: dict[str, bool | None]


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
class RunAgain(Event):
    """A scenario told nothing because the machine was too busy; it runs again.

    What was recorded of it so far counts no more; `cells` is how many there were side by side, its own among them.
    """

    kind = "again"
    cells: int


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
