"""What samples of a runbook's query tell: whether the database had a say in one, and whether rows move under a fault."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.model.events import Queried

NOT_TAKEN = (
    "no time was left for it",
    *(
        f"PostgreSQL: {begins}"
        for begins in (
            # No connection came about: what the client says, or what it was told in place of one.
            "connection failed: ", "connection timeout expired", "Multiple connection attempts failed",
            "failed to resolve host ",
            # It was lost before the answer.
            "the connection is ", "consuming input failed: ", "flushing failed: ", "sending ",
            "server closed the connection unexpectedly", "terminating connection due to ",
            # The answer was cut off, by our own limit or by somebody who ends what blocks others.
            "canceling statement due to ",
        )
    ),
)  # fmt: skip
"""How samples begin that were not taken. Whole beginnings: a broken query's own error may hold any of these words."""

TOO_SLOW = "PostgreSQL: canceling statement due to statement timeout"
"""How a sample begins that our own limit ended. Where nothing is broken, the query is what takes too long."""

UNBROKEN = frozenset({"steady", "idle"})
"""Moments at which nothing is broken."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")

Figures = dict[tuple[tuple[str | None, ...], int], float]
"""Numbers by the texts beside them in their row, and by column; what has the same place is added up."""

COUNT = -1
"""In the place of a column: how many rows have these texts."""

ALL = ((), COUNT)
"""How many rows there are."""


@dataclass(frozen=True)
class Sample:
    """One sample of a query in some run: `run` tells runs of scenarios apart, and begins with the run's folder."""

    run: str
    event: Queried

    @property
    def folder(self) -> str:
        """The folder of the whole run."""
        return self.run.partition("/")[0]

    @property
    def id(self) -> str:
        """The failure mode under whose fault it was taken, or empty."""
        return (self.event.scenario or "").partition(":")[0]


def taken(event: Queried) -> bool:
    """Whether the database had a say at all: a sample that its round had no time for, or no connection, tells nothing."""
    return event.failed is None or too_slow(event) or not event.failed.startswith(NOT_TAKEN)


def too_slow(event: Queried) -> bool:
    """Whether a query took longer than it may although nothing was broken; on a busy machine any may, now and then."""
    return event.failed is not None and event.moment in UNBROKEN and event.failed.startswith(TOO_SLOW)


def moves(samples: Iterable[Sample]) -> list[bool | None]:
    """Whether the rows moved under the fault, for each run with samples of the steady state and of the hold.

    Two samples of the steady state tell what traffic alone does. Rows that stood still have moved when they are others in
    the hold. Of rows that change anyway, a figure has moved when it goes on at more than twice its pace or at less than
    half, one more or less aside: what happens to be under way comes and goes. None: their texts change with traffic alone
    and no figure tells more, or there is one sample of the steady state only, as older runs have it, and the hold differs.
    """
    runs: dict[str, dict[str, list[Queried]]] = {}
    for s in sorted(samples, key=lambda s: s.event.t):
        runs.setdefault(s.run, {}).setdefault(s.event.moment, []).append(s.event)
    found = []
    for by_moment in runs.values():
        steady, hold = by_moment.get("steady", []), by_moment.get("hold", [])
        if steady and hold:
            found.append(_moved(steady[0], steady[-1], hold[-1]))
    return found


def _moved(first: Queried, second: Queried, hold: Queried) -> bool | None:
    if not first.t < second.t < hold.t:
        return False if second.rows == hold.rows else None
    begun, steady, now = (_figures(e.rows) for e in (first, second, hold))
    if begun == steady:
        return now != steady
    same = _texts(begun) == _texts(steady)
    # Texts that come and go by themselves, ids for example, tell something only while they are there.
    told = _texts(begun) | _texts(steady) | _texts(now) if same else (_texts(begun) | _texts(steady)) & _texts(now)
    longer = (hold.t - second.t) / (second.t - first.t)
    for place in (*begun, *steady, *now):
        figures = (begun.get(place, 0.0), steady.get(place, 0.0), now.get(place, 0.0))
        if (place[0] in told or place == ALL) and _left(*figures, longer):
            return True
    return False if same else None


def _left(begun: float, steady: float, now: float, longer: float) -> bool:
    """Whether a figure left its trend in the hold, which was so many times longer than the steady stretch."""
    whole = all(figure.is_integer() for figure in (begun, steady, now))
    one = 1.0 if whole else max(abs(begun), abs(steady))
    slack = one if begun == steady else one * (1.0 + longer)
    expected = (steady - begun) * longer
    slower, faster = sorted((expected / 2, expected * 2))
    return not slower - slack <= now - steady <= faster + slack


def _figures(rows: Sequence[Sequence[str | None]]) -> Figures:
    found: Figures = defaultdict(float)
    for row in rows:
        numbers = {i: float(cell) for i, cell in enumerate(row) if cell is not None and _NUMBER.fullmatch(cell)}
        texts = tuple(cell for i, cell in enumerate(row) if i not in numbers)
        for column, number in {**numbers, COUNT: 1.0}.items():
            found[texts, column] += number
    return dict(found) | {ALL: float(len(rows))}


def _texts(figures: Figures) -> set[tuple[str | None, ...]]:
    return {place[0] for place in figures if place != ALL}
