"""`gameday history` and `gameday compare`: what runs before this one came to."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from harness.drivers import clock
from harness.fronts import drill_history
from harness.fronts.asked import folder_of, has_runs, label_of, must_be_folder
from harness.model.arms import PROVING
from harness.model.errors import UsageError
from harness.model.words import counted, minute_of
from harness.report.history import FILE, History, Result, percentile, results_of, set_aside, worse

LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw])")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

REPORTS = click.option(
    "--reports", type=click.Path(path_type=Path), default=Path("reports"), metavar="DIR", show_default=True
)


@click.command()
@click.argument("id_", metavar="[ID]", default="")
@click.option("--stale-after", default="7d", metavar="7d", show_default=True, help="A proof older than this is stale.")
@click.option("--rebuild", is_flag=True, help="Make the database again from the runs in the folder.")
@click.option("--drills", is_flag=True, help="What a team's drills came to, in the place of the claims.")
@click.option("--trainee", default="", metavar="NAME", help="With --drills: only this trainee's.")
@REPORTS
def history(id_: str, stale_after: str, rebuild: bool, drills: bool, trainee: str, reports: Path) -> None:
    r"""Show claims over time, how long recoveries take, what is stale and what got worse.

    Only the arms timeline and treated prove anything of the runbook. Times are
    told, and runs compared, by profile, runtime and arm.

    \b
    Examples:
      gameday history
      gameday history FM-OB-01 --stale-after 12h
      gameday history --rebuild
      gameday history --drills --trainee mia
    """
    limit, id_ = _length(stale_after), label_of(id_)
    if trainee and not drills:
        raise UsageError("--trainee is for the history of drills; add --drills")
    must_be_folder(reports)
    if not (reports / FILE).exists() and not has_runs(reports):
        # Nothing is there to be told, and a database must not appear where nothing ever ran.
        click.echo(f"{reports} has no {'such drills' if drills else 'runs'} yet.")
        return
    kept_drills = set_aside(reports) if rebuild else []
    with History(reports) as db:
        for drill in kept_drills:
            db.add_drill(**drill)
        for line in db.import_missing():
            click.echo(f"gameday: {line}", err=True)
        results = [] if drills else db.results(id_)
        others = [] if drills or results or not id_ else db.results()
        drilled = db.drills(trainee) if drills else []
    if drills:
        said = drill_history.lines(drilled, id_)
        if drilled and not said:
            raise _unknown("drill", reports, id_, (d["scenario"] for d in drilled))
        click.echo("\n".join(said) or f"{reports} has no such drills yet.")
        return
    if others:
        raise _unknown("run", reports, id_, (r.label for r in others))
    if not results:
        click.echo(f"{reports} has no runs{' of ' + id_ if id_ else ''} yet.")
        return
    by_label: dict[str, list[Result]] = {}
    for one in results:
        by_label.setdefault(one.label, []).append(one)
    now = clock.now()
    for label in sorted(by_label):
        click.echo("\n".join(_lines(by_label[label], now, limit, every=bool(id_))))


def _unknown(what: str, reports: Path, asked: str, have: Iterable[str]) -> UsageError:
    """Nothing is there of what was asked for: what is, by id, or by label where the id is there."""
    labels = sorted(set(have))
    own = [one for one in labels if one.partition(":")[0] == asked.partition(":")[0]]
    there = own or sorted({one.partition(":")[0] for one in labels})
    return UsageError(f"no {what} in {reports} has {asked}; there are {', '.join(there)}")


def _lines(rows: list[Result], now: datetime, limit: timedelta, *, every: bool) -> list[str]:
    proofs = [r for r in rows if r.arm in PROVING]
    told = proofs or rows
    last, others = told[-1], len(rows) - len(told)
    head = f"{last.label:<22} {last.claim:<13} {counted(len(told), 'run')}, last {_minute(last)}"
    if others:
        head += f"; {counted(others, 'run')} on other arms"
    elif not proofs:
        head += f", arm {last.arm or 'unknown'}"
    lines = [head, f"  {_staleness(proofs, now, limit)}"]
    alike: dict[tuple[str, str, str], list[Result]] = {}
    for one in rows:
        alike.setdefault(one.conditions, []).append(one)
    for conditions in sorted(alike):
        lines += _under_the_same(alike[conditions], f" ({_named(conditions)})" if len(alike) > 1 else "")
    if every:
        lines += [
            f"  {_minute(r)}  {r.claim:<13} {_seconds(r)}  {r.run_id}"
            + (f"  {_named(r.conditions)}" if len(alike) > 1 else "")
            for r in rows[-30:]
        ]
    return lines


def _under_the_same(rows: list[Result], where: str) -> Iterator[str]:
    """Times, and what got worse, of results under the same conditions; `where` names these."""
    for name, field in (("TTD", "ttd_s"), ("TTR", "ttr_s"), ("response to recovery", "response_to_recovery_s")):
        values = [v for r in rows if r.claim == "PROVEN" and (v := getattr(r, field)) is not None]
        if values:
            p50, p95 = percentile(values, 0.5) or 0.0, percentile(values, 0.95) or 0.0
            yield f"  {name}: p50 {p50:.1f} s, p95 {p95:.1f} s of {len(values)}{where}"
    if len(rows) > 1 and (why := worse(rows[-2], rows[-1])):
        yield f"  worse than {rows[-2].run_id}: {why}{where}"


def _named(conditions: tuple[str, str, str]) -> str:
    return ", ".join(one or "unknown" for one in conditions)


def _minute(result: Result) -> str:
    return minute_of(result.at)


def _seconds(result: Result) -> str:
    value = result.response_to_recovery_s
    return "      -" if value is None else f"{value:5.1f} s"


def _staleness(proofs: list[Result], now: datetime, limit: timedelta) -> str:
    """How old the last proof is; `proofs` are results of arms that can prove."""
    proven = next((r for r in reversed(proofs) if r.claim == "PROVEN"), None)
    if proven is None:
        return "never proven"
    try:
        age = now - datetime.fromisoformat(proven.at).astimezone(UTC)
    except (ValueError, OverflowError):
        return "proven, nobody knows when"
    days = age.total_seconds() / 86400
    return f"{'STALE: ' if age > limit else ''}proven {days:.1f} days ago"


def _length(said: str) -> timedelta:
    found = LENGTH.fullmatch(said.strip())
    if not found:
        raise UsageError(f"--stale-after {said} is no length of time; write 30m, 12h, 7d or 2w")
    try:
        return timedelta(**{UNITS[found[2]]: float(found[1])})
    except OverflowError:
        raise UsageError(
            f"--stale-after {said} is longer than can be reckoned with; write 30m, 12h, 7d or 2w"
        ) from None


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@REPORTS
def compare(before: str, after: str, reports: Path) -> int:
    r"""Compare two runs: their claims, and how long recoveries took. Exit code 1 when something got worse.

    A and B are run ids, folders or `latest`. What ran on another profile, runtime
    or arm is shown and not compared.

    \b
    Examples:
      gameday compare 20260101-101010-ab12 latest
      gameday compare reports/20260101-101010-ab12 reports/20260102-101010-cd34
    """
    old, new = ({r.label: r for r in results_of(folder_of(run, reports))} for run in (before, after))
    bad = 0
    for label in sorted(old | new):
        was, now = old.get(label), new.get(label)
        if was is None or now is None:
            click.echo(f"{label:<22} {'only in ' + (after if was is None else before)}")
            continue
        why = worse(was, now)
        bad += bool(why)
        mark = f"  worse: {why}" if why else ""
        if was.conditions != now.conditions:
            mark = f"  not compared: {_named(now.conditions)}, was {_named(was.conditions)}"
        click.echo(f"{label:<22} {was.claim:<13} {_seconds(was)}  ->  {now.claim:<13} {_seconds(now)}{mark}")
    return 1 if bad else 0
