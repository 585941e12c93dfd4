"""The plan of a game day: a YAML file, checked as a whole before anything begins."""

import os
import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from cronsim import CronSim, CronSimError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from harness.model.arms import ARMS
from harness.model.errors import UsageError
from harness.model.topology import duration_s

LARGEST_BYTES = 1_000_000
"""A plan is a page or two; a file beyond this is something else."""

_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Part(BaseModel):
    """What every part of a plan has in common: unknown words are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _day_or_moment(value: Any) -> Any:
    """A text of a day alone is a day, not its midnight."""
    return date.fromisoformat(value) if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) else value


Moment = Annotated[datetime | date | None, BeforeValidator(_day_or_moment)]
Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]


class RunStep(Part):
    """Scenarios: by id, by section, or the whole catalogue when neither is named."""

    run: Names | Literal["all"] = "all"
    section: Names = ()
    variant: str = ""
    arm: str = "timeline"

    @field_validator("arm")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in ARMS:
            raise ValueError(f"there is no arm {value}; there are {', '.join(ARMS)}")
        return value


class DrillSpec(Part):
    """A drill: which section it may come from, how hard it is, who is trained."""

    section: str = ""
    level: int = Field(1, ge=1, le=3)
    trainee: str = ""
    time_limit: str = "15m"
    seed: int | None = None


class DrillStep(Part):
    """One drill."""

    drill: DrillSpec


class AskStep(Part):
    """A go / no-go question. `unattended` answers it when nobody is there."""

    ask: str
    unattended: Literal["go", "no-go"] = "go"


Step = RunStep | DrillStep | AskStep


class Abort(Part):
    """When the day ends early: after so many refuted or inconclusive claims, or so many minutes; None: never."""

    refuted: int | None = Field(None, ge=1)
    inconclusive: int | None = Field(None, ge=1)
    minutes: float | None = Field(None, gt=0)


class Blackout(Part):
    """A stretch in which nothing begins: between two moments, or daily between two times of day on some weekdays."""

    starts: Moment = Field(None, alias="from")
    until: Moment = None
    daily_from: time | None = None
    daily_until: time | None = None
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> "Blackout":
        once, daily = (self.starts, self.until), (self.daily_from, self.daily_until)
        if (None in once) == (None in daily):
            raise ValueError("a blackout has either from and until, or daily_from and daily_until")
        return self

    def covers(self, moment: datetime) -> bool:
        """Whether a moment, in the plan's time zone, lies in it; a date as `until` includes that day."""
        if self.starts is not None and self.until is not None:
            return _moment(self.starts, moment) <= moment < _moment(self.until, moment, end=True)
        assert self.daily_from is not None and self.daily_until is not None  # noqa: S101, PT018  (checked above)
        now, day = moment.time(), moment
        if self.daily_from <= self.daily_until:
            inside = self.daily_from <= now < self.daily_until
        else:
            inside = now >= self.daily_from or now < self.daily_until
            if now < self.daily_until:
                day = moment - timedelta(days=1)  # the stretch began the evening before
        return inside and (not self.days or day.strftime("%a").lower() in self.days)


def _moment(value: datetime | date, like: datetime, *, end: bool = False) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=like.tzinfo)
    return datetime.combine(value, time(), tzinfo=like.tzinfo) + timedelta(days=1 if end else 0)


class Schedule(Part):
    """When the day begins by itself.

    `missed` says what becomes of a start at which nobody was there; `budget` names an SLI whose spent error budget
    forbids a start, looked at over the last `budget_days`.
    """

    cron: str
    timezone: str = "UTC"
    blackouts: tuple[Blackout, ...] = ()
    missed: Literal["skip", "run-once"] = "skip"
    budget: str = ""
    budget_days: float = Field(28, gt=0)

    @field_validator("cron")
    @classmethod
    def _cron(cls, value: str) -> str:
        try:
            CronSim(value, datetime(2026, 1, 1))  # noqa: DTZ001  (only whether it can be read)
        except CronSimError as error:
            raise ValueError(f"'{value}' is no cron expression: {error}") from None
        if len(value.split()) != 5:
            raise ValueError(f"'{value}' is no cron expression of five fields")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"there is no time zone {value}; write it as Asia/Tokyo or UTC") from None
        return value


class Plan(Part):
    """One game day.

    Attributes:
        on: the day it is planned for; only shown, a schedule is what starts it.
        roles: who does what, by role.
        notify: addresses of channels, as apprise writes them; `${NAME}` is taken from the environment.
    """

    title: str
    on: date | None = Field(None, alias="date")
    roles: dict[str, str] = {}
    runtime: Literal["auto", "process", "docker"] = "auto"
    profile: str = "ci"
    jobs: str = "auto"
    seed: int | None = None
    catalogue: str = "scenarios"
    stack: str | None = None
    steps: tuple[Step, ...] = Field(min_length=1)
    abort: Abort = Field(default_factory=lambda: Abort.model_validate({}))
    notify: tuple[str, ...] = ()
    schedule: Schedule | None = None

    @field_validator("jobs", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value

    @field_validator("steps", mode="after")
    @classmethod
    def _limits(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        for step in steps:
            if isinstance(step, DrillStep):
                duration_s(step.drill.time_limit)
        return steps

    def channels(self) -> list[str]:
        """The addresses with the environment's values; raises UsageError for a variable that is not set."""
        return [_VARIABLE.sub(_from_environment, address) for address in self.notify]


def _from_environment(match: re.Match[str]) -> str:
    value = os.environ.get(match[1])
    if value is None:
        raise UsageError(f"the plan notifies ${{{match[1]}}}, which is not set in the environment")
    return value


def read(path: Path) -> Plan:
    """The plan of a file; raises UsageError with one line that names the place of what is wrong."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise UsageError(f"{path} is no plan: it is larger than {LARGEST_BYTES} bytes")
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the plan {path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"the plan {path} is no YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(data, dict):
        raise UsageError(f"the plan {path} is empty or no mapping; begin with a title and steps")
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        raise UsageError(f"the plan {path}: {_first(error)}") from None
    except UsageError as error:
        raise UsageError(f"the plan {path}: {error}") from None


def _first(error: ValidationError) -> str:
    """The deepest of what is wrong: of a step's three readings, the one that came furthest."""
    found = max(error.errors(), key=lambda e: (e["type"] != "missing", len(e["loc"])))
    place = ".".join(str(p) for p in found["loc"] if p not in {"RunStep", "DrillStep", "AskStep"})
    says = str(found["msg"]).removeprefix("Value error, ")
    more = f" ('{found['input']}')" if isinstance(found["input"], str) and found["input"] not in says else ""
    return f"{place}: {says}{more}"
