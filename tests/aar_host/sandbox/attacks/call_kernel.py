"""Make one system call that reaches beyond the process: call_kernel.py NAME."""

import ctypes
import os
import resource
import socket
import sys

PARENT = os.getppid()
libc = ctypes.CDLL(None, use_errno=True)
CALLS = {
    "user namespace": lambda: libc.unshare(0x10000000),
    "shared memory": lambda: libc.shmget(0x61617231, 4096, 0o1600),
    "semaphores": lambda: libc.semget(0x61617232, 1, 0o1600),
    "message queue": lambda: libc.msgget(0x61617233, 0o1600),
    "personality": lambda: libc.personality(0x0040000),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).fileno(),
    "limits of another": lambda: resource.prlimit(PARENT, resource.RLIMIT_CORE),
    "affinity of another": lambda: os.sched_setaffinity(PARENT, os.sched_getaffinity(0)),
    "scheduler of another": lambda: os.sched_setscheduler(
        PARENT, os.SCHED_OTHER, os.sched_param(0)
    ),
    "priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, 1),
    "clone with namespace": lambda: libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0),
}
result = CALLS[sys.argv[1]]()
if not isinstance(result, int):  # Python raised no error
    sys.exit(0)
if sys.argv[1].startswith("clone") and result == 0:
    os._exit(0)
removal = {"shared memory": libc.shmctl, "message queue": libc.msgctl}.get(sys.argv[1])
if removal and result >= 0:
    removal(result, 0, None)
if sys.argv[1] == "semaphores" and result >= 0:
    libc.semctl(result, 0, 0)
sys.exit(0 if result >= 0 else 1)
