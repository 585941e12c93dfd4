"""Options that several commands share."""

import os
from collections.abc import Callable
from typing import Any

import click

from harness.report.lang import LANGUAGES, language


def lang_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--lang`; its value is a language, from the environment when nothing is said."""
    return click.option(
        "--lang",
        type=click.Choice(LANGUAGES),
        default=None,
        callback=lambda _ctx, _param, value: language(value, os.environ),
        help="Language; default: the environment's.",
    )(function)
