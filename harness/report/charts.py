"""The samples of a scenario as plain data: plots and tables of samples are made of it when somebody opens them."""

import math
import re
from collections.abc import Callable
from typing import Any

from harness.report.record import ScenarioRecord
from harness.report.timeline import Timeline

SWEEPS = 1200
"""Sweeps kept for one scenario; of more, every so manieth is, for a page must open on a phone."""

DIGITS = 6
"""Significant digits of a sample."""

_COMPARE = re.compile(r"(\S+) (>=|<=|==|>|<) (-?[\d.]+(?:[eE][+-]?\d+)?)$")
_PROBE = re.compile(r"(\S+) (?:>=|<=|==|>|<|grows|falls|stops growing)(?: |$)")


def probe_of(condition: str) -> str:
    """The probe that a condition's text names, or empty."""
    match = _PROBE.match(condition)
    return match[1] if match else ""


def unit_of(probe: str) -> str:
    """The last word of a probe's name, which is its unit."""
    return probe.rpartition("_")[2] if "_" in probe else ""


def data(s: ScenarioRecord, line: Timeline, role: Callable[[str], str] = str) -> dict[str, Any]:
    """The series with their limits, the shaded stretches and the marks; times are seconds since T.

    `role` says in words what a limit was judged for.
    """
    every = max(1, -(-len(s.sweeps) // SWEEPS))
    sweeps = s.sweeps[::every]
    limits = _limits(s, role)
    names = {name: None for sweep in sweeps for name in sweep.values}
    judged = [name for name in limits if name in names]
    return {
        "t": [round(line.at(sweep.t), 3) for sweep in sweeps],
        "every": every,
        "from": round(line.at(line.begin_s), 3),
        "to": round(line.at(line.end_s), 3),
        "injected": line.injected,
        "bands": [{"name": b.name, "a": round(line.at(b.since_s), 3), "b": round(line.at(b.until_s), 3)} for b in line.shaded],
        "series": [
            {
                "name": name,
                "unit": unit_of(name),
                "judged": name in limits,
                "limits": limits.get(name, []),
                "v": [_number(sweep.values.get(name)) for sweep in sweeps],
            }
            for name in [*judged, *(n for n in names if n not in limits)]
        ],
        "marks": [
            {"t": round(line.at(m.t), 3), "kind": m.kind, "text": f"{m.who} {m.text}".strip()}
            for m in line.marks
            if m.kind in ("act", "symptom", "recovery", "alert")
        ],
        "slis": _slis(s, line),
    }  # fmt: skip


def _limits(s: ScenarioRecord, role: Callable[[str], str]) -> dict[str, list[dict[str, Any]]]:
    """The thresholds of judged conditions by probe, those of symptom and recovery first; each once."""
    found: dict[str, list[dict[str, Any]]] = {}
    for first in ("symptom", "recovery", ""):
        for j in s.judged:
            if (first or j.what) != j.what:
                continue
            for condition in j.conditions:
                text = str(condition.get("text", ""))
                limits = found.setdefault(probe_of(text), [])
                match = _COMPARE.match(text)
                if match and not any(k["op"] == match[2] and k["y"] == float(match[3]) for k in limits):
                    limits.append({"op": match[2], "y": float(match[3]), "what": role(j.what)})
    found.pop("", None)
    return found


def _slis(s: ScenarioRecord, line: Timeline) -> list[dict[str, Any]]:
    names = {sli.name: sli for sli in s.slis}
    return [
        {
            "name": name,
            "unit": sli.unit,
            "objective": _number(sli.objective),
            "parts": [
                {
                    "stretch": part.stretch,
                    "a": round(line.at(part.since_s), 3),
                    "b": round(line.at(part.until_s), 3),
                    "v": _number(part.value),
                }
                for part in s.slis
                if part.name == name
            ],
        }
        for name, sli in names.items()
        if any(part.value is not None for part in s.slis if part.name == name)
    ]


def _number(value: Any) -> float | None:
    """A sample with DIGITS digits; None for what JSON cannot carry."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 10**15 else short
