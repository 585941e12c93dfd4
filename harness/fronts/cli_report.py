"""`gameday report`: the pages of a run, made again from its journal."""

from pathlib import Path

import click

from harness.fronts.options import lang_option


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="[RUN]", default=Path("latest"))
@click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), metavar="DIR", show_default=True)
@click.option(
    "--catalogue", default="scenarios", metavar="PKG", show_default=True, help="Knows titles in other languages."
)
@lang_option
def report(run: Path, reports: Path, catalogue: str, lang: str) -> None:
    r"""Write report.html and report.md of a run again, from its journal.

    RUN is a run's folder, or its id under the reports; default: the latest. The run may have been killed, merged, or
    made by another version: whatever its journal tells is shown. Its run.json and junit.xml are left as they are.

    \b
    Examples:
      gameday report
      gameday report 20260101-120000-ab12 --lang ja
      gameday report artifacts/shard-3
    """
    from harness.fronts.messages import load_messages  # noqa: PLC0415  (the command line must answer at once)
    from harness.fronts.reports import rendered_again  # noqa: PLC0415

    for path in rendered_again(run, reports, load_messages(catalogue, lang)):
        click.echo(path)
