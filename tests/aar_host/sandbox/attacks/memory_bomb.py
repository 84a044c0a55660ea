"""Use memory by several processes, none of which is large: memory_bomb.py PROCESSES MIB."""

import os
import sys
import time

processes, mebibytes = map(int, sys.argv[1:])
children = []
for _ in range(processes):
    child = os.fork()
    if child == 0:
        hoard = bytearray(os.urandom(1 << 20)) * mebibytes
        time.sleep(1.0)
        os._exit(len(hoard) % 2)
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
