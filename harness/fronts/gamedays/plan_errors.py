"""What is wrong in a plan, in the plan's own words: steps counted from one, and nothing of the library that checks it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

LISTS = {"steps": "step", "blackouts": "blackout"}
"""Lists of a plan, with what one of them is called."""

STEPS = ("run", "ask", "drill")
"""The readings of a step, by the word that each is known by."""

CALLED = {
    "": "a plan",
    "run": "a step with run",
    "ask": "a step with ask",
    "drill": "a step with drill",
    "spec": "a drill",
    "blackout": "a blackout",
}

EXAMPLES = {
    "time_limit": "10m",
    "section": '"5.6"',
    "date": "2026-12-04",
    "cron": '"0 10 * * fri"',
    "timezone": "Asia/Tokyo",
    "roles": "{scribe: Chie}",
    "steps": "[{run: all}]",
    "step": "{run: all}",
    "blackouts": "[{from: 2026-12-24, until: 2027-01-04}]",
    "days": "[sat, sun]",
    "drill": "{level: 1}",
    "abort": "{refuted: 2}",
    "schedule": '{cron: "0 10 * * fri"}',
}

WANTED = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "date": "a day",
    "tuple": "a list",
    "dict": "a mapping",
    "model": "a mapping",
    "union_tag": "a mapping",
    "literal": "{expected}",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
}
"""What a value should have been, by how the type of the error begins."""

LONGEST = 60
"""So many characters of a wrong value are shown."""


def first(error: ValidationError, models: Mapping[str, type[BaseModel]]) -> str:
    """The first of what is wrong, rather something wrong than something missing; `models` are by what they are within."""
    # A list whose one entry is wrong counts as too short as well.
    later = {"missing": 1, "too_short": 2}
    found = min(error.errors(), key=lambda e: later.get(e["type"], 0) if e["input"] else 0)
    place, within, field = _place(found["loc"])
    return "".join(f"{p}: " for p in place) + _says(dict(found), within, field, models)


def _place(loc: Sequence[int | str]) -> tuple[list[str], str, str]:
    """Where it is, the model that it is within, and the field; of a step's way the library's choice of a reading is left out."""
    place, within, rest = [], "", list(loc)
    while rest:
        part = str(rest.pop(0))
        if part in LISTS and rest:
            place.append(f"{LISTS[part]} {int(rest.pop(0)) + 1}")
            within = str(rest.pop(0)) if part == "steps" and rest else LISTS[part]
        elif not rest or isinstance(rest[0], int):
            return place, within, part
        elif within == "drill":
            within = "spec"  # there is one drill in a step, so the step is place enough
        else:
            place.append(part)
            within = part
    return place, within, ""


def _says(found: Mapping[str, Any], within: str, field: str, models: Mapping[str, type[BaseModel]]) -> str:
    kind, message = str(found["type"]), str(found["msg"])
    if kind in {"extra_forbidden", "invalid_key"}:
        return _no_word(field, within, models)
    if kind == "missing":
        return f"{field} is missing"
    if kind == "too_short":
        return f"{field} names nothing; it is a list like {EXAMPLES[field]}"
    if kind == "value_error":
        says, given = message.removeprefix("Value error, "), found["input"]
        more = f" ('{_shown(given)}')" if isinstance(given, str) and given not in says else ""
        return f"{field}: {says}{more}" if field else f"{says}{more}"
    known = max((k for k in WANTED if kind.startswith(k)), key=len, default=None)
    if known is None:
        return f"{field}: {message}"
    wanted = WANTED[known].format(**found.get("ctx", {})).replace("'", "")
    like = f" like {EXAMPLES[field or within]}" if (field or within) in EXAMPLES and known != "literal" else ""
    return f"{field or f'a {within}'} is {wanted}{like}, not {_shown(found['input'])}"


def _no_word(field: str, within: str, models: Mapping[str, type[BaseModel]]) -> str:
    known = _words(models[within])
    every = [word for step in STEPS for word in _words(models[step])]
    # A step is read as one that runs something when it is nothing else.
    if within == "run" and field not in every:
        return f"{field} is no word of a step; there are {', '.join(every)}"
    what = CALLED.get(within, f"the {within}")
    return f"{field} is no word of {what}; there {'is' if len(known) == 1 else 'are'} {', '.join(known)}"


def _words(model: type[BaseModel]) -> list[str]:
    return [known.alias or name for name, known in model.model_fields.items()]


def _shown(value: object) -> str:
    """A value as the plan has it, or nearly so."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
