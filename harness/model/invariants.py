"""Invariants: what must hold through a whole scenario, judged purely on recorded facts.

Facts are tables of rows that were read while the scenario went on and at its end, before anything is put back. They are
written to the journal, so that a run can be judged again without the system.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from harness.model.criteria import Verdict
from harness.model.errors import Unreadable
from harness.model.ports import Observer
from harness.model.span import Number
from harness.model.words import counted

Row = Mapping[str, Any]
"""One row by column; values are numbers, texts, truth values or None."""

SAMPLES = "samples"
"""The table of looks at the often-read sources: from `at_s` to `until_s`; `unread` names those that were not read."""

END = "end"
MOMENTS = ("steady", "hold", END)
"""When sources of moments are read: before the fault, at the end of the untreated stretch, at the end."""


class NothingToJudge(Exception):  # noqa: N818  (no error: the scenario just has nothing that the invariant speaks of)
    """Nothing happened that an invariant speaks of; the text says what."""


class When(Enum):
    """How often a source is read."""

    END = "at the end"
    MOMENT = "at moments"
    OFTEN = "often"


@dataclass(frozen=True)
class Source:
    """A table of facts and how it is read.

    Attributes:
        name: of the table.
        columns: what each row has; sources of moments have `at_s` and `moment` before them, often-read ones `at_s`.
        read: gives the rows, each in the order of the columns; raises Unreadable.
        when: how often it is read.
        moments: at which ones, for a source of moments.
    """

    name: str
    columns: tuple[str, ...]
    read: Callable[[Observer], Awaitable[Sequence[Sequence[Any]]]]
    when: When = When.END
    moments: tuple[str, ...] = MOMENTS

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The columns with those that the time of reading adds."""
        return {When.END: (), When.MOMENT: ("at_s", "moment"), When.OFTEN: ("at_s",)}[self.when] + self.columns


@dataclass(frozen=True)
class Course:
    """What the facts have to be judged against; times are seconds since the run began, None when it did not come to it.

    Attributes:
        injects: whether the arm breaks anything.
        treated: whether the arm responds as the runbook says.
        recovered: whether the recovery criteria were met.
        drained: whether everything in flight had ended when the facts were read; None when nobody waited for it.
        settling: the stretches after restarts that are judged by neither side, each from and until.
    """

    begun_s: float
    injected_s: float | None
    responded_s: float | None
    ended_s: float
    injects: bool
    treated: bool
    recovered: bool
    drained: bool | None
    settling: Sequence[Sequence[float]] = ()

    @property
    def over(self) -> bool:
        """Whether the system is whole again, or was all along, so that everything must have come to its end."""
        return not self.injects or (self.treated and self.recovered)


@dataclass(frozen=True)
class Facts:
    """What was recorded.

    Attributes:
        tables: rows by the name of their source.
        unread: why a source could not be read, by its name.
    """

    tables: Mapping[str, Sequence[Row]]
    unread: Mapping[str, str]
    course: Course

    def unreadable(self, name: str) -> str:
        """What is said of a source that could not be read."""
        return f"{name} could not be read: {self.unread[name]}"

    def rows(self, name: str) -> Sequence[Row]:
        """The rows of a source; raises Unreadable when it was not read."""
        if name in self.unread:
            raise Unreadable(self.unreadable(name))
        if name not in self.tables:
            raise Unreadable(f"{name} was not recorded")
        return self.tables[name]


@dataclass(frozen=True)
class Violation:
    """One breach.

    Attributes:
        id: of what it happened to.
        says: what is wrong, in one line.
        history: what is known of that id, one line each, oldest first.
    """

    id: str
    says: str
    history: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ruling:
    """What an invariant comes to; PENDING says that there is nothing to judge, or not yet: the system is still broken."""

    verdict: Verdict
    says: str
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True)
class Invariant:
    """What must hold through the whole scenario.

    Attributes:
        name: short, as scenarios name it in `breaks`.
        check: gives the violations and a line on what was looked at, purely; raises Unreadable when facts are missing
            and NothingToJudge when nothing happened that it speaks of.
        only_over: judged only when everything must have come to its end.
    """

    name: str
    title: str
    check: Callable[[Facts], tuple[Sequence[Violation], str]]
    only_over: bool = False

    def judge(self, facts: Facts) -> Ruling:
        """Judge the facts; what cannot be known is UNKNOWN."""
        if self.only_over and not facts.course.over:
            return Ruling(Verdict.PENDING, "judged only after a treated recovery")
        try:
            violations, says = self.check(facts)
        except Unreadable as error:
            return Ruling(Verdict.UNKNOWN, str(error))
        except NothingToJudge as nothing:
            return Ruling(Verdict.PENDING, f"nothing to judge: {nothing}")
        except (KeyError, TypeError, ValueError) as error:
            return Ruling(Verdict.UNKNOWN, f"the facts are not of the expected form: {type(error).__name__} {error}")
        if violations:
            return Ruling(Verdict.BROKEN, f"{counted(len(violations), 'violation')}; {says}", tuple(violations))
        return Ruling(Verdict.HELD, says)


@dataclass(frozen=True)
class Flight:
    """What has not come to its end yet.

    Attributes:
        left: how many there are.
        tries: how often something was tried for them; while it changes, they are on their way.
    """

    left: int
    tries: int = 0


@dataclass(frozen=True)
class Invariants:
    """All invariants of a catalogue.

    Attributes:
        sources: the facts that they need.
        stages: how many event ids stand at each stage of their way, by the stage's name; raises Unreadable.
        in_flight: what has not come to its end yet; raises Unreadable.
        drain_s: how long nothing of it may move once the traffic has ended, in seconds.
    """

    sources: tuple[Source, ...]
    invariants: tuple[Invariant, ...]
    stages: Callable[[Facts], dict[str, int]]
    in_flight: Callable[[Observer], Awaitable[Flight]]
    drain_s: Number


def packed(facts: Facts) -> dict[str, Any]:
    """The facts as plain data, columns named once for each table."""
    tables = {}
    for name, rows in facts.tables.items():
        columns = list(rows[0]) if rows else []
        tables[name] = {"columns": columns, "rows": [[row[c] for c in columns] for row in rows]}
    return {"tables": tables, "unread": dict(facts.unread), "course": asdict(facts.course)}


def unpacked(tables: Mapping[str, Any], unread: Mapping[str, str], course: Mapping[str, Any]) -> Facts:
    """The facts of plain data; raises ValueError when they have another form."""
    try:
        return Facts(
            {
                name: tuple(dict(zip(table["columns"], row, strict=True)) for row in table["rows"])
                for name, table in tables.items()
            },
            dict(unread),
            Course(**course),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"broken facts: {type(error).__name__} {error}") from None
