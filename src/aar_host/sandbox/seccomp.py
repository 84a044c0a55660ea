"""The system calls that no box may make, as a compiled filter."""

from __future__ import annotations

import errno
import functools
import tempfile

import pyseccomp

# Each name is EPERM in the box. They reach other processes, the kernel's own interfaces, or state
# that is shared with the host or outlives the process; nothing that trains a model needs them.
DENIED = (
    "ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd "
    "mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick "
    "mount_setattr name_to_handle_at open_by_handle_at unshare setns "
    "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register "
    "fanotify_init keyctl add_key request_key "
    "shmget shmat shmctl shmdt semget semop semtimedop semctl msgget msgsnd msgrcv msgctl "
    "mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr "
    "kexec_load kexec_file_load init_module finit_module delete_module "
    "personality acct quotactl quotactl_fd swapon swapoff reboot syslog iopl ioperm "
    "setxattr lsetxattr fsetxattr setpriority ioprio_set "
    "settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname vhangup"
).split()
# setxattrat is younger than some libseccomp; it is refused by number, the same on all machines.
_SETXATTRAT = 463
# Their first argument is a process; a process may only name itself, as 0.
_OWN_ONLY = ("prlimit64 sched_setaffinity sched_setscheduler sched_setparam sched_setattr").split()

_NAMESPACE_FLAGS = (
    0x00000080,  # CLONE_NEWTIME
    0x00020000,  # CLONE_NEWNS
    0x02000000,  # CLONE_NEWCGROUP
    0x04000000,  # CLONE_NEWUTS
    0x08000000,  # CLONE_NEWIPC
    0x10000000,  # CLONE_NEWUSER
    0x20000000,  # CLONE_NEWPID
    0x40000000,  # CLONE_NEWNET
)
_UNIX = 1
_FAMILIES = (_UNIX, 2, 10)  # and AF_INET, AF_INET6
_IOCTLS = (
    0x5412,  # TIOCSTI and
    0x541C,  # TIOCLINUX type into the terminal of the host
    0x40086602,  # FS_IOC_SETFLAGS,
    0x40087602,  # FS_IOC_SETVERSION and
    0x401C5820,  # FS_IOC_FSSETXATTR mark a file or folder beside its content
)


def _known(name: str) -> bool:
    """Whether this architecture and this libseccomp have a system call of that name."""
    return bool(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) >= 0)


def _refuse_families(rules: pyseccomp.SyscallFilter, allowed: tuple[int, ...]) -> None:
    deny = pyseccomp.ERRNO(errno.EAFNOSUPPORT)
    for call in ("socket", "socketpair"):
        for family in set(range(max(allowed))) - set(allowed):
            rules.add_rule(deny, call, pyseccomp.Arg(0, pyseccomp.EQ, family))
        rules.add_rule(deny, call, pyseccomp.Arg(0, pyseccomp.GT, max(allowed)))


@functools.cache
def filter_bytes(internet: bool = True) -> bytes:
    """The filter as a BPF program for `bwrap --seccomp`; built once, then cached.

    Args:
        internet: whether the box may have internet sockets, which reach its own loopback only.
            Closed connections leave their ports behind for a minute, counters for ever.
    """
    deny = pyseccomp.ERRNO(errno.EPERM)
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in filter(_known, DENIED):
        rules.add_rule(deny, name)
    # Its flags lie in memory, where no filter can read them; ENOSYS makes libc fall back to clone.
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for flag in _NAMESPACE_FLAGS:
        rules.add_rule(deny, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    for name in _OWN_ONLY:
        rules.add_rule(deny, name, pyseccomp.Arg(0, pyseccomp.NE, 0))
    rules.add_rule(deny, _SETXATTRAT)
    for request in _IOCTLS:
        rules.add_rule(deny, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, request))
    _refuse_families(rules, _FAMILIES if internet else (_UNIX,))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
