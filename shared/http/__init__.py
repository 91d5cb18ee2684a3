"""What every HTTP API of the platform shares: problem details, a bound on bodies, keys, and serving it."""

from shared.http.api import MAX_BODY_BYTES, api
from shared.http.keys import ApiKeys, Caller, load_keys
from shared.http.problem import Problem, documented
from shared.http.serve import serve

__all__ = ["MAX_BODY_BYTES", "ApiKeys", "Caller", "Problem", "api", "documented", "load_keys", "serve"]
