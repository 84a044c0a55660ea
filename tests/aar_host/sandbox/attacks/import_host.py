"""Import the package that holds labels and keys."""

import aar_host

print(aar_host.__file__)
