"""The gRPC server. ``chatsys.server.main.main`` starts one; importing this starts nothing.

What a test server must override to lie is in ``chatsys.server.reading.Reading``: hand a subclass of it to
``main``.
"""
