"""Every code that a diagnostic may have, with what it means. The manual's table is made of this one."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    # the file
    "no-such-file": "nothing stands at this path",
    "unreadable": "the file exists and cannot be read",
    "no-scenarios": "a folder without scenarios",
    "too-large": "more than 1 MiB, or more values than any scenario has",
    "not-utf-8": "a file in another encoding",
    "empty-file": "a file without content",
    "bad-character": "a control character",
    # YAML
    "syntax": "the text is no YAML",
    "too-deep": "lists and maps nested too deeply",
    "duplicate-key": "one key twice in a map",
    "bad-key": "a list, a map or an alias as a key",
    "bad-merge": "`<<` with something that is no map",
    "unknown-alias": "`*name` without `&name` before it",
    "recursive-alias": "an alias inside of what it stands for",
    "unknown-tag": "a YAML tag such as `!name`",
    "many-documents": "a second document in one file",
    # keys and values
    "missing-key": "an obligatory key is missing",
    "unknown-key": "a key that nothing takes",
    "wrong-type": "a list instead of a text, a number instead of a name, ...",
    "bad-value": "a value out of its range, or not among the known words",
    "bad-duration": "a duration without unit, or with an unknown one",
    "bad-name": "a name with characters that names cannot have",
    "bad-range": "`user-5..1`, or a range of very many names",
    "unknown-status": "`refused` with a word that is no gRPC status",
    "unknown-invariant": "`invariants` with an unknown name",
    "unknown-variable": "`${...}` that nothing fills in",
    "not-yet": "part of the format that this version cannot play",
    "says-nothing": "an empty list where something must stand",
    # the script
    "unknown-verb": "a step whose verb does not exist",
    "no-verb": "a step with modifiers only",
    "two-verbs": "a step that does two things",
    "unknown-client": "a name that `clients` does not have",
    "unknown-room": "a name that `rooms` does not have",
    "unknown-message": "an id that no step gives",
    "unknown-fault": "a `wait` for something that is neither a duration nor a fault",
    "never-ends": "a `wait` for a fault that does not end by itself",
    "wrong-state": "a fault on a process that is not in the state for it",
    "message-not-yet": "an id that is used before its message is sent",
    "duplicate-name": "two clients of one name",
    "duplicate-id": "one id given by two steps",
    "listed-twice": "one name twice in a list",
    "which-room": "a send that does not say to which of several rooms",
    "already-online": "a connect of somebody who is online",
    "not-online": "an act of somebody who is offline",
    "contradiction": "two words of one step, or of one inbox, that exclude each other",
    "flat-inbox": "one list for somebody who is in several rooms",
    # warnings
    "never-true": "a statement that no correct server fulfils; it is played, and fails",
    "race": "an inbox that depends on who is quicker: a message under way, or a removal",
    "cut-short": "a text that ends before ` #`, where a comment begins in YAML; quote it",
    "unused": "a client or a room without a part",
}
