"""`gameday doctor`: what is here, what is missing, and what to do about it."""

import os
import platform
import shutil
from pathlib import Path

from harness.drivers.folders import state_folder
from harness.drivers.parts import locate
from harness.drivers.parts.recipes import RECIPES
from harness.drivers.parts.store import cache_folder
from harness.drivers.ports_alloc import reserve
from harness.model.errors import GamedayError

NEEDED_GB = 2.0
"""Parts take 0.9 GB, runs a little; building them needs as much again for a while."""


def examine() -> tuple[list[str], bool]:
    """One line for each finding, and whether a run can begin."""
    lines = [
        f"ok    Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    ]
    healthy = True
    for name, recipe in RECIPES.items():
        try:
            part = locate(name)
        except GamedayError as error:
            lines.append(f"wrong {name}: {error}")
            healthy = False
            continue
        if part is None:
            lines.append(f"later {name} {recipe.version} is fetched by the next run; or install {recipe.instead}")
        else:
            lines.append(f"ok    {name} {part.version} ({part.source}: {part.home})")
    lines.append(_engine())
    checks = (
        _folder(cache_folder(), "cache", "GAMEDAY_CACHE"),
        _folder(state_folder(), "state", "GAMEDAY_STATE"),
        _ports(),
    )
    lines += [line for line, _ in checks]
    return lines, healthy and all(good for _, good in checks)


def _engine() -> str:
    from harness.drivers.docker_engine import Engine, EngineError  # noqa: PLC0415  (slow to import)

    try:
        engine = Engine.connect()
    except EngineError as error:
        return f"none  container engine: {error}"
    version = engine.version
    engine.close()
    return f"ok    container engine: Docker {version}"


def _folder(folder: Path, what: str, variable: str) -> tuple[str, bool]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free_gb = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        return f"wrong {what} folder {folder}: {error.strerror}; set {variable} to a folder that can be written", False
    if not os.access(folder, os.W_OK):
        return f"wrong {what} folder {folder} cannot be written; set {variable} to another", False
    if free_gb < NEEDED_GB:
        return f"wrong {what} folder {folder}: {free_gb:.1f} GB free, {NEEDED_GB:g} GB are needed", False
    return f"ok    {what} folder {folder}, {free_gb:.0f} GB free", True


def _ports() -> tuple[str, bool]:
    try:
        block = reserve(state_folder() / "ports")
        block.take(40)
        block.close()
    except (GamedayError, OSError) as error:
        return f"wrong ports: {error}", False
    return "ok    ports on 127.0.0.1", True
