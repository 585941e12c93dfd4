"""From findings to a claim, and from many claims to an exit code; the merge order is written here and nowhere else."""

from collections.abc import Callable, Iterable

from harness.engine.outcome import Outcome
from harness.model.events import Claim, Claimed, Event, Finding

REFUTING = frozenset(
    {
        Finding.VACUOUS_SYMPTOM,
        Finding.NOT_REPRODUCED,
        Finding.SELF_HEALED,
        Finding.NOT_RECOVERED,
        Finding.COLLATERAL,
        Finding.INVARIANT_BROKEN,
    }
)
"""Findings about the runbook or the system."""

INCONCLUSIVE = frozenset({Finding.NOT_STEADY, Finding.NO_WITNESS, Finding.TOO_BUSY, Finding.UNKNOWN})
"""Findings about the run."""


def of(findings: Iterable[Finding]) -> Claim:
    """The claim of one scenario's findings.

    A machine that was too busy, a cell that was not steady or a fault without a witness undo every verdict; a refuting
    finding was made on samples that exist, so it outweighs others that are missing.
    """
    found = set(findings)
    if found & {Finding.TOO_BUSY, Finding.NOT_STEADY, Finding.NO_WITNESS}:
        return Claim.INCONCLUSIVE
    if found & REFUTING:
        return Claim.REFUTED
    return Claim.INCONCLUSIVE if found & INCONCLUSIVE or not found else Claim.PROVEN


def exit_code(claims: Iterable[Claim], *, trouble: bool = False) -> int:
    """1 with any REFUTED; else 3 with any INCONCLUSIVE or trouble of the infrastructure; else 0."""
    made = set(claims)
    if Claim.REFUTED in made:
        return 1
    return 3 if trouble or Claim.INCONCLUSIVE in made else 0


def emit(outcome: Outcome, emit_event: Callable[[Event], None], now_s: float, label: str) -> None:
    """Write the claim of a scenario run to the journal."""
    claim = of(finding for finding, _, _ in outcome.findings)
    reason = "" if claim is Claim.PROVEN else "; ".join(says for _, _, says in outcome.findings)
    emit_event(
        Claimed(
            now_s,
            label,
            claim.value,
            [finding.value for finding, _, _ in outcome.findings],
            reason,
            outcome.symptom_s,
            outcome.ttd_s,
            outcome.ttr_s,
            outcome.response_to_recovery_s,
        )
    )
