"""`gameday postmortem`: the records that have to be made of an incident, filled from a run's journal."""

from pathlib import Path

import click

from harness.fronts.asked import label_of, recorded
from harness.fronts.cli_history import REPORTS
from harness.fronts.messages import load_messages
from harness.fronts.options import lang_option
from harness.model.errors import InfrastructureError, UsageError
from harness.report.index import Index
from harness.report.journal import JOURNAL
from harness.report.postmortem import markdown


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("label", metavar="ID")
@click.option("--output", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Default: the screen.")
@click.option("--catalogue", default="scenarios", metavar="PKG", show_default=True, help="Package of scenarios.")
@lang_option
@REPORTS
def postmortem(run: str, label: str, output: Path | None, catalogue: str, lang: str, reports: Path) -> None:
    r"""Write the postmortem of one scenario of a run, as Markdown, with what to change in the runbook.

    RUN is a run's id, its folder or `latest`.

    \b
    Examples:
      gameday postmortem latest FM-OB-01
      gameday postmortem latest FM-OB-01 --lang ja --output postmortem.md
    """
    folder, label = recorded(run, reports), label_of(label)
    index = Index(folder / JOURNAL)
    one = index.run.of(label)
    if one is None:
        have = ", ".join(s.label for s in index.run.scenarios) or "none"
        raise UsageError(f"{folder} has no scenario {label}; it has {have}")
    said = markdown(index.run, index.whole(one), load_messages(catalogue, lang))
    if output is None:
        click.echo(said, nl=False)
        return
    try:
        output.write_text(said, encoding="utf-8")
    except OSError as error:
        raise InfrastructureError(f"{output} cannot be written: {error.strerror}") from None
