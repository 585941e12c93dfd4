"""Loading a catalogue package and a topology file, and checking that they fit each other."""

import gc
import importlib
import importlib.resources
import importlib.util
import pkgutil
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.model.alerts import Alert, fed_by, resolved
from harness.model.errors import CatalogueError
from harness.model.faults import Kind, Name, Naming
from harness.model.scenario import Catalogue, Scenario, Section
from harness.model.slis import Series, Sli, metric_of, series_of
from harness.model.topology import Topology, parse

PREFIX = "fm_"
"""Modules of a catalogue whose names begin so hold one scenario each, in `SCENARIO`."""

DEFAULT_STACK = "stack"


def load_topology(path: str | None) -> Topology:
    """The topology of a file, or of the reference stack for None; raises CatalogueError."""
    file = Path(str(importlib.resources.files(DEFAULT_STACK))) / "topology.toml" if path is None else Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"the stack file {file} cannot be read: {error}; name another with --stack") from None
    return parse(text, str(file.resolve().parent))


def load_catalogue(package: str, topology: Topology) -> Catalogue:
    """The scenarios of a package, checked against the topology; raises CatalogueError with the place of what is wrong."""
    collects = gc.isenabled()
    # Nothing of it is garbage, and looking for some takes a tenth of the time.
    gc.disable()
    try:
        return _loaded(package, topology)
    finally:
        if collects:
            gc.enable()


def _loaded(package: str, topology: Topology) -> Catalogue:
    root = _import(package, f"name a package that can be imported with --catalogue, not {package}")
    if not hasattr(root, "__path__"):
        raise CatalogueError(f"{package} is a module, not a package of scenarios")
    sections = {s.key: s for s in _sections(package)}
    scenarios: dict[str, Scenario] = {}
    for found in pkgutil.iter_modules(root.__path__):
        if not found.name.startswith(PREFIX):
            continue
        scenario = _scenario(_import(f"{package}.{found.name}", "correct the module"))
        if scenario.id in scenarios:
            raise CatalogueError(f"{scenario.id} is in {scenarios[scenario.id].module} and in {scenario.module}")
        scenarios[scenario.id] = scenario
    if not scenarios:
        raise CatalogueError(f"{package} has no module whose name begins with {PREFIX}")
    catalogue = Catalogue(
        package,
        dict(sorted(scenarios.items())),
        sections,
        series=dict(_optional(package, "slis", "SERIES", dict[str, Series]())),
        slis=tuple(_optional(package, "slis", "SLIS", tuple[Sli, ...]())),
        alerts=tuple(_optional(package, "alerts", "ALERTS", tuple[Alert, ...]())),
        invariants=_optional(package, "invariants", "INVARIANTS", None),
        conduct=_optional(package, "conduct", "CONDUCT", None),
    )
    check(catalogue, topology)
    return catalogue


def look_here_too() -> None:
    """Let packages of the current folder be found, after every other."""
    here = str(Path.cwd())
    # An installed console script looks beside itself and not where it is called, and there a team keeps its catalogue.
    # At the end, so that no file that happens to lie there takes the place of an installed module.
    if here not in (str(Path(p).absolute()) for p in sys.path):
        sys.path.append(here)


def _import(name: str, advice: str) -> ModuleType:
    look_here_too()
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever a module does when it is imported, ending the
        # program too, is its author's to hear; only an interruption is the user's own)
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            raise CatalogueError(
                f"there is no module {error.name}, neither installed nor in the current folder {Path.cwd()}; {advice}"
            ) from None
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
        own = [f for f in frames if name.split(".", maxsplit=1)[0] in Path(f.filename).parts] or frames
        place = f"{own[-1].filename}:{own[-1].lineno}" if own else name
        if isinstance(error, SyntaxError):
            place = f"{error.filename}:{error.lineno}"
        says = " ".join(str(error).split())
        raise CatalogueError(f"{place}: {type(error).__name__}: {says}; {advice}") from None


def _sections(package: str) -> Iterator[Section]:
    if importlib.util.find_spec(f"{package}.sections") is None:
        return
    folder = _import(f"{package}.sections", "correct the module")
    for found in pkgutil.iter_modules(folder.__path__):
        module = _import(f"{package}.sections.{found.name}", "correct the module")
        section = getattr(module, "SECTION", None)
        if isinstance(section, Section):
            yield section


def _optional(package: str, module: str, name: str, absent: Any) -> Any:
    """A value of a module that a catalogue may have."""
    if importlib.util.find_spec(f"{package}.{module}") is None:
        return absent
    return getattr(_import(f"{package}.{module}", "correct the module"), name, absent)


def _scenario(module: ModuleType) -> Scenario:
    scenario = getattr(module, "SCENARIO", None)
    if not isinstance(scenario, Scenario):
        raise CatalogueError(f"{module.__file__} has no SCENARIO; end it with SCENARIO = Scenario(...)")
    return replace(scenario, module=str(module.__file__), summary=(module.__doc__ or "").strip())


def check(catalogue: Catalogue, topology: Topology) -> None:
    """Raise CatalogueError for a name that the topology lacks or a limit that does not hold in some profile."""
    _check_policy(catalogue, topology)
    for scenario in catalogue.scenarios.values():
        for found in scenario.forms:
            _check_names(found, catalogue, topology)
            for profile in topology.profiles:
                _check_numbers(found, topology, profile)


def _check_policy(catalogue: Catalogue, topology: Topology) -> None:
    """Every indicator and alert is fed by a series that there is, and the series by services that there are."""
    needs = [(sli.name, series_of(sli.figure)) for sli in catalogue.slis]
    needs += [(alert.name, fed_by(alert)) for alert in catalogue.alerts]
    for name, wanted in needs:
        for series in wanted:
            if series not in catalogue.series:
                raise CatalogueError(f"{catalogue.name}: {name} needs the series {series}, which SERIES does not have")
    for name, one in catalogue.series.items():
        pair = metric_of(one)
        if pair is not None and pair[0] not in topology.services:
            raise CatalogueError(f"{catalogue.name}: the series {name} is of {pair[0]}, which is no service")
    for profile in topology.profiles:
        numbers = topology.numbers(profile)
        try:
            for sli in catalogue.slis:
                sli.resolve(numbers)
            for alert in catalogue.alerts:
                resolved(alert, numbers)
        except (KeyError, ValueError) as error:
            raise CatalogueError(f"{catalogue.name}: indicators and alerts in profile {profile}: {error}") from None


def _check_names(scenario: Scenario, catalogue: Catalogue, topology: Topology) -> None:
    for owner, name in scenario.settings:
        try:
            topology.setting(owner, name)
        except CatalogueError as error:
            raise CatalogueError(f"{scenario.module}: {scenario.label}: {error}") from None
    for named in scenario.fault.names if isinstance(scenario.fault, Naming) else ():
        known = _known(named, topology)
        if named.name not in known:
            of = f" of {named.of}" if named.of else ""
            raise CatalogueError(
                f"{scenario.module}: the fault of {scenario.label} names {named.name}, which is no {named.kind}{of}; "
                f"there {'is' if len(known) == 1 else 'are'} {', '.join(known) or 'none'}"
            )
    unknown = [key for key in scenario.sections if key not in catalogue.sections]
    if unknown:
        raise CatalogueError(f"{scenario.module}: there is no section {unknown[0]} in {catalogue.name}.sections")
    strange = set(scenario.breaks) - {i.name for i in (catalogue.invariants.invariants if catalogue.invariants else ())}
    if strange:
        raise CatalogueError(f"{scenario.module}: there is no invariant {', '.join(sorted(strange))} to break")
    missing = scenario.uses - set(topology.parts)
    if missing:
        raise CatalogueError(f"{scenario.module}: the topology has no part {', '.join(sorted(missing))}")


def _known(named: Name, topology: Topology) -> tuple[str, ...]:
    """The names that there are of a kind."""
    match named.kind:
        case Kind.ANY:
            return (*topology.services, *topology.parts)
        case Kind.SERVICE:
            return tuple(topology.services)
        case Kind.LINK:
            return topology.links
        case Kind.SETTING:
            return tuple(s.name for s in topology.settings if s.owner == named.of)
        case Kind.RELEASE:
            service = topology.services[named.of]
            return (service.release, *service.releases)
        case Kind.JOB:
            return tuple(topology.jobs)


def _check_numbers(scenario: Scenario, topology: Topology, profile: str) -> None:
    try:
        broken = scenario.broken_limits(topology.numbers(profile, scenario.own))
    except KeyError as error:
        raise CatalogueError(
            f"{scenario.module}: {scenario.label} derives a length from {error}, an unknown setting"
        ) from None
    if broken:
        raise CatalogueError(f"{scenario.module}: {scenario.label} in profile {profile}: {broken[0]}")
