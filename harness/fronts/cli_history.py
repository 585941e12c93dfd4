"""`gameday history` and `gameday compare`: what runs before this one came to."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from harness.drivers import clock
from harness.model.errors import UsageError
from harness.model.words import counted
from harness.report.history import History, Result, percentile, results_of, set_aside, worse

LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw])")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

REPORTS = click.option(
    "--reports", type=click.Path(path_type=Path), default=Path("reports"), metavar="DIR", show_default=True
)


@click.command()
@click.argument("id_", metavar="[ID]", default="")
@click.option("--stale-after", default="7d", metavar="7d", show_default=True, help="A proof older than this is stale.")
@click.option("--rebuild", is_flag=True, help="Make the database again from the runs in the folder.")
@REPORTS
def history(id_: str, stale_after: str, rebuild: bool, reports: Path) -> None:
    r"""Show claims over time, how long recoveries take, what is stale and what got worse.

    \b
    Examples:
      gameday history
      gameday history FM-OB-01 --stale-after 12h
      gameday history --rebuild
    """
    limit = _length(stale_after)
    drills = set_aside(reports) if rebuild else []
    with History(reports) as db:
        for drill in drills:
            db.add_drill(**drill)
        for line in db.import_missing():
            click.echo(f"gameday: {line}", err=True)
        results = db.results(id_)
    if not results:
        click.echo(f"{reports} has no runs{' of ' + id_ if id_ else ''} yet.")
        return
    by_label: dict[str, list[Result]] = {}
    for one in results:
        by_label.setdefault(one.label, []).append(one)
    now = clock.now()
    for label in sorted(by_label):
        click.echo("\n".join(_lines(by_label[label], now, limit, every=bool(id_))))


def _lines(rows: list[Result], now: datetime, limit: timedelta, *, every: bool) -> list[str]:
    last = rows[-1]
    lines = [f"{last.label:<22} {last.claim:<13} {counted(len(rows), 'run')}, last {last.at[:16].replace('T', ' ')}"]
    lines.append(f"  {_staleness(rows, now, limit)}")
    for name, field in (("TTD", "ttd_s"), ("TTR", "ttr_s"), ("response to recovery", "response_to_recovery_s")):
        values = [v for r in rows if r.claim == "PROVEN" and (v := getattr(r, field)) is not None]
        if values:
            p50, p95 = percentile(values, 0.5) or 0.0, percentile(values, 0.95) or 0.0
            lines.append(f"  {name}: p50 {p50:.1f} s, p95 {p95:.1f} s of {len(values)}")
    if len(rows) > 1 and (why := worse(rows[-2], last)):
        lines.append(f"  worse than {rows[-2].run_id}: {why}")
    if every:
        lines += [f"  {r.at[:16].replace('T', ' ')}  {r.claim:<13} {_seconds(r)}  {r.run_id}" for r in rows[-30:]]
    return lines


def _seconds(result: Result) -> str:
    value = result.response_to_recovery_s
    return "      -" if value is None else f"{value:5.1f} s"


def _staleness(rows: list[Result], now: datetime, limit: timedelta) -> str:
    proven = next((r for r in reversed(rows) if r.claim == "PROVEN"), None)
    if proven is None:
        return "never proven"
    try:
        age = now - datetime.fromisoformat(proven.at).astimezone(UTC)
    except ValueError:
        return "proven, nobody knows when"
    days = age.total_seconds() / 86400
    return f"{'STALE: ' if age > limit else ''}proven {days:.1f} days ago"


def _length(said: str) -> timedelta:
    found = LENGTH.fullmatch(said.strip())
    if not found:
        raise UsageError(f"--stale-after {said} is no length of time; write 30m, 12h, 7d or 2w")
    return timedelta(**{UNITS[found[2]]: float(found[1])})


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@REPORTS
def compare(before: str, after: str, reports: Path) -> int:
    r"""Compare two runs: their claims, and how long recoveries took. Exit code 1 when something got worse.

    A and B are run ids, folders or `latest`.

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
        click.echo(f"{label:<22} {was.claim:<13} {_seconds(was)}  ->  {now.claim:<13} {_seconds(now)}{mark}")
    return 1 if bad else 0


def folder_of(run: str, reports: Path) -> Path:
    """A run's folder, by its id, its folder or `latest`; raises UsageError."""
    for folder in (Path(run), reports / run):
        if folder.is_dir() and any((folder / name).is_file() for name in ("run.json", "journal.jsonl")):
            return folder
    raise UsageError(f"there is no run {run}; name its id, its folder or latest, with --reports for another folder")
