"""The debriefs in docs/examples/drills: of drills that scripted trainees played on a real stack.

`python -m tests.fakes.examples --play` plays them anew, which takes ten minutes, and keeps the record of each as JSON;
without it the pages are made of the records again, in every language.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.fronts.messages import load_messages
from harness.model.drill import Answer, BrokenRule, Deed, DrillRecord, Entry, RunbookStep
from harness.report import debrief
from harness.report.lang import ENGLISH, LANGUAGES
from tests.fakes.trainees import TRAINEES

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "drills"


def record_of(data: Mapping[str, Any]) -> DrillRecord:
    """A record as JSON has it."""
    said = data["answer"]
    steps = [RunbookStep(s["title"], tuple(Deed(**d) for d in s["deeds"]), s["in_runbook"]) for s in said["steps"]]
    answer = Answer(
        said["label"], said["title"], tuple(said["sections"]), said["fault"], tuple(Deed(**d) for d in said["broken"]),
        tuple(steps), tuple(said["checks"]), tuple(said["decoys"]), tuple((a, b) for a, b in said["others"]),
        tuple(said["check_titles"]),
    )  # fmt: skip
    rules = None if data["rules"] is None else tuple(BrokenRule(**r) for r in data["rules"])
    entries = tuple(Entry(**e) for e in data["entries"])
    return DrillRecord(**{**data, "answer": answer, "entries": entries, "rules": rules})


def kept(name: str) -> DrillRecord:
    """The record of one trainee's drill."""
    return record_of(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["drill"])


def examples() -> Iterator[tuple[Path, str]]:
    """Each page with what it holds."""
    for name in TRAINEES:
        made = kept(name)
        for lang in LANGUAGES:
            path = FOLDER / (f"{name}.md" if lang == ENGLISH else f"{name}.{lang}.md")
            yield path, debrief.markdown(made, load_messages("scenarios", lang))


def play() -> None:
    """Play them and keep their records."""
    from tests.lifecycle.trainees import everybody  # noqa: PLC0415  (a real stack, wanted only here)

    with tempfile.TemporaryDirectory(prefix="examples-") as place:
        records = asyncio.run(everybody(Path(place)))
    for name, record in records.items():
        _keep(name, replace(record, drill_id=f"example-{name}", trainee=name))


def _keep(name: str, record: DrillRecord) -> None:
    made = debrief.plain(record, load_messages("scenarios", ENGLISH))
    (FOLDER / f"{name}.json").write_text(json.dumps(made, indent=1, default=str) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if "--play" in sys.argv:
        play()
    for trainee in TRAINEES:
        _keep(trainee, kept(trainee))  # what follows from the record, as it is reckoned now
    for path, text in examples():
        path.write_text(text, encoding="utf-8")
