"""An arm is two switches, injects and responds, and a placebo; one engine path serves them all."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Arm:
    """How one run of a scenario differs from the others.

    Attributes:
        name: the word on the command line.
        injects: whether the fault is injected.
        responds: whether the runbook's response is carried out.
        placebo: whether a harmless act on something else stands in for the response.
        holds: whether an untreated stretch is watched before the response.
    """

    name: str
    injects: bool
    responds: bool
    placebo: bool = False
    holds: bool = False


TIMELINE = Arm("timeline", injects=True, responds=True, holds=True)
CONTROL = Arm("control", injects=False, responds=False)
UNTREATED = Arm("untreated", injects=True, responds=False)
TREATED = Arm("treated", injects=True, responds=True)
PLACEBO = Arm("placebo", injects=True, responds=False, placebo=True)

ARMS = {arm.name: arm for arm in (TIMELINE, CONTROL, UNTREATED, TREATED, PLACEBO)}
"""Every arm by its name; `timeline` is the everyday run that carries the evidence of all of them inside."""

PROVING = frozenset(arm.name for arm in ARMS.values() if arm.injects and arm.responds)
"""Arms whose claims are about the response: what holds on another one proves nothing of the runbook."""
