"""Faults of data: rows, keys, messages, consumers, and locks on them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from harness.model.errors import Unreadable
from harness.model.ports import Injector, Observer
from harness.model.values import Ability
from harness.model.witness import QueryWitness, Witness
from harness.model.words import counted


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
class RedisChange:
    """Keys are put wrong; `seen` observes that they are."""

    commands: tuple[tuple[str, ...], ...]
    seen: Callable[[Observer], Awaitable[bool | None]] = field(compare=False)
    says: str = "keys are put wrong"
    needs: frozenset[Ability] = frozenset()

    async def inject(self, injector: Injector) -> None:
        for command in self.commands:
            await injector.redis(*command)

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
        return f"{counted(len(self.payloads), 'message')} on {self.subject}"

    async def inject(self, injector: Injector) -> None:
        for payload in self.payloads:
            await injector.publish(self.subject, payload, self.headers)

    def witness(self) -> Witness:
        return QueryWitness(self.says, self.seen)


@dataclass(frozen=True)
class DeletedConsumer:
    """A durable consumer of a stream is removed."""

    stream: str
    consumer: str
    needs: frozenset[Ability] = frozenset()

    @property
    def says(self) -> str:
        return f"the consumer {self.consumer} is gone"

    async def inject(self, injector: Injector) -> None:
        await injector.delete_consumer(self.stream, self.consumer)

    def witness(self) -> Witness:
        async def gone(observer: Observer) -> bool:
            try:
                await observer.consumer(self.stream, self.consumer)
            except Unreadable as error:
                return "not found" in str(error)
            return False

        return QueryWitness(self.says, gone)


@dataclass(frozen=True)
class HeldLocks:
    """Sessions of a service's role leave transactions open, with the locks and connections that these hold.

    `seen` observes them in the database. More sessions than it has connections for take every one, and those that come
    free later too.
    """

    role: str
    statements: tuple[str, ...]
    seen: Callable[[Observer], Awaitable[bool | None]] = field(compare=False)
    sessions: int = 1
    needs: frozenset[Ability] = frozenset()

    @property
    def says(self) -> str:
        return f"{counted(self.sessions, 'session')} of {self.role} left open in a transaction"

    async def inject(self, injector: Injector) -> None:
        await injector.hold_locks(self.role, self.statements, sessions=self.sessions)

    def witness(self) -> Witness:
        return QueryWitness(self.says, self.seen)
