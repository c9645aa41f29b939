"""Records for tests, each with only what the test says different from a plain one."""

from __future__ import annotations

from typing import Any

from clusters.provider import ImageRole, Provenance
from conformance.claims import Resolution
from conformance.model import (
    Builder,
    Cell,
    Claim,
    Evidence,
    Finding,
    Layer,
    Level,
    Outcome,
    Result,
    Role,
    VerdictKind,
)


def builder(name: str = "rootless-unset", **changes: object) -> Builder:
    values = {"name": name, "summary": "s", "origin": "o", "image": ImageRole.BUILDKIT_ROOTLESS}
    return Builder.model_validate(values | changes)


def cell(
    builder_name: str = "rootless-unset",
    level: str = "baseline",
    kubernetes: str = "1.35",
    provider: str = "embedded",
    role: Role = Role.SELECTED,
) -> Cell:
    parsed = Level.parse(level)
    suffix = "-control" if role is Role.CONTROL else ""
    return Cell(
        id=f"{provider}-{kubernetes}-{parsed.slug}-{builder_name}{suffix}",
        provider=provider,
        kubernetes=kubernetes,
        level=parsed,
        builder=builder(builder_name),
        role=role,
    )


def control(kubernetes: str = "1.35") -> Cell:
    return cell("full", "privileged", kubernetes, role=Role.CONTROL)


def claim(expect: str = "supported", **changes: object) -> Claim:
    values: dict[str, Any] = {
        "builder": "rootless-unset",
        "levels": ("baseline",),
        "expect": expect,
        "source": "seen",
        "date": "2026-11-21",
        "origin": "claims.toml:1",
    }
    return Claim.model_validate(values | changes)


def resolved(expect: str | None) -> Resolution:
    if expect is None:
        return Resolution(claim=None, reason="no claim")
    return Resolution(claim=claim(expect))


BUILDS = Finding(builds=True)


def failure(class_: str = "rootlesskit-clone-eperm", **changes: object) -> Finding:
    values: dict[str, Any] = {
        "builds": False,
        "class": class_,
        "kind": VerdictKind.UNSUPPORTED,
        "layer": Layer.ROOTLESSKIT,
        "evidence": (Evidence(file="logs/buildkitd.log", line=3, text="fork/exec: operation not permitted"),),
    }
    return Finding.model_validate(values | changes)


def result(of: Cell | None = None, **changes: object) -> Result:
    of = of or cell()
    values = {
        "cell": of.id,
        "cluster": of.cluster,
        "kubernetes": of.kubernetes,
        "level": str(of.level),
        "builder": of.builder.name,
        "role": of.role,
        "provenance": Provenance.GENUINE,
        "outcome": Outcome.AS_CLAIMED,
        "claim": "supported",
    }
    return Result.model_validate(values | changes)
