"""What is in place in a cell, whatever it runs as: settings, releases and instances, for the next start of each service."""

from collections.abc import Mapping
from dataclasses import replace

from harness.model.runtime import CellSpec
from harness.model.topology import Topology


class Placed:
    """The part of model.runtime.Cell that only keeps what was put in place."""

    def __init__(self, topology: Topology, spec: CellSpec) -> None:
        self.topology = topology
        self.spec = spec
        self._settings = {name: spec.baseline(topology, name) for name in topology.services}
        self._releases = {name: service.release for name, service in topology.services.items()}
        self._instances = dict.fromkeys(topology.services, 1)

    def _keys(self, name: str) -> list[str]:
        """The instances of a service, or the part itself."""
        return [name, *(f"{name}#{n}" for n in range(2, self._instances.get(name, 1) + 1))]

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
