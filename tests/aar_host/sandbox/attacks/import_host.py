"""Import the package that holds labels and keys."""

import aar_host.settings

print(aar_host.settings.__file__)
