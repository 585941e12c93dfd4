"""`gameday report`: the pages of a run, made again from its journal."""

from pathlib import Path

import click

from harness.fronts.asked import label_of
from harness.fronts.options import lang_option
from harness.model.errors import UsageError


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="[RUN]", default=Path("latest"))
@click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), metavar="DIR", show_default=True)
@click.option(
    "--catalogue", default="scenarios", metavar="PKG", show_default=True, help="Knows titles in other languages."
)
@click.option("--only", multiple=True, metavar="ID", help="Show this scenario alone; may be given again.")
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Default: the run's folder."
)
@lang_option
def report(run: Path, reports: Path, catalogue: str, lang: str, only: tuple[str, ...], output: Path | None) -> None:
    r"""Write report.html and report.md of a run again, from its journal.

    RUN is a run's folder, or its id under the reports; default: the latest. The run may have been killed, merged, or
    made by another version: whatever its journal tells is shown. Its run.json and junit.xml are left as they are.
    An excerpt, made with --only, says that it is one and goes to a folder of its own: --output is needed.

    \b
    Examples:
      gameday report
      gameday report 20260101-120000-ab12 --lang ja
      gameday report artifacts/shard-3
      gameday report latest --only FM-OB-01 --output to-forward
    """
    from harness.fronts.messages import load_messages  # noqa: PLC0415  (the command line must answer at once)
    from harness.fronts.reports import rendered_again  # noqa: PLC0415

    if only and output is None:
        raise UsageError(
            "--only makes an excerpt, which must not replace the run's report; say where with --output DIR"
        )
    wanted = [label_of(one) for one in only]
    for path in rendered_again(run, reports, load_messages(catalogue, lang), wanted, output):
        click.echo(path)
