"""Plan + history + verdicts -> what people and machines read: terminal, sequence diagram, JUnit, JSON, progress.

Everything is made from one `model.Invocation` of `model.RowReport`s, which are pure data made from the record; so
an old run gives the same report again. Nothing here starts, judges or plays anything.

Importing any module of this room costs a few milliseconds: rich and junitparser are imported where they are used.
"""
