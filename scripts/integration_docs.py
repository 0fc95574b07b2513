"""`make docs`: writes docs/integrations.md from the providers' declarations, so that nobody keeps it by hand."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from patchbay import providers, quality
from patchbay.quality import Standing
from patchbay.spec import Action, Field, Operation, Provider, Status

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "integrations.md"
HEAD = """# Integrations

Written by `make docs` from the declarations in `patchbay/providers`. A `?` marks what may be left out.
"""
LADDER = """## Quality

A level stands on the rules of its own rung and of all below. The tests of `tests/providers/test_conformance.py` find
out which rules hold; `make conformance` keeps what they found.
"""


def main() -> int:
    """Write the document."""
    DOCUMENT.write_text(text(), encoding="utf-8")
    print(f"written  {DOCUMENT.name}")
    return 0


def text() -> str:
    """The whole document."""
    found = providers.all()
    active = [provider for provider in found if provider.status is Status.ACTIVE]
    parts = [HEAD, "\n".join(_ladder(active)), *("\n".join(_section(provider)) for provider in active)]
    announced = ", ".join(provider.name for provider in found if provider.status is Status.COMING_SOON)
    parts.append(f"## Coming soon\n\n{announced}.\n" if announced else "")
    return "\n".join(part for part in parts if part)


def _ladder(found: Iterable[Provider]) -> Iterator[str]:
    yield f"{LADDER}\n| rung | rule | what it says |\n| --- | --- | --- |"
    for level, names in quality.LADDER.items():
        yield from (f"| {level} | {name} | {quality.RULES[name]} |" for name in names)
    yield f"\n| integration | level | {' | '.join(quality.RULES)} |\n| --- | --- |{' --- |' * len(quality.RULES)}"
    reasons = []
    for provider in found:
        reached = quality.of(provider.key)
        standings = " | ".join(rule.standing for rule in reached.rules)
        yield f"| {provider.name} | {reached.level or 'none yet'} | {standings} |"
        exempt = [rule for rule in reached.rules if rule.standing is Standing.EXEMPT]
        reasons += [f"- {provider.name}, {rule.name}: {rule.reason}" for rule in exempt]
    yield "\n" + "\n".join(["Exempt, because it cannot apply:", "", *reasons, ""])


def _section(provider: Provider) -> Iterator[str]:
    yield f"## {provider.name} (`{provider.key}`)\n\n{provider.description}\n"
    if provider.fields:
        yield f"Asked before connecting: {_fields(provider.fields)}.\n"
    if provider.auth is not None:
        yield "| scope | allows | what for |\n| --- | --- | --- |"
        for scope in provider.auth.scopes:
            yield f"| `{scope.name}` | {scope.allows} | {scope.purpose} |"
        yield ""
    yield "| operation | what it does | takes | gives |\n| --- | --- | --- | --- |"
    for operation in provider.operations:
        yield f"| `{operation.name}` | {operation.title} | {_fields(operation.input)} | {_gives(operation)} |"
    yield "\nSources:\n"
    yield from (f"- {source}" for source in provider.sources)
    yield ""


def _fields(fields: tuple[Field, ...]) -> str:
    return ", ".join(f"`{field.name}{'' if field.required else '?'}`" for field in fields)


def _gives(operation: Operation) -> str:
    names = operation.gives if isinstance(operation, Action) else ("stream", "counts", operation.stream, "nextCursor")
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.exit(main())
