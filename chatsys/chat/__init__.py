"""The terminal client of a person: ``chatsys chat``.

``model`` is what is on the screen and why, pure; ``session`` talks to the server; ``screen`` draws, and reads keys.
"""
