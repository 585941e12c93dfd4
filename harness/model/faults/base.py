"""What every fault is, and the two members of the family that break nothing themselves."""

from dataclasses import dataclass
from typing import Protocol

from harness.model.faults.names import Name, Naming
from harness.model.ports import Injector, Observer
from harness.model.values import Ability
from harness.model.witness import AllOf, QueryWitness, Witness


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
class Together:
    """Several faults in their order; the witness asks for all of them."""

    faults: tuple[Fault, ...]

    @property
    def says(self) -> str:
        return "; ".join(f.says for f in self.faults)

    @property
    def needs(self) -> frozenset[Ability]:
        return frozenset().union(*(f.needs for f in self.faults))

    @property
    def names(self) -> tuple[Name, ...]:
        return tuple(name for f in self.faults if isinstance(f, Naming) for name in f.names)

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
