"""How Keycloak is started, and how its classes are cached ahead: the two must not differ, or the cache does not fit."""

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from harness.drivers import owner
from harness.drivers.clock import pause_sync
from harness.drivers.spawner_child import die_with

AOT_CACHE = "classes.aot"
"""In Keycloak's home: classes loaded and linked ahead, of Java 25 and newer."""

JAVA_OPTIONS = (
    "-Xms64m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:MaxMetaspaceSize=192m",
    "-Dfile.encoding=UTF-8",
    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    # Without it every worker thread of Keycloak dies at the end of its first task on Java 24 and newer.
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED",
)
"""A small heap and quick start: it lives for minutes."""

TRAIN_S = 120

SEEDS = "seeds"
"""In Keycloak's home, when it was built for a database in files: databases with a realm imported, by the realm's digest."""

DATABASE = Path("data") / "h2"
"""Where it keeps its database, in a folder of its own."""


def command(java: Path, home: Path, own: Path, host: str, port: int, management: int, cache: list[str]) -> list[str]:
    """Start Keycloak of `home` with a folder of its own for what it writes."""
    return [
        str(java),
        *cache,
        *JAVA_OPTIONS,
        f"-Dkc.home.dir={own}",
        f"-Djboss.server.config.dir={own / 'conf'}",
        f"-Dkeycloak.theme.dir={own / 'themes'}",
        "-cp", str(home / "lib" / "quarkus-run.jar"),
        "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
        "start", "--optimized", "--http-enabled=true", f"--http-host={host}", f"--http-port={port}",
        f"--http-management-port={management}", f"--hostname=http://{host}:{port}", "--import-realm", "--cache=local",
        "--log-level=warn",
    ]  # fmt: skip


def own_folder(home: Path, own: Path) -> None:
    """A folder that looks like Keycloak's home, with data of its own."""
    (own / "data" / "import").mkdir(parents=True)
    for entry in home.iterdir():
        if entry.name != "data":
            (own / entry.name).symlink_to(entry)


def train(java: Path, home: Path) -> None:
    """Run it once and keep its classes; without success it only starts more slowly."""
    if _major(java) < 25:
        return
    fresh = home / f".{AOT_CACHE}"
    try:
        with contextlib.suppress(OSError), _run_once(java, home, [f"-XX:AOTCacheOutput={fresh}"]) as own:
            if own is not None and fresh.exists():
                fresh.rename(home / AOT_CACHE)
    finally:
        for left in (fresh, *home.glob(f".{AOT_CACHE}*")):
            left.unlink(missing_ok=True)


def seed_of(home: Path, realm: Path) -> Path | None:
    """Where the database with this realm is kept, there or not; None when this Keycloak has no database in files."""
    if not (home / SEEDS).is_dir():
        return None
    return home / SEEDS / hashlib.sha256(realm.read_bytes()).hexdigest()[:16]


def plant(java: Path, home: Path, realm: Path) -> None:
    """Run it once with a realm and keep its database: on a copy of it Keycloak starts in half the time.

    Without success it imports the realm at every start. The caller keeps others from doing the same meanwhile.
    """
    place = seed_of(home, realm)
    if place is None or place.is_dir():
        return
    with _run_once(java, home, aot_flags(home), realm) as own:
        if own is not None and (own / DATABASE).is_dir():
            half = place.with_name(f".{place.name}")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            for file in (own / DATABASE).glob("*.mv.db"):
                shutil.copy(file, half / file.name)
            half.rename(place)


def aot_flags(home: Path) -> list[str]:
    """What makes Java use the classes that were cached, when they were."""
    cache = home / AOT_CACHE
    return [f"-XX:AOTCache={cache}"] if cache.exists() else []


@contextlib.contextmanager
def _run_once(java: Path, home: Path, flags: list[str], realm: Path | None = None) -> Iterator[Path | None]:
    """Start it, let it answer, and end it; gives its own folder, None when that did not go well."""
    with tempfile.TemporaryDirectory(prefix="gameday-training-") as folder:
        (Path(folder) / owner.FILE).write_text(json.dumps(owner.mine()))
        own = Path(folder) / "keycloak"
        own_folder(home, own)
        name = "master"
        if realm is not None:
            shutil.copy(realm, own / "data" / "import" / realm.name)
            name = str(json.loads(realm.read_bytes())["realm"])
        port, management = _free(), _free()
        argv = command(java, home, own, "127.0.0.1", port, management, flags)
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ),
            # Between fork and exec it makes one call of the kernel and takes no lock.
            preexec_fn=partial(die_with, os.getpid()),  # noqa: PLW1509
        )  # fmt: skip
        try:
            ended_well = _answers(port, f"/realms/{name}/.well-known/openid-configuration", process)
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TRAIN_S)
            yield own if ended_well and process.returncode is not None else None
        finally:
            process.kill()
            process.wait()


def _answers(port: int, path: str, process: "subprocess.Popen[bytes]") -> bool:
    deadline_s = time.monotonic() + TRAIN_S
    while time.monotonic() < deadline_s and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return True
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        pause_sync(0.1)
    return False


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _major(java: Path) -> int:
    said = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=False)
    digits = "".join(c if c.isdigit() else " " for c in said.stderr).split()
    return int(digits[0]) if digits else 0
