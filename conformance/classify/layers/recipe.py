"""What the user asked to be built cannot be built by any builder."""

from __future__ import annotations

from typing import Final

from conformance.classify.details import message
from conformance.classify.records import FailureClass, Rule, Tier
from conformance.model import Layer, VerdictKind

_RECIPE: Final = Layer.RECIPE

CLASSES: Final = (
    FailureClass(
        name="recipe-input-invalid",
        layer=_RECIPE,
        kind=VerdictKind.BAD_INPUT,
        meaning="The recipe's own preconditions refuse the resource's properties.",
        remedy="Fix the properties that the message names.",
        reference="https://github.com/radius-project/resource-types-contrib/tree/main/Compute/containerImages",
        rules=(
            Rule(
                pattern=r"(?:^|[^\w/])containerImages: |Resource precondition failed|Invalid value for variable"
                r"|recipe .*(?:invalid|must (?:be|not|match))",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="secret-missing",
        layer=_RECIPE,
        kind=VerdictKind.BAD_INPUT,
        meaning="The Dockerfile wants a build secret that was not given.",
        remedy="Give it with --secret id=NAME,src=FILE.",
        reference="https://docs.docker.com/build/building/secrets/",
        explains=("registry-image-not-found",),
        rules=(
            Rule(
                pattern=r"(?:^|[^\w])secret [\w.-]+: not found|no secret with id|failed to stat secret"
                r"|could not parse secrets|required secret",
            ),
        ),
    ),
    FailureClass(
        name="entitlement-denied",
        layer=_RECIPE,
        kind=VerdictKind.BAD_INPUT,
        meaning="The build asks for a privilege (security.insecure, network.host, device) that the daemon does not "
        "grant.",
        remedy="Do not ask for it, or allow it on both sides.",
        reference="https://docs.docker.com/reference/dockerfile/#run---security",
        rules=(
            Rule(
                pattern=r"(?:security\.insecure|network\.host|\bdevice) is not allowed|entitlement \S+ is not allowed"
                r"|granting entitlement .*(?:not allowed|denied)|additional privileges requested",
            ),
        ),
    ),
    FailureClass(
        name="build-step-failed",
        layer=_RECIPE,
        kind=VerdictKind.BAD_INPUT,
        meaning="A command of the Dockerfile ended with an error: the builder itself works.",
        remedy="Fix the Dockerfile.",
        reference="https://docs.docker.com/reference/dockerfile/#run",
        rules=(
            Rule(
                pattern=r"did not complete successfully: (?:exit code|signal)|executor failed running \["
                r"|while running runtime: exit status"
                r"|waiting for process to exit: exit status|building at STEP .*exit (?:status|code)"
                r"|returned a non-zero code: \d+",
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
)
