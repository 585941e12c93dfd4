"""Settings come from the environment alone; a bad value is one line and exit code 2."""

import hashlib
import re
import sys
from collections.abc import Mapping

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h|d)$")
_TRUE, _FALSE = {"true", "on", "yes", "1"}, {"false", "off", "no", "0", ""}


class SettingError(Exception):
    """A setting is missing or cannot be understood; its text is one line."""


def variable(name: str) -> str:
    """The environment variable of a dotted property; a name without dots is the variable itself."""
    return name.replace(".", "_").replace("-", "").upper() if "." in name else name


class Settings:
    """The settings of one service."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._read: set[str] = set()

    def in_effect(self) -> dict[str, str]:
        """Fingerprints of the variables that were read and are set: the first 16 hex digits of their SHA-256."""
        known = sorted(name for name in self._read if name in self._environ)
        return {name: hashlib.sha256(self._environ[name].encode()).hexdigest()[:16] for name in known}

    def text(self, name: str, default: str | None = None) -> str:
        """A text; without a default the setting must be there."""
        self._read.add(variable(name))
        value = self._environ.get(variable(name), default)
        if value is None:
            raise SettingError(f"{variable(name)} is not set; give it to the service's environment")
        return value

    def integer(self, name: str, default: int) -> int:
        """A whole number."""
        return int(self._parse(name, str(default), r"-?\d+", "a whole number"))

    def number(self, name: str, default: float) -> float:
        """A number."""
        return float(self._parse(name, str(default), r"-?\d+(\.\d+)?", "a number"))

    def flag(self, name: str, default: bool) -> bool:
        """On or off."""
        value = self.text(name, str(default)).lower()
        if value not in _TRUE | _FALSE:
            raise SettingError(f"{variable(name)} is '{value}'; set it to true or false")
        return value in _TRUE

    def duration_s(self, name: str, default: str) -> float:
        """Seconds of a duration such as `200ms`, `30s`, `2m`."""
        match = _DURATION.match(self._parse(name, default, _DURATION.pattern, "a duration such as 200ms, 30s or 2m"))
        assert match is not None  # noqa: S101  (the pattern was just matched)
        return float(match[1]) * _UNITS_S[match[2]]

    def _parse(self, name: str, default: str, pattern: str, what: str) -> str:
        value = self.text(name, default)
        if re.fullmatch(pattern, value) is None:
            raise SettingError(f"{variable(name)} is '{value}'; set it to {what}")
        return value


def give_up(error: SettingError) -> None:
    """Say what is wrong and end with exit code 2."""
    print(error, file=sys.stderr)  # noqa: T201  (the log is not configured yet)
    raise SystemExit(2)
