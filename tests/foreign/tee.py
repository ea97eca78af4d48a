"""Runs a driver and keeps a copy of every line in both directions: `tee.py FOLDER COMMAND...`."""

import os
import subprocess
import sys
import threading
from pathlib import Path


def copy(reading, writing, log, mark):
    """Hand on line by line; the copy is written first, so that it holds all that was seen."""
    for line in iter(reading.readline, b""):
        log.write(mark + line)
        log.flush()
        try:
            writing.write(line)
            writing.flush()
        except BrokenPipeError:
            break
    writing.close()


def main():
    folder, *command = sys.argv[1:]
    with (Path(folder) / f"{os.getpid()}.lines").open("wb") as log:
        driver = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        down = (sys.stdin.buffer, driver.stdin, log, b">")
        threading.Thread(target=copy, args=down, daemon=True).start()
        copy(driver.stdout, sys.stdout.buffer, log, b"<")
        code = driver.wait()
    os._exit(code)


if __name__ == "__main__":
    main()
