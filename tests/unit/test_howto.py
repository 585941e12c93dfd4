"""The how-to says what is true: its module can be loaded, checked and shown as it stands."""

import re
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.messages import load_messages, missing
from harness.model.scenario import Catalogue
from harness.report.lang import Messages

ROOT = Path(__file__).parents[2]
HOWTO = ROOT / "docs" / "how-to" / "add-a-scenario.md"


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalogue]:
    """What somebody has who has followed the page up to its proof."""
    text = HOWTO.read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    name = re.search(r"`scenarios/(fm_\w+\.py)`", text)
    assert code is not None
    assert name is not None
    package = tmp_path / "howtocat"
    (package / "sections").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "sections" / "__init__.py").write_text("")
    (package / "sections" / "s5_6.py").write_text("from scenarios.sections.s5_6 import SECTION\n")
    (package / name[1]).write_text(code[1])
    monkeypatch.syspath_prepend(str(tmp_path))
    yield load_catalogue("howtocat", load_topology(None))
    for module in [m for m in sys.modules if m.startswith("howtocat")]:
        del sys.modules[module]


def test_the_module_of_the_howto_is_a_good_scenario(catalogue: Catalogue) -> None:
    assert list(catalogue.scenarios) == ["FM-DEMO-01"]


def test_its_last_step_leaves_nothing_to_translate(catalogue: Catalogue) -> None:
    block = re.search(r"```toml\n(.*?)```", HOWTO.read_text(), re.DOTALL)
    assert block is not None
    added = tomllib.loads(textwrap.dedent(f"  {block[1]}"))
    known = load_messages("scenarios", "ja")
    whole = Messages("ja", {t: {**known.tables.get(t, {}), **added.get(t, {})} for t in {*known.tables, *added}})
    assert missing(catalogue, known) != []
    assert missing(catalogue, whole) == []


def test_its_last_step_names_every_place_and_command() -> None:
    _, _, last = HOWTO.read_text().partition("## 6. Make it whole")
    places = ("docs/runbook.md", "docs/runbook.ja.md", "scenarios/sections/s5_6.py", "scenarios/messages/ja.toml")
    assert [p for p in places if f"`{p}`" not in last or not (ROOT / p).is_file()] == []
    assert "\nmake docs\nmake check\n" in last
    bullet = re.search(r'done\("([^"]+)"', last)
    assert bullet is not None
    assert f'"{bullet[1]}"' in (ROOT / "scenarios/sections/s5_6.py").read_text()


def test_it_names_every_kind_of_fault() -> None:
    from harness.model import faults  # noqa: PLC0415

    kinds = {n for n, v in vars(faults).items() if isinstance(v, type) and hasattr(v, "inject")} - {"Fault", "Nothing"}
    text = HOWTO.read_text()
    assert {k for k in kinds if f"`{k}`" not in text} == set()
