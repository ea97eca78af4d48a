"""Programs that play one client each, speaking the driver protocol (docs/driver-protocol.md) in JSON lines.

`base.Driver` is what a driver in Python begins from; `chatsys` is the one for the server of this repository.
"""
