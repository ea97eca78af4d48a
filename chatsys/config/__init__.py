"""One configuration: a table of settings, read from flags, the environment and a TOML file, and shown again.

The settings themselves are the fields of a dataclass (``chatsys.server.settings``); here is what any such table
has in common. Invariant: one name for each setting, in three spellings: ``--max-content-bytes``,
``CHATSYS_MAX_CONTENT_BYTES`` and ``max_content_bytes``.
"""

from chatsys.config.read import ConfigError, Configuration, read
from chatsys.config.table import Setting, setting, settings_of

__all__ = ["ConfigError", "Configuration", "Setting", "read", "setting", "settings_of"]
