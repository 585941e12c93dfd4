"""`report.html`: a run for people, in one file that needs nothing else; scenarios unfold when somebody opens them."""

import base64
import gzip
import importlib.util
import json
import re
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, TemplateError
from markupsafe import Markup

from harness.model.errors import InfrastructureError
from harness.report import charts, overview, view
from harness.report.figures import figure, num, secs, tplus
from harness.report.index import Index
from harness.report.journal import JOURNAL
from harness.report.lang import ENGLISH, Messages, beginning, ended, role, sentence, text
from harness.report.scenarios import views

TEMPLATES = Path(__file__).parent / "templates"


def render(folder: Path, messages: Messages | None = None, only: Collection[str] = ()) -> bytes:
    """The page of the run in a folder, in the messages' language; `only` names the scenarios shown, none means all.

    Raises InfrastructureError when its journal cannot be read or the page cannot be made.
    """
    index = Index(folder / JOURNAL, messages, only)
    lang = messages.lang if messages else ENGLISH
    try:
        template = _environment(lang).get_template("report.html.j2")
        said = overview.of(index, lang)
        parts = template.generate(
            lang=lang,
            run=index.run,
            run_id=said.run_id,
            started=index.run.started,
            headline=said.headline,
            counts=said.counts,
            meta=said.meta,
            warnings=said.warnings,
            first=said.first,
            first_number=said.first_number,
            scenarios=_scenarios(index, folder, lang),
            style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),  # noqa: S704  (our own file)
            script=Markup((TEMPLATES / "page.js").read_text(encoding="utf-8")),  # noqa: S704  (our own file)
            script_words=_embedded(beginning("script.", lang)),
            plotly=plotting(),
        )
        # A lone surrogate from a broken line has no UTF-8.
        return b"".join(part.encode("utf-8", errors="replace") for part in parts)
    except TemplateError as error:
        raise InfrastructureError(f"the page could not be made: {error}") from None


def _scenarios(index: Index, folder: Path, lang: str) -> Iterator[tuple[view.ScenarioView, Markup]]:
    for seen in views(index, folder):
        yield seen, _embedded(charts.data(seen.record, seen.line, lambda what: role(what, lang)))


def _embedded(data: Any) -> Markup:
    """Data for the page's script; nothing in it can end the element that holds it."""
    plain = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        plain = plain.replace(character, f"\\u{ord(character):04x}")
    return Markup(plain)  # noqa: S704  (made harmless above)


@cache
def plotting() -> Markup:
    """The plotting library, packed; raises InfrastructureError when it is not installed."""
    found = importlib.util.find_spec("plotly")
    for home in (found.submodule_search_locations if found else None) or ():
        path = Path(home) / "package_data" / "plotly.min.js"
        if path.is_file():
            packed = gzip.compress(path.read_bytes(), mtime=0)
            return Markup(base64.b64encode(packed).decode())  # noqa: S704  (base64 holds no markup)
    raise InfrastructureError("plotly.min.js is not there; install the package plotly again")


@cache
def _environment(lang: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip

    def w(key: str, **values: Any) -> str:
        return text(key, lang, **values)

    made.globals.update(w=w, mark=overview.mark)
    made.filters.update(
        ended=lambda verdict: ended(verdict, lang),
        role=lambda what: role(what, lang),
        breaks=_breaks,
        record=lambda fields, line: view.record(fields, line, lang),
        said=lambda english: sentence(english, lang),
        num=num,
        figure=figure,
        secs=secs,
        tplus=tplus,
        pct=lambda share: f"{share:.3f}%",
        day=lambda at: _day(str(at)),
        facts=lambda value: view.facts(value, lang),
        plain=lambda value: view.plain(value, lang),
    )
    return made


def _breaks(name: str) -> Markup:
    """A name that may be broken after its dots and underscores, so that it stays readable in a narrow column."""
    return Markup("").join(
        part + Markup("<wbr>") if part in "._" else part for part in re.split(r"([._])", name) if part
    )  # fmt: skip


def _day(at: str) -> str:
    try:
        return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M %Z")
    except ValueError:
        return at
