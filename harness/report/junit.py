"""JUnit: a run as a continuous integration service reads it."""

import re
from xml.etree import ElementTree as ET

from harness.model.events import Claim
from harness.report.record import RunRecord, ScenarioRecord

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry."""


def junit(run: RunRecord, folder: str) -> bytes:
    """One test case a scenario: REFUTED fails, INCONCLUSIVE errs, SKIPPED is skipped; `folder` holds the evidence."""
    suite = ET.Element("testsuite", name="gameday")
    if run.started is not None:
        suite.set("timestamp", run.started.at.split("+")[0])
        suite.set("id", run.started.run_id)
    counts = {"failures": 0, "errors": 0, "skipped": 0}
    total_s = 0.0
    for scenario in run.scenarios:
        took_s = (scenario.ended_s or scenario.started_s) - scenario.started_s
        total_s += took_s
        case = ET.SubElement(
            suite,
            "testcase",
            classname=f"gameday.{'.'.join(scenario.sections) or 'catalogue'}",
            name=_clean(f"{scenario.label} {scenario.title}"),
            time=f"{took_s:.3f}",
        )
        kind = _kind(scenario)
        if kind is not None:
            counts[{"failure": "failures", "error": "errors", "skipped": "skipped"}[kind]] += 1
            findings = ", ".join(f.finding for f in scenario.findings)
            outcome = ET.SubElement(case, kind, message=_clean(scenario.reason)[:500], type=findings or "SKIPPED")
            lines = [f"{f.finding} in {f.phase}: {f.says}" for f in scenario.findings]
            outcome.text = _clean("\n".join([*lines, f"evidence: {folder}"]))
    suite.set("tests", str(len(run.scenarios)))
    suite.set("time", f"{total_s:.3f}")
    for name, count in counts.items():
        suite.set(name, str(count))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _kind(scenario: ScenarioRecord) -> str | None:
    return {
        Claim.REFUTED.value: "failure",
        Claim.INCONCLUSIVE.value: "error",
        Claim.SKIPPED.value: "skipped",
    }.get(scenario.claim_name)


def _clean(text: str) -> str:
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
