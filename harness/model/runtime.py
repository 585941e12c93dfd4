"""What a runtime gives the engine: cells, each everything one scenario may break.

A runtime starts real parts (processes, containers); a cell is one copy of the stack. Addresses are those seen from the
machine that the runner is on, always on 127.0.0.1. Every verb waits until its effect is there and raises CellError when
it is not in bounded time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from harness.model.ledger import Ledger
from harness.model.ports import Client, Clock, Injector, Observer, Operator
from harness.model.topology import Topology
from harness.model.values import Ability, PartState


@dataclass(frozen=True)
class Address:
    """Where something listens, seen from the runner's machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class CellSpec:
    """What a cell is to be like.

    Attributes:
        name: neutral, never tells what will be broken in it.
        profile: which column of settings.
        folder: where its logs go: one `<part>.log` each.
        settings: overrides by (service, property), part of the baseline.
    """

    name: str
    profile: str
    folder: Path
    settings: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def baseline(self, topology: Topology, service: str) -> dict[str, str]:
        """The settings that a service has when nobody has touched it, by property."""
        settings = topology.settings_of(service, self.profile)
        settings.update({name: value for (owner, name), value in self.settings.items() if owner == service})
        return settings


class Cell(Protocol):
    """One copy of the stack."""

    @property
    def name(self) -> str: ...

    @property
    def spec(self) -> CellSpec: ...

    @property
    def topology(self) -> Topology: ...

    @property
    def superuser_password(self) -> str:
        """Of the database, for setting a cell up and emptying it; no fault and no response uses it."""

    def address(self, name: str) -> Address:
        """Of a part or service itself, past every link."""

    def addresses(self, service: str) -> list[Address]:
        """Of every instance of a service, past every link; the first is `address`."""

    def link_address(self, link: str) -> Address:
        """Of a link's proxy, as the link's client reaches it."""

    def proxy_api(self) -> Address:
        """Of Toxiproxy's own API."""

    def upstream(self, link: str) -> str:
        """`host:port` that the link's proxy forwards to, as Toxiproxy sees it."""

    def proxy_listen(self, link: str) -> str:
        """`host:port` that the link's proxy listens on, as Toxiproxy sees it."""

    def states(self, name: str | None = None) -> list[PartState]:
        """The state of every part and service instance, or of every instance of one."""

    def given(self, service: str) -> Mapping[str, str]:
        """The variables that a service's first instance was started with last, at no cost; none before that."""

    def identities(self) -> frozenset[str]:
        """Of everything that was started last, at no cost: another one after every restart."""

    def log_paths(self, name: str) -> list[Path]:
        """The files that the log lines of a part or service go to, instances included."""

    async def ready(self, names: Sequence[str] | None = None, *, timeout_s: float = 60.0) -> None:
        """Wait until parts and services answer their readiness probe; None for all of the cell's own, not the shared."""

    async def start(self, name: str) -> None:
        """Start a stopped part, or every instance of a service, and wait until the process is there (not ready)."""

    async def stop(self, name: str) -> None:
        """End it cleanly (terminate, then kill after a bound) and leave it stopped."""

    async def kill(self, name: str) -> None:
        """End it at once and leave it stopped."""

    async def freeze(self, name: str) -> None:
        """Pause it; its connections stay."""

    async def thaw(self, name: str) -> None:
        """Let a frozen one go on."""

    async def restart(self, name: str) -> None:
        """End (also when frozen) and start again with the settings, release and scale now in place; not yet ready."""

    def settings(self, service: str) -> dict[str, str]:
        """The settings now in place by property, placeholders and all; they reach the service at its next start."""

    def configure(self, service: str, name: str, value: str | None) -> None:
        """Put a value in place for the next start; None unsets it."""

    def adopt(self, settings: Mapping[tuple[str, str], str]) -> None:
        """Take other overrides into the baseline; a reconcile then puts them in force."""

    def release(self, service: str) -> str:
        """The version now in place."""

    def deploy(self, service: str, version: str) -> None:
        """Put a version in place for the next start; raises CatalogueError for one that is not shipped."""

    def instances(self, service: str) -> int:
        """How many instances are in place."""

    async def scale(self, service: str, count: int) -> None:
        """Start or stop instances; the first one keeps the address, the others only work in the background."""

    def jobs(self) -> list[str]:
        """The jobs that run."""

    async def start_job(self, job: str, settings: Mapping[str, str]) -> None:
        """Start a job with settings (variables) on top of its service environment."""

    async def pace_job(self, job: str, rate_hz: float) -> None:
        """Give a running job another pace."""

    async def stop_job(self, job: str) -> None:
        """Stop a job."""

    async def run_tool(self, tool: str, arguments: Sequence[str]) -> Mapping[str, Any]:
        """Run a tool to its end and give the JSON object it prints last; ActFailed when it fails."""

    async def close(self) -> None:
        """End everything of this cell and let go of its ports."""


class Runtime(Protocol):
    """Something that can bring up cells."""

    @property
    def name(self) -> str: ...

    @property
    def abilities(self) -> frozenset[Ability]: ...

    @property
    def cells_first(self) -> bool:
        """Whether making a cell keeps the machine too busy for scenarios beside it.

        Then all are asked for at once, and no scenario begins before the last one is there and the runtime is at rest.
        """

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of each real part, by name."""

    async def fetch(self) -> None:
        """Get or build what cells are made of, once for every run on this machine; shows its progress."""

    async def open(self) -> None:
        """Fetch, and make ready what all cells share, without waiting for slow shared parts."""

    def want(self, name: str) -> None:
        """Begin to start a shared part, without waiting for it."""

    async def at_rest(self) -> None:
        """Wait until no shared part is being started that would keep the machine busy; never raises."""

    def share(self) -> Mapping[str, Any]:
        """What another process of this run needs to make cells beside this one; it can be pickled."""

    async def cell(self, spec: CellSpec) -> Cell:
        """Start a cell's parts and services together; it is returned while they start: see Cell.ready."""

    async def close(self) -> None:
        """End everything it started; never raises for what is gone already."""


@dataclass(frozen=True)
class LinkState:
    """A link's proxy as Toxiproxy tells it.

    Attributes:
        enabled: whether it accepts connections.
        upstream: `host:port` it forwards to.
        toxics: the names of the toxics on it.
    """

    enabled: bool
    upstream: str
    toxics: tuple[str, ...]


class Links(Protocol):
    """The proxies of a cell's links."""

    async def states(self) -> Mapping[str, LinkState]:
        """Every link's proxy now; raises ActFailed when Toxiproxy does not answer in bounded time, or lacks one."""

    async def heal(self, link: str) -> None:
        """Set the proxy back to what the topology says, and see that it is; its connections end."""

    async def replace(self) -> None:
        """End a Toxiproxy that hangs and start a fresh one with every link healthy."""


class Data(Protocol):
    """The data of a cell's parts."""

    async def take_baseline(self) -> None:
        """Remember what is not data (schema, roles and grants, streams, consumers) so that a drift is seen later."""

    async def drift(self) -> list[str]:
        """What differs from the baseline in schema, grants, streams and consumers, one line each."""

    async def restore(self) -> list[str]:
        """Undo what of a drift can be undone without loss (names of columns, grants); what was done, one line each."""

    async def reset(self) -> None:
        """Empty tables, Redis and streams, so that the cell is as if nobody had used it; consumers stay."""


class Equipment(Protocol):
    """Everything the engine works a cell with; put together by the one composition root."""

    @property
    def cell(self) -> Cell: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def observer(self) -> Observer: ...
    @property
    def injector(self) -> Injector: ...
    @property
    def operator(self) -> Operator: ...
    @property
    def client(self) -> Client: ...
    @property
    def links(self) -> Links: ...
    @property
    def data(self) -> Data: ...

    async def scrape(self, wanted: Mapping[str, frozenset[str]]) -> None:
        """Read the named metrics of the named services once; a service that does not answer just has no new sample."""

    async def release_faults(self) -> None:
        """Let go of what the injector itself holds: open sessions and locks, loads."""

    async def begin_scenario(self) -> None:
        """Forget samples, ledger and change history of the scenario before; the clock goes on."""

    async def close(self) -> None:
        """Close its own connections; the cell stays."""
