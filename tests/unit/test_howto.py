"""The how-to says what is true: its module can be loaded, checked and shown as it stands."""

import re
import sys
from pathlib import Path

import pytest

from harness.fronts.catalogue import load_catalogue, load_topology

HOWTO = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-scenario.md"


def test_the_module_of_the_howto_is_a_good_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    catalogue = load_catalogue("howtocat", load_topology(None))
    assert list(catalogue.scenarios) == ["FM-DEMO-01"]
    for module in [m for m in sys.modules if m.startswith("howtocat")]:
        del sys.modules[module]


def test_it_names_every_kind_of_fault() -> None:
    from harness.model import faults  # noqa: PLC0415

    kinds = {n for n, v in vars(faults).items() if isinstance(v, type) and hasattr(v, "inject")} - {"Fault", "Nothing"}
    text = HOWTO.read_text()
    assert {k for k in kinds if f"`{k}`" not in text} == set()
