"""The command line."""

import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from harness.fronts.options import lang_option, stack_options
from harness.model.errors import GamedayError, UsageError
from harness.model.words import unforeseen

DEBUG = "GAMEDAY_DEBUG"
"""Set, an error that nobody foresaw is shown with where it came from."""

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


LATER: dict[str, str] = {
    "coverage": "harness.fronts.cli_coverage:coverage",
    "day": "harness.fronts.cli_day:day",
    "drill": "harness.fronts.cli_drill:drill",
    "judge": "harness.fronts.cli_judge:judge",
    "compare": "harness.fronts.cli_history:compare",
    "history": "harness.fronts.cli_history:history",
    "ops": "harness.fronts.cli_ops:ops",
    "postmortem": "harness.fronts.cli_postmortem:postmortem",
    "report": "harness.fronts.cli_report:report",
    "run": "harness.fronts.cli_run:run",
    "schedule": "harness.fronts.cli_day:schedule",
}
"""Commands that live in modules of their own, by name: imported when they are asked for, for `list` must answer at once."""


def as_written(command: click.Command) -> click.Command:
    """The command with the marks of its help, which raw docstrings spell out, as click wants them."""
    command.help = command.help.replace("\\b\n", "\b\n") if command.help else None
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        as_written(inner)
    return command


class Cli(click.Group):
    """Errors people can meet are one line and an exit code; an interruption is 130."""

    asked = "the command line"
    """What was asked for, once it is known."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in alphabetical order."""
        return sorted({*super().list_commands(ctx), *LATER})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, imported now when it has a module of its own."""
        if cmd_name not in LATER:
            return super().get_command(ctx, cmd_name)
        module, _, name = LATER[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(module), name)
        return as_written(found)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was asked for, whose name is remembered for what nobody foresees."""
        self.asked = args[0]
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and turn errors into exit codes."""
        as_written(self)
        kwargs["standalone_mode"] = False
        try:
            return sys.exit(super().main(*args, **kwargs) or 0)
        except GamedayError as error:
            click.echo(f"gameday: {error}", err=True)
            sys.exit(error.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(2)
        except (click.Abort, KeyboardInterrupt):
            click.echo("gameday: interrupted", err=True)
            sys.exit(130)
        except BrokenPipeError:
            # Whoever read the output has gone; Python would complain again when it flushes.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except Exception as error:  # noqa: BLE001  (Python's own exit code would be that of something refuted)
            if os.environ.get(DEBUG):
                traceback.print_exc()
            hint = "" if os.environ.get(DEBUG) else f" ({DEBUG}=1 shows where)"
            click.echo(f"gameday: {self.asked} broke in a way that nobody foresaw: {unforeseen(error)}{hint}", err=True)
            sys.exit(GamedayError.exit_code)


@click.group(cls=Cli, context_settings=CONTEXT)
@click.version_option(package_name="gameday", prog_name="gameday")
def main() -> None:
    r"""Prove an operations runbook: break the real system, follow the document, see whether it holds.

    \b
    Examples:
      gameday run                      every failure mode of the catalogue
      gameday run FM-OB-01             one of them
      gameday run --section 5.6        those of one section of the runbook
      gameday show FM-OB-01            what it does, from the code
      gameday up                       the stack on its own, to look around
    """


@main.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN ...")
@click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), metavar="DIR", show_default=True)
def merge(runs: tuple[Path, ...], reports: Path) -> int:
    r"""Join the reports of shards into what one run would have written.

    RUN is the folder of a shard's report.

    \b
    Exit codes: 0 nothing refuted, 1 something REFUTED, 3 something INCONCLUSIVE
    or a shard that is missing or was ended early, 2 wrong use.
    """
    from harness.fronts import terminal  # noqa: PLC0415  (the command line must answer at once)
    from harness.fronts.merging import merged  # noqa: PLC0415
    from harness.fronts.reports import page  # noqa: PLC0415

    found = merged(runs, reports)
    console = terminal.Screen()
    terminal.summary(found.record, console)
    for note in found.notes:
        click.echo(f"! {note}", err=True)
    console.print(f"\n{terminal.counts(found.record)}. Report: {page(found.folder)}", soft_wrap=True)
    return found.exit_code


@main.command("list")
@stack_options
@click.option("--section", "sections", multiple=True, metavar="5.6", help="Only this section's.")
@click.option("--json", "as_json", is_flag=True, help="For programs; the same as --format json.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@lang_option
def list_(sections: tuple[str, ...], as_json: bool, form: str, lang: str, **asked: Any) -> None:
    """List the scenarios of the catalogue."""
    from harness.engine import plan  # noqa: PLC0415  (the command line must answer at once)
    from harness.fronts.catalogue import load_catalogue, load_topology  # noqa: PLC0415
    from harness.fronts.messages import load_messages  # noqa: PLC0415

    topology = load_topology(asked["stack"])
    if asked["profile"] not in topology.profiles:
        raise UsageError(f"there is no profile {asked['profile']}; there are {', '.join(topology.profiles)}")
    loaded = load_catalogue(asked["catalogue"], topology)
    said = load_messages(asked["catalogue"], lang)
    chosen = plan.choose(loaded, sections=sections)
    if form == "markdown":
        from harness.fronts.catalogue_page import own_runbook, page  # noqa: PLC0415

        click.echo(page(loaded, topology, chosen, own_runbook(asked["catalogue"])))
        return
    if as_json or form == "json":
        import json  # noqa: PLC0415

        rows = [
            {
                "id": s.id,
                "title": said.title(s.id, s.title),
                "sections": list(s.sections),
                "variants": [v.name for v in s.variants],
            }
            for s in chosen
        ]
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for s in chosen:
        click.echo(f"{s.id:<14} {','.join(s.sections):<8} {said.title(s.id, s.title)}")
        if s.variants:
            click.echo(f"{'':<23} variants: {', '.join(v.name for v in s.variants)}")


@main.command()
@click.argument("id_", metavar="ID")
@stack_options
@lang_option
def show(id_: str, catalogue: str, stack: str | None, profile: str, lang: str) -> None:
    """Show what a scenario does, from the code.

    ID may name a variant: FM-OB-01:black-hole.
    """
    from harness.fronts.show import text_of  # noqa: PLC0415  (the command line must answer at once)

    click.echo(text_of(id_, catalogue, stack, profile, lang))


@main.command()
@stack_options
@click.option("--runtime", type=click.Choice(["auto", "process", "docker"]), default="auto", show_default=True)
@click.option("--name", default="default", metavar="NAME", show_default=True, help="To keep several apart.")
def up(**asked: Any) -> None:
    """Start the stack on its own, with its addresses and a login, for looking around."""
    from harness.fronts import stand  # noqa: PLC0415  (the command line must answer at once)

    click.echo(stand.up(asked["name"], asked["profile"], asked["stack"], asked["runtime"], asked["catalogue"]))


@main.command()
@click.option("--name", default="default", metavar="NAME", show_default=True)
def down(name: str) -> None:
    """End the stack that `up` started."""
    from harness.fronts import stand  # noqa: PLC0415  (the command line must answer at once)

    click.echo(stand.down(name))


@main.command()
def status() -> None:
    """Show which stacks are up, and where."""
    from harness.fronts import stand  # noqa: PLC0415  (the command line must answer at once)

    click.echo(stand.status())


@main.command()
def cleanup() -> None:
    """Remove what runs that were killed left behind: containers, networks, processes, folders.

    Only what carries the marks of a run whose runner is gone is touched.
    """
    from harness.drivers.cleanup import clean_up  # noqa: PLC0415  (the command line must answer at once)

    for line in clean_up() or ["Nothing was left behind."]:
        click.echo(line)


@main.group()
def images() -> None:
    """The images of the docker runtime."""


@images.command("build")
@click.option("--force", is_flag=True, help="Build or pull again what is there already.")
@click.option(
    "--source", type=click.Choice(["auto", "registry", "built"]), default=None, help="Where from; default: auto."
)
@click.option("--stack", default=None, metavar="FILE", help="Topology file; default: the reference stack's.")
def images_build(force: bool, source: str | None, stack: str | None) -> None:
    """Get every image: pulled where a registry answers, else built from packages alone."""
    import asyncio  # noqa: PLC0415  (the command line must answer at once)

    from harness.drivers.docker_engine import Engine  # noqa: PLC0415
    from harness.drivers.images import ensure_images  # noqa: PLC0415
    from harness.fronts.catalogue import load_topology  # noqa: PLC0415

    engine = Engine.connect()
    found = asyncio.run(ensure_images(engine, load_topology(stack), force=force, source=source))
    click.echo(f"source: {found.source}")
    for name, reference in found.versions.items():
        click.echo(f"{name:<10} {reference}")


@main.command()
def doctor() -> int:
    r"""Say what is here, what is missing, and what to do about it.

    \b
    Exit codes: 0 a run can begin, 3 something is wrong, 2 wrong use.
    """
    from harness.fronts.doctor import examine  # noqa: PLC0415  (the command line must answer at once)

    lines, healthy = examine()
    for line in lines:
        click.echo(line)
    return 0 if healthy else 3


if __name__ == "__main__":
    main()
