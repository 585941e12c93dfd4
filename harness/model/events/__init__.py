"""The journal's events: everything the engine has to say; command line, reports, drills and history only render them.

An event is one JSON object a line: `v` (version of the form), `t` (seconds since the run began), `kind`, `scenario` (its
label, or null for the run's own), and the fields of its kind.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from harness.model.events.base import WORST_FIRST, Claim, Event, Finding, Phase
from harness.model.events.run import (
    Acted,
    CellReady,
    Checked,
    Claimed,
    CohortTaken,
    Found,
    Judged,
    Moved,
    Noted,
    PhaseEnded,
    PhaseStarted,
    RunAgain,
    RunFinished,
    RunStarted,
    ScenarioStarted,
    ShardJoined,
    Stepped,
    Swept,
    Timed,
    Witnessed,
    WorkloadSummary,
)
from harness.model.events.runbook import (
    AlertFired,
    Completed,
    EvidenceSaved,
    FactsRecorded,
    InvariantJudged,
    LedgerCounted,
    Queried,
    Recorded,
    RuleJudged,
    SamplesTaken,
    SliMeasured,
)
from harness.model.events.shape import shape_of

JOURNAL_VERSION = 1

__all__ = [
    "JOURNAL_VERSION",
    "KINDS",
    "WORST_FIRST",
    "Acted",
    "AlertFired",
    "CellReady",
    "Checked",
    "Claim",
    "Claimed",
    "CohortTaken",
    "Completed",
    "Event",
    "EvidenceSaved",
    "FactsRecorded",
    "Finding",
    "Found",
    "InvariantJudged",
    "Judged",
    "LedgerCounted",
    "Moved",
    "Noted",
    "Phase",
    "PhaseEnded",
    "PhaseStarted",
    "Queried",
    "Recorded",
    "RuleJudged",
    "RunAgain",
    "RunFinished",
    "RunStarted",
    "SamplesTaken",
    "ScenarioStarted",
    "ShardJoined",
    "SliMeasured",
    "Stepped",
    "Swept",
    "Timed",
    "Witnessed",
    "WorkloadSummary",
    "from_mapping",
    "of_our_own",
    "read_lines",
    "to_line",
    "to_mapping",
]

KINDS: dict[str, type[Event]] = {
    cls.kind: cls
    for cls in (
        RunStarted,
        RunAgain,
        RunFinished,
        ShardJoined,
        CellReady,
        ScenarioStarted,
        PhaseStarted,
        PhaseEnded,
        Swept,
        Acted,
        Stepped,
        Checked,
        Moved,
        Witnessed,
        Judged,
        CohortTaken,
        WorkloadSummary,
        Found,
        Claimed,
        Noted,
        Timed,
        AlertFired,
        SliMeasured,
        SamplesTaken,
        EvidenceSaved,
        FactsRecorded,
        LedgerCounted,
        InvariantJudged,
        RuleJudged,
        Queried,
        Completed,
        Recorded,
    )
}

_SHAPES = {kind: shape_of(cls) for kind, cls in KINDS.items()}


def to_mapping(event: Event) -> dict[str, Any]:
    """The event as a JSON object."""
    return {"v": JOURNAL_VERSION, "kind": event.kind, **asdict(event)}


def to_line(event: Event | Mapping[str, Any]) -> str:
    """The event, or its JSON object, as one line of JSON without a line break."""
    data = event if isinstance(event, Mapping) else to_mapping(event)
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def from_mapping(data: Mapping[str, Any]) -> Event | None:
    """The event of a JSON object; None for a kind this version does not know; raises ValueError for a broken one."""
    kind = data.get("kind", "")
    cls = KINDS.get(kind) if isinstance(kind, str) else None
    if cls is None:
        return None
    shape = _SHAPES[kind]
    known = {name: value for name, value in data.items() if name in shape}
    if wrong := [name for name, value in known.items() if not shape[name](value)]:
        raise ValueError(f"a broken {kind} event: its {', '.join(wrong)} cannot be what it says")
    return _made(cls, known)


def of_our_own(data: Mapping[str, Any]) -> Event:
    """The event of a JSON object that `to_mapping` made: whatever its fields hold, they hold it here too."""
    cls = KINDS[data["kind"]]
    return _made(cls, {name: value for name, value in data.items() if name in _SHAPES[cls.kind]})


def _made(cls: type[Event], known: dict[str, Any]) -> Event:
    try:
        return cls(**known)
    except TypeError as error:
        raise ValueError(f"a broken {cls.kind} event: {error}") from None


def read_lines(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a journal; lines that are no events or of another version, and a last one cut off, are passed over."""
    for line in lines:
        try:
            data = json.loads(line)
            event = from_mapping(data) if data.get("v") == JOURNAL_VERSION else None
        except (ValueError, AttributeError, RecursionError):
            continue
        if event is not None:
            yield event
