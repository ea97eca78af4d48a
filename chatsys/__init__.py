"""chatsys: a gRPC group-chat server, its client library and its command line.

Imports go one way: ``cli`` -> ``server`` | ``client`` -> ``store`` -> ``core`` -> ``errors`` -> ``v1``. Nothing
here imports ``harness``. Importing any of it starts nothing: no thread, no event loop, no channel, no database.
"""

__version__ = "0.1.0"
