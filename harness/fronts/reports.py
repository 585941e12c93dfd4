"""What is written of a run when it is over, whoever led it: every file, and the `latest` link."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from harness.model.errors import GamedayError
from harness.report.junit import junit
from harness.report.record import RunRecord
from harness.report.run_json import run_json

Render = Callable[[RunRecord, Path], bytes]
"""A run's record and its folder in, a file's content out."""

LATEST = "latest"

PAGE = "report.html"
"""The file that people read first."""


def _json(run: RunRecord, _folder: Path) -> bytes:
    return json.dumps(run_json(run), indent=1, ensure_ascii=False).encode()


def _junit(run: RunRecord, folder: Path) -> bytes:
    return junit(run, str(folder))


def _html(_run: RunRecord, folder: Path) -> bytes:
    from harness.report import html  # noqa: PLC0415  (templates and their engine, wanted only when a run is over)

    return html.render(folder)


RENDERED: dict[str, Render] = {"run.json": _json, "junit.xml": _junit, PAGE: _html}
"""The files in a run's folder beside its journal, by name; those for programs come first."""

BROKEN = (
    GamedayError, OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, ImportError,
    MemoryError,
)  # fmt: skip
"""What a rendering may fail with; the others and the verdict are never lost for it."""


def write(run: RunRecord, folder: Path, copies: dict[str, Path | None] | None = None) -> list[str]:
    """Write every file of a run, and copies of some elsewhere; gives what could not be written, one line each."""
    trouble = []
    for name, render in RENDERED.items():
        try:
            content = render(run, folder)
        except BROKEN as error:
            trouble.append(f"{folder / name} could not be made: {str(error) or type(error).__name__}")
            continue
        copy = (copies or {}).get(name)
        for path in (folder / name, *([copy] if copy else [])):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            except OSError as error:
                trouble.append(f"{path} cannot be written: {error.strerror}")
    return trouble


def remember(run: RunRecord, folder: Path) -> list[str]:
    """Enter a run in the history beside its folder; gives what went wrong, which changes no verdict."""
    from harness.report.history import History  # noqa: PLC0415  (a database, wanted only when a run is over)

    try:
        with History(folder.parent) as history:
            history.add(run_json(run), folder.name)
    except BROKEN as error:
        return [str(error)]
    return []


def page(folder: Path) -> Path:
    """What to open of a run: its page, or its folder where the page could not be made."""
    return folder / PAGE if (folder / PAGE).is_file() else folder


def point_latest(folder: Path) -> None:
    """Let `latest` beside the run's folder lead to it; where links cannot be made there is none."""
    fresh = folder.parent / f".{LATEST}-{os.getpid()}"
    with contextlib.suppress(OSError):
        fresh.symlink_to(folder.name)
        fresh.replace(folder.parent / LATEST)
