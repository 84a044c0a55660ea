"""Leave a link to a file of the host where the host expects a result: plant_link.py LINK TARGET."""

import os
import sys

os.symlink(sys.argv[2], sys.argv[1])
