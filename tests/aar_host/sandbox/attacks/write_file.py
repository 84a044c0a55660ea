"""Write a file: write_file.py PATH TEXT."""

import sys

with open(sys.argv[1], "w") as file:
    file.write(sys.argv[2])
