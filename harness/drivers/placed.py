"""What is in place in a cell, whatever it runs as: settings, releases and instances, for the next start of each service."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

from harness.drivers import readiness
from harness.model.runtime import Address, CellSpec
from harness.model.topology import Topology


class Placed(ABC):
    """What cells of every runtime share: what was put in place, and how its instances are waited for."""

    def __init__(self, topology: Topology, spec: CellSpec) -> None:
        self.topology = topology
        self.spec = spec
        self.name = spec.name
        self._settings = {name: spec.baseline(topology, name) for name in topology.services}
        self._releases = {name: service.release for name, service in topology.services.items()}
        self._instances = dict.fromkeys(topology.services, 1)

    def _keys(self, name: str) -> list[str]:
        """The instances of a service, or the part itself."""
        return [name, *(f"{name}#{n}" for n in range(2, self._instances.get(name, 1) + 1))]

    @abstractmethod
    def addresses(self, service: str) -> list[Address]:
        """Of every instance."""

    @abstractmethod
    def _log(self, key: str) -> Path: ...

    async def _until_ready(self, name: str, gone: Callable[[str], Awaitable[str]], timeout_s: float) -> None:
        """Wait until every instance is ready; see readiness.every_instance."""
        protocol = "http" if name == "toxiproxy" else self.topology.protocol(name)
        path = "/version" if name == "toxiproxy" else "/actuator/health/readiness"
        instances = dict(zip(self._keys(name), self.addresses(name), strict=True))

        def what(key: str) -> str:
            return f"{key} of {self.name} (log: {self._log(key)})"

        await readiness.every_instance(protocol, path, instances, gone=gone, what=what, timeout_s=timeout_s)

    def settings(self, service: str) -> dict[str, str]:
        """The settings now in place."""
        return dict(self._settings[service])

    def configure(self, service: str, name: str, value: str | None) -> None:
        """Put a value in place for the next start."""
        if value is None:
            self._settings[service].pop(name, None)
        else:
            self._settings[service][name] = value

    def adopt(self, settings: Mapping[tuple[str, str], str]) -> None:
        """Take other overrides into the baseline."""
        self.spec = replace(self.spec, settings=dict(settings))

    def release(self, service: str) -> str:
        """The version now in place."""
        return self._releases[service]

    def deploy(self, service: str, version: str) -> None:
        """Put a version in place for the next start."""
        self.topology.services[service].module_of(version)
        self._releases[service] = version

    def instances(self, service: str) -> int:
        """How many instances are in place."""
        return self._instances[service]
