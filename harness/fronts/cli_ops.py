"""`gameday ops`: the operator's desk of a stack that is up, or of a drill that goes on."""

import json
import sys

import click

CONTEXT = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command("ops", context_settings=CONTEXT)
@click.option("--name", default="default", metavar="NAME", show_default=True, help="The stack's; a drill's is `drill`.")
@click.option("--json", "as_json", is_flag=True, help="The answer as JSON.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="VERB [ARG ...]")
def ops(name: str, as_json: bool, words: tuple[str, ...]) -> int:
    r"""Do what a person on call can do, on the stack of `gameday up`.

    The verbs are the ones that the runbook's responses use, and no others.
    `gameday ops help` lists them. Everything done is written to the journal
    beside the stack's logs.

    \b
    Exit codes: 0 done or shown, 3 it failed or the desk does not answer, 2 wrong
    use: no such verb, service or argument, or no desk is open.

    \b
    Examples:
      gameday ops status
      gameday ops checks 5.6
      gameday ops restart entitlement
      gameday ops rollback account setting
      gameday ops sql "SELECT status, count(*) FROM account.users GROUP BY 1"
      gameday ops --name drill alerts
    """
    from harness.drivers import lines  # noqa: PLC0415  (the command line must answer at once)
    from harness.fronts.desk.served import socket_of  # noqa: PLC0415
    from harness.model.errors import UsageError  # noqa: PLC0415

    path = socket_of(name)
    if not path.exists():
        hint = "gameday drill" if name == "drill" else f"gameday up{'' if name == 'default' else f' --name {name}'}"
        raise UsageError(f"no desk {name} is open; start one with: {hint}")
    answered = lines.ask(path, {"do": "help", "args": []} if not words else {"do": words[0], "args": list(words[1:])})
    if as_json:
        click.echo(json.dumps(answered, ensure_ascii=False))
    else:
        click.echo(answered.get("says", ""), file=sys.stdout if answered.get("ok") else sys.stderr)
    if answered.get("ok"):
        return 0
    return 2 if answered.get("wrong_use") else 3
