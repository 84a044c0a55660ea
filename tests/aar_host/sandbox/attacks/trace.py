"""Attach to another process as a debugger."""

import ctypes
import os
import signal
import sys
import time

PTRACE_ATTACH = 16
child = os.fork()
if child == 0:
    time.sleep(20)
    os._exit(0)
result = ctypes.CDLL(None).ptrace(PTRACE_ATTACH, child, None, None)
os.kill(child, signal.SIGKILL)
sys.exit(0 if result == 0 else 1)
