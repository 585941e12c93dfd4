"""What a catalogue says of its desk and its drills, in a module `desk` of its package; all of it may be missing."""

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.scenario import Workload
from harness.model.topology import Topology


@dataclass(frozen=True)
class Extras:
    """What a catalogue adds.

    Attributes:
        aliases: short words for a verb with its first arguments, such as a tool of the stack.
        traffic: what people do during every drill, whatever is broken.
        patience: settings of a drill's cell that give a person minutes where the profile gives seconds.
        decoys: changes (service, setting, value) that do no harm.
    """

    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    traffic: tuple[Workload, ...] = ()
    patience: Mapping[tuple[str, str], str] = field(default_factory=dict)
    decoys: tuple[tuple[str, str, str], ...] = ()


def extras_of(package: str, topology: Topology) -> Extras:
    """What a catalogue adds; raises CatalogueError for a setting that the topology lacks."""
    if importlib.util.find_spec(f"{package}.desk") is None:
        return Extras()
    module = importlib.import_module(f"{package}.desk")
    found = Extras(
        dict(getattr(module, "ALIASES", {})),
        tuple(getattr(module, "TRAFFIC", ())),
        dict(getattr(module, "PATIENCE", {})),
        tuple(getattr(module, "DECOYS", ())),
    )
    for owner, name in (*found.patience, *((o, n) for o, n, _ in found.decoys)):
        topology.setting(owner, name)
    return found
