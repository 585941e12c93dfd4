"""The topology: parts, services, links, settings and profiles of a stack, read from its one TOML file's text."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.model.errors import CatalogueError

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h|d)$")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def duration_s(text: str) -> float:
    """Seconds of a duration such as `200ms`, `30s`, `2m`; raises CatalogueError for any other text."""
    match = _DURATION.match(text)
    if match is None:
        raise CatalogueError(f"'{text}' is no duration; write it as 200ms, 30s, 2m, 1h or 30d")
    return float(match[1]) * _UNITS_S[match[2]]


def variable(name: str) -> str:
    """The environment variable of a property: capitals, dots as underscores, dashes dropped; or a plain name itself."""
    return name.replace(".", "_").replace("-", "").upper() if "." in name else name


@dataclass(frozen=True)
class Part:
    """A dependency that the stack does not own the code of.

    Attributes:
        protocol: `postgres`, `redis`, `nats` or `http`: how it is asked whether it answers.
        shared: one for all cells.
        options: whatever else its runtime needs, as written in the file.
    """

    name: str
    protocol: str
    shared: bool = False
    options: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Service:
    """A service of the stack.

    Attributes:
        module: the Python module that a process runtime runs; other runtimes use the image.
        release: the version that the baseline runs.
        releases: modules of the other shipped versions.
        needs: parts and services awaited before its own readiness is.
        uses: parts called later, not awaited at start.
        external: somebody else's: on-call cannot restart or configure it.
        environment: variables with placeholders.
    """

    name: str
    module: str
    release: str
    releases: Mapping[str, str]
    needs: tuple[str, ...]
    uses: tuple[str, ...]
    external: bool
    environment: Mapping[str, str]
    protocol: str = "http"

    def module_of(self, version: str) -> str:
        """The module of a release; raises CatalogueError for one that is not shipped."""
        if version == self.release:
            return self.module
        if version in self.releases:
            return self.releases[version]
        known = ", ".join([self.release, *self.releases])
        raise CatalogueError(f"{self.name} has no release {version}; shipped are {known}")

    def release_of(self, module: str) -> str | None:
        """The version whose module this is, or has this within it; None when none has. The nearest counts."""
        modules = {self.module_of(v): v for v in (*self.releases, self.release)}
        within = [m for m in modules if f"{module}.".startswith(f"{m}.")]
        return modules[max(within, key=len)] if within else None


@dataclass(frozen=True)
class Program:
    """A job or a tool of the stack: a module and the variables it is given, placeholders unresolved."""

    name: str
    module: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Setting:
    """One setting of one service.

    Attributes:
        values: the value by profile, placeholders unresolved.
        unit: `duration`, or empty.
        scaled: whether it follows the profile's async-scale.
        secret: whether it is masked wherever it is shown.
    """

    owner: str
    name: str
    values: Mapping[str, str]
    unit: str = ""
    scaled: bool = False
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that carries it."""
        return variable(self.name)


@dataclass(frozen=True)
class Inequality:
    """A sum of settings that must stay below another in every profile; terms are (setting, factor)."""

    says: str
    less: tuple[tuple[str, float], ...]
    than: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Topology:
    """A stack as its file describes it; names are unique over parts, services, jobs and tools.

    Attributes:
        folder: where the paths in the file are relative to, as given by whoever read it.
        profiles: scale factors by profile name.
        links: `client->server`, in the file's order; clients named `client` stand for the world outside.
        jobs: processes that an operator can list, slow down and stop.
        tools: repairs that run to their end.
        resets: requests (service, method, path) that empty what a service keeps in memory.
        tells: the path where every service tells the module it runs and fingerprints of the settings it has read (see
            model.values.fingerprint); empty when the stack's services tell nothing of it.
    """

    name: str
    entry: str
    folder: str
    preload: tuple[str, ...]
    profiles: Mapping[str, Mapping[str, float]]
    secrets: Mapping[str, str]
    parts: Mapping[str, Part]
    services: Mapping[str, Service]
    links: tuple[str, ...]
    jobs: Mapping[str, Program]
    tools: Mapping[str, Program]
    resets: tuple[Mapping[str, str], ...]
    settings: tuple[Setting, ...]
    inequalities: tuple[Inequality, ...]
    tells: str = ""

    def speaking(self, protocol: str) -> str | None:
        """The part that speaks a protocol; None when none does."""
        return next((name for name, part in self.parts.items() if part.protocol == protocol), None)

    def setting(self, owner: str, name: str) -> Setting:
        """One setting; raises CatalogueError when the topology does not name it."""
        for known in self.settings:
            if known.owner == owner and known.name == name:
                return known
        raise CatalogueError(f"{owner} has no setting {name} in the topology; add it to [settings.{owner}]")

    def settings_of(self, owner: str, profile: str) -> dict[str, str]:
        """The settings of one service in a profile, by property name; addresses in them are placeholders still."""
        return {s.name: s.values[profile] for s in self.settings if s.owner == owner and profile in s.values}

    def fill(self, template: str, addresses: Mapping[str, str]) -> str:
        """A value with its placeholders replaced; `addresses` holds `part.host`, `a->b.port` and so on."""

        def value(match: re.Match[str]) -> str:
            key = match[1]
            if key.startswith("secret."):
                known: Mapping[str, str] = {f"secret.{name}": secret for name, secret in self.secrets.items()}
            else:
                known = addresses
            if key not in known:
                raise CatalogueError(f"the topology of {self.name} names {{{key}}}, which is not known")
            return known[key]

        return _PLACEHOLDER.sub(value, template)

    def server(self, link: str) -> str:
        """The server of a link; raises CatalogueError for a link the topology does not name."""
        if link not in self.links:
            raise CatalogueError(f"there is no link {link}; the links are {', '.join(self.links)}")
        return link.split("->")[1]

    def protocol(self, name: str) -> str:
        """How a part or service is asked whether it answers."""
        return self.parts[name].protocol if name in self.parts else self.services[name].protocol

    def numbers(self, profile: str, overrides: Mapping[str, str] | None = None) -> dict[str, float]:
        """Every numeric setting by name (durations in seconds) and the profile's factors as `profile.<name>`."""
        numbers = {f"profile.{name}": value for name, value in self.profiles[profile].items()}
        for known in self.settings:
            text = (overrides or {}).get(known.name, known.values.get(profile, ""))
            if known.unit == "duration":
                numbers[known.name] = duration_s(text)
            else:
                try:
                    numbers[known.name] = float(text)
                except ValueError:
                    continue  # a word, not a number: nothing derives a length from it
        return numbers

    def check(self) -> None:
        """Raise CatalogueError for an inequality that does not hold in some profile."""
        for profile in self.profiles:
            numbers = self.numbers(profile)
            for rule in self.inequalities:
                less = sum(numbers[name] * factor for name, factor in rule.less)
                than = sum(numbers[name] * factor for name, factor in rule.than)
                if not less < than:
                    raise CatalogueError(f"profile {profile}: {rule.says}: {less:g} is not less than {than:g}")


def parse(text: str, folder: str) -> Topology:
    """The topology of a file's text; raises CatalogueError with one line for anything that is wrong in it."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"the topology is no valid TOML: {error}") from None
    try:
        topology = _read(data, folder)
    except (KeyError, TypeError, AttributeError) as error:
        raise CatalogueError(f"the topology lacks or misspells {error}") from None
    _check_names(topology)
    topology.check()
    return topology


def _read(data: Mapping[str, Any], folder: str) -> Topology:
    parts = {
        name: Part(
            name, p["protocol"], p.get("shared", False), {k: v for k, v in p.items() if k not in {"protocol", "shared"}}
        )
        for name, p in data["parts"].items()
    }
    services = {
        name: Service(
            name,
            s["module"],
            s["release"],
            dict(s.get("releases", {})),
            tuple(s.get("needs", ())),
            tuple(s.get("uses", ())),
            s.get("external", False),
            dict(s.get("environment", {})),
        )
        for name, s in data["services"].items()
    }
    profiles = {name: {k: float(v) for k, v in p.items()} for name, p in data["profiles"].items()}
    return Topology(
        name=data["stack"]["name"],
        entry=data["stack"]["entry"],
        folder=folder,
        preload=tuple(data["stack"].get("preload", ())),
        profiles=profiles,
        secrets=dict(data.get("secrets", {})),
        parts=parts,
        services=services,
        links=tuple(f"{client}->{server}" for client, servers in data["links"].items() for server in servers),
        jobs=_programs(data.get("jobs", {})),
        tools=_programs(data.get("tools", {})),
        resets=tuple(dict(r) for r in data.get("resets", ())),
        tells=data["stack"].get("tells", ""),
        settings=tuple(
            _setting(owner, name, table, profiles)
            for owner, tables in data.get("settings", {}).items()
            for name, table in tables.items()
        ),
        inequalities=tuple(
            Inequality(
                r["says"], tuple((n, float(f)) for n, f in r["less"]), tuple((n, float(f)) for n, f in r["than"])
            )
            for r in data.get("inequalities", ())
        ),
    )


def _programs(tables: Mapping[str, Any]) -> dict[str, Program]:
    return {name: Program(name, t["module"], dict(t.get("environment", {}))) for name, t in tables.items()}


def _setting(owner: str, name: str, table: Mapping[str, Any], profiles: Mapping[str, Any]) -> Setting:
    values = (
        {p: str(table["value"]) for p in profiles}
        if "value" in table
        else {p: str(table[p]) for p in profiles if p in table}
    )
    return Setting(owner, name, values, table.get("unit", ""), table.get("scaled", False), table.get("secret", False))


def _check_names(topology: Topology) -> None:
    known = {*topology.parts, *topology.services}
    for link in topology.links:
        client, server = link.split("->")
        if client != "client" and client not in known:
            raise CatalogueError(f"the link {link} has an unknown client; name a part or service, or `client`")
        if server not in known:
            raise CatalogueError(f"the link {link} has an unknown server")
    for service in topology.services.values():
        for needed in (*service.needs, *service.uses):
            if needed not in known:
                raise CatalogueError(f"{service.name} needs {needed}, which the topology does not name")
    if topology.entry not in topology.services:
        raise CatalogueError(f"the entry {topology.entry} is no service")
