"""Who may do what on Kafka: one table, derived from what is declared, and its forms for operators."""

from shared.rights.derive import OPERATOR, PROBE, agency_user, operator_user, probe_user, service_user
from shared.rights.model import Operation, Quota, Right, User

__all__ = [
    "OPERATOR",
    "PROBE",
    "Operation",
    "Quota",
    "Right",
    "User",
    "agency_user",
    "operator_user",
    "probe_user",
    "service_user",
]
