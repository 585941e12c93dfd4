"""Faults: what breaks, by which verb of the Injector, and the witness that it really bites.

Each fault is a value with one verb, `inject`, and gives a witness. "Do nothing" is a full member of the family. Healing
is not here: the cell is reconciled to its baseline.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.model.ports import Injector, Observer
from harness.model.values import Ability, PartStatus, Pong
from harness.model.witness import AllOf, LinkWitness, QueryWitness, RestartedWith, StateWitness, Witness


class Fault(Protocol):
    """What breaks."""

    @property
    def says(self) -> str:
        """One line for people."""

    @property
    def needs(self) -> frozenset[Ability]:
        """The abilities without which it cannot be injected."""

    async def inject(self, injector: Injector) -> None:
        """Break it."""

    def witness(self) -> Witness:
        """A new witness."""


@dataclass(frozen=True)
class Cut:
    """A link refuses connections and closes the open ones, or swallows everything in both directions."""

    link: str
    black_hole: bool = False
    needs: frozenset[Ability] = frozenset({Ability.CUT})

    @property
    def says(self) -> str:
        return f"{self.link} {'swallows everything' if self.black_hole else 'is refused'}"

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

    async def inject(self, injector: Injector) -> None:
        await injector.slow(self.link, latency_ms=self.latency_ms, jitter_ms=self.jitter_ms, rate_kb_s=self.rate_kb_s)

    def witness(self) -> Witness:
        # Half of what the delay can be at the least tells a slowed link from a busy machine only when the delay is
        # clearly longer than the answer was before, so both are asked for.
        least_ms = max(self.latency_ms - self.jitter_ms, 0) * 0.5

        def bites(pong: Pong, before: Pong | None) -> bool:
            if pong.rtt_ms is None:
                return True
            return before is not None and before.rtt_ms is not None and pong.rtt_ms >= before.rtt_ms + least_ms > 0

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

    async def inject(self, injector: Injector) -> None:
        await injector.reset(self.link, after_ms=self.after_ms)

    def witness(self) -> Witness:
        return LinkWitness(self.link, lambda pong, _before: not pong.answered)


@dataclass(frozen=True)
class Stop:
    """A part is stopped cleanly and stays stopped."""

    part: str
    needs: frozenset[Ability] = frozenset({Ability.STOP})

    @property
    def says(self) -> str:
        return f"{self.part} is stopped"

    async def inject(self, injector: Injector) -> None:
        await injector.stop(self.part)

    def witness(self) -> Witness:
        return StateWitness(self.part, PartStatus.STOPPED)


@dataclass(frozen=True)
class Kill:
    """A part is killed and stays dead."""

    part: str
    needs: frozenset[Ability] = frozenset({Ability.KILL})

    @property
    def says(self) -> str:
        return f"{self.part} is killed"

    async def inject(self, injector: Injector) -> None:
        await injector.kill(self.part)

    def witness(self) -> Witness:
        return StateWitness(self.part, PartStatus.STOPPED)


@dataclass(frozen=True)
class Freeze:
    """A part keeps its connections and does nothing."""

    part: str
    needs: frozenset[Ability] = frozenset({Ability.FREEZE})

    @property
    def says(self) -> str:
        return f"{self.part} is frozen"

    async def inject(self, injector: Injector) -> None:
        await injector.freeze(self.part)

    def witness(self) -> Witness:
        return StateWitness(self.part, PartStatus.FROZEN)


@dataclass(frozen=True)
class ChangedSetting:
    """A service runs with another value of a setting.

    Attributes:
        effect: sees in the system's behaviour that the value is in force; without it, what the service was given at
            its last start is read.
    """

    service: str
    name: str
    value: str | None
    effect: Callable[[Observer], Awaitable[bool]] | None = field(default=None, compare=False)
    needs: frozenset[Ability] = frozenset({Ability.CONFIGURE})

    @property
    def says(self) -> str:
        return f"{self.service} runs with another {self.name}"

    async def inject(self, injector: Injector) -> None:
        await injector.set_setting(self.service, self.name, self.value)

    def witness(self) -> Witness:
        async def given(observer: Observer) -> bool:
            return observer.setting(self.service, self.name) == self.value

        return RestartedWith(self.service, f"{self.service} was given another {self.name}", self.effect or given)


@dataclass(frozen=True)
class BadRelease:
    """A service runs another release."""

    service: str
    version: str
    needs: frozenset[Ability] = frozenset({Ability.DEPLOY})

    @property
    def says(self) -> str:
        return f"{self.service} runs release {self.version}"

    async def inject(self, injector: Injector) -> None:
        await injector.deploy(self.service, self.version)

    def witness(self) -> Witness:
        async def runs(observer: Observer) -> bool:
            return all(s.release == self.version for s in observer.states(self.service))

        return RestartedWith(self.service, f"{self.service} {self.version}", runs)


@dataclass(frozen=True)
class DataChange:
    """Data is put wrong by statements under a service's own role; `seen` observes that it is."""

    role: str
    statements: tuple[str, ...]
    seen: Callable[[Observer], Awaitable[bool | None]] = field(compare=False)
    says: str = "data is put wrong"
    needs: frozenset[Ability] = frozenset()

    async def inject(self, injector: Injector) -> None:
        for statement in self.statements:
            await injector.sql(self.role, statement)

    def witness(self) -> Witness:
        return QueryWitness(self.says, self.seen)


@dataclass(frozen=True)
class Message:
    """Messages are published that should not be; `seen` observes that they arrived."""

    subject: str
    payloads: tuple[bytes, ...]
    seen: Callable[[Observer], Awaitable[bool | None]] = field(compare=False)
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)
    needs: frozenset[Ability] = frozenset()

    @property
    def says(self) -> str:
        return f"{len(self.payloads)} messages on {self.subject}"

    async def inject(self, injector: Injector) -> None:
        for payload in self.payloads:
            await injector.publish(self.subject, payload, self.headers)

    def witness(self) -> Witness:
        return QueryWitness(self.says, self.seen)


@dataclass(frozen=True)
class HeldLocks:
    """Sessions of a service's role hold locks in open transactions; `seen` observes them in the database."""

    role: str
    statements: tuple[str, ...]
    seen: Callable[[Observer], Awaitable[bool | None]] = field(compare=False)
    sessions: int = 1
    needs: frozenset[Ability] = frozenset()

    @property
    def says(self) -> str:
        return f"{self.sessions} sessions of {self.role} hold locks"

    async def inject(self, injector: Injector) -> None:
        await injector.hold_locks(self.role, self.statements, sessions=self.sessions)

    def witness(self) -> Witness:
        return QueryWitness(self.says, self.seen)


@dataclass(frozen=True)
class RunawayJob:
    """A job of the stack runs with settings it should not have.

    Attributes:
        seen: observes what it did, for a job that ends; without it, the job must run.
    """

    job: str
    settings: Mapping[str, str] = field(default_factory=dict, compare=False)
    seen: Callable[[Observer], Awaitable[bool | None]] | None = field(default=None, compare=False)
    needs: frozenset[Ability] = frozenset({Ability.JOBS})

    @property
    def says(self) -> str:
        return f"the job {self.job} runs away"

    async def inject(self, injector: Injector) -> None:
        await injector.start_job(self.job, self.settings)

    def witness(self) -> Witness:
        async def runs(observer: Observer) -> bool:
            return self.job in observer.jobs()

        return QueryWitness(self.says, self.seen or runs)


@dataclass(frozen=True)
class Load:
    """A bounded load of GET requests on a service; `seen` observes that it arrives."""

    service: str
    path: str
    rate_hz: float
    duration_s: float
    seen: Callable[[Observer], Awaitable[bool | None]] = field(compare=False)
    needs: frozenset[Ability] = frozenset()

    @property
    def says(self) -> str:
        return f"{self.rate_hz:g} requests a second on {self.service}"

    async def inject(self, injector: Injector) -> None:
        await injector.load(self.service, self.path, rate_hz=self.rate_hz, duration_s=self.duration_s)

    def witness(self) -> Witness:
        return QueryWitness(self.says, self.seen)


@dataclass(frozen=True)
class Together:
    """Several faults in their order; the witness asks for all of them."""

    faults: tuple[Fault, ...]

    @property
    def says(self) -> str:
        return "; ".join(f.says for f in self.faults)

    @property
    def needs(self) -> frozenset[Ability]:
        return frozenset().union(*(f.needs for f in self.faults))

    async def inject(self, injector: Injector) -> None:
        for fault in self.faults:
            await fault.inject(injector)

    def witness(self) -> Witness:
        return AllOf([f.witness() for f in self.faults])


@dataclass(frozen=True)
class Nothing:
    """The fault that is none: it shows that a scenario cannot be proven without one."""

    claimed: bool = False
    says: str = "nothing is broken"
    needs: frozenset[Ability] = frozenset()

    async def inject(self, injector: Injector) -> None:
        """Leave everything as it is."""

    def witness(self) -> Witness:
        async def claimed(_observer: Observer) -> bool:
            return self.claimed

        return QueryWitness(self.says, claimed)
