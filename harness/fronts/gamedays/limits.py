"""The conditions that end a game day early: asked after every step, and all the time while scenarios run."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from harness.fronts.gamedays.plan_file import Abort
from harness.model.events import Claim, Claimed, Event, Finding, RunAgain
from harness.model.words import counted

SETTLED_S = 2.0
"""So long after it a claim that the machine was too busy for stands: sooner it may be said that it runs again."""


def reached(limits: Abort, counts: Mapping[str, int]) -> str:
    """Which number of claims is reached, in words; empty when none is."""
    for claim, limit in ((Claim.REFUTED, limits.refuted), (Claim.INCONCLUSIVE, limits.inconclusive)):
        found = counts.get(claim.value, 0)
        if limit is not None and found >= limit:
            return f"{found} {claim.value.lower()}, the plan aborts at {limit}"
    return ""


def over(minutes: float) -> str:
    """That the plan's time is over, in words."""
    return f"{counted(minutes, 'minute is', 'minutes are')} over"


class Watch:
    """Asks the conditions while a step's scenarios run, and interrupts them when one is met.

    Attributes:
        met: which one is, in words; empty until then.
    """

    def __init__(
        self,
        limits: Abort,
        before: Mapping[str, int],
        took_s: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """`before` counts the claims of the steps before; `took_s` gives the seconds since the day began."""
        self.met = ""
        self._limits = limits
        self._before = before
        self._took_s = took_s
        self._sleep = sleep
        self._claims: dict[str, str] = {}
        self._unsettled: dict[str, Claimed] = {}
        self._interrupted: asyncio.Event | None = None

    def take(self, event: Event) -> None:
        """Take one event of the run in."""
        label = event.scenario or ""
        if isinstance(event, RunAgain):
            self._unsettled.pop(label, None)
        elif isinstance(event, Claimed) and Finding.TOO_BUSY.value in event.findings:
            self._unsettled[label] = event
        elif isinstance(event, Claimed):
            self._claims[label] = event.claim
        settled = {name: e.claim for name, e in self._unsettled.items() if event.t - e.t >= SETTLED_S}
        if settled or isinstance(event, Claimed):
            self._claims |= settled
            for name in settled:
                del self._unsettled[name]
            self._end(reached(self._limits, Counter(self._claims.values()) + Counter(self._before)))

    async def beside(self, interrupted: asyncio.Event) -> None:
        """Go on beside the run, which `interrupted` ends: the time passes even when nothing happens."""
        self._interrupted = interrupted
        minutes = self._limits.minutes
        if minutes is not None:
            while (left_s := minutes * 60 - self._took_s()) > 0:
                await self._sleep(left_s)
            self._end(over(minutes))

    def _end(self, why: str) -> None:
        """The first reason stands; what somebody interrupted already has a reason of its own."""
        if why and not self.met and self._interrupted is not None and not self._interrupted.is_set():
            self.met = why
            self._interrupted.set()
