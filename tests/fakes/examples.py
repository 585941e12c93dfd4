"""The debriefs in docs/examples/drills: of scripted trainees, in every language; `python -m tests.fakes.examples` writes them."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.messages import load_messages
from harness.report import debrief
from harness.report.lang import ENGLISH, LANGUAGES
from tests.fakes.trainees import LIMIT_S, PAGED_S, TRAINEES, answer_to, record_of

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "drills"
BROKEN, PAGE = "FM-OB-01", "outbox age lasting"


def examples() -> Iterator[tuple[Path, str]]:
    """Each file with what it holds."""
    topology = load_topology(None)
    catalogue = load_catalogue("scenarios", topology)
    answer = asyncio.run(answer_to(catalogue.scenarios[BROKEN], catalogue, topology))
    for name in TRAINEES:
        made = record_of(name, answer, topology, 1)
        entries = tuple(replace(e, says=PAGE) if e.kind == "page" else e for e in made.entries)
        ended = "recovered" if made.ended_s < PAGED_S + LIMIT_S else "the time is over"
        made = replace(made, drill_id=f"example-{name}", trainee=name, page=PAGE, entries=entries, ended=ended)
        for lang in LANGUAGES:
            path = FOLDER / (f"{name}.md" if lang == ENGLISH else f"{name}.{lang}.md")
            yield path, debrief.markdown(made, load_messages("scenarios", lang))


if __name__ == "__main__":
    for path, text in examples():
        path.write_text(text, encoding="utf-8")
