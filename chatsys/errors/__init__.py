"""Why chatsys refuses: one table of reasons, the exception that carries one, and its form on the wire.

``docs/errors.md`` is made from the table (``python -m chatsys.errors.page``).
"""

from chatsys.errors.refusal import Refusal, Violation
from chatsys.errors.table import DOMAIN, TABLE, Code, Reason, Row

__all__ = ["DOMAIN", "TABLE", "Code", "Reason", "Refusal", "Row", "Violation"]
