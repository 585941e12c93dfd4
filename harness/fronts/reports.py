"""What is written of a run when it is over, whoever led it: every file, and the `latest` link."""

import contextlib
import json
import os
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from harness.fronts.asked import recorded
from harness.fronts.messages import load_messages
from harness.model.errors import GamedayError, UsageError
from harness.report.junit import junit
from harness.report.lang import Messages, language
from harness.report.record import RunRecord
from harness.report.run_json import run_json

Render = Callable[[RunRecord, Path], bytes]
"""A run's record and its folder in, a file's content out."""

LATEST = "latest"

PAGE = "report.html"
"""The file that people read first."""

TEXT = "report.md"
"""The same as text, which is also what a CI job shows as its summary."""

JOB_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Names the file to which a CI job's summary is appended, where there is one."""


def _json(run: RunRecord, _folder: Path) -> bytes:
    return json.dumps(run_json(run), indent=1, ensure_ascii=False).encode()


def _junit(run: RunRecord, folder: Path) -> bytes:
    return junit(run, str(folder))


def _html(folder: Path, messages: Messages, only: Collection[str]) -> bytes:
    from harness.report import html  # noqa: PLC0415  (templates and their engine, wanted only when a run is over)

    return html.render(folder, messages, only)


def _markdown(folder: Path, messages: Messages, only: Collection[str]) -> bytes:
    from harness.report import markdown  # noqa: PLC0415  (wanted only when a run is over)

    return markdown.render(folder, messages, only)


RENDERED: dict[str, Render] = {"run.json": _json, "junit.xml": _junit}
"""The files for programs in a run's folder beside its journal, by name."""

Page = Callable[[Path, Messages, Collection[str]], bytes]
"""A run's folder, the language, and the scenarios wanted (none means all) in, a file's content out."""

PAGES: dict[str, Page] = {TEXT: _markdown, PAGE: _html}
"""The files for people, made of the journal; they come last."""

BROKEN = (
    GamedayError, OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, ImportError,
    MemoryError,
)  # fmt: skip
"""What a rendering may fail with; the others and the verdict are never lost for it."""


def write(
    run: RunRecord,
    folder: Path,
    copies: dict[str, Path | None] | None = None,
    *,
    lang: str | None = None,
    catalogue: str = "scenarios",
) -> list[str]:
    """Write every file of a run, and copies of some elsewhere; gives what could not be written, one line each.

    `lang` is the language of the files for people, None the environment's; `catalogue` knows the scenarios' titles in it.
    """
    trouble: list[str] = []
    for name, render in RENDERED.items():
        _write(folder / name, partial(render, run, folder), trouble, (copies or {}).get(name))
    for name, page_of in PAGES.items():
        _write(folder / name, partial(_page, page_of, folder, catalogue, lang), trouble)
    trouble += _job_summary(folder)
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


def _page(render: Page, folder: Path, catalogue: str, lang: str | None) -> bytes:
    return render(folder, load_messages(catalogue, language(lang, os.environ)), ())


def _write(path: Path, render: Callable[[], bytes], trouble: list[str], copy: Path | None = None) -> None:
    """Write one file and its copy; what goes wrong is added to the trouble."""
    try:
        content = render()
    except BROKEN as error:
        trouble.append(f"{path} could not be made: {str(error) or type(error).__name__}")
        return
    for place in (path, *([copy] if copy else [])):
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        except OSError as error:
            trouble.append(f"{place} cannot be written: {error.strerror}")


def _job_summary(folder: Path) -> list[str]:
    """Append the text to the job's summary where a CI service wants one; gives what went wrong."""
    summary = os.environ.get(JOB_SUMMARY)
    if not summary or not (folder / TEXT).is_file():
        return []
    from harness.report import markdown  # noqa: PLC0415  (wanted only when a run is over)

    try:
        with Path(summary).open("ab") as opened:
            opened.write(markdown.summary((folder / TEXT).read_bytes()))
    except OSError as error:
        return [f"the job's summary {summary} cannot be written: {error.strerror}"]
    return []


def rendered_again(
    run: Path, reports: Path, messages: Messages, only: Collection[str] = (), into: Path | None = None
) -> list[Path]:
    """Write the files for people of an old run again, of some of its scenarios where `only` names them.

    They are written into the run's folder, or into another. Raises UsageError when there is no run (a drill is none), no
    such scenario, or nowhere to write.
    """
    folder = recorded(str(run), reports)
    home = into or folder
    for name, render in PAGES.items():
        content = render(folder, messages, only)
        try:
            home.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes(content)
        except OSError as error:
            raise UsageError(f"{home / name} cannot be written: {error.strerror}") from None
    return [home / name for name in PAGES]


def page(folder: Path) -> Path:
    """What to open of a run: its page, or its folder where the page could not be made."""
    return folder / PAGE if (folder / PAGE).is_file() else folder


def point_latest(folder: Path) -> None:
    """Let `latest` beside the run's folder lead to it; where links cannot be made there is none."""
    fresh = folder.parent / f".{LATEST}-{os.getpid()}"
    with contextlib.suppress(OSError):
        fresh.symlink_to(folder.name)
        fresh.replace(folder.parent / LATEST)
