"""Faults of parts and services: their processes, settings, releases, instances and jobs, and load on them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from harness.model.faults.names import Kind, Name
from harness.model.ports import Injector, Observer
from harness.model.topology import variable
from harness.model.values import Ability, PartStatus, fingerprint
from harness.model.witness import QueryWitness, RestartedWith, StateWitness, Witness
from harness.model.words import agreeing, counted


@dataclass(frozen=True)
class Stop:
    """A part is stopped cleanly and stays stopped."""

    part: str
    needs: frozenset[Ability] = frozenset({Ability.STOP})

    @property
    def says(self) -> str:
        return f"{self.part} is stopped"

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.ANY, self.part),)

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

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.ANY, self.part),)

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

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.ANY, self.part),)

    async def inject(self, injector: Injector) -> None:
        await injector.freeze(self.part)

    def witness(self) -> Witness:
        return StateWitness(self.part, PartStatus.FROZEN)


@dataclass(frozen=True)
class ChangedSetting:
    """A service runs with another value of a setting.

    Attributes:
        effect: sees that what the service was given at its last start is what was meant, where that is not the value as
            it stands here.
    """

    service: str
    name: str
    value: str | None
    effect: Callable[[Observer], Awaitable[bool]] | None = field(default=None, compare=False)
    needs: frozenset[Ability] = frozenset({Ability.CONFIGURE})

    @property
    def says(self) -> str:
        return f"{self.service} runs with another {self.name}"

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.SERVICE, self.service), Name(Kind.SETTING, self.name, self.service))

    async def inject(self, injector: Injector) -> None:
        await injector.set_setting(self.service, self.name, self.value)

    def witness(self) -> Witness:
        async def given(observer: Observer) -> bool:
            return observer.setting(self.service, self.name) == self.value

        async def in_force(observer: Observer) -> bool:
            if not await (self.effect or given)(observer):
                return False
            # What it was given was written by us: that it has arrived is for the service to say.
            told = await observer.told(self.service)
            value = observer.setting(self.service, self.name)
            wanted = None if value is None else fingerprint(value)
            return told is None or told.settings.get(variable(self.name)) == wanted

        return RestartedWith(self.service, f"{self.service} was given another {self.name}", in_force)


@dataclass(frozen=True)
class BadRelease:
    """A service runs another release."""

    service: str
    version: str
    needs: frozenset[Ability] = frozenset({Ability.DEPLOY})

    @property
    def says(self) -> str:
        return f"{self.service} runs release {self.version}"

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.SERVICE, self.service), Name(Kind.RELEASE, self.version, self.service))

    async def inject(self, injector: Injector) -> None:
        await injector.deploy(self.service, self.version)

    def witness(self) -> Witness:
        async def runs(observer: Observer) -> bool:
            if any(s.release != self.version for s in await observer.states(self.service)):
                return False
            told = await observer.told(self.service)
            return told is None or told.release == self.version

        return RestartedWith(self.service, f"{self.service} {self.version}", runs)


@dataclass(frozen=True)
class Scaled:
    """A service runs more instances than it should; the first keeps the address, the others work in the background."""

    service: str
    instances: int
    needs: frozenset[Ability] = frozenset({Ability.SCALE})

    @property
    def says(self) -> str:
        return f"{counted(self.instances, 'instance')} of {self.service} {agreeing(self.instances, 'runs', 'run')}"

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.SERVICE, self.service),)

    async def inject(self, injector: Injector) -> None:
        await injector.scale(self.service, self.instances)

    def witness(self) -> Witness:
        async def run(observer: Observer) -> bool:
            running = [s for s in await observer.states(self.service) if s.status is PartStatus.RUNNING]
            return len(running) == self.instances

        return QueryWitness(self.says, run)


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

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.JOB, self.job),)

    async def inject(self, injector: Injector) -> None:
        await injector.start_job(self.job, self.settings)

    def witness(self) -> Witness:
        async def runs(observer: Observer) -> bool:
            return self.job in await observer.jobs()

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
        return f"{counted(self.rate_hz, 'request')} a second on {self.service}"

    @property
    def names(self) -> tuple[Name, ...]:
        return (Name(Kind.SERVICE, self.service),)

    async def inject(self, injector: Injector) -> None:
        await injector.load(self.service, self.path, rate_hz=self.rate_hz, duration_s=self.duration_s)

    def witness(self) -> Witness:
        return QueryWitness(self.says, self.seen)
