"""`run.json`: a run for programs."""

from dataclasses import asdict
from typing import Any

from harness.model.events import Event
from harness.report.record import RunRecord, ScenarioRecord

FORM = 1
"""The version of the form."""


def run_json(run: RunRecord) -> dict[str, Any]:
    """The run; times are seconds since it began, None where there is none."""
    started = run.started
    return {
        "form": FORM,
        "run_id": started.run_id if started else None,
        "started_at": started.at if started else None,
        "finished_at": run.finished.at if run.finished else None,
        "interrupted": run.finished.interrupted if run.finished else True,
        "seed": started.seed if started else None,
        "runtime": started.runtime if started else None,
        "profile": started.profile if started else None,
        "arm": started.arm if started else None,
        "versions": started.versions if started else {},
        "claims": [_claim(s) for s in run.scenarios],
    }


def _fields(event: Event) -> dict[str, Any]:
    return {k: v for k, v in asdict(event).items() if k not in {"t", "scenario"}}


def _claim(s: ScenarioRecord) -> dict[str, Any]:
    made = s.claim
    return {
        "id": s.id,
        "variant": s.variant,
        "title": s.title,
        "sections": s.sections,
        "arm": s.arm,
        "seed": s.seed,
        "claim": s.claim_name,
        "reason": s.reason,
        "findings": [{"finding": f.finding, "phase": f.phase, "says": f.says} for f in s.findings],
        "phases": [asdict(p) for p in s.phases],
        "symptom_s": made.symptom_s if made else None,
        "ttd_s": made.ttd_s if made else None,
        "ttr_s": made.ttr_s if made else None,
        "response_to_recovery_s": made.response_to_recovery_s if made else None,
        "alerts": [
            {"at_s": a.t, "name": a.name, "kind": a.alert_kind, "late": a.late, "noise": a.noise} for a in s.alerts
        ],
        "slis": [_fields(m) for m in s.slis],
        "ledger": s.ledger.counts if s.ledger else None,
        "invariants": [_fields(i) for i in s.invariants],
        "rules": [_fields(r) for r in s.rules],
        "queries": [_fields(q) for q in s.queries],
        "completion": _fields(s.completion) if s.completion else None,
        "record": s.record.fields if s.record else None,
        "evidence": {
            "witness": [{"at_s": w.t, "bites": w.bites, "says": w.says} for w in s.witnessed[-1:]],
            "judged": [
                {
                    "what": j.what,
                    "verdict": j.verdict,
                    "text": j.text,
                    "since_s": j.since_s,
                    "met_at_s": j.met_at_s,
                    "conditions": j.conditions,
                }
                for j in s.judged
            ],
            "acts": [
                {"at_s": a.t, "who": a.who, "verb": a.verb, "target": a.target, "failed": a.failed} for a in s.acts
            ],
            "steps": [{"at_s": t.t, "title": t.title, "skipped": t.skipped} for t in s.steps],
            "cohorts": [{"at_s": c.t, "probe": c.probe, "size": c.size} for c in s.cohorts],
            "workload": asdict(s.workload) if s.workload else None,
            "notes": s.notes,
        },
    }
