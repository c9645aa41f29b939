"""Tell one set of rules from another: a run records with which rules it was judged."""

from __future__ import annotations

import hashlib
from typing import Final

from conformance.classify.catalogue import CLASSES


def _digest() -> str:
    parts = []
    for class_ in CLASSES.values():
        parts.append(f"{class_.name}|{class_.layer}|{class_.kind}|{','.join(class_.explains)}|{sorted(class_.kinds)}")
        for rule in class_.rules:
            check = rule.check.__name__ if rule.check is not None else ""
            kinds = sorted(rule.kinds) if rule.kinds is not None else ""
            parts.append(
                f"{rule.pattern}|{kinds}|{rule.near}|{rule.unless}|{rule.unless_near}|{rule.also}|{rule.tier}|{check}"
            )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


#: Changes whenever a class or a rule does.
RULES_DIGEST: Final = _digest()
