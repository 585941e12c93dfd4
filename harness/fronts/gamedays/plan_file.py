"""The plan of a game day: a YAML file, checked as a whole before anything begins."""

import os
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from cronsim import CronSim, CronSimError
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from harness.fronts.gamedays import plan_errors
from harness.model.arms import ARMS
from harness.model.errors import UsageError

LARGEST_BYTES = 1_000_000
"""A plan is a page or two; a file beyond this is something else."""

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)$")


class PlainLoader(yaml.SafeLoader):
    """YAML whose times of day and dates stay texts, so that the plan's own fields read them and name what is wrong.

    YAML 1.1 takes an unquoted 22:00 for the number 1320, and a day that no month has for an error of its own. A word that
    stands twice is an error too: the second would take the place of the first, and steps would be lost without a word.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        met: set[str] = set()
        for key, _ in node.value:
            word = str(key.value)
            if word in met:
                says = f"{word} stands twice, again in line {key.start_mark.line + 1}; keep one of them"
                raise yaml.constructor.ConstructorError(None, None, says)
            met.add(word)
        return super().construct_mapping(node, deep)


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith((":int", ":timestamp"))]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
PlainLoader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))


class Part(BaseModel):
    """What every part of a plan has in common: unknown words are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _quoted(value: Any) -> Any:
    if isinstance(value, int | float):
        # 5.10 is the number 5.1, which is another section.
        raise ValueError(f"{value} is no text to YAML; write it in quotes")  # noqa: TRY004  (pydantic takes no TypeError)
    return value


def _one_or_many(value: Any) -> Any:
    if isinstance(_quoted(value), str):
        return (value,)
    if not isinstance(value, list | tuple | None):
        raise ValueError(f"{value} is no list of texts")  # noqa: TRY004  (as above)
    for one in value or ():
        if not isinstance(_quoted(one), str):
            raise ValueError(f"{one} in it is no text")  # noqa: TRY004  (as above)
    return tuple(value or ())


def _day_or_moment(value: Any) -> Any:
    """A text of a day alone is a day, not its midnight."""
    if isinstance(value, datetime | date | None):
        return value
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value):
        raise ValueError(f"'{value}' is no day or moment; write it as 2026-12-24 or 2026-12-24 18:00")
    return date.fromisoformat(value) if len(value) == len("2026-12-24") else datetime.fromisoformat(value)


def _ids(value: Any) -> Any:
    """A text is one id, but for the word that means all of them."""
    return value if value == "all" else _one_or_many(value)


def _time_of_day(value: Any) -> Any:
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"'{value}' is no time of day; write it as 22:00")
    return time(int(found[1]), int(found[2]), int(found[3] or 0))


Moment = Annotated[datetime | date | None, BeforeValidator(_day_or_moment)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
Name = Annotated[str, BeforeValidator(_quoted)]
Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
Ids = Annotated[tuple[str, ...] | Literal["all"], BeforeValidator(_ids)]


class RunStep(Part):
    """Scenarios: by id, by section, or the whole catalogue; an empty step is a mistake."""

    run: Ids = "all"
    section: Names = ()
    variant: str = ""
    arm: str = "timeline"

    @field_validator("arm")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in ARMS:
            raise ValueError(f"there is no arm {value}; there are {', '.join(ARMS)}")
        return value

    @field_validator("run", "section")
    @classmethod
    def _some(cls, value: tuple[str, ...] | str, info: ValidationInfo) -> tuple[str, ...] | str:
        # An empty list would mean the whole catalogue, which nobody who wrote it wants.
        if not value:
            raise ValueError(f"it names nothing; leave {info.field_name} out, or name what is to be run")
        return value

    @model_validator(mode="after")
    def _said(self) -> "RunStep":
        if not self.model_fields_set:
            raise ValueError("the step says nothing; the whole catalogue is run: all")
        return self


class DrillSpec(Part):
    """A drill: which section it may come from, how hard it is, who is trained."""

    section: Name = ""
    level: int = Field(1, ge=1, le=3)
    trainee: Name = ""
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


def _reading(value: Any) -> str | None:
    """As which step something is to be read, so that what is wrong in it is told of that one alone."""
    if isinstance(value, Part):
        return {RunStep: "run", DrillStep: "drill", AskStep: "ask"}.get(type(value))
    if not isinstance(value, dict):
        return None
    if "drill" in value:
        return "drill"
    return "ask" if "ask" in value or ("unattended" in value and not value.keys() & RunStep.model_fields) else "run"


_AnyStep = Annotated[
    Annotated[RunStep, Tag("run")] | Annotated[DrillStep, Tag("drill")] | Annotated[AskStep, Tag("ask")],
    Discriminator(_reading),
]


class Abort(Part):
    """When the day ends early: after so many refuted or inconclusive claims, or so many minutes; None: never."""

    refuted: int | None = Field(None, ge=1)
    inconclusive: int | None = Field(None, ge=1)
    minutes: float | None = Field(None, gt=0)


class Blackout(Part):
    """A stretch in which nothing begins: between two moments, or daily between two times of day on some weekdays."""

    starts: Moment = Field(None, alias="from")
    until: Moment = None
    daily_from: TimeOfDay | None = None
    daily_until: TimeOfDay | None = None
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> "Blackout":
        once, daily = (self.starts, self.until), (self.daily_from, self.daily_until)
        whole = [pair for pair in (once, daily) if None not in pair]
        begun = [pair for pair in (once, daily) if pair != (None, None)]
        if len(whole) != 1 or whole != begun:
            raise ValueError("a blackout has either from and until, or daily_from and daily_until")
        if self.days and whole == [once]:
            raise ValueError("days are of a daily blackout; one with from and until has none")
        if whole == [daily] and self.daily_from == self.daily_until:
            raise ValueError(f"daily_from and daily_until are both {self.daily_from:%H:%M}; a blackout has a length")
        if whole == [once] and self._ends_before_it_begins():
            raise ValueError(f"it is until {self.until}, which is before it begins, {self.starts}")
        return self

    def _ends_before_it_begins(self) -> bool:
        assert self.starts is not None and self.until is not None  # noqa: S101, PT018  (asked of whole ones alone)
        zones = {bool(m.tzinfo) for m in (self.starts, self.until) if isinstance(m, datetime)}
        if len(zones) > 1:
            return False  # one has its own zone, the other the plan's: nobody can tell here
        like = datetime(2000, 1, 1, tzinfo=UTC)
        return _moment(self.until, like, end=True) <= _moment(self.starts, like)

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
    steps: tuple[_AnyStep, ...] = Field(min_length=1)
    abort: Abort = Field(default_factory=lambda: Abort.model_validate({}))
    notify: Names = ()
    schedule: Schedule | None = None

    @field_validator("jobs", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value

    def variables(self) -> list[str]:
        """The names of the environment's variables that the channels' addresses take."""
        return sorted({name for address in self.notify for name in _VARIABLE.findall(address)})

    def channels(self) -> list[str]:
        """The addresses with the environment's values; raises UsageError for a variable that is not set."""
        return [_VARIABLE.sub(_from_environment, address) for address in self.notify]


MODELS: dict[str, type[Part]] = {
    "": Plan, "run": RunStep, "ask": AskStep, "drill": DrillStep, "spec": DrillSpec,
    "abort": Abort, "schedule": Schedule, "blackout": Blackout,
}  # fmt: skip
"""Every part of a plan, by what a mistake is within; see plan_errors."""


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
        data = yaml.load(path.read_text(encoding="utf-8"), PlainLoader)  # noqa: S506  (a safe loader)
    except OSError as error:
        raise UsageError(f"the plan {path} cannot be read: {error.strerror}") from None
    except RecursionError:
        raise UsageError(f"the plan {path} is no plan: it is nested too deeply") from None
    except (ValueError, yaml.YAMLError) as error:  # a text that is no UTF-8, or a number that no machine takes
        raise UsageError(f"the plan {path} is no YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(data, dict):
        raise UsageError(f"the plan {path} is empty or no mapping; begin with a title and steps")
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        raise UsageError(f"the plan {path}: {plan_errors.first(error, MODELS)}") from None
    except UsageError as error:
        raise UsageError(f"the plan {path}: {error}") from None
