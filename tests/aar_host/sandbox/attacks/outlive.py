"""End at once and leave a detached process that writes a file later: outlive.py PATH SECONDS."""

import os
import signal
import sys
import time

path, seconds = sys.argv[1], float(sys.argv[2])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        for descriptor in range(3):
            os.close(descriptor)
        time.sleep(seconds)
        with open(path, "w") as file:
            file.write("still here")
    os._exit(0)
os.wait()
