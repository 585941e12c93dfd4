"""The trainee's side of a drill: what is noted of what they do, and the verbs that only a drill has."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.fronts.desk.desk import Desk, Told, Verb
from harness.model.drill import CAUSES, HINTS, VALUES, Answer, Entry, value_of
from harness.model.errors import GamedayError, UsageError
from harness.model.events import Acted
from harness.model.ports import Clock
from harness.model.scenario import Catalogue
from harness.model.topology import Topology
from harness.report.lang import Messages, text

DRILL = "the drill"
LONGEST_NOTE = 500
SHORT_S = 60.0
"""A time limit below this is told in seconds."""


@dataclass
class Notes:
    """What happened so far, in order; `ended` says why it is over."""

    clock: Clock
    entries: list[Entry] = field(default_factory=list)
    paged_s: float | None = None
    ended: str = ""

    def note(self, kind: str, says: str, **data: Any) -> None:
        """Write one thing down."""
        self.entries.append(Entry(self.clock.now_s(), kind, says, data))

    def acted(self, event: Acted) -> None:
        """An act of the trainee on the system."""
        said = " ".join(v for k, v in event.arguments.items() if k in {"name", *VALUES})
        text = event.arguments.get("statement", "") or event.arguments.get("arguments", "")
        says = f"{event.verb} {event.target} {said} {text}".strip()
        says = " ".join(says.split())
        data = {"verb": event.verb, "target": event.target, "name": event.arguments.get("name", ""), "text": text}
        self.note("act", says[:LONGEST_NOTE], **data, value=value_of(event), failed=event.failed)

    def done(self, verb: Verb, words: Sequence[str], told: Told | GamedayError) -> None:
        """A look at the system."""
        if verb.changes or verb.group == DRILL or isinstance(told, GamedayError):
            return
        says = " ".join([verb.name, *words])[:LONGEST_NOTE]
        if told.keys:
            for key in told.keys:
                self.note("check", says, key=key)
        else:
            self.note("view", says)


@dataclass
class Asked:
    """What the drill's own verbs need of the drill.

    Attributes:
        answer: gives the answer; it is there once something is broken.
        confirmed: whether the system has recovered, and what falls short.
        end: end the drill for a reason.
        messages: the language of what the trainee is told.
    """

    notes: Notes
    topology: Topology
    catalogue: Catalogue
    limit_s: float
    page: Callable[[], str]
    answer: Callable[[], Answer]
    confirmed: Callable[[], Awaitable[tuple[bool, str]]]
    end: Callable[[str], None]
    others: tuple[str, ...] = ()
    messages: Messages = field(default_factory=Messages)
    hints: dict[str, str] = field(default_factory=dict)

    def verbs(self) -> dict[str, Verb]:
        """The drill's own verbs by name."""
        own = (
            Verb("rules", DRILL, "", self._rules),
            Verb("page", DRILL, "", self._page),
            Verb("detect", DRILL, "TEXT", self._detect, 1, None),
            Verb("diagnose", DRILL, "SECTION PLACE CAUSE [TEXT]", self._diagnose, 3, None),
            Verb("recovered", DRILL, "", self._recovered),
            Verb("hint", DRILL, "|".join(HINTS), self._hint, 1, 1),
            Verb("give-up", DRILL, "", self._give_up),
        )
        return {v.name: v for v in own}

    def _word(self, key: str, **values: object) -> str:
        return text(f"drill.{key}", self.messages.lang, **values)

    def _must_be_paged(self) -> float:
        if self.notes.paged_s is None:
            raise UsageError(self._word("nobody"))
        return self.notes.paged_s

    async def _rules(self, _desk: Desk, _args: Sequence[str]) -> Told:
        return Told(self._word("rules").strip())

    async def _page(self, _desk: Desk, _args: Sequence[str]) -> Told:
        left_s = self.limit_s - (self.notes.clock.now_s() - self._must_be_paged())
        says = f"{self._word('page', alert=self.messages.alert(self.page()))}\n{self._word('left', n=f'{left_s:.0f}')}"
        return Told(says, {"alert": self.page(), "left_s": round(left_s, 1)})

    async def _detect(self, _desk: Desk, args: Sequence[str]) -> Told:
        self._must_be_paged()
        self.notes.note("detect", " ".join(args)[:LONGEST_NOTE])
        return Told(self._word("noted"))

    async def _diagnose(self, desk: Desk, args: Sequence[str]) -> Told:
        self._must_be_paged()
        section, place, cause, *rest = args
        if section not in self.catalogue.sections:
            raise UsageError(desk.say("no_section", name=section, names=", ".join(self.catalogue.sections)))
        t = self.topology
        if place not in {*t.parts, *t.services, *t.links, *t.jobs}:
            raise UsageError(self._word("no_place", name=place))
        if cause not in CAUSES:
            raise UsageError(self._word("no_cause", name=cause, names=", ".join(CAUSES)))
        says = " ".join([section, place, cause, *rest])[:LONGEST_NOTE]
        self.notes.note("diagnose", says, section=section, place=place, cause=cause)
        return Told(self._word("diagnosed"))

    async def _recovered(self, _desk: Desk, _args: Sequence[str]) -> Told:
        self._must_be_paged()
        confirmed, short = await self.confirmed()
        self.notes.note("recovered", "confirmed" if confirmed else "not confirmed", confirmed=confirmed, short=short)
        if not confirmed:
            return Told(self._word("not_confirmed"), {"confirmed": False})
        self.end("recovered")
        return Told(self._word("confirmed"), {"confirmed": True})

    async def _hint(self, _desk: Desk, args: Sequence[str]) -> Told:
        self._must_be_paged()
        level = args[0]
        if level not in HINTS:
            raise UsageError(self._word("no_hint", name=level, names=", ".join(HINTS)))
        if level not in self.hints:
            self.hints[level] = self._says(level)
            self.notes.note("hint", level, level=level)
        return Told(self.hints[level], {"hint": self.hints[level]})

    def _says(self, level: str) -> str:
        answer = self.answer()
        section = self.catalogue.sections.get(answer.sections[0]) if answer.sections else None
        if level == "nudge":
            return self._word("hint_nudge", names=", ".join(self.others))
        if level == "check":
            titles = [self.messages.check(c.key, c.title) for c in section.checks] if section else []
            return self._word("hint_check", what=titles[0]) if titles else self._word("hint_no_check")
        if level == "section":
            if section is None:
                return self._word("hint_no_section")
            return self._word("hint_section", name=section.key, what=self.messages.section(section.key, section.title))
        return self._word("hint_step", what=self.messages.step(answer.steps[0].title))

    async def _give_up(self, _desk: Desk, _args: Sequence[str]) -> Told:
        self.end("given up")
        return Told(self._word("ends"))


def page_of(data: Mapping[str, Any], messages: Messages) -> str:
    """The page as a person reads it."""
    lang, limit_s = messages.lang, float(data["limit_s"])
    in_minutes = limit_s >= SHORT_S
    limit = text(
        "drill.minutes" if in_minutes else "drill.seconds", lang, n=f"{limit_s / 60 if in_minutes else limit_s:.0f}"
    )
    page = text("drill.page", lang, alert=messages.alert(str(data["alert"])))
    return f"{page}\n{text('drill.limit', lang, limit=limit)}"
