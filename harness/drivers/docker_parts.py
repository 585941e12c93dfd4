"""How the docker runtime starts each real part: image, command, files; the same for official and for built images."""

from pathlib import Path

from harness.drivers.docker_engine import Wanted
from harness.drivers.images import Images
from harness.drivers.process_parts import acl_rules, nats_users, realm_of
from harness.model.topology import Topology

TOXIPROXY_API = 8474
KEYCLOAK_PORT = 8080

JAVA_MORE = "-XX:TieredStopAtLevel=1 --add-opens=java.base/java.lang=ALL-UNNAMED"
"""Quick to start; and worker threads that outlive their first task on Java 24 and newer."""

_PORTS = {"postgres": 5432, "redis": 6379, "nats": 4222, "http": KEYCLOAK_PORT}


def port_of(topology: Topology, name: str) -> int:
    """Where a part listens inside its container."""
    return TOXIPROXY_API if name == "toxiproxy" else _PORTS[topology.parts[name].protocol]


def part(images: Images, topology: Topology, name: str, superuser_password: str) -> Wanted:
    """A part of a cell; name, network and ports are the cell's to fill in."""
    if name == "toxiproxy":
        return Wanted(
            "", images.toxiproxy, ("-host", "0.0.0.0", "-port", str(TOXIPROXY_API)), entrypoint=images.toxiproxy_entry
        )
    protocol = topology.parts[name].protocol
    if protocol == "postgres":
        return _postgres(images, topology, name, superuser_password)
    if protocol == "redis":
        rules = [f"user {rule}" for rule in acl_rules(topology, name)]
        config = "\n".join(['save ""', "appendonly no", "protected-mode no", "latency-monitor-threshold 100", *rules])
        return Wanted("", images.redis, ("redis-server", "/tmp/redis.conf"), files={"/tmp/redis.conf": config.encode()})  # noqa: S108
    users = ", ".join(f'{{user: "{u}", password: "{p}"}}' for u, p in nats_users(topology, name).items())
    config = (
        'listen: "0.0.0.0:4222"\n'
        'jetstream { store_dir: "/tmp/jetstream", max_memory_store: 64MB, max_file_store: 256MB }\n'
        f"authorization {{ users: [{users}] }}\n"
    )
    return Wanted("", images.nats, ("nats-server", "-c", "/tmp/nats.conf"), files={"/tmp/nats.conf": config.encode()})  # noqa: S108


def _postgres(images: Images, topology: Topology, name: str, superuser_password: str) -> Wanted:
    command = ["postgres", "-c", "scram_iterations=1"]
    for key, value in topology.parts[name].options.get("parameters", {}).items():
        command += ["-c", f"{key}={value}"]
    return Wanted(
        "",
        images.postgres,
        tuple(command),
        {"POSTGRES_PASSWORD": superuser_password, "POSTGRES_INITDB_ARGS": "--no-sync --encoding=UTF8 --locale=C"},
        stop_signal="SIGINT",
    )


def keycloak(images: Images, topology: Topology, name: str, hostname: str, seed: Path | None) -> Wanted:
    """Keycloak with one realm, on a fixed hostname; `seed` is a folder with a database that has the realm, or None."""
    realm = realm_of(topology, name)
    flags = (
        "--http-enabled=true", f"--http-port={KEYCLOAK_PORT}", f"--hostname=http://{hostname}", "--import-realm",
        "--cache=local", "--log-level=warn",
    )  # fmt: skip
    environment = {"JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m", "JAVA_OPTS_APPEND": JAVA_MORE}
    command: tuple[str, ...] = ("start", "--db=dev-mem", "--health-enabled=true")
    if images.keycloak_optimized:
        command = ("start", "--optimized")
        environment["KC_DB_URL"] = "jdbc:h2:file:/tmp/keycloakdb;NON_KEYWORDS=VALUE"
    else:
        seed = None  # another build may have a database of another form
    return Wanted(
        "",
        images.keycloak,
        (*command, *flags),
        environment,
        files={} if seed else {f"/opt/keycloak/data/import/{realm.name}": realm.read_bytes()},
        writable={f"/tmp/{file.name}": file.read_bytes() for file in seed.iterdir()} if seed else {},  # noqa: S108
    )
