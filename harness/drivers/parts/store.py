"""The cache of parts: each is put in place whole, under a lock, or not at all."""

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from harness.drivers.parts.errors import BuildError, CacheError, PartError
from harness.drivers.parts.keycloak import plant, seed_of
from harness.drivers.parts.progress import Progress
from harness.drivers.parts.recipes import RECIPES, Recipe
from harness.model.errors import UsageError

SHARED = Path("/var/tmp")  # noqa: S108  (a fixed name below it is made and owned by this user alone)


@dataclass(frozen=True)
class Part:
    """A part that is there.

    Attributes:
        home: its folder; programs are in `bin` or in the folder itself.
        source: `cache`, `path` or `configured`.
    """

    name: str
    version: str
    home: Path
    source: str


def cache_folder() -> Path:
    """The per-user cache; GAMEDAY_CACHE names another one."""
    return Path(os.environ.get("GAMEDAY_CACHE") or platformdirs.user_cache_dir("gameday"))


def _folder_of(name: str) -> Path:
    """Where a part is kept; PostgreSQL must be readable by the user it runs as, which a root home is not."""
    parts = cache_folder() / "parts"
    if name == "postgres" and os.geteuid() == 0 and not _open_to_all(parts):
        return SHARED / "gameday-0" / "parts"
    return parts


def _open_to_all(folder: Path) -> bool:
    """Whether every existing folder on the way can be entered by everybody."""
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents) if place.exists())


def executable(part: Part, program: str) -> Path:
    """A program of a part; raises PartError when it is not there."""
    for place in (part.home / "bin" / program, part.home / program):
        if place.exists():
            return place
    raise PartError(f"{part.home} has no {program}; point GAMEDAY_{part.name.upper()}_HOME to a complete installation")


def locate(name: str) -> Part | None:
    """The part if it is there already, without fetching anything; None when it is not."""
    recipe = RECIPES[name]
    configured = os.environ.get(f"GAMEDAY_{name.upper()}_HOME")
    if configured:
        home = Path(configured).expanduser()
        if not (home / recipe.program).exists() and not (home / Path(recipe.program).name).exists():
            raise UsageError(
                f"GAMEDAY_{name.upper()}_HOME is {home}, but {recipe.program} is not there; correct or unset it"
            )
        return Part(name, "configured", home, "configured")
    found = _on_path(recipe)
    if found is not None:
        return found
    return cached(name)


def cached(name: str) -> Part | None:
    """The part of the cache, whatever else is on this machine; None when it is not there."""
    recipe = RECIPES[name]
    home = _folder_of(name) / recipe.folder
    return Part(name, recipe.version, home, "cache") if home.is_dir() else None


def _on_path(recipe: Recipe) -> Part | None:
    """A version on PATH that will do; what was found out about a file is remembered, for asking costs up to 0.1 s."""
    for program in recipe.on_path:
        where = shutil.which(program)
        if where is None:
            continue
        file = Path(where).resolve()
        home = file.parent.parent if file.parent.name == "bin" else file.parent
        version = _version_of(recipe, file)
        complete = all((home / also).exists() for also in recipe.also)
        if version and tuple(version) >= recipe.at_least and complete:
            return Part(recipe.name, ".".join(map(str, version)), home, "path")
    return None


def _version_of(recipe: Recipe, file: Path) -> list[int]:
    memory = cache_folder() / "found.json"
    key = f"{file}:{file.stat().st_mtime_ns}"
    known: dict[str, list[int]] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(memory.read_text())
    if key not in known:
        try:
            said = subprocess.run(
                [file, recipe.version_argument],
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            match = re.search(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", said.stdout + said.stderr)
        except (OSError, subprocess.TimeoutExpired):
            match = None
        known[key] = [int(n) for n in match.groups() if n] if match else []
        with contextlib.suppress(OSError):
            memory.parent.mkdir(parents=True, exist_ok=True)
            memory.write_text(json.dumps(known))
    return known[key]


def ensure(name: str, *, progress: Progress | None = None) -> Part:
    """The part, fetched and built first when it is not there; raises PartError."""
    if name not in RECIPES:
        raise UsageError(f"there is no part {name}; the parts are {', '.join(RECIPES)}")
    part = locate(name)
    if part is not None:
        return part
    return fetched(name, progress=progress)


def fetched(name: str, *, progress: Progress | None = None) -> Part:
    """The part of the cache, fetched and built first when it is not there, whatever else is on this machine."""
    recipe = RECIPES[name]
    folder = _folder_of(name)
    home = folder / recipe.folder
    own = progress or Progress()
    with _guarded(recipe, folder), _locked(folder / f"{name}.lock", lambda: own.say(name, "waiting for another run")):
        if not home.is_dir():
            _make(recipe, home, own)
            own.done(name)
    return Part(name, recipe.version, home, "cache")


def _make(recipe: Recipe, home: Path, progress: Progress) -> None:
    """Build in a temporary folder beside, and rename when it is whole; what an interrupted try left is removed."""
    for left in home.parent.glob(f".{recipe.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    workshop = Path(tempfile.mkdtemp(prefix=f".{recipe.name}-", dir=home.parent))
    workshop.chmod(0o755)
    try:
        # The same last component as the final place: some programs remember it.
        made = workshop / home.name
        made.mkdir()
        recipe.build(
            made, lambda what: progress.say(recipe.name, what), lambda other: ensure(other, progress=progress).home
        )
        for program in (recipe.program, *recipe.also):
            if not (made / program).exists():
                raise BuildError(f"{recipe.name} was built without {program}")
        made.rename(home)
        if recipe.finish is not None:
            recipe.finish(
                home, lambda what: progress.say(recipe.name, what), lambda other: ensure(other, progress=progress).home
            )
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


@contextlib.contextmanager
def _guarded(recipe: Recipe, folder: Path) -> Iterator[None]:
    """Turn what goes wrong in the cache into one line that says what to do."""
    variable = f"GAMEDAY_{recipe.name.upper()}_HOME"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        yield
    except PartError as error:
        raise type(error)(
            f"{error}; install {recipe.instead} and put it on PATH or name its folder in {variable}"
        ) from None
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise CacheError(
                f"no space left for {recipe.name} in {folder}; free some, or set GAMEDAY_CACHE to another disk"
            ) from None
        raise CacheError(
            f"{folder} cannot be used: {error.strerror}; set GAMEDAY_CACHE to a folder that can be written"
        ) from None


@contextlib.contextmanager
def _locked(file: Path, waiting: object) -> Iterator[None]:
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if callable(waiting):
                waiting()
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def planted(found: Mapping[str, Part], realm: Path) -> Path | None:
    """The folder of a database of this Keycloak's that has the realm, made when it is missing.

    None where it cannot be made, or is not ours to make: Keycloak then imports the realm, and starts more slowly.
    """
    keycloak, java = found["keycloak"], found["java"]
    with contextlib.suppress(OSError, ValueError, KeyError):
        place = seed_of(keycloak.home, realm)
        if keycloak.source != "cache" or place is None:
            return None
        if not place.is_dir():
            with Progress.shown(["keycloak"]) as progress:
                progress.say("keycloak", "importing")
                lock = keycloak.home.parent / "keycloak.lock"
                with _locked(lock, lambda: progress.say("keycloak", "waiting for another run")):
                    plant(executable(java, "java"), keycloak.home, realm)
                progress.done("keycloak")
        return place if place.is_dir() else None
    return None


def ensure_all(names: Sequence[str]) -> dict[str, Part]:
    """Every part, the missing ones two at a time behind a progress bar; raises the first PartError."""
    found = {name: locate(name) for name in names}
    missing = [name for name, part in found.items() if part is None]
    if missing:
        with Progress.shown(missing) as progress, ThreadPoolExecutor(2) as pool:
            # Java first: Keycloak's recipe needs it and would otherwise wait for it while holding a place.
            made = {
                name: pool.submit(ensure, name, progress=progress)
                for name in sorted(missing, key=lambda n: n != "java")
            }
            for name, future in made.items():
                found[name] = future.result()
    return {name: part for name, part in found.items() if part is not None}
