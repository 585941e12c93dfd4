"""Invariants while a scenario goes on: facts read often, at moments and at the end, judged before anything is put back."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from harness.engine.outcome import Outcome
from harness.model.arms import Arm
from harness.model.criteria import Verdict
from harness.model.errors import Unreadable
from harness.model.events import Event, FactsRecorded, Finding, InvariantJudged, LedgerCounted, Noted
from harness.model.invariants import (
    END,
    SAMPLES,
    Course,
    Facts,
    Flight,
    Invariant,
    Invariants,
    Ruling,
    Source,
    When,
    packed,
)
from harness.model.runtime import Equipment
from harness.model.span import Settings, as_span

OFTEN_S = 1.0
"""The pace of often-read sources: queries of some rows, and one light request."""

READ_TIMEOUT_S = 5.0
"""A source that has not answered by then was not read."""

DRAIN_EVERY_S = 0.2
MOST_DRAINS = 4
"""What moves on without an end is given up after so many times what may stand still."""

DRAINED = 2
"""So often in a row nothing must be in flight: what is between two of its places for a moment is seen the second time."""

MOST = 20
"""So many violations of one invariant are told; more are counted."""

Made = tuple[Finding, str]


class InvariantWatch:
    """The facts of one scenario run."""

    def __init__(
        self, equipment: Equipment, invariants: Invariants | None, emit: Callable[[Event], None], label: str
    ) -> None:
        self._equipment = equipment
        self._clock = equipment.clock
        self._of = invariants
        self._emit = emit
        self._label = label
        self._tables: dict[str, list[Mapping[str, Any]]] = {}
        self._unread: dict[str, str] = {}
        self._sampling: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Start reading the often-read sources in the background."""
        if self._sources(When.OFTEN):
            self._sampling = asyncio.create_task(self._go_on(), name=f"facts of {self._label}")

    async def end(self) -> None:
        """Stop reading; raises what went wrong in it."""
        sampling, self._sampling = self._sampling, None
        if sampling is not None:
            sampling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sampling

    def _sources(self, when: When) -> list[Source]:
        return [s for s in self._of.sources if s.when is when] if self._of else []

    async def _go_on(self) -> None:
        next_s = self._clock.now_s()
        while True:
            await self._sample()
            next_s = max(next_s + OFTEN_S, self._clock.now_s())
            await self._clock.sleep_until(next_s)

    async def _sample(self) -> None:
        sources, began_s = self._sources(When.OFTEN), _ms(self._clock.now_s())
        # Sources are read one after another: what they ask is asked of the same few parts.
        failed = [s.name for s in sources if await self._take(s) is not None]
        sample = {"at_s": began_s, "until_s": _ms(self._clock.now_s()), "unread": ",".join(failed)}
        self._tables.setdefault(SAMPLES, []).append(sample)

    async def moment(self, name: str) -> None:
        """Read the sources of moments; while the system is broken some may give nothing, at the end they must."""
        for source in (s for s in self._sources(When.MOMENT) if name in s.moments):
            error = await self._take(source, name)
            if error is not None and name == END:
                self._unread[source.name] = error

    async def _take(self, source: Source, moment: str = "") -> str | None:
        """Read one source into its table; gives why it could not be read."""
        at_s = _ms(self._clock.now_s())
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                rows = await source.read(self._equipment.observer)
        except (Unreadable, TimeoutError) as error:
            return str(error) or "no answer in time"
        before: tuple[Any, ...] = {When.END: (), When.MOMENT: (at_s, moment), When.OFTEN: (at_s,)}[source.when]
        table = self._tables.setdefault(source.name, [])
        table += (dict(zip(source.all_columns, (*before, *map(_plain, row)), strict=True)) for row in rows)
        return None

    async def _drain(self, settings: Settings) -> bool | None:
        """Wait until nothing is in flight, or nothing of it moves any more; None when that cannot be known.

        A slow machine makes the way longer. What stands still is lost, however fast the machine is.
        """
        if self._of is None:
            return None
        patience_s, began_s = as_span(self._of.drain_s).of(settings), self._clock.now_s()
        moved_s, last, empty = began_s, Flight(0), 0
        flight: Flight | None = None
        while empty < DRAINED and self._clock.now_s() < min(moved_s, began_s + MOST_DRAINS * patience_s) + patience_s:
            try:
                flight = await self._of.in_flight(self._equipment.observer)
            except Unreadable:
                flight = None
            if flight is not None and flight != last:
                moved_s, last = self._clock.now_s(), flight
            empty = empty + 1 if flight is not None and not flight.left else 0
            if empty < DRAINED:
                await self._clock.sleep(DRAIN_EVERY_S)
        return None if flight is None else not flight.left

    async def conclude(self, course: Course, breaks: tuple[str, ...], settings: Settings) -> list[Made]:
        """Let what is in flight end where it can, read what is left to read, judge everything; gives the findings."""
        if self._of is None:
            return []
        if course.over:
            course = replace(course, drained=await self._drain(settings))
        await self.moment(END)
        await self.end()
        for source in self._sources(When.END):
            error = await self._take(source)
            if error is not None:
                self._unread[source.name] = error
        for name in (SAMPLES, *(s.name for s in self._of.sources)):
            self._tables.setdefault(name, [])
        facts = Facts(self._tables, self._unread, course)
        self._emit(FactsRecorded(self._clock.now_s(), self._label, **packed(facts)))
        found: list[Made] = []
        for invariant, ruling in judged(self._of, facts):
            self._emit(told(self._clock.now_s(), self._label, invariant, ruling, breaks))
            made = finding_of(invariant, ruling, breaks, course)
            found += [made] if made else []
        try:
            self._emit(LedgerCounted(self._clock.now_s(), self._label, self._of.stages(facts)))
        except Unreadable as error:
            self._emit(Noted(self._clock.now_s(), self._label, f"the event ids could not be counted: {error}"))
        return found


def course_of(
    arm: Arm, outcome: Outcome, begun_s: float, now_s: float, settling: Sequence[tuple[float, float]]
) -> Course:
    """The course of a scenario run that has come to its end."""
    return Course(
        begun_s,
        outcome.injected_s,
        outcome.responded_s,
        now_s,
        arm.injects,
        arm.responds,
        outcome.recovered,
        drained=None,
        settling=tuple(settling),
    )


def judged(of: Invariants, facts: Facts) -> list[tuple[Invariant, Ruling]]:
    """Every invariant with its ruling."""
    return [(invariant, invariant.judge(facts)) for invariant in of.invariants]


def told(t: float, label: str, invariant: Invariant, ruling: Ruling, breaks: tuple[str, ...]) -> InvariantJudged:
    """The ruling as an event."""
    return InvariantJudged(
        t,
        label,
        invariant.name,
        invariant.title,
        ruling.verdict.value,
        ruling.says,
        [asdict(v) for v in ruling.violations[:MOST]],
        invariant.name in breaks,
    )


def finding_of(invariant: Invariant, ruling: Ruling, breaks: tuple[str, ...], course: Course) -> Made | None:
    """The finding of a ruling: a breach nobody announced, an announced one that did not come, or what is not known."""
    if ruling.verdict is Verdict.BROKEN and invariant.name not in breaks:
        first = ruling.violations[0]
        more = f" (and {len(ruling.violations) - 1} more)" if len(ruling.violations) > 1 else ""
        return Finding.INVARIANT_BROKEN, f"{invariant.name} {invariant.title}: {first.id}: {first.says}{more}"
    if ruling.verdict is Verdict.UNKNOWN and course.over:
        return Finding.UNKNOWN, f"{invariant.name} {invariant.title}: cannot be known: {ruling.says}"
    if ruling.verdict is Verdict.HELD and invariant.name in breaks and course.injects and course.over:
        held = f"{invariant.name} {invariant.title}: held, although the fault is said to break it"
        return Finding.NOT_REPRODUCED, held
    return None


def _ms(seconds: float) -> float:
    return round(seconds, 3)


def _plain(value: Any) -> Any:
    return _ms(value) if isinstance(value, float) else value
