"""Look at a running installation gate by gate, read-only, and name the first gate that it fails."""

from conformance.doctor.client import Client, Tls
from conformance.doctor.examination import examine
from conformance.doctor.gate import Gate
from conformance.doctor.gates import GATES
from conformance.doctor.installation import Installation, Pool
from conformance.doctor.platforms import normalise
from conformance.doctor.reader import Reader
from conformance.doctor.records import Diagnosis, GateReport, Outcome

__all__ = [
    "GATES",
    "Client",
    "Diagnosis",
    "Gate",
    "GateReport",
    "Installation",
    "Outcome",
    "Pool",
    "Reader",
    "Tls",
    "examine",
    "normalise",
]
