"""What a service is given: its environment of the topology, the settings in place, and where everything is."""

from collections.abc import Mapping

from harness.model.runtime import Address
from harness.model.topology import Topology, variable


def places(addresses: Mapping[str, Address]) -> dict[str, str]:
    """The placeholders of addresses by name: `postgres.host`, `account->postgres.port`."""
    found = {f"{name}.host": address.host for name, address in addresses.items()}
    found |= {f"{name}.port": str(address.port) for name, address in addresses.items()}
    return found


def of_service(
    topology: Topology, service: str, settings: Mapping[str, str], addresses: Mapping[str, Address], listen: Address
) -> dict[str, str]:
    """The variables of a service that is to listen at an address."""
    known = places(addresses)
    environment = {name: topology.fill(text, known) for name, text in topology.services[service].environment.items()}
    environment |= {variable(name): topology.fill(value, known) for name, value in settings.items()}
    return environment | {"SERVER_ADDRESS": listen.host, "SERVER_PORT": str(listen.port)}


def of_program(
    topology: Topology, environment: Mapping[str, str], addresses: Mapping[str, Address], settings: Mapping[str, str]
) -> dict[str, str]:
    """The variables of a job or a tool; `settings` are variables on top."""
    known = places(addresses)
    return {name: topology.fill(text, known) for name, text in environment.items()} | dict(settings)
