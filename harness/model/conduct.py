"""How a response was conducted: rules over the operator's acts, judged purely on the events of one scenario."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from harness.model import commands, statements
from harness.model.criteria import Verdict
from harness.model.events import Acted, Checked, Event, EvidenceSaved, Judged, PhaseStarted
from harness.model.events.base import Phase


class Kind(Enum):
    """What an act does to the system."""

    REVERSIBLE = "reversible"
    DATA = "changes data"
    SCHEMA = "changes a schema"
    LOOK = "looks"


TOOL, SQL, REDIS = "run_tool", "sql", "redis"
END_SESSION, END_CLIENT = "end_session", "end_redis_client"
_FACTORS = {END_SESSION: "database sessions", END_CLIENT: "clients of Redis"}
RESTARTS = frozenset({"restart", "set_setting", "rollback_setting", "deploy", "rollback_release"})


def kind_of(act: Acted, tools: Mapping[str, Kind]) -> Kind:
    """The kind of an act of the operator; a tool that nobody has classified changes data."""
    if act.verb == TOOL:
        return tools.get(act.target, Kind.DATA)
    if act.verb == SQL:
        return _kind_of_statement(act.arguments.get("statement", ""))
    if act.verb == REDIS:
        if commands.ends_clients(_command(act)):
            return Kind.REVERSIBLE
        return Kind.LOOK if commands.looks(_command(act)) else Kind.DATA
    return Kind.REVERSIBLE


def _kind_of_statement(text: str) -> Kind:
    if statements.changes_schema(text):
        return Kind.SCHEMA
    if statements.changes_data(text):
        return Kind.DATA
    return Kind.REVERSIBLE if statements.ends_sessions(text) else Kind.LOOK


def _command(act: Acted) -> str:
    return f"{act.target} {act.arguments.get('arguments', '')}"


def verb_of(act: Acted) -> str:
    """The verb that an act comes to: SQL may do no more than end sessions, and a command disconnect clients."""
    if act.verb in {SQL, REDIS} and kind_of(act, {}) is Kind.REVERSIBLE:
        return END_SESSION if act.verb == SQL else END_CLIENT
    return act.verb


def factor_of(act: Acted) -> str:
    """What an act changes: two acts on the same factor are one change."""
    return _FACTORS.get(verb_of(act), act.target)


def limited(act: Acted) -> bool:
    """Whether a change says which rows or sessions it is about."""
    if act.verb == REDIS:
        return not commands.wipes(_command(act))
    return act.verb != SQL or statements.is_limited(act.arguments.get("statement", ""))


@dataclass(frozen=True)
class Conducted:
    """The events of one scenario, in order, and the kind of every act of the operator.

    Attributes:
        tools: the kind of each repair tool.
    """

    events: Sequence[Event]
    tools: Mapping[str, Kind] = field(default_factory=dict)

    @property
    def acts(self) -> list[tuple[int, Acted, Kind]]:
        """The operator's acts that change something, with their place among the events."""
        found = [
            (place, e, kind_of(e, self.tools))
            for place, e in enumerate(self.events)
            if isinstance(e, Acted) and e.who == "operator"
        ]
        return [(place, act, kind) for place, act, kind in found if kind is not Kind.LOOK]

    @property
    def recovered_at(self) -> int | None:
        """The place of the judgement that the first recovery was met, or None."""
        return next(
            (
                place
                for place, e in enumerate(self.events)
                if isinstance(e, Judged) and e.what == "recovery" and e.verdict == Verdict.HELD.value
            ),
            None,
        )


Broken = tuple[Acted, str]


@dataclass(frozen=True)
class Rule:
    """A rule over the acts.

    Attributes:
        key: as in the runbook.
        check: gives the first act that broke it and why, or None.
    """

    key: str
    title: str
    check: Callable[[Conducted], Broken | None]


def said(act: Acted) -> str:
    """An act in a few words."""
    return f"{act.verb} {act.target}"


def availability_first(conducted: Conducted) -> Broken | None:
    """No change of data while a reversible act of the same response is still untried."""
    acts = conducted.acts
    for place, act, kind in acts:
        later = [a for p, a, k in acts if p > place and k is Kind.REVERSIBLE]
        if kind is not Kind.REVERSIBLE and later:
            return act, f"{said(act)} changed data before {said(later[0])}, which can be taken back, was tried"
    return None


def data_limited(conducted: Conducted) -> Broken | None:
    """Every change of data says which rows it is about."""
    for _, act, kind in conducted.acts:
        if kind is Kind.DATA and not limited(act):
            return act, f"{said(act)} is not limited to named rows"
    return None


def evidence_saved(conducted: Conducted) -> Broken | None:
    """Before every restart, roll-back or change of data, evidence was saved since the act before."""
    before = -1
    for place, act, kind in conducted.acts:
        since = conducted.events[before + 1 : place]
        if (act.verb in RESTARTS or kind is not Kind.REVERSIBLE) and not any(
            isinstance(e, EvidenceSaved) for e in since
        ):
            return act, f"no sweep, settings and logs were saved between {said(act)} and the act before it"
        before = place
    return None


def one_factor_at_a_time(conducted: Conducted) -> Broken | None:
    """Between changes of two factors somebody looked: a check, or a judged criterion."""
    acts = conducted.acts
    for (first_at, first, _), (place, act, _) in pairwise(acts):
        between = conducted.events[first_at + 1 : place]
        if factor_of(first) != factor_of(act) and not any(isinstance(e, Checked | Judged) for e in between):
            return act, f"{said(act)} followed {said(first)} without a look at the checks between"
    return None


def reversible_first(conducted: Conducted) -> Broken | None:
    """The first act is one that can be taken back, when there is any such act."""
    acts = conducted.acts
    if acts and acts[0][2] is not Kind.REVERSIBLE and any(k is Kind.REVERSIBLE for _, _, k in acts):
        return acts[0][1], f"{said(acts[0][1])} came first, although others could have been taken back"
    return None


def schema_later(conducted: Conducted) -> Broken | None:
    """Changes of a schema, and of data without a limit, only after the first recovery."""
    end = conducted.recovered_at
    for place, act, kind in conducted.acts:
        early = end is None or place < end
        if early and (kind is Kind.SCHEMA or (kind is Kind.DATA and not limited(act))):
            return act, f"{said(act)} came before the first recovery"
    return None


@dataclass(frozen=True)
class Conduct:
    """What the runbook asks of every incident.

    Attributes:
        rules: over the acts.
        conditions: keys and texts of the conditions of completion, in this order: failures, backlogs, indicators,
            side effects.
        stops: the names of the stops of the first response in their order, each with the beginnings of its probes' names.
        tools: the kind of each repair tool.
        consistency: the source of facts whose rows are `key` and `count` of the consistency queries; none may count any.
        remarks: what should be known of such a query, by its key.
    """

    rules: tuple[Rule, ...]
    conditions: tuple[tuple[str, str], ...]
    stops: tuple[tuple[str, tuple[str, ...]], ...] = ()
    tools: Mapping[str, Kind] = field(default_factory=dict)
    consistency: str = ""
    remarks: Mapping[str, str] = field(default_factory=dict)


def responded(events: Sequence[Event]) -> float | None:
    """When the response began, or None."""
    started = (e for e in events if isinstance(e, PhaseStarted) and e.phase == Phase.RESPOND.value)
    return next((e.t for e in started), None)
