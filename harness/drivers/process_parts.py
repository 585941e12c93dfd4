"""How the process runtime starts each real part: files to prepare, the command, the user."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.drivers.parts import Part, executable
from harness.drivers.parts import keycloak as parts_keycloak
from harness.model.errors import CellError
from harness.model.runtime import Address
from harness.model.topology import Topology

POSTGRES_USER = "nobody"
"""PostgreSQL refuses to run as root; this account exists everywhere."""


@dataclass(frozen=True)
class Command:
    """What to start.

    Attributes:
        user: the account to run as, or None for the runner's own.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None


def postgres_user() -> str | None:
    """The account that PostgreSQL runs as; None for the runner's own."""
    return POSTGRES_USER if os.geteuid() == 0 else None


def prepare_postgres(part: Part, data: Path, superuser_password: str) -> None:
    """Make a database cluster; raises CellError with initdb's own last line."""
    user = postgres_user()
    data.mkdir(mode=0o700)
    password_file = data.with_name(data.name + ".password")
    password_file.write_text(superuser_password)
    if user:
        shutil.chown(data, user)
        shutil.chown(password_file, user)
    argv = [
        str(executable(part, "initdb")), "-D", str(data), "-U", "postgres", "--no-sync", "--auth=scram-sha-256",
        f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C", "--set=scram_iterations=1", "--no-instructions",
    ]  # fmt: skip
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, user=user, stdin=subprocess.DEVNULL, cwd="/"
    )
    password_file.unlink()
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise CellError(f"PostgreSQL could not make its data folder {data}: {last}")


def postgres(part: Part, data: Path, listen: Address, parameters: Mapping[str, str]) -> Command:
    """PostgreSQL on a prepared cluster."""
    wanted = {
        "listen_addresses": listen.host,
        "port": str(listen.port),
        "unix_socket_directories": "",
        "scram_iterations": "1",
        **parameters,
    }
    argv = [str(executable(part, "postgres")), "-D", str(data)]
    for name, value in wanted.items():
        argv += ["-c", f"{name}={value}"]
    return Command(tuple(argv), user=postgres_user())


def redis(part: Part, folder: Path, listen: Address, acl: list[str]) -> Command:
    """Redis that keeps nothing."""
    config = folder / "redis.conf"
    lines = [
        f"bind {listen.host}",
        f"port {listen.port}",
        'save ""',
        "appendonly no",
        f"dir {folder}",
        "latency-monitor-threshold 100",
    ]
    config.write_text("\n".join([*lines, *(f"user {rule}" for rule in acl)]) + "\n")
    return Command((str(executable(part, "redis-server")), str(config)))


def nats(part: Part, folder: Path, listen: Address, users: Mapping[str, str]) -> Command:
    """NATS with JetStream and one account of several users."""
    config = folder / "nats.conf"
    accounts = ", ".join(f'{{user: "{name}", password: "{password}"}}' for name, password in users.items())
    config.write_text(
        f'listen: "{listen.host}:{listen.port}"\n'
        f'jetstream {{ store_dir: "{folder / "jetstream"}", max_memory_store: 64MB, max_file_store: 256MB }}\n'
        f"authorization {{ users: [{accounts}] }}\n"
    )
    return Command((str(executable(part, "nats-server")), "-c", str(config)))


def toxiproxy(part: Part, listen: Address) -> Command:
    """Toxiproxy with its API; proxies are made through it."""
    return Command((str(executable(part, "toxiproxy-server")), "-host", listen.host, "-port", str(listen.port)))


def keycloak(
    part: Part, java: Part, folder: Path, *, listen: Address, management: int, realm: Path, seed: Path | None
) -> Command:
    """Keycloak with one realm, on a fixed hostname so that the issuer does not follow a proxy's port.

    `seed` is a folder with a database that has the realm; None when the realm is to be imported.
    """
    own = folder / "keycloak"
    parts_keycloak.own_folder(part.home, own)
    if seed is not None:
        shutil.copytree(seed, own / parts_keycloak.DATABASE)
    else:
        shutil.copy(realm, own / "data" / "import" / realm.name)
    argv = parts_keycloak.command(
        executable(java, "java"),
        part.home,
        own,
        listen.host,
        listen.port,
        management,
        parts_keycloak.aot_flags(part.home),
    )
    return Command(tuple(argv), {"JAVA_HOME": str(java.home)})


def realm_of(topology: Topology, name: str) -> Path:
    """The realm that a part serves, as a file."""
    return Path(topology.folder) / str(topology.parts[name].options["realm"])


def nats_users(topology: Topology, part: str) -> dict[str, str]:
    """The broker's users and passwords; none when the topology names none."""
    return {user: topology.secrets[f"{user}-nats"] for user in topology.parts[part].options.get("users", ())}


def acl_rules(topology: Topology, part: str) -> list[str]:
    """Redis's access rules, secrets filled in."""
    return [topology.fill(rule, {}) for rule in topology.parts[part].options.get("acl", ())]
