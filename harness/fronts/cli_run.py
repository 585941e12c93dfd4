"""`gameday run`: scenarios run, once or again and again, and what may be claimed then."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.fronts.options import lang_option, stack_options
from harness.model.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from harness.fronts.wiring import Plan, Result

INTERRUPTED = 130


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID ...]")
@click.option("--section", "sections", multiple=True, metavar="5.6", help="Only this section's; may be repeated.")
@click.option("--variant", default="", metavar="V|all", help="Only this variant, or all of them.")
@click.option(
    "--arm", default="timeline", metavar="A", show_default=True, help="timeline, control, untreated, treated, placebo."
)
@click.option("--runtime", type=click.Choice(["auto", "process", "docker"]), default="auto", show_default=True)
@stack_options
@click.option("--jobs", default="auto", metavar="N|auto", show_default=True, help="Cells side by side.")
@click.option("--shard", default="", metavar="i/n", help="Only this part of the run; needs --seed. See gameday merge.")
@click.option(
    "--shuffle",
    is_flag=True,
    help="In an order drawn from the seed; default: the catalogue's, or the longest first with several cells.",
)
@click.option(
    "--repeat", type=click.IntRange(1), default=1, metavar="N", help="So many runs in a row, each on a new stack."
)
@click.option("--timing", is_flag=True, help="Show where the time went.")
@click.option("--seed", type=int, default=None, metavar="N", help="Of the workloads; default: a new one, shown.")
@click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), metavar="DIR", show_default=True)
@click.option(
    "--runbook",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Markdown whose queries are sampled; default: the catalogue's own.",
)
@click.option("--junit", type=click.Path(path_type=Path), default=None, metavar="FILE", help="JUnit, here too.")
@click.option("--json", type=click.Path(path_type=Path), default=None, metavar="FILE", help="run.json, here too.")
@lang_option
def run(**asked: Any) -> int:
    r"""Run scenarios and say what may be claimed of the runbook.

    An ID may name a variant: FM-OB-01:black-hole.

    \b
    Exit codes: 0 nothing refuted, 1 something REFUTED, 3 something INCONCLUSIVE
    or trouble with the machine, 2 wrong use, 130 interrupted.

    \b
    Examples:
      gameday run FM-OB-01 FM-MM-01 --seed 7
      gameday run FM-OB-01:black-hole
      gameday run --section 5.6 --variant all
      gameday run FM-OB-01 --arm untreated
      gameday run --section 5.6 --repeat 20
    """
    from harness.fronts import terminal, wiring  # noqa: PLC0415  (the command line must answer at once)
    from harness.fronts.tally import Tally, exit_code  # noqa: PLC0415

    timing, repeat = asked.pop("timing"), asked.pop("repeat")
    console = terminal.Screen()
    if repeat == 1:
        return _one(wiring.prepare(wiring.Options(**asked)), console, timing=timing).exit_code
    if asked["json"] or asked["junit"]:
        raise UsageError("--json and --junit are of one run; with --repeat each run has its own in its folder")
    tally, codes, first = Tally(), [], asked.pop("seed")
    for n in range(repeat):
        seed = None if first is None else first + n
        result = _one(wiring.prepare(wiring.Options(**asked, seed=seed)), console, timing=timing)
        codes.append(result.exit_code)
        tally.add(result.recorder.run)
        console.print(f"Run {n + 1} of {repeat}.\n")
        if result.exit_code == INTERRUPTED:
            break
    tally.show(console)
    return exit_code(codes)


def _one(ready: Plan, console: Console, *, timing: bool) -> Result:
    """One run and what is said of it at its end."""
    from harness.fronts import reports, terminal, wiring  # noqa: PLC0415  (as above)

    with terminal.display(console) as show:
        result = wiring.run_to_end(ready, show)
    console.print()
    terminal.summary(result.recorder.run, console)
    if timing:
        terminal.timing(result.recorder.run, console)
    for line in result.trouble:
        click.echo(f"gameday: {line}", err=True)
    console.print(f"\n{terminal.counts(result.recorder.run)}. Report: {reports.page(result.folder)}", soft_wrap=True)
    return result
