"""Keycloak starts on a copy of a database that has the realm already."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

import httpx
import psutil
import pytest

from harness.drivers.cleanup import clean_up
from harness.drivers.clock import wait_until
from harness.drivers.parts import executable
from harness.drivers.parts.keycloak import SEEDS, seed_of
from harness.drivers.process import ProcessRuntime


def test_a_seed_is_of_one_realm_and_of_a_keycloak_with_a_database_in_files(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    one.write_text('{"realm": "one"}')
    other.write_text('{"realm": "other"}')
    assert seed_of(tmp_path, one) is None
    (tmp_path / SEEDS).mkdir()
    assert seed_of(tmp_path, one) != seed_of(tmp_path, other)


PLANTING = """
import sys
from pathlib import Path
from harness.drivers.parts.keycloak import plant
plant(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
"""


@pytest.mark.asyncio(loop_scope="session")
async def test_nothing_is_left_of_whoever_is_killed_while_a_database_is_made(
    runtime: ProcessRuntime, tmp_path: Path
) -> None:
    home, java = runtime.parts["keycloak"].home, executable(runtime.parts["java"], "java")
    if seed_of(home, Path(__file__)) is None:
        return  # a person's own Keycloak has none
    realm = tmp_path / "realm.json"
    realm.write_text(json.dumps({"realm": f"planted-{tmp_path.name}", "enabled": True}))
    planting = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PLANTING, str(java), str(home), str(realm),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(Path(tempfile.gettempdir()))},
    )  # fmt: skip
    begun = psutil.Process(planting.pid)

    async def started() -> list[psutil.Process]:
        return [p for p in begun.children() if p.name() == "java"]

    (child,) = await wait_until(started, what="Keycloak of a database that is made")
    mark = "-Dkc.home.dir="
    folder = Path(next(word.removeprefix(mark) for word in child.cmdline() if word.startswith(mark))).parent
    planting.kill()
    await planting.wait()

    async def ended() -> bool:
        return not child.is_running() or child.status() == psutil.STATUS_ZOMBIE

    await wait_until(ended, what="the end of Keycloak")
    assert f"removed the folder {folder}" in clean_up(containers=False)
    assert seed_of(home, realm) not in set(await asyncio.to_thread(lambda: list((home / SEEDS).iterdir())))


@pytest.mark.asyncio(loop_scope="session")
async def test_it_starts_on_a_copy_and_the_seed_stays_as_it_was(runtime: ProcessRuntime) -> None:
    part = runtime.parts["keycloak"]
    if part.source != "cache":
        return  # a person's own Keycloak is started as it is
    realm = Path(runtime.topology.folder) / str(runtime.topology.parts["keycloak"].options["realm"])
    seed = seed_of(part.home, realm)
    assert seed is not None
    before = {file.name: file.stat().st_mtime_ns for file in seed.iterdir()}
    await runtime.shared_ready("keycloak", timeout_s=120)
    address = runtime.shared_address("keycloak")
    health = str(runtime.topology.parts["keycloak"].options["health"])
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{address.host}:{address.port}{health}")
    assert answer.status_code == 200
    assert {file.name: file.stat().st_mtime_ns for file in seed.iterdir()} == before
