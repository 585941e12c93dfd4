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


def stack_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which catalogue, which stack and which of its profiles."""
    for option in (
        click.option(
            "--catalogue", default="scenarios", metavar="PKG", show_default=True, help="Package of scenarios."
        ),
        click.option("--stack", default=None, metavar="FILE", help="Topology file; default: the reference stack's."),
        click.option("--profile", default="ci", metavar="NAME", show_default=True, help="ci or realistic."),
    ):
        function = option(function)
    return function
