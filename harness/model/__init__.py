"""Pure data shared by every other room: no I/O, no clock, no randomness, imports nothing of ours."""
