"""`gameday day` and `gameday schedule`."""

import secrets
import signal
from pathlib import Path

import click

from harness.drivers.clock import SystemClock, now
from harness.drivers.notify import notify
from harness.fronts.gamedays import day as days
from harness.fronts.gamedays import signals, steps
from harness.fronts.gamedays.drilling import lead_drill
from harness.fronts.gamedays.limits import Watch
from harness.fronts.gamedays.plan_file import AskStep, DrillStep, Plan, RunStep, read
from harness.model.events import Event
from harness.report.day import DayRecord, StepRecord

REPORTS = click.option(
    "--reports", type=click.Path(path_type=Path), default=Path("reports"), metavar="DIR", show_default=True
)


@click.command("day")
@click.argument("plan", type=click.Path(path_type=Path), metavar="PLAN")
@click.option("--unattended", is_flag=True, help="Nobody is there: questions answer themselves as the plan says.")
@click.option(
    "--notify", "tells", is_flag=True,
    help="Tell the plan's channels of an unattended day too; a scheduler of ours tells them itself.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Only check the plan and say what it would do.")
@REPORTS
def day(plan: Path, unattended: bool, tells: bool, check: bool, reports: Path) -> int:
    r"""Lead through the game day of a plan.

    Step by step, to one combined report. PLAN is a YAML file.

    \b
    docs/examples/game-day.yaml is one.
    docs/how-to/game-day.md has every field.

    \b
    Exit codes: 0 all proven, 1 something REFUTED, 3 something INCONCLUSIVE or
    the day ended early, 2 a broken plan, 130 interrupted.

    \b
    Examples:
      gameday day november.yaml
      gameday day november.yaml --unattended
      gameday day november.yaml --check
    """
    known = read(plan)
    if check:
        for n, step in enumerate(known.steps, start=1):
            click.echo(f"{n:>3}  {'drill: ' if isinstance(step, DrillStep) else ''}{days.describe(step)}")
        steps.check(known, plan, reports)
        click.echo("The plan is whole.")
        return 0
    steps.check(known, plan, reports)
    channels = known.channels()
    moment = now().strftime("%Y%m%d-%H%M%S")
    folder = reports / f"day-{moment}-{secrets.token_hex(2)}"
    with days.only_one(reports), signals.heard(signals.interrupt, (signal.SIGTERM, signal.SIGHUP)):
        tells = tells or not unattended
        if tells:
            _tell(channels, f"{known.title}: begins", "; ".join(f"{r}: {w}" for r, w in known.roles.items()))
        record = days.lead(known, folder, _hands(known, reports, unattended=unattended), attended=not unattended)
        if tells:
            _tell(channels, f"{known.title}: {'aborted' if record.ended else 'done'}", record.result)
    _close(record, folder)
    return days.exit_code(record)


def _close(record: DayRecord, folder: Path) -> None:
    click.echo(f"\n{record.result}. Report: {folder / 'day.html'}")


def _tell(channels: list[str], title: str, body: str) -> None:
    for failure in notify(channels, title, body):
        click.echo(f"gameday: notification failed: {failure.says}", err=True)


def _hands(plan: Plan, reports: Path, *, unattended: bool) -> days.Hands:
    clock = SystemClock()

    def run(step: RunStep, record: StepRecord, watch: Watch) -> None:

        from harness.fronts import terminal, wiring  # noqa: PLC0415

        console = terminal.Screen()
        console.print(f"\n{record.what}", style="bold")
        ready = wiring.prepare(steps.run_options(plan, step, reports))
        # A run has handlers of its own for signals, and leaves none.
        with signals.put_back(), terminal.display(console) as show:

            def tell(event: Event) -> None:
                show(event)
                watch.take(event)

            result = wiring.run_to_end(ready, tell, watch.beside)
        terminal.summary(result.recorder.run, console)
        for s in result.recorder.run.scenarios:
            made = s.claim
            record.claims.append(
                {
                    "label": s.label, "claim": s.claim_name, "title": s.title, "reason": s.reason,
                    "ttd_s": made.ttd_s if made else None, "ttr_s": made.ttr_s if made else None,
                    "response_to_recovery_s": made.response_to_recovery_s if made else None,
                }
            )  # fmt: skip
        record.outcome = days.worst([c["claim"] for c in record.claims])
        interrupted = [f"interrupted: {watch.met}"] if watch.met else []
        record.says = "; ".join([*interrupted, *result.trouble])
        record.report = f"../{result.folder.name}"
        if result.exit_code == 130 and not watch.met:
            raise days.Interrupted

    def drill(step: DrillStep, record: StepRecord) -> None:
        if unattended:
            record.outcome, record.says = "skipped", "nobody is there to be trained"
            return
        lead_drill(plan, step, reports, record)

    def ask(step: AskStep, record: StepRecord) -> bool:
        if unattended:
            record.says = "as the plan says for when nobody is there"
            return step.unattended == "go"
        try:
            return click.confirm(f"\n{step.ask} Go?", default=None)
        except click.Abort:
            raise days.Interrupted from None

    return days.Hands(run, drill, ask, clock.now_s, clock.sleep)


@click.group("schedule")
def schedule() -> None:
    """Keep game days on a schedule."""


@schedule.command("run")
@click.argument("plans", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PLAN...")
@click.option("--once", is_flag=True, help="Deal with what is due now, and end.")
@REPORTS
def run(plans: tuple[Path, ...], once: bool, reports: Path) -> int:
    r"""Keep plans with schedules: start each when it is due, never two at once.

    Starts that were missed are caught up or skipped as the plan says; a start is
    refused when the error budget that the plan names is spent. What was done is
    remembered in DIR, so it survives being restarted. Ctrl-C ends it: a game day
    that is on is interrupted first, and reported.

    \b
    Example:
      gameday schedule run weekly.yaml quarterly.yaml
    """
    from harness.fronts.gamedays import keeper  # noqa: PLC0415  (the command line must answer at once)

    told: list[int] = []

    def ended() -> bool:
        return bool(told)

    with signals.heard(told.append), keeper.only_one(reports):
        kept = keeper.Keeper(
            plans, reports, now=now, start=keeper.by_process(reports, ended),
            say=lambda line: click.echo(f"{now():%Y-%m-%d %H:%M:%S}  {line}"),
        )  # fmt: skip
        for line in kept.upcoming():
            click.echo(line)
        if once:
            kept.look()
            return 0
        keeper.keep_on(kept, ended)
    return 130 if signal.SIGINT in told else 0


@schedule.command("emit")
@click.argument("plan", type=click.Path(path_type=Path), metavar="PLAN")
@click.option("--for", "kind", type=click.Choice(["cron", "systemd", "github-actions"]), required=True)
@click.option("--shards", type=click.IntRange(1, 256), default=4, show_default=True, help="Machines of the workflow.")
def emit_(plan: Path, kind: str, shards: int) -> None:
    r"""Print the same schedule for another scheduler.

    \b
    Examples:
      gameday schedule emit weekly.yaml --for cron
      gameday schedule emit weekly.yaml --for github-actions > gameday.yml
    """
    from harness.fronts.gamedays.emit import emit  # noqa: PLC0415  (the command line must answer at once)

    known = read(plan)
    # Its channels' secrets are where it will be led, not here.
    steps.check_steps(known, plan, Path("reports"))
    click.echo(emit(kind, plan, known, shards=shards), nl=False)
