"""Files that nobody but their owner may read, whatever the umask says.

What a server keeps is what everybody wrote, and who they are. A file belongs to whom its directory belongs to, also
when root made it by a command: the server must be able to read what it finds.
"""

import contextlib
import os
from pathlib import Path

MODE = 0o600


def make(path: Path) -> int:
    """Makes a new, empty file.

    Returns:
        Its descriptor, for reading and writing; the caller closes it.

    Raises:
        FileExistsError: It is there already.
        OSError: It cannot be made.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    try:
        # A umask may have taken away even what the owner needs. Some file systems have no modes or no owners.
        with contextlib.suppress(PermissionError):
            os.fchmod(fd, MODE)
        if os.geteuid() == 0:
            directory = path.parent.stat()
            with contextlib.suppress(PermissionError):
                os.fchown(fd, directory.st_uid, directory.st_gid)
    except OSError:
        os.close(fd)
        raise
    return fd


def open_or_make(path: Path) -> int:
    """Opens a file, or makes it empty if it is not there.

    Returns:
        Its descriptor, for reading and writing; the caller closes it.

    Raises:
        OSError: It can neither be opened nor made.
    """
    while True:
        try:
            return os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            try:
                return make(path)
            except FileExistsError:
                continue  # somebody made it meanwhile
