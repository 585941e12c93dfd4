"""Events about the runbook beside the phases: alerts, indicators, invariants, rules, queries and what has to be recorded."""

from dataclasses import dataclass, field
from typing import Any

from harness.model.events.base import Event


@dataclass(frozen=True)
class AlertFired(Event):
    """An alert of the policy fired for the first time; `late` when that was only after the response began.

    `alert_kind` is `page` or `office`. `noise` says that it fired before anything was broken, and so detected nothing; an
    alert that was quiet again after that is told once more when it fires after the injection.
    """

    kind = "alert"
    name: str
    alert_kind: str
    late: bool
    noise: bool = False


@dataclass(frozen=True)
class SliMeasured(Event):
    """A service level indicator over a stretch of the run.

    `stretch` is `steady`, `untreated` (from the injection to the response) or `treated` (from the response on);
    `since_s` and `until_s` bound it. `value` is None when it cannot be known. `good` and `total` are counts of events for
    ratios, None for figures of another kind. `budget_minutes` is what the stretch spent of the error budget, in minutes.
    """

    kind = "sli"
    name: str
    says: str
    sli_kind: str
    unit: str
    objective: float
    stretch: str
    since_s: float
    until_s: float
    value: float | None
    verdict: str
    good: float | None = None
    total: float | None = None
    budget_minutes: float | None = None


@dataclass(frozen=True)
class SamplesTaken(Event):
    """What the alert policy was fed with, as model.samples packs it, so that alerts can be evaluated again.

    The moments are seconds since the run began, None when it did not come to them; `recovered_s` is when the held
    recovery began.
    """

    kind = "samples"
    samples: dict[str, Any]
    steady_s: float | None
    injected_s: float | None
    responded_s: float | None
    recovered_s: float | None


@dataclass(frozen=True)
class EvidenceSaved(Event):
    """What is kept of the moment before an act: the newest sweep, every change of settings so far, where the logs are."""

    kind = "evidence"
    sweep_at_s: float | None
    changes: list[str]
    logs: str


@dataclass(frozen=True)
class FactsRecorded(Event):
    """The facts that invariants are judged on, as model.invariants packs them, so that they can be judged again."""

    kind = "facts"
    tables: dict[str, Any]
    unread: dict[str, str]
    course: dict[str, Any]


@dataclass(frozen=True)
class LedgerCounted(Event):
    """How many event ids stand at each stage of their way, by the stage's name, at the end of the scenario."""

    kind = "ledger"
    counts: dict[str, int]


@dataclass(frozen=True)
class InvariantJudged(Event):
    """An invariant over the whole scenario; each violation is an id with its history.

    `expected` says that the scenario breaks it on purpose, so that violations do not refute the claim.
    """

    kind = "invariant"
    name: str
    title: str
    verdict: str
    says: str
    violations: list[dict[str, Any]] = field(default_factory=list)
    expected: bool = False


@dataclass(frozen=True)
class RuleJudged(Event):
    """A rule over the operator's acts, `key` as in the runbook (`3.2/rule/1`); `act` names the act that broke it."""

    kind = "rule"
    key: str
    title: str
    verdict: str
    says: str
    act: str = ""


@dataclass(frozen=True)
class Queried(Event):
    """What a query of a runbook gave at one moment: rows as texts, or `failed` in one line.

    `scaled` says that its intervals were scaled to the profile. `digest` is that of the query's text, `moment` one of
    `steady` (twice: as it begins and as it ends), `hold`, `recovered` and `idle` (a cell that nobody uses).
    """

    kind = "query"
    key: str
    scaled: bool
    rows: list[list[str | None]] = field(default_factory=list)
    failed: str | None = None
    digest: str = ""
    moment: str = ""


@dataclass(frozen=True)
class Completed(Event):
    """The completion verdict: for each condition its key, text, whether it is met (None: unknown) and the evidence."""

    kind = "completion"
    complete: bool | None
    conditions: list[dict[str, Any]]


@dataclass(frozen=True)
class Recorded(Event):
    """The record that the runbook asks for: field by name."""

    kind = "record"
    fields: dict[str, Any]
