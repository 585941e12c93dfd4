"""Whether a stretch is steady before anything is broken."""

from harness.engine.judging import short, throughout
from harness.engine.watch import Watch
from harness.model.criteria import Verdict
from harness.model.ledger import Ledger
from harness.model.scenario import Scenario
from harness.model.words import agreeing, counted


def unsteady(scenario: Scenario, ledger: Ledger, watch: Watch, since_s: float, stretch_s: float) -> str | None:
    """What keeps the stretch since a moment from being steady; None when it is."""
    minimum = max(1, int(sum(w.rate_hz for w in scenario.workload) * stretch_s * 0.5))
    sent = ledger.since(since_s)
    if scenario.workload and len(sent) < minimum:
        return (
            f"only {counted(len(sent), 'request')} ended in {stretch_s:g} s, "
            f"{minimum} {agreeing(minimum, 'was', 'were')} expected"
        )
    refused = [s for s in sent if not s.accepted]
    if len(refused) * 100 > len(sent):
        worst = refused[-1]
        how = worst.code or worst.status or worst.error
        return f"{len(refused)} of {counted(len(sent), 'request')} failed, the last {worst.op} with {how}"
    for criterion, what in ((scenario.steady, "steady state"), (scenario.unaffected, "unaffected as control")):
        if criterion is not None:
            judgement = watch.judge(throughout(criterion), since_s, watch.now_s(), what=what)
            if judgement.verdict is not Verdict.HELD:
                return short(judgement.conditions, f"{what}: {criterion}")
    return None
