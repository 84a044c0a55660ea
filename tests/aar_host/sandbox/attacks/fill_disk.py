"""Write until the wished amount is there: fill_disk.py FOLDER MIB one|many|deleted."""

import os
import sys
import time

folder, mebibytes, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
block = os.urandom(1 << 20)
for number in range(mebibytes):
    path = f"{folder}/{0 if how == 'one' else number}"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if os.write(file, block) < len(block):
        sys.exit("the disk is full")
    if how == "deleted":
        os.unlink(path)
    else:
        os.close(file)
time.sleep(1.0)
