"""The API server refuses the pod, or something in front of it does."""

from __future__ import annotations

from typing import Final

from conformance.classify.details import message, violations
from conformance.classify.records import FailureClass, Rule
from conformance.model import Layer, VerdictKind

_ADMISSION: Final = Layer.ADMISSION
_PSA: Final = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
#: Other policy engines quote the same sentences.
_ENGINES: Final = (
    r"kyverno|gatekeeper|ValidatingAdmissionPolicy|azurepolicy|denied the request: +\[|policy .* (?:rule|fail)"
)
#: The sentences of pod-security-admission's baseline checks (policy/check_*.go).
_BASELINE_REASONS: Final = (
    r"must not set (?:AppArmor profile type|securityContext\.(?:seccompProfile\.type|procMount|privileged"
    r"|seLinuxOptions"
    r"|windowsOptions)|hostPort|host(?:Network|PID|IPC))|must not include .* in securityContext\.capabilities\.add"
    r"|uses? hostPorts? |\bhostPorts? \(container|set forbidden securityContext\.seLinuxOptions"
    r"|probe or lifecycle hosts? \W|(?m:(?:^|[(:,] ?)host(?:Network|PID|IPC)=true)(?m:[,)]|$)"
    r"|(?m:^volumes? \W[^\n\W][^\n,]*(?:, \W[^\n,]+)*$)"
    r"|forbidden annotations? .*(?:seccomp|apparmor)|forbidden AppArmor profiles? \(|non-default capabilities\W"
    r"|host namespaces ?[(:]|hostPath volumes ?[(:]|forbidden sysctls ?[(:]"
)
_RESTRICTED_REASONS: Final = (
    r"must set securityContext\.(?:allowPrivilegeEscalation=false|capabilities\.drop|runAsNonRoot=true"
    r"|seccompProfile\.type)"
    r"|must not set (?:securityContext\.)?(?:runAsUser=0|runAsNonRoot=false)|restricted volume types? "
    r"|unrestricted capabilities ?[(:]|allowPrivilegeEscalation != false|runAsNonRoot != true"
)

CLASSES: Final = (
    FailureClass(
        name="psa-baseline-violation",
        layer=_ADMISSION,
        kind=VerdictKind.UNSUPPORTED,
        meaning="The pod violates the Pod Security level `baseline` (Unconfined profiles, privileged, added "
        "capabilities, "
        "hostPath, procMount and the like).",
        remedy="Label the namespace `privileged`, or remove the fields that the message names.",
        reference=_PSA + "#baseline",
        rules=(
            Rule(pattern=r"violates PodSecurity\W{0,4}baseline", unless_near=_ENGINES, detail=violations),
            Rule(
                pattern=r'"baseline:[\w.]+": \w[^\n(]* \(', unless_near=rf"would violate|{_ENGINES}", detail=violations
            ),
            Rule(
                pattern=_BASELINE_REASONS,
                unless=_RESTRICTED_REASONS,
                unless_near=rf"would violate|PodSecurity\W{{0,4}}restricted|\"restricted:|{_ENGINES}",
                also=("psa-restricted-violation", "psa-warning"),
                detail=violations,
            ),
        ),
    ),
    FailureClass(
        name="psa-restricted-violation",
        layer=_ADMISSION,
        kind=VerdictKind.UNSUPPORTED,
        meaning="The pod violates the Pod Security level `restricted` (privilege escalation, capabilities not "
        "dropped, root, "
        "seccomp unset).",
        remedy="Fill in all fields that `restricted` asks for in every container, or run the builder in another "
        "namespace.",
        reference=_PSA + "#restricted",
        rules=(
            Rule(pattern=r"violates PodSecurity\W{0,4}restricted", unless_near=_ENGINES, detail=violations),
            Rule(
                pattern=r'"restricted:[\w.]+": \w[^\n(]* \(',
                unless_near=rf"would violate|{_ENGINES}",
                detail=violations,
            ),
            Rule(
                pattern=_RESTRICTED_REASONS,
                unless_near=rf"would violate|violates PodSecurity|{_ENGINES}",
                also=("psa-warning",),
                detail=violations,
            ),
        ),
    ),
    FailureClass(
        name="psa-warning",
        layer=_ADMISSION,
        kind=VerdictKind.NOISE,
        meaning="Pod Security's warn or audit mode speaks: the object was created all the same.",
        remedy="Nothing: only `violates PodSecurity` is a refusal.",
        reference="https://kubernetes.io/docs/concepts/security/pod-security-admission/",
        rules=(
            Rule(pattern=r"would violate PodSecurity|pod-security\.kubernetes\.io/audit-violations", detail=violations),
        ),
    ),
    FailureClass(
        name="psa-existing-pods-warning",
        layer=_ADMISSION,
        kind=VerdictKind.NOISE,
        meaning="The namespace got its Pod Security label after pods were already running in it.",
        remedy="Label the namespace before anything is installed, otherwise the run proves nothing.",
        reference="https://kubernetes.io/docs/tasks/configure-pod-container/enforce-standards-namespace-labels/",
        rules=(Rule(pattern=r"existing pods in namespace .* violate the new PodSecurity"),),
    ),
    FailureClass(
        name="procmount-needs-hostusers-false",
        layer=_ADMISSION,
        kind=VerdictKind.DEFECT,
        meaning="API validation (not Pod Security) refuses `procMount: Unmasked` while `hostUsers` is not false.",
        remedy="Set `hostUsers: false` on the pod, or leave procMount unset.",
        reference="https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#proc-access",
        rules=(
            Rule(pattern=r"hostUsers\W{1,4}must be false to use\W{1,4}Unmasked|procMount: Invalid value: .*hostUsers"),
        ),
    ),
    FailureClass(
        name="admission-webhook-denied",
        layer=_ADMISSION,
        kind=VerdictKind.UNSUPPORTED,
        meaning="A policy engine (Kyverno, Gatekeeper, a validating admission policy, a cloud's guard) refused the "
        "pod; "
        "Pod Security did not.",
        remedy="Report the policy's name; exempt the namespace or change the pod. The verdict is that provider's, "
        "not PSA's.",
        reference="https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/",
        rules=(
            Rule(
                pattern=r"admission webhook \W{0,3}[\w./-]+\W{0,3} denied the request",
                unless=r"pod-security-webhook\.kubernetes\.io|no-op",
                detail=message,
            ),
            Rule(
                pattern=r"polic(?:y|ies)\W.*\W?rule\W.* failed|validation error: .* [Rr]ule \S+ failed"
                r"|was blocked due to the following policies|resource violation:\s"
                r"|ValidatingAdmissionPolicy \S+ with binding \S+ denied"
                r"|\[denied by [\w.-]+\]|GKE Warden .*(?:reject|den)|warden-validating\S* denied"
                r"|Validation rule \S+ failed\. It violates PodSecurity",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="psp-violation",
        layer=_ADMISSION,
        kind=VerdictKind.UNSUPPORTED,
        meaning="A PodSecurityPolicy (Kubernetes before 1.25) refuses the pod.",
        remedy="Upgrade the cluster, or grant the service account a policy that allows the pod.",
        reference="https://kubernetes.io/docs/concepts/security/pod-security-policy/",
        rules=(
            Rule(
                pattern=r"unable to validate against any pod security policy|PodSecurityPolicy: (?:unable|no )"
                r"|no providers available to validate pod (?:request|against)",
                unless=r"security context constraint",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="scc-violation",
        layer=_ADMISSION,
        kind=VerdictKind.UNSUPPORTED,
        meaning="OpenShift's SecurityContextConstraints refuse the pod.",
        remedy="Grant the service account a constraint that allows the pod (`oc adm policy add-scc-to-user`).",
        reference="https://docs.openshift.com/container-platform/latest/authentication/managing-security-context-constraints.html",
        rules=(
            Rule(
                pattern=r"unable to validate against any security context constraint"
                r"|provider \W?[\w-]+\W{1,3} ?Forbidden: not usable by user or serviceaccount",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="resource-quota-exceeded",
        layer=_ADMISSION,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The pod would exceed the namespace's ResourceQuota.",
        remedy="Raise the quota or clean the namespace, then run again.",
        reference="https://kubernetes.io/docs/concepts/policy/resource-quotas/",
        rules=(
            Rule(pattern=r"exceeded quota: .*(?:requested|used|limited)|is forbidden: exceeded quota", detail=message),
        ),
    ),
    FailureClass(
        name="resource-quota-unset-limits",
        layer=_ADMISSION,
        kind=VerdictKind.DEFECT,
        meaning="A ResourceQuota wants requests and limits, and a container (often an init container) has none.",
        remedy="Set resources on every container, init containers included.",
        reference="https://kubernetes.io/docs/concepts/policy/resource-quotas/",
        rules=(Rule(pattern=r"failed quota: .*must specify|must specify (?:limits|requests)\.", detail=message),),
    ),
    FailureClass(
        name="limitrange-violation",
        layer=_ADMISSION,
        kind=VerdictKind.DEFECT,
        meaning="The pod's requests or limits break a LimitRange of the namespace.",
        remedy="Fit requests and limits into the range that the message names.",
        reference="https://kubernetes.io/docs/concepts/policy/limit-range/",
        rules=(
            Rule(
                pattern=r"(?:minimum|maximum) [\w./-]+ usage per (?:Container|Pod|PersistentVolumeClaim) is"
                r"|[\w./-]+ max limit to request ratio per (?:Container|Pod) is",
                detail=message,
            ),
        ),
    ),
)
