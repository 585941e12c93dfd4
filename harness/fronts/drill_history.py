"""What a team's drills came to: the text of `gameday history --drills`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.model.words import counted, minute_of

Drill = Mapping[str, Any]

LAST = 30
"""So many drills of each trainee are shown."""

TIMES = {"detect_s": "detected", "diagnose_s": "diagnosed", "recover_s": "recovered"}
"""Names of times after the injection, in a result, and the heads of their columns."""


def lines(drills: Sequence[Drill], id_: str = "") -> list[str]:
    """Every trainee's drills, oldest first, under a line that sums them up; `id_` leaves those of one failure mode.

    Each has two lines, for a terminal may have 80 columns.
    """
    wanted = [d for d in drills if not id_ or id_ in {d["scenario"], d["scenario"].split(":")[0]}]
    if not wanted:
        return []
    found = [f"  {'when':<20}  score  level  {'  '.join(f'{head:>9}' for head in TIMES.values())}", "    what  drill"]
    for who in sorted({d["who"] for d in wanted}):
        found += _of_one(who, [d for d in wanted if d["who"] == who])
    return found


def _of_one(who: str, drills: Sequence[Drill]) -> Iterator[str]:
    scores = [score for d in drills if (score := _number(d, "score")) is not None]
    summed = f", score {sum(scores) / len(scores):.0f} on average, {max(scores):g} at best" if scores else ""
    yield f"{who}: {counted(len(drills), 'drill')}{summed}"
    for d in drills[-LAST:]:
        score = _number(d, "score")
        times = "  ".join(f"{_seconds(_number(d, name)):>9}" for name in TIMES)
        said = "-" if score is None else f"{score:g}"
        yield f"  {minute_of(d['at']):<20}  {said:>5}  {d['result'].get('level', '-')!s:>5}  {times}"
        yield f"    {d['scenario']}  {d['run_id'] or '-'}"


def _number(drill: Drill, name: str) -> float | None:
    value = drill["result"].get(name)
    return float(value) if isinstance(value, int | float) else None


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"
