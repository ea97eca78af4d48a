"""A process between clients and a gRPC server, which passes calls through and strikes single ones.

It is generic: it knows no message and no service, so it works for any server that speaks gRPC without TLS. The keeper
starts it when a plan has faults on calls, and only then.
"""
