"""`python -m scripts.quality`: tries the rules of quality on every provider; `--write` keeps what came out.

The rules are in patchbay/quality.py, their tests in tests/providers/test_conformance.py.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from patchbay import providers, quality
from patchbay.quality import Standing
from patchbay.spec import Provider, Status
from scripts.conformance import ROOT, Case, NoReport, declared, told_by
from tests.providers.sample import sample_of

SUITE = "tests/providers/test_conformance.py"
Found = Mapping[str, Mapping[str, Mapping[str, str]]]


def main(arguments: Sequence[str]) -> int:
    """Try the rules and print how each provider stands; 1 when a test failed, 2 for an unknown argument."""
    if not set(arguments) <= {"--write"}:
        print("usage: python -m scripts.quality [--write]", file=sys.stderr)
        return 2
    try:
        found = find(tried())
    except NoReport as failure:
        print(failure, file=sys.stderr)
        return 1
    print(table(found))
    if arguments:
        quality.FOUND.write_text(text(found), encoding="utf-8")
        print(f"\nWritten: {quality.FOUND.relative_to(ROOT)}")
    return 0


def tried() -> Mapping[tuple[str, str], bool]:
    """Whether all tests of a rule passed, by provider and rule. Raises NoReport when pytest does not come to an end."""
    return held(told_by("-m", "rule", SUITE))


def held(told: Iterable[Case]) -> Mapping[tuple[str, str], bool]:
    """The same from the tests that tried the rules."""
    passed: dict[tuple[str, str], bool] = defaultdict(lambda: True)
    for case in told:
        notes = dict(case.properties)
        passed[notes["provider"], notes["rule"]] &= case.cause is None
    return passed


def find(passed: Mapping[tuple[str, str], bool]) -> Found:
    """How each provider that can be connected stands to each rule."""
    active = [provider for provider in providers.all() if provider.status is Status.ACTIVE]
    return {one.key: {rule: _standing(one, rule, passed) for rule in quality.RULES} for one in active}


def text(found: Found) -> str:
    """patchbay/providers/quality.json."""
    return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def table(found: Found) -> str:
    """For a terminal: a line for each provider, and one for each rule that is not held."""
    lines = []
    for key, rules in found.items():
        level = quality.level_of({name for name, one in rules.items() if one["standing"] != Standing.MISSING})
        lines.append(f"{key:16} {level or 'no level'}")
        others = {name: one for name, one in rules.items() if one["standing"] != Standing.HELD}
        lines += [f"    {name}: {' '.join(one.values())}" for name, one in others.items()]
    return "\n".join(lines)


def _standing(provider: Provider, rule: str, passed: Mapping[tuple[str, str], bool]) -> Mapping[str, str]:
    reason = sample_of(provider).exempt.get(rule)
    if reason:
        return {"standing": Standing.EXEMPT, "reason": reason}
    if rule == quality.WITNESSED:
        is_held = provider.name in {one.platform for one in declared().witnesses if not one.is_general}
    else:
        is_held = passed.get((provider.key, rule), False)
    return {"standing": Standing.HELD if is_held else Standing.MISSING}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
