"""Many runs in a row: how often each scenario was proven, and between which times."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from harness.fronts.terminal import MARK, STYLE
from harness.model.events import WORST_FIRST
from harness.report.record import RunRecord

CODES = (130, 1, 2, 3)
"""Exit codes by their weight: what one run said counts for all of them."""


def exit_code(codes: Sequence[int]) -> int:
    """The gravest of many runs' exit codes; 0 for none."""
    return next((code for code in CODES if code in codes), max(codes, default=0))


@dataclass
class _Row:
    title: str = ""
    claims: list[str] = field(default_factory=list)
    symptoms_s: list[float] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)


class Tally:
    """What many runs claimed, by label; of each run only its claims and times are kept."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def add(self, run: RunRecord) -> None:
        """Count one more run."""
        for s in run.scenarios:
            row = self._rows.setdefault(s.label, _Row(s.title))
            row.claims.append(s.claim_name)
            if s.claim and s.claim.symptom_s is not None:
                row.symptoms_s.append(s.claim.symptom_s)
            if s.claim and s.claim.response_to_recovery_s is not None:
                row.recoveries_s.append(s.claim.response_to_recovery_s)

    def show(self, console: Console) -> None:
        """A line for each scenario: what it was how often, and the shortest and the longest times."""
        wide = max([len("failure mode"), *map(len, self._rows)])
        console.print(Text(f"  {'failure mode':<{wide}}  {'claim':<24} {'symptom':>12} {'recovery':>12}  what", "dim"))
        for label in sorted(self._rows):
            row = self._rows[label]
            worst = next(name for name in WORST_FIRST if name in row.claims)
            said = ", ".join(f"{row.claims.count(name)} {name}" for name in WORST_FIRST if name in row.claims)
            line = Text.assemble(
                (MARK[worst], STYLE[worst]),
                f" {label:<{wide}}  ",
                (f"{said:<24}", STYLE[worst]),
                f" {_between(row.symptoms_s):>12} {_between(row.recoveries_s):>12}  {row.title}",
            )
            line.truncate(console.width - 1, overflow="ellipsis")
            console.print(line)


def _between(values_s: Sequence[float]) -> str:
    if not values_s:
        return ""
    return f"{min(values_s):.1f}-{max(values_s):.1f} s"
