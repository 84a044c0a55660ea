"""Read what a server on the host's loopback says: reach_tcp.py PORT."""

import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5) as connection:
    sys.stdout.write(connection.recv(100).decode())
