"""Who may import whom: the contracts of pyproject.toml hold, and none of those that were promised is missing."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS = {contract["name"]: contract for contract in LINTER["contracts"]}
DOMAIN = CONTRACTS["The domain's modules depend downwards, neighbours not at all"]


def test_every_contract_holds() -> None:
    call = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"

    done = subprocess.run(  # a process of its own: the linter takes the loggers of this one over
        [sys.executable, "-c", call], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Both edges stand above the domain and do not know each other", "layers"),
        ("The domain's modules depend downwards, neighbours not at all", "layers"),
        ("Providers do not know each other", "independence"),
        ("A provider is data and small functions: nothing that runs", "forbidden"),
        ("The domain knows no web framework", "forbidden"),
        ("Authlib is spoken in one module", "forbidden"),
        ("There is one door to the outside", "forbidden"),
        ("Nobody imports the application", "forbidden"),
        ("Sandbox and product share no code", "independence"),
    ],
)
def test_each_promise_is_a_contract(name: str, kind: str) -> None:
    assert CONTRACTS[name]["type"] == kind


def test_every_module_of_the_domain_has_its_place() -> None:
    placed = {module.strip() for layer in DOMAIN["layers"] for module in layer.split("|")}
    there = {
        path.stem for path in (ROOT / "patchbay").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert there - {"__init__"} == placed


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())
def test_each_exception_has_its_reason_beside_it(contract: dict[str, object]) -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    exceptions = contract.get("ignore_imports", [])
    assert isinstance(exceptions, list)
    singles = [each for each in exceptions if not each.startswith(("patchbay.net", "patchbay.oauth -> authlib"))]

    for each in singles:
        line = next(line for line in text.splitlines() if f'"{each}"' in line)
        assert "#" in line
