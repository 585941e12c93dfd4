"""Images: official ones where a registry answers, else built from packages alone; our services' image always built.

Builds run no command inside a container: every layer is a copy of files that were made on this side, with fixed times, so
the same input gives the same image, and neither a network nor the architecture of the engine matters while building.
"""

import asyncio
import hashlib
import inspect
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from harness.drivers.docker_engine import Engine, EngineError
from harness.drivers.parts.progress import Progress
from harness.drivers.parts.recipes import RECIPES
from harness.drivers.parts.store import fetched
from harness.model.topology import Topology

OFFICIAL = {
    "base": "python:3.11-slim-bookworm",
    "postgres": "postgres:18",
    "redis": "redis:8.2-alpine",
    "nats": "nats:2.12-alpine",
    "toxiproxy": "ghcr.io/shopify/toxiproxy:2.12.0",
    "keycloak": "quay.io/keycloak/keycloak:26.4.5",
}
"""References of official images."""

SERVICE_PACKAGES = (
    "authlib", "httptools", "httpx", "joserfc", "nats-py", "prometheus-client", "protobuf", "psycopg", "psycopg-binary",
    "psycopg-pool", "python-json-logger", "redis", "sniffio", "starlette", "uvicorn", "uvloop", "yoyo-migrations",
)  # fmt: skip
"""What the services import; what these need themselves is looked up."""

PYTHON = "3.11"
"""Of the services' image, in both base images."""

USER = 10001
PULL_TRY_S = 15
"""How long a registry may take to answer the first try."""

SUITE = "bookworm"
_INSIDE = {
    "python_version": PYTHON,
    "python_full_version": "3.11.2",
    "sys_platform": "linux",
    "platform_system": "Linux",
}
"""Debian's own Python is the oldest of the two base images'."""

_WHEELS = {"amd64": "x86_64", "arm64": "aarch64"}

_POSTGRES_ENTRY = """#!/bin/sh
# The same variables as the official image: a new data folder is made once, then the server replaces this script.
set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  umask 077
  printf %s "$POSTGRES_PASSWORD" > /tmp/.password
  initdb -D "$PGDATA" -U postgres --auth=scram-sha-256 --pwfile=/tmp/.password $POSTGRES_INITDB_ARGS
  rm /tmp/.password
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
fi
exec "$@" -c "listen_addresses=*" -c unix_socket_directories=
"""


@dataclass(frozen=True)
class Images:
    """References of the images in use.

    Attributes:
        toxiproxy_entry: its program, where the image names none.
        keycloak_optimized: whether it was built for this configuration, so that it starts without building itself.
        source: `registry` or `built`.
    """

    services: str = ""
    postgres: str = ""
    redis: str = ""
    nats: str = ""
    toxiproxy: str = ""
    keycloak: str = ""
    toxiproxy_entry: tuple[str, ...] | None = None
    keycloak_optimized: bool = False
    source: str = ""

    @property
    def versions(self) -> Mapping[str, str]:
        """The references, by part."""
        names = ("services", "postgres", "redis", "nats", "toxiproxy", "keycloak")
        return {name: getattr(self, name) for name in names}


async def ensure_images(
    engine: Engine, topology: Topology, *, force: bool = False, source: str | None = None
) -> Images:
    """Every image, pulled or built first when it is not there; raises EngineError.

    `source` is `registry`, `built` or `auto`; None takes GAMEDAY_IMAGES, else `auto`.
    """
    wanted = source or os.environ.get("GAMEDAY_IMAGES", "auto")
    if wanted not in {"auto", "registry", "built"}:
        raise EngineError(f"GAMEDAY_IMAGES is '{wanted}'; set it to auto, registry or built")
    return await asyncio.to_thread(_Maker(engine, topology, force=force).make, wanted)


class _Maker:
    """Makes the images that are missing, one after another, behind a progress bar."""

    def __init__(self, engine: Engine, topology: Topology, *, force: bool) -> None:
        self._engine = engine
        self._force = force
        self._stack = Path(topology.folder)
        self._progress: Progress | None = None

    def make(self, source: str) -> Images:
        """The images from this source."""
        built = {
            name: f"gameday/{name}:{self._tag(name)}"
            for name in ("base", "postgres", "redis", "nats", "toxiproxy", "keycloak")
        }
        if source == "auto":
            source = self._choose(built)
        parts = built if source == "built" else dict(OFFICIAL)
        deps = f"gameday/python-deps:{self._digest(parts['base'].encode(), self._requirements().encode())}"
        services = f"gameday/services:{self._digest(deps.encode(), *self._code())}"
        missing = [name for name, reference in parts.items() if self._force or not self._has(reference)]
        missing += [
            name for name, ref in (("python-deps", deps), ("services", services)) if self._force or not self._has(ref)
        ]
        if missing:
            with Progress.shown(missing) as self._progress:
                for name in missing:
                    self._one(name, source, parts, deps, services)
            os.sync()  # what is still to be written would hold up the first scenarios
        return Images(
            services=services,
            postgres=parts["postgres"],
            redis=parts["redis"],
            nats=parts["nats"],
            toxiproxy=parts["toxiproxy"],
            keycloak=parts["keycloak"],
            keycloak_optimized=source == "built",
            source=source,
        )

    def _choose(self, built: Mapping[str, str]) -> str:
        """What is there already; else the registry when it answers a quick try."""
        if all(self._has(reference) for reference in built.values()):
            return "built"
        if all(self._has(reference) for reference in OFFICIAL.values()):
            return "registry"
        try:
            self._pull(OFFICIAL["toxiproxy"], PULL_TRY_S)
        except EngineError:
            return "built"
        return "registry"

    def _one(self, name: str, source: str, parts: Mapping[str, str], deps: str, services: str) -> None:
        self._say(name, "building")
        if name == "services":
            self._build(services, deps, self._fill_services)
        elif name == "python-deps":
            self._build(deps, parts["base"], self._fill_deps)
        elif source == "registry":
            self._say(name, "pulling")
            self._pull(parts[name], 600)
        elif name == "base":
            self._make_base(parts[name])
        else:
            self._build(parts[name], parts["base"], getattr(self, f"_fill_{name}"))
        if self._progress is not None:
            self._progress.done(name)

    def _say(self, name: str, what: str) -> None:
        if self._progress is not None:
            self._progress.say(name, what)

    # What identifies an image ----------------------------------------------------------------------------------------

    @staticmethod
    def _digest(*contents: bytes) -> str:
        digest = hashlib.sha256()
        for content in contents:
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()[:16]

    def _tag(self, name: str) -> str:
        version = RECIPES[name].folder if name in RECIPES else SUITE
        made_by = self._make_base if name == "base" else getattr(self, f"_fill_{name}")
        base = b"" if name == "base" else self._tag("base").encode()
        recipe = inspect.getsource(made_by).encode() + _POSTGRES_ENTRY.encode()
        return self._digest(recipe, base, version.encode(), self._engine.architecture.encode())

    def _code(self) -> list[bytes]:
        found = []
        for path in sorted(self._stack.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found += [str(path.relative_to(self._stack)).encode(), path.read_bytes()]
        return found

    @staticmethod
    def _requirements() -> str:
        """The pinned requirements of the services, with hashes, and of what these need."""
        wanted = set(_closure(SERVICE_PACKAGES))
        lock = Path(__file__).parents[2] / "requirements.lock"
        blocks = re.split(r"^(?=[A-Za-z0-9])", lock.read_text(), flags=re.MULTILINE)
        found = []
        for block in blocks:
            head, _, hashes = block.partition("\\")
            if _name(re.split(r"[=\[ ;]", head, maxsplit=1)[0]) not in wanted:
                continue
            # pip would judge the marker by the Python that it runs in, not by the one of the image.
            pinned = Requirement(head.strip())
            if pinned.marker is None or pinned.marker.evaluate(_INSIDE):
                found.append(f"{pinned.name}{pinned.specifier} \\{hashes}")
        return "".join(found)

    # Building --------------------------------------------------------------------------------------------------------

    def _has(self, reference: str) -> bool:
        return bool(self._engine.do_now("list images", lambda client: client.images.list(name=reference)))

    def _pull(self, reference: str, timeout_s: float) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "harness.drivers.docker_pull", reference],
            capture_output=True, text=True, timeout=None, check=False, env={**os.environ, "GAMEDAY_PULL_S": str(timeout_s)},
        )  # fmt: skip
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
            raise EngineError(
                f"cannot pull {reference}: {last[:300]}; GAMEDAY_IMAGES=built builds from packages instead"
            )

    def _build(self, tag: str, base: str, fill: Any) -> None:
        with tempfile.TemporaryDirectory(prefix="gameday-image-") as folder:
            context = Path(folder)
            lines = fill(context)
            (context / "Dockerfile").write_text("\n".join([f"FROM {base}", *lines]) + "\n")
            for path in [context, *context.rglob("*")]:
                os.utime(path, (0, 0), follow_symlinks=False)
            self._engine.do_now(
                f"build {tag}",
                lambda client: client.images.build(path=folder, tag=tag, rm=True, forcerm=True, timeout=600),
            )

    def _make_base(self, tag: str) -> None:
        """A minimal Debian with Python, from packages."""
        if shutil.which("mmdebstrap") is None:
            raise EngineError(
                "no registry answers and mmdebstrap is not here to build without; install it or use --runtime process"
            )
        with tempfile.TemporaryDirectory(prefix="gameday-base-") as folder:
            archive = Path(folder) / "base.tar"
            skip = [f"--dpkgopt=path-exclude=/usr/share/{what}/*" for what in ("doc", "man", "locale", "info")]
            passwd = f"echo 'gameday:x:{USER}:{USER}::/tmp:/bin/sh' >> \"$1/etc/passwd\""
            command = [
                "mmdebstrap", "--variant=essential", "--include=python3,libstdc++6,libgcc-s1", *skip,
                f"--customize-hook={passwd}", f"--architectures={self._engine.architecture}", SUITE, str(archive),
            ]  # fmt: skip
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "SOURCE_DATE_EPOCH": "0"},
                timeout=900,
            )
            if done.returncode != 0:
                last = (done.stderr.strip().splitlines() or ["no output"])[-1]
                raise EngineError(f"cannot build the base image: {last[:300]}")
            repository, _, version = tag.partition(":")
            self._engine.do_now(
                "import the base image",
                lambda client: client.api.import_image_from_file(str(archive), repository=repository, tag=version),
            )

    # What is in each image: files below the context, and the lines that copy them ------------------------------------

    def _fill_services(self, context: Path) -> list[str]:
        target = context / "stack"
        shutil.copytree(self._stack, target, ignore=shutil.ignore_patterns("__pycache__"))
        _compile(context)
        return ["COPY stack /opt/gameday/app/stack"]

    def _fill_deps(self, context: Path) -> list[str]:
        site = context / "site"
        wanted = context / "requirements.txt"
        wanted.write_text(self._requirements())
        machine = _WHEELS.get(self._engine.architecture, platform.machine())
        platforms = [f"--platform={kind}_{machine}" for kind in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")]
        command = [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
            "--require-hashes", "--only-binary=:all:", f"--python-version={PYTHON}", "--implementation=cp", *platforms,
            f"--target={site}", "-r", str(wanted),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise EngineError(f"cannot fetch the services' packages: {last[:300]}")
        wanted.unlink()
        shutil.rmtree(site / "bin", ignore_errors=True)
        _compile(context)
        return [
            "COPY site /opt/gameday/site",
            "ENV PYTHONPATH=/opt/gameday/site:/opt/gameday/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1",
            "WORKDIR /tmp",
            f"USER {USER}:{USER}",
        ]

    def _fill_postgres(self, context: Path) -> list[str]:
        shutil.copytree(fetched("postgres").home, context / "postgres", symlinks=True)
        entry = context / "docker-entrypoint.sh"
        entry.write_text(_POSTGRES_ENTRY)
        entry.chmod(0o755)
        return [
            "COPY postgres /opt/postgres",
            "COPY docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh",
            "ENV PATH=/opt/postgres/bin:/usr/local/bin:/usr/bin:/bin PGDATA=/tmp/pgdata",
            f"USER {USER}:{USER}",
            'ENTRYPOINT ["docker-entrypoint.sh"]',
        ]

    def _fill_program(self, context: Path, part: str, program: str, entry: str) -> list[str]:
        shutil.copy(fetched(part).home / "bin" / program, context / program)
        (context / program).chmod(0o755)
        return [
            f"COPY {program} /usr/local/bin/{program}",
            f"USER {USER}:{USER}",
            "WORKDIR /tmp",
            f"ENTRYPOINT [{entry}]",
        ]

    def _fill_redis(self, context: Path) -> list[str]:
        return self._fill_program(context, "redis", "redis-server", "")

    def _fill_nats(self, context: Path) -> list[str]:
        return self._fill_program(context, "nats", "nats-server", "")

    def _fill_toxiproxy(self, context: Path) -> list[str]:
        return self._fill_program(context, "toxiproxy", "toxiproxy-server", '"toxiproxy-server"')

    def _fill_keycloak(self, context: Path) -> list[str]:
        shutil.copytree(fetched("java").home, context / "java", symlinks=True)
        shutil.copytree(
            fetched("keycloak").home,
            context / "keycloak",
            symlinks=True,
            ignore=shutil.ignore_patterns("*.aot", "seeds"),
        )
        (context / "keycloak" / "bin" / "kc.sh").chmod(0o755)
        return [
            "COPY java /opt/java",
            f"COPY --chown={USER}:{USER} keycloak /opt/keycloak",
            "ENV JAVA_HOME=/opt/java",
            f"USER {USER}:{USER}",
            'ENTRYPOINT ["/opt/keycloak/bin/kc.sh"]',
        ]


def _compile(folder: Path) -> None:
    """Bytecode beside the sources, the same for the same sources; only of the Python that will read it."""
    if platform.python_version().startswith(f"{PYTHON}."):
        subprocess.run(
            [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder), str(folder)],
            capture_output=True, check=False,
        )  # fmt: skip


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _closure(names: Iterable[str]) -> set[str]:
    """The packages and what they need, as installed here, without extras and other systems' needs."""
    found: set[str] = set()
    waiting = [_name(n) for n in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        waiting += [_name(re.split(r"[\s;<>=!~\[(]", need, maxsplit=1)[0]) for need in needs if "extra ==" not in need]
    return found
