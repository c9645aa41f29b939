"""What AWS answers when it refuses, and what that means: the account's limits and capacity are infrastructure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from clusters.errors import ClustersError


class Kind(StrEnum):
    """Whose affair a refusal is."""

    QUOTA = "quota"
    CAPACITY = "capacity"
    PERMISSION = "permission"
    CREDENTIALS = "credentials"
    THROTTLED = "throttled"
    NETWORK = "network"
    OTHER = "other"


#: What to do about each kind; nothing is known about the others.
HINTS: Final = {
    Kind.QUOTA: (
        "This is a limit of the account, not a fault of what is tested. Remove what is left over "
        "(python -m clusters janitor), ask AWS for more (Service Quotas), or set AWS_DEFAULT_REGION to another region."
    ),
    Kind.CAPACITY: (
        "AWS has no such machine free there now: this is not a fault of what is tested. "
        "Try later, or set AWS_DEFAULT_REGION to another region."
    ),
    Kind.PERMISSION: (
        "These credentials may not do that: docs/how-to/eks.md lists the rights that are needed. "
        "AWS_PROFILE chooses other credentials."
    ),
    Kind.CREDENTIALS: "The credentials are wrong or too old: get new ones (e.g. `aws sso login`), or set AWS_PROFILE.",
    Kind.THROTTLED: "The account asks AWS too much at once: try again when less runs beside this.",
    Kind.NETWORK: "Is AWS reachable from here, and is the region's name right (AWS_DEFAULT_REGION)?",
    Kind.OTHER: "",
}

#: Codes by kind, of EC2 (docs.aws.amazon.com, EC2 API error codes), of EKS node group health and of IAM.
_CODES: Final = {
    Kind.QUOTA: {
        "AddressLimitExceeded",
        "InstanceLimitExceeded",
        "InternetGatewayLimitExceeded",
        "LimitExceeded",
        "LimitExceededException",
        "MaxSpotInstanceCountExceeded",
        "ResourceLimitExceeded",
        "ResourceLimitExceededException",
        "RouteTableLimitExceeded",
        "ServiceQuotaExceededException",
        "SubnetLimitExceeded",
        "VcpuLimitExceeded",
        "VpcLimitExceeded",
    },
    Kind.CAPACITY: {
        "InsufficientCapacity",
        "InsufficientFreeAddresses",
        "InsufficientHostCapacity",
        "InsufficientInstanceCapacity",
        "UnsupportedAvailabilityZoneException",
    },
    Kind.PERMISSION: {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "ClusterUnreachable"},
    Kind.CREDENTIALS: {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "UnauthorizedSSOTokenError",
        "TokenRetrievalError",
        "CredentialRetrievalError",
    },
    Kind.THROTTLED: {"RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException"},
    Kind.NETWORK: {
        "ConnectTimeoutError",
        "ConnectionClosedError",
        "EndpointConnectionError",
        "ProxyConnectionError",
        "ReadTimeoutError",
        "SSLError",
    },
}

_GONE: Final = {"NoSuchEntity", "ResourceNotFoundException", "Gateway.NotAttached"}
_BUSY: Final = {"DependencyViolation", "ResourceInUseException", "DeleteConflict", "ResourceInUse", "OperationAborted"}


class AwsError(ClustersError):
    """AWS refused a call or could not be asked."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        """Name the operation (e.g. `create_vpc`) and keep what was answered."""
        self.operation = operation
        self.code = code
        self.answer = message
        self.kind = kind_of(code)
        about = "" if self.kind is Kind.OTHER else f" ({self.kind})"
        hint = HINTS[self.kind]
        super().__init__(f"AWS did not do {operation}{about}: {code}: {message}" + (f"\n{hint}" if hint else ""))

    @property
    def is_gone(self) -> bool:
        """Say whether what the call is about does not exist."""
        return self.code in _GONE or self.code.endswith((".NotFound", ".NotFoundException"))

    @property
    def is_busy(self) -> bool:
        """Say whether something else still uses what the call is about."""
        return self.code in _BUSY


def kind_of(code: str) -> Kind:
    """Return what kind of refusal an error or health code is."""
    return next((kind for kind, codes in _CODES.items() if code in codes), Kind.OTHER)
