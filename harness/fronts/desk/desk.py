"""The desk: one request in words, one answer; the same for a terminal, another process and a program."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from harness.drivers.lines import refused
from harness.fronts.desk.extras import Extras
from harness.fronts.desk.sight import Sight
from harness.model.errors import GamedayError, InfrastructureError, UsageError
from harness.model.runtime import Equipment
from harness.model.scenario import Catalogue
from harness.model.words import unforeseen, writable
from harness.report.lang import Messages, text

MOST_WORDS = 200


@dataclass(frozen=True)
class Told:
    """An answer: for people in `says`, for programs in `data`; `keys` are the checks that it showed."""

    says: str
    data: Any = None
    keys: tuple[str, ...] = ()


Run = Callable[["Desk", Sequence[str]], Awaitable[Told]]


@dataclass(frozen=True)
class Verb:
    """One verb.

    Attributes:
        group: the heading it stands under in the help.
        usage: its arguments; what it is for is in the message catalogue, `verb.<name>`.
        least: how many it needs.
        most: how many it takes; None for any number.
        changes: whether it acts on the system.
    """

    name: str
    group: str
    usage: str
    run: Run
    least: int = 0
    most: int | None = 0
    changes: bool = False


OnDone = Callable[[Verb, Sequence[str], Told | GamedayError], None]


class Desk:
    """The verbs of a person on call on one cell."""

    def __init__(
        self,
        equipment: Equipment,
        catalogue: Catalogue,
        sight: Sight,
        verbs: Mapping[str, Verb],
        extras: Extras,
        *,
        messages: Messages | None = None,
        acting: Callable[[], AbstractAsyncContextManager[Any]] = nullcontext,
        on_done: OnDone = lambda _verb, _words, _told: None,
    ) -> None:
        self.equipment = equipment
        self.catalogue = catalogue
        self.sight = sight
        self.verbs = verbs
        self.extras = extras
        self.messages = messages or Messages()
        self._acting = acting
        self._on_done = on_done
        self._one = asyncio.Lock()
        self._secrets = sorted(
            {s for s in equipment.cell.topology.secrets.values() if len(s) >= 6}, key=len, reverse=True
        )

    async def do(self, words: Sequence[str]) -> Told:
        """Carry one request out; raises UsageError and what the act raises, and nothing but errors of ours.

        Whoever asks is a person or a program in the middle of something: what nobody foresaw is an answer too.
        """
        if not words:
            raise UsageError(self.say("nothing_asked"))
        if len(words) > MOST_WORDS:
            raise UsageError(self.say("most_words", n=MOST_WORDS))
        name, rest = words[0], list(words[1:])
        if name in self.extras.aliases:
            name, *first = self.extras.aliases[name]
            rest = [*first, *rest]
        verb = self.verbs.get(name)
        if verb is None:
            raise UsageError(self.say("no_verb", name=name))
        if len(rest) < verb.least or (verb.most is not None and len(rest) > verb.most):
            raise UsageError(self.say("it_is", usage=f"{verb.name} {verb.usage}".rstrip()))
        try:
            if verb.changes:
                # One act at a time, whoever asks: two at once could not be told apart afterwards.
                async with self._one, self._acting():
                    told = await verb.run(self, rest)
            else:
                told = await verb.run(self, rest)
        except GamedayError as error:
            self._on_done(verb, rest, error)
            raise
        except Exception as error:
            # One request that goes wrong in a way that nobody foresaw must not end the drill: it is answered as failed.
            trouble = self._unforeseen(error)
            self._on_done(verb, rest, trouble)
            raise trouble from error
        self._on_done(verb, rest, told)
        return told

    async def handle(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The same for programs: `{"do": "restart x"}` or `{"do": "restart", "args": ["x"]}`; errors are answers.

        `wrong_use` tells what was asked wrongly from what failed.
        """
        try:
            told = await self.do(words_of(request))
            data = self._masked_data(told.data)
        except UsageError as error:
            return refused(self.failed(error))
        except GamedayError as error:
            return {"ok": False, "says": self.failed(error)}
        except Exception as error:  # noqa: BLE001  (a request that cannot even be read is answered like any other)
            return {"ok": False, "says": self.failed(self._unforeseen(error))}
        return {"ok": True, "says": self.masked(told.says), **({} if data is None else {"data": data})}

    def say(self, key: str, **values: object) -> str:
        """The words of a key of the table `desk`."""
        return text(f"desk.{key}", self.messages.lang, **values)

    def failed(self, error: GamedayError) -> str:
        """What went wrong, in the desk's language where it is known there."""
        return self.masked(self.messages.sentence(str(error)))

    def _unforeseen(self, error: Exception) -> GamedayError:
        return InfrastructureError(self.say("unforeseen", error=unforeseen(error)))

    def masked(self, says: str) -> str:
        """A text without secrets, as it can be written anywhere."""
        says = writable(says)
        for secret in self._secrets:
            says = says.replace(secret, "***")
        return says

    def _masked_data(self, data: Any) -> Any:
        match data:
            case str():
                return self.masked(data)
            case Mapping():
                return {str(k): self._masked_data(v) for k, v in data.items()}
            case list() | tuple():
                return [self._masked_data(v) for v in data]
            case None | bool() | int() | float():
                return data
            case _:
                return self.masked(str(data))


def words_of(request: Mapping[str, Any]) -> list[str]:
    """The words of a request; raises UsageError."""
    asked, args = request.get("do"), request.get("args", [])
    if not isinstance(asked, str):
        raise UsageError('a request names what to do: {"do": "help"}')
    if not isinstance(args, list):
        raise UsageError('"args" is a list of texts')
    return [*split(asked), *(str(a) for a in args)]


def split(line: str) -> list[str]:
    """The words of a line as a shell has them; raises UsageError for quotes that do not end."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{error} in: {line}") from None
