"""A driver can be rehearsed in a process that will fork, and leaves no trace that a fork would copy."""

import subprocess
import sys

REHEARSED = """
import gc, os, sys, threading
import harness.drivers.chatsys as driver

def left():
    gc.collect()
    channels = [thing for thing in gc.get_objects() if str(type(thing).__module__).startswith("grpc.aio")]
    loops = [thing for thing in gc.get_objects() if type(thing).__name__ == "_UnixSelectorEventLoop"]
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")), channels, loops

before = left()
driver.rehearse()
assert left() == before, (before, left())
assert threading.active_count() == 1
"""


def test_a_rehearsal_leaves_no_thread_no_descriptor_no_loop_and_no_channel_and_says_nothing():
    done = subprocess.run([sys.executable, "-c", REHEARSED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
