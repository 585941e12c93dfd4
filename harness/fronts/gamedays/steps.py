"""A plan's steps as the commands that carry them out, and whether a plan can be led as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.drivers.notify import unknown
from harness.fronts.gamedays.plan_file import DrillStep, Plan, RunStep
from harness.model.errors import UsageError
from harness.slo.measure import has_budget

if TYPE_CHECKING:
    from harness.fronts.wiring import Options
    from harness.model.scenario import Catalogue
    from harness.model.topology import Topology


def run_options(plan: Plan, step: RunStep, reports: Path) -> Options:
    """What a step runs, with everything that the plan says of the whole day."""
    from harness.fronts import wiring  # noqa: PLC0415  (slow to import, and a broken plan is known before)

    return wiring.Options(
        ids=() if step.run == "all" else tuple(step.run),
        sections=step.section,
        variant=step.variant,
        arm=step.arm,
        runtime=plan.runtime,
        profile=plan.profile,
        jobs=plan.jobs,
        seed=plan.seed,
        catalogue=plan.catalogue,
        stack=plan.stack,
        reports=reports,
    )


def run_words(plan: Plan, step: RunStep) -> list[str]:
    """The words of `gameday run` for a step, without a seed and without a folder."""
    words = ["run", *(() if step.run == "all" else step.run)]
    words += [word for key in step.section for word in ("--section", key)]
    for name, value, usual in (
        ("--variant", step.variant, ""),
        ("--arm", step.arm, "timeline"),
        ("--runtime", plan.runtime, ""),
        ("--profile", plan.profile, ""),
        ("--jobs", plan.jobs, "auto"),
        ("--catalogue", plan.catalogue, "scenarios"),
        ("--stack", plan.stack, None),
    ):
        if value is not None and value != usual:
            words += [name, value]
    return words


def drill_words(plan: Plan, step: DrillStep, reports: Path) -> list[str]:
    """The words of `gameday drill` for a step; the seed is not among them, for everybody can read a command line."""
    d = step.drill
    words = ["--level", str(d.level), "--time-limit", d.time_limit, "--runtime", plan.runtime]
    words += ["--profile", plan.profile, "--catalogue", plan.catalogue, "--reports", str(reports)]
    for name, value in (("--stack", plan.stack), ("--section", d.section), ("--trainee", d.trainee)):
        if value:
            words += [name, value]
    return words


def check(plan: Plan, path: Path, reports: Path) -> None:
    """Raise UsageError, in one line that names the place, for a plan that cannot be led or told of as it stands."""
    try:
        strange = unknown(plan.channels())
        if strange:
            raise UsageError(f"notify: {strange[0]}")
    except UsageError as error:
        raise UsageError(f"the plan {path}: {error}") from None
    check_steps(plan, path, reports)


def check_steps(plan: Plan, path: Path, reports: Path) -> None:
    """The same without the channels: for a plan that is led on another machine."""
    from harness.fronts import wiring  # noqa: PLC0415  (as above)

    for n, step in enumerate(plan.steps, start=1):
        try:
            if isinstance(step, RunStep):
                wiring.prepare(run_options(plan, step, reports))
            elif isinstance(step, DrillStep):
                _check_drill(plan, step, reports)
        except UsageError as error:
            raise UsageError(f"the plan {path}: step {n}: {error}") from None
    try:
        _check_budget(plan)
    except UsageError as error:
        raise UsageError(f"the plan {path}: {error}") from None


def _check_drill(plan: Plan, step: DrillStep, reports: Path) -> None:
    """With the command's own parser, and with what the catalogue has to choose from."""
    from harness.fronts.cli_drill import drill  # noqa: PLC0415  (as above)
    from harness.fronts.desk.extras import extras_of  # noqa: PLC0415
    from harness.fronts.drills.choose import choose  # noqa: PLC0415

    d = step.drill
    # Its own seed takes the place of what the environment says, so that is not looked at.
    seed = [] if d.seed is None else ["--seed", str(d.seed)]
    try:
        with drill.make_context("drill", [*drill_words(plan, step, reports), *seed]):
            pass
    except click.ClickException as error:
        raise UsageError(" ".join(error.message.split())) from None
    topology, catalogue = _loaded(plan)
    choose(
        catalogue, extras_of(plan.catalogue, topology), topology,
        section=d.section, level=d.level, seed=d.seed or 0, profile=plan.profile,
    )  # fmt: skip


def _check_budget(plan: Plan) -> None:
    if plan.schedule is None or not plan.schedule.budget:
        return
    _, catalogue = _loaded(plan)
    budget = plan.schedule.budget
    fitting = [sli.name for sli in catalogue.slis if has_budget(sli)]
    if budget in fitting:
        return
    have = f"those that have an error budget are {', '.join(fitting)}" if fitting else "none has an error budget"
    if budget in [sli.name for sli in catalogue.slis]:
        raise UsageError(f"schedule: budget: {budget} has no error budget, so it would refuse no start; {have}")
    raise UsageError(f"schedule: budget: there is no indicator {budget}; {have}")


def _loaded(plan: Plan) -> tuple[Topology, Catalogue]:
    from harness.fronts.catalogue import load_catalogue, load_topology  # noqa: PLC0415  (as above)

    topology = load_topology(plan.stack)
    if plan.profile not in topology.profiles:
        raise UsageError(f"there is no profile {plan.profile}; there are {', '.join(topology.profiles)}")
    return topology, load_catalogue(plan.catalogue, topology)
