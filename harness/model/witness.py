"""Witnesses: observations, apart from the symptom, that a fault really bites."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from harness.model.errors import Unreadable
from harness.model.ports import Canary, Observer
from harness.model.values import PartStatus, Pong


@dataclass(frozen=True)
class Seen:
    """What a witness saw.

    Attributes:
        bites: whether the fault bites; None when that could not be told.
        says: what was observed, for people.
    """

    bites: bool | None
    says: str


class Witness(Protocol):
    """Watches one fault on one cell: prepared before the injection, asked after it and at the end of the hold."""

    async def prepare(self, observer: Observer) -> None:
        """Take what must be known before the injection; raises Unreadable when the part is not as it should be."""

    async def look(self, observer: Observer) -> Seen:
        """Observe whether the fault bites now."""

    async def close(self) -> None:
        """Let go of what it holds."""


class _Watch:
    """A witness that needs no preparation."""

    async def prepare(self, observer: Observer) -> None:
        """Nothing to take."""

    async def close(self) -> None:
        """Nothing to let go of."""


TIMES = 3
"""So often a link is asked; the fastest answer counts, for a busy machine makes answers late, and none early."""

BUSY_MS = 60.0
"""An answer later than this is not late because of the machine, and is not asked for again."""


class LinkWitness:
    """Asks through the link on a connection that was open before the fault, and on a new one."""

    def __init__(self, link: str, bites: Callable[[Pong, Pong | None], bool]) -> None:
        self._link = link
        self._bites = bites
        self._canary: Canary | None = None
        self._before: Pong | None = None

    async def prepare(self, observer: Observer) -> None:
        """Open the connection and see it answer."""
        self._canary = await observer.canary(self._link)
        self._before = await _fastest(self._canary.ping)
        if not self._before.answered:
            raise Unreadable(f"{self._link} did not answer before the fault: {self._before.says}")

    async def look(self, observer: Observer) -> Seen:
        """Ask on the existing connection and on a new one; the fault bites when both show it."""
        if self._canary is None:
            return Seen(None, "not prepared")
        old = await _fastest(self._canary.ping)
        new = await _fastest(partial(observer.reach, self._link))
        says = f"existing connection {_pong(old)}, new connection {_pong(new)}"
        return Seen(self._bites(old, self._before) and self._bites(new, None), says)

    async def close(self) -> None:
        """Drop the connection."""
        if self._canary is not None:
            await self._canary.close()


async def _fastest(ask: Callable[[], Awaitable[Pong]]) -> Pong:
    """The fastest of a few answers, or the first that did not come or was late beyond doubt."""
    fastest = await ask()
    for _ in range(TIMES - 1):
        if fastest.rtt_ms is None or fastest.rtt_ms > BUSY_MS:
            break
        pong = await ask()
        if pong.rtt_ms is None:
            return pong
        fastest = min(fastest, pong, key=lambda p: p.rtt_ms or 0.0)
    return fastest


def _pong(pong: Pong) -> str:
    return f"answered in {pong.rtt_ms:.0f} ms" if pong.rtt_ms is not None else pong.says


class StateWitness(_Watch):
    """Sees the state of every instance of a part, as the machine sees it."""

    def __init__(self, part: str, status: PartStatus) -> None:
        self._part = part
        self._status = status

    async def look(self, observer: Observer) -> Seen:
        """Whether every instance is in that state."""
        states = await observer.states(self._part)
        says = ", ".join(f"{s.name} {s.status.value}" for s in states) or f"no {self._part}"
        return Seen(bool(states) and all(s.status is self._status for s in states), says)


class RestartedWith(_Watch):
    """Sees that a service was restarted after the change and that `check` holds of each instance."""

    def __init__(self, service: str, says: str, check: Callable[[Observer], Awaitable[bool]]) -> None:
        self._service = service
        self._says = says
        self._check = check
        self._before: frozenset[str] = frozenset()

    async def prepare(self, observer: Observer) -> None:
        """Remember the instances that run now."""
        self._before = frozenset(s.identity for s in await observer.states(self._service))

    async def look(self, observer: Observer) -> Seen:
        """Whether all instances are new ones and run as changed."""
        states = await observer.states(self._service)
        fresh = bool(states) and not any(s.identity in self._before for s in states)
        says = f"{self._says}; {'restarted' if fresh else 'not restarted'}"
        try:
            return Seen(fresh and await self._check(observer), says)
        except Unreadable as error:
            return Seen(None, f"{says}: {error}")


class QueryWitness(_Watch):
    """Sees the fault in what a read-only observation says."""

    def __init__(self, says: str, check: Callable[[Observer], Awaitable[bool | None]]) -> None:
        self._says = says
        self._check = check

    async def look(self, observer: Observer) -> Seen:
        """Whether the observation shows it."""
        try:
            return Seen(await self._check(observer), self._says)
        except Unreadable as error:
            return Seen(None, f"{self._says}: {error}")


class AllOf:
    def __init__(self, witnesses: Sequence[Witness]) -> None:
        self._witnesses = witnesses

    async def prepare(self, observer: Observer) -> None:
        for witness in self._witnesses:
            await witness.prepare(observer)

    async def look(self, observer: Observer) -> Seen:
        seen = [await witness.look(observer) for witness in self._witnesses]
        bites = False if any(s.bites is False for s in seen) else None if any(s.bites is None for s in seen) else True
        return Seen(bites, "; ".join(s.says for s in seen))

    async def close(self) -> None:
        for witness in self._witnesses:
            await witness.close()
