"""helm does not get the chart installed."""

from __future__ import annotations

from typing import Final

from conformance.classify.details import message
from conformance.classify.records import FailureClass, Rule, Tier
from conformance.model import Layer, SourceKind, VerdictKind

_HELM: Final = Layer.HELM
_INSTALL: Final = "https://helm.sh/docs/helm/helm_install/"
_BY_HELM: Final = frozenset({SourceKind.HELM, SourceKind.UNKNOWN, SourceKind.API, SourceKind.PROVIDER})

CLASSES: Final = (
    FailureClass(
        name="helm-timeout",
        layer=_HELM,
        kind=VerdictKind.SYMPTOM,
        meaning="helm waited and its time ran out; why the pods are not ready stands in their events.",
        remedy="Classify the events first, always.",
        reference=_INSTALL,
        kinds=_BY_HELM,
        explains=("build-deadline-exceeded",),
        rules=(
            Rule(
                pattern=r"timed out waiting for the condition|(?:INSTALLATION|UPGRADE|ROLLBACK"
                r"|UNINSTALLATION) FAILED: .*(?:deadline|timed? ?out)"
                r"|client rate limiter Wait returned an error|would exceed context deadline|failed (?:pre"
                r"|post)-\w+: .*(?:timed out|deadline)"
                r"|(?:release|resource) \S+ .*(?:timed out|not ready\W.*deadline)|Helm \w+ failed: .*(?:timed? ?out"
                r"|deadline)"
                r"|hooks? failed: .*(?:timed out|deadline|not ready)|resource not ready, name: .*InProgress"
                r"|install retries exhausted|helm \w+ did not end within|uninstallation completed with .*(?:deadline"
                r"|timed out)",
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="helm-api-timeout",
        layer=_HELM,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The API server was too slow for helm.",
        remedy="Try again.",
        reference="https://github.com/helm/helm/issues/3328",
        kinds=_BY_HELM,
        rules=(
            Rule(
                pattern=r"server was unable to return a response in the time allotted|etcdserver: request timed out"
                r"|(?:apiserver|api server|the server) (?:received too many|is currently unable to handle"
                r"|request timed? ?out)",
            ),
        ),
    ),
    FailureClass(
        name="helm-operation-in-progress",
        layer=_HELM,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="An earlier helm was killed in the middle: the release is still `pending`.",
        remedy="Delete the pending release secret, or use a fresh namespace.",
        reference=_INSTALL,
        kinds=_BY_HELM,
        rules=(
            Rule(
                pattern=r"another operation \(?install/upgrade/rollback\)? is in progress|STATUS: pending-(?:install"
                r"|upgrade|rollback)"
            ),
        ),
    ),
    FailureClass(
        name="helm-name-in-use",
        layer=_HELM,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="A release, or an object of it, is there from an earlier install.",
        remedy="helm uninstall, or upgrade --install.",
        reference=_INSTALL,
        kinds=_BY_HELM,
        rules=(
            Rule(
                pattern=r"cannot re-?use a name that is still in use|a release named \S+ already exists"
                r"|rendered manifests contain a resource that already exists",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="helm-template-error",
        layer=_HELM,
        kind=VerdictKind.BAD_INPUT,
        meaning="The chart refuses the values: its schema, its own `fail`, or a template that does not render.",
        remedy="Fix the values that the message names.",
        reference="https://helm.sh/docs/chart_template_guide/debugging/",
        kinds=_BY_HELM,
        rules=(
            Rule(
                pattern=r"execution error at \(|values don't meet the specifications of the schema|parse error at \("
                r"|error calling (?:fail|include|required|tpl)"
                r"|template: \S+:\d+:\d+: executing|YAML parse error on|render error in|error converting YAML to JSON"
                r"|nil pointer evaluating",
                detail=message,
            ),
        ),
    ),
)
