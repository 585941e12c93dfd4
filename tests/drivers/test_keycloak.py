"""Keycloak starts on a copy of a database that has the realm already."""

from pathlib import Path

import httpx
import pytest

from harness.drivers.parts.keycloak import SEEDS, seed_of
from harness.drivers.process import ProcessRuntime


def test_a_seed_is_of_one_realm_and_of_a_keycloak_with_a_database_in_files(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    one.write_text('{"realm": "one"}')
    other.write_text('{"realm": "other"}')
    assert seed_of(tmp_path, one) is None
    (tmp_path / SEEDS).mkdir()
    assert seed_of(tmp_path, one) != seed_of(tmp_path, other)


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
