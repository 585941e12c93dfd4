"""`gameday drill`."""

import random
import re
from pathlib import Path

import click

from harness.fronts.options import lang_option, stack_options

DURATION = re.compile(r"^(\d+(?:\.\d+)?)(s|m|h)$")
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    found = DURATION.match(value)
    if found is None or not (length_s := float(found[1]) * SECONDS[found[2]]):
        raise click.BadParameter(f"'{value}' is no time limit; write it as 90s, 15m or 1h")
    return length_s


@click.command("drill")
@click.option("--section", default="", metavar="5.6", help="Only this section's; default: any.")
@click.option("--level", type=click.IntRange(1, 3), default=1, show_default=True, help="How hard; see above.")
@click.option(
    "--seed", type=int, default=None, metavar="N", envvar="GAMEDAY_DRILL_SEED",
    help="What is broken follows from it; default: a new one, told in the debrief.",
)  # fmt: skip
@click.option("--time-limit", default="15m", metavar="T", show_default=True, callback=_seconds, help="90s, 15m, 1h.")
@click.option("--trainee", default="", metavar="NAME", help="Whose result it is.")
@click.option("--jsonl", is_flag=True, help="For programs: JSON lines on standard input and output.")
@click.option("--runtime", type=click.Choice(["auto", "process", "docker"]), default="auto", show_default=True)
@stack_options
@click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), metavar="DIR", show_default=True)
@lang_option
def drill(
    section: str,
    level: int,
    seed: int | None,
    time_limit: float,
    trainee: str,
    jsonl: bool,
    runtime: str,
    catalogue: str,
    stack: str | None,
    profile: str,
    reports: Path,
    lang: str,
) -> int:
    r"""Break something unnamed, page somebody, and score what they do.

    Whoever is trained gets the alert and the operator's desk, and no more.
    Level 2 adds harmless changes, noise in the logs and other mechanisms;
    level 3 adds a second factor.

    The seed tells what is broken to whoever can run this program: give it
    in the environment (GAMEDAY_DRILL_SEED), not on the command line.

    \b
    Exit codes: 0 with a debrief, 3 when the drill itself went wrong,
    2 wrong use, 130 closed before its end (with a debrief all the same).

    \b
    Examples:
      gameday drill
      gameday drill --section 5.6 --level 2 --trainee mia --time-limit 20m
      gameday drill --jsonl
      gameday drill --lang ja
    """
    from harness.fronts.catalogue import load_catalogue, load_topology  # noqa: PLC0415  (the command line must answer)
    from harness.fronts.desk.extras import extras_of  # noqa: PLC0415
    from harness.fronts.drills.facilitator import Facilitator, Options, lead_to_end  # noqa: PLC0415
    from harness.fronts.drills.fronts import Program, Terminal  # noqa: PLC0415
    from harness.fronts.messages import load_messages  # noqa: PLC0415
    from harness.model.errors import UsageError  # noqa: PLC0415

    topology = load_topology(stack)
    if profile not in topology.profiles:
        raise UsageError(f"there is no profile {profile}; there are {', '.join(topology.profiles)}")
    loaded = load_catalogue(catalogue, topology)
    if section and section not in loaded.sections:
        raise UsageError(f"there is no section {section}; there are {', '.join(loaded.sections)}")
    chosen_seed = seed if seed is not None else random.SystemRandom().randrange(1, 10**6)
    said = load_messages(catalogue, lang)
    options = Options(section, level, chosen_seed, time_limit, trainee, runtime, profile, reports, said)
    facilitator = Facilitator(options, topology, loaded, extras_of(catalogue, topology))
    record = lead_to_end(facilitator, Program(said) if jsonl else Terminal(said))
    if not record.whole:
        return 130 if record.ended == "closed" else 3
    return 130 if record.ended == "closed" else 0
