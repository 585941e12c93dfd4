"""Sampling a runbook's queries while a scenario goes on: read-only, bounded in time, told in the journal."""

from collections.abc import Callable, Sequence

from harness.model.errors import Unreadable
from harness.model.events import Event, Queried
from harness.model.ports import Clock, Observer
from harness.model.runbook import Query

BUDGET_S = 2.0
"""What one round of samples may take: a database that hangs must not make a hold longer than its limits allow."""

MOST_ROWS = 50
"""Rows of one sample that are kept."""

MOST_TEXT = 200
"""Characters of one value that are kept."""


class Queries:
    """The queries of one scenario."""

    def __init__(
        self,
        queries: Sequence[Query],
        observer: Observer,
        clock: Clock,
        emit: Callable[[Event], None],
        label: str | None,
    ) -> None:
        self._queries = queries
        self._observer = observer
        self._clock = clock
        self._emit = emit
        self._label = label

    async def sample(self, moment: str) -> None:
        """Run each query once, as it stands and scaled; never raises for one that fails."""
        until_s = self._clock.now_s() + BUDGET_S
        for query in self._queries:
            await self._run(query, query.text, moment, until_s, scaled=False)
            if query.scaled is not None:
                await self._run(query, query.scaled, moment, until_s, scaled=True)

    async def _run(self, query: Query, text: str, moment: str, until_s: float, *, scaled: bool) -> None:
        rows: list[list[str | None]] = []
        failed = None
        if self._clock.now_s() >= until_s:
            failed = f"{NO_TIME} {BUDGET_S:g} s"
        else:
            try:
                found = await self._observer.query(text)
                rows = [[None if v is None else str(v)[:MOST_TEXT] for v in row] for row in found[:MOST_ROWS]]
            except Unreadable as error:
                failed = str(error)
        self._emit(Queried(self._clock.now_s(), self._label, query.key, scaled, rows, failed, query.digest, moment))


NO_TIME = "no time was left for it: the queries before it took"
"""How a sample begins that was not taken; it says nothing about the query."""
