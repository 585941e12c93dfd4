"""Faults of the way between two parts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from harness.model.faults.names import Kind, Name
from harness.model.ports import Injector, Observer
from harness.model.values import Ability, Pong
from harness.model.witness import LinkWitness, QueryWitness, Witness


@dataclass(frozen=True)
class Cut:
    """A link refuses connections and closes the open ones, or swallows everything in both directions."""

    link: str
    black_hole: bool = False
    needs: frozenset[Ability] = frozenset({Ability.CUT})

    @property
    def says(self) -> str:
        return f"{self.link} {'swallows everything' if self.black_hole else 'is refused'}"

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.LINK, self.link),)

    async def inject(self, injector: Injector) -> None:
        await injector.cut(self.link, black_hole=self.black_hole)

    def witness(self) -> Witness:
        return LinkWitness(self.link, lambda pong, _before: not pong.answered)


@dataclass(frozen=True)
class Slow:
    """A link answers late, or at a limited bandwidth in kilobytes a second."""

    link: str
    latency_ms: float = 0
    jitter_ms: float = 0
    rate_kb_s: float | None = None
    needs: frozenset[Ability] = frozenset({Ability.CUT})

    @property
    def says(self) -> str:
        rate = "" if self.rate_kb_s is None else f", {self.rate_kb_s:g} kB/s"
        return f"{self.link} answers {self.latency_ms:g} ± {self.jitter_ms:g} ms late{rate}"

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.LINK, self.link),)

    async def inject(self, injector: Injector) -> None:
        await injector.slow(self.link, latency_ms=self.latency_ms, jitter_ms=self.jitter_ms, rate_kb_s=self.rate_kb_s)

    def witness(self) -> Witness:
        # The delay is the least that an answer can take; one that was as late before must be later by half of it.
        least_ms = max(self.latency_ms - self.jitter_ms, 0) * 0.9

        def bites(pong: Pong, before: Pong | None) -> bool:
            if pong.rtt_ms is None:
                return pong.says == "silent"  # a slow link closes nothing: whoever closed it is no evidence
            if before is None or before.rtt_ms is None or before.rtt_ms < least_ms:
                return pong.rtt_ms >= least_ms > 0
            return pong.rtt_ms >= before.rtt_ms + least_ms / 2 > 0

        return LinkWitness(self.link, bites)


@dataclass(frozen=True)
class Reset:
    """A link resets its connections once data flows on them."""

    link: str
    after_ms: int = 0
    needs: frozenset[Ability] = frozenset({Ability.CUT})

    @property
    def says(self) -> str:
        return f"{self.link} resets connections after {self.after_ms} ms"

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.LINK, self.link),)

    async def inject(self, injector: Injector) -> None:
        await injector.reset(self.link, after_ms=self.after_ms)

    def witness(self) -> Witness:
        return LinkWitness(self.link, lambda pong, _before: not pong.answered)


@dataclass(frozen=True)
class BriefSlowdown:
    """A link is slow for a while and then as before; `seen` observes what that has set off."""

    link: str
    latency_ms: float
    duration_s: float
    seen: Callable[[Observer], Awaitable[bool | None]] = field(compare=False)
    needs: frozenset[Ability] = frozenset({Ability.CUT})

    @property
    def says(self) -> str:
        return f"{self.link} was {self.latency_ms:g} ms slow for {self.duration_s:g} s"

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.LINK, self.link),)

    async def inject(self, injector: Injector) -> None:
        await injector.slow_briefly(self.link, latency_ms=self.latency_ms, duration_s=self.duration_s)

    def witness(self) -> Witness:
        return QueryWitness(self.says, self.seen)
