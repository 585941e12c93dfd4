"""How Keycloak is started, and how its classes are cached ahead: the two must not differ, or the cache does not fit."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from harness.drivers.clock import pause_sync

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
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED",
)
"""A small heap and quick start: it lives for minutes."""

TRAIN_S = 120


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
    with tempfile.TemporaryDirectory(prefix="gameday-training-") as folder, contextlib.suppress(OSError):
        own = Path(folder) / "keycloak"
        own_folder(home, own)
        port, management = _free(), _free()
        fresh = home / f".{AOT_CACHE}"
        argv = command(java, home, own, "127.0.0.1", port, management, [f"-XX:AOTCacheOutput={fresh}"])
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
        )
        try:
            if _answers(port, process):
                process.send_signal(signal.SIGTERM)
                process.wait(TRAIN_S)
                if fresh.exists():
                    fresh.rename(home / AOT_CACHE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            process.kill()
            process.wait()
            fresh.unlink(missing_ok=True)
            for left in home.glob(f".{AOT_CACHE}*"):
                left.unlink(missing_ok=True)


def _answers(port: int, process: "subprocess.Popen[bytes]") -> bool:
    deadline_s = time.monotonic() + TRAIN_S
    while time.monotonic() < deadline_s and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/realms/master/.well-known/openid-configuration")
            if connection.getresponse().status == 200:
                return True
        except (OSError, http.client.HTTPException):
            pause_sync(0.1)
        finally:
            connection.close()
    return False


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _major(java: Path) -> int:
    said = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=False)
    digits = "".join(c if c.isdigit() else " " for c in said.stderr).split()
    return int(digits[0]) if digits else 0
