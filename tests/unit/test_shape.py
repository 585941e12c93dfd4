"""The shape of the project: what may import what, how long files may be, what may be committed."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("harness", "scenarios", "stack", "tests", "bench")
FILES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))

ONE_MODULE = {
    "toxiproxy": "harness/drivers/toxiproxy.py",
    "docker": "harness/drivers/docker_engine.py",
    "psycopg": "harness/drivers/postgres.py",
    "nats": "harness/drivers/nats.py",
    "redis": "harness/drivers/redis.py",
    "aiohttp": "harness/drivers/http.py",
}
"""A third-party client is imported by exactly one driver module."""


def imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize(("client", "module"), ONE_MODULE.items())
def test_a_client_is_known_to_one_driver_alone(client: str, module: str) -> None:
    users = {str(p.relative_to(ROOT)) for p in (ROOT / "harness").rglob("*.py") if client in imported(p)}
    assert users <= {module}


def test_files_are_short() -> None:
    long = [f"{p.relative_to(ROOT)}: {n}" for p in FILES if (n := len(p.read_text().splitlines())) > 400]
    assert long == []


def test_scenarios_are_shorter() -> None:
    long = [p.name for p in (ROOT / "scenarios").glob("fm_*.py") if len(p.read_text().splitlines()) > 100]
    assert long == []


def test_the_harness_names_no_service_and_no_failure_mode() -> None:
    names = re.compile(r"\b(gateway-bff|entitlement|matchmaking|FM-[A-Z]+-\d)")
    code = [
        f"{p.relative_to(ROOT)}:{n}"
        for p in (ROOT / "harness").rglob("*.py")
        for n, line in enumerate(_without_docstrings(p).splitlines(), start=1)
        if names.search(line)
    ]
    assert code == []


def _without_docstrings(file: Path) -> str:
    """The code with docstrings and help texts taken out: examples in them may name what the reference stack has."""
    lines = file.read_text().splitlines()
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for n in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[n] = ""
    return "\n".join(lines)


def test_waiting_is_the_clock_modules_alone() -> None:
    """The stack waits as any service does; harness and tests by one module, where a virtual clock can stand in."""
    sleeping, clock = re.compile(r"\b(time|asyncio)\.sleep\("), ROOT / "harness" / "drivers" / "clock.py"
    files = (
        p for folder in ("harness", "scenarios", "bench", "tests") for p in (ROOT / folder).rglob("*.py") if p != clock
    )
    assert [str(p.relative_to(ROOT)) for p in files if sleeping.search(p.read_text())] == []


def test_nothing_committed_names_a_registry() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git work tree")
    hosts = re.compile(r"https?://[^\s\"']*(pypi|pythonhosted|proxy\.golang|maven|npmjs)", re.IGNORECASE)
    guilty = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path.stat().st_size < 2_000_000 and hosts.search(path.read_text(errors="replace")):
            guilty.append(name)
    assert guilty == []


def test_public_modules_say_what_they_are_for() -> None:
    silent = [
        str(p.relative_to(ROOT))
        for p in FILES
        if p.read_text().strip() and not ast.get_docstring(ast.parse(p.read_text()))
    ]
    assert silent == []
