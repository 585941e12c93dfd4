"""What one scenario run came to."""

from dataclasses import dataclass, field

from harness.model.events import Finding, Phase


@dataclass
class Outcome:
    """What one scenario run came to.

    Attributes:
        findings: in the order in which they were made; never empty at the end.
        injected_s: when the injection began, in seconds since the run began.
        in_place_s: when it was done, and the fault in place: the symptom's time counts from here.
        symptom_s: from the injection to the first sighting of the symptom.
        responded_s: when the response began, in seconds since the run began.
        recovered_s: the start of the held recovery, in seconds since the run began.
        ttd_s: from the injection to the first alert that fires; None when none does before the response.
        ttr_s: from that alert to the start of the held recovery; None when there is no alert.
        response_to_recovery_s: from the response to the start of the held recovery.
        recovered: whether the recovery criteria were met.
        restored: whether the cell was shown clean afterwards and may be used again.
    """

    findings: list[tuple[Finding, Phase, str]] = field(default_factory=list)
    injected_s: float | None = None
    in_place_s: float | None = None
    symptom_s: float | None = None
    responded_s: float | None = None
    recovered_s: float | None = None
    ttd_s: float | None = None
    ttr_s: float | None = None
    response_to_recovery_s: float | None = None
    recovered: bool = False
    restored: bool = False
