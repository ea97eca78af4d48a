"""The gRPC server. ``chatsys.server.main.main`` starts one; importing this starts nothing.

What a test server must override to lie is in ``chatsys.server.reading.Reading``: hand a subclass of it to
``main``.
"""

import os

# Read by gRPC when it is imported, which is below this. What its core writes to standard error is none of the
# server's log lines, and holds what callers sent, tokens and all.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
