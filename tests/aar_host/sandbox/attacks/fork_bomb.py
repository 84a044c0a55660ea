"""Have many processes at the same time: fork_bomb.py NUMBER."""

import os
import signal
import sys
import time

children = []
try:
    for _ in range(int(sys.argv[1])):
        child = os.fork()
        if child == 0:
            time.sleep(20)
            os._exit(0)
        children.append(child)
finally:
    for child in children:
        os.kill(child, signal.SIGKILL)
