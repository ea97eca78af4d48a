"""Who a caller is: signing keys, bearer tokens, and which of them were revoked.

A token is a JSON Web Token, signed with EdDSA or HS256 by a key that its header names. All state is files: the keys
in a directory that is read again when it changes, the revocations in one beside the log. So a command can make,
rotate and revoke while a server runs, and any number of servers may share them. The server imports this only for
``--auth tokens``: the cryptography behind it costs a start.
"""
