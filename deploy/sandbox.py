#!/usr/bin/env python3
"""Runs a command under the restrictions of a unit of systemd, on a machine where systemd does not run.

    deploy/sandbox.py UNIT STATE COMMAND...

As root it applies to the command what the unit orders: the filter of system calls and of address families, the ban on memory that
is writable and executable, the limit of open files, no capabilities, no new privileges, its own mounts with a read-only file
system apart from STATE, its own /proc without other processes' and a /tmp of its own. The user is nobody. What it leaves out:
PrivateUsers=, RestrictNamespaces=, RestrictRealtime=, RestrictSUIDSGID= and the device policy.
"""

import ctypes
import os
import pathlib
import resource
import socket
import subprocess
import sys

NOBODY = 65534
# Constants of the kernel and of libseccomp.
CLONE_NEWNS = 0x20000
ALLOW, ERRNO_EPERM, EQUAL = 0x7FFF0000, 0x00050001, 4
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP, PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 38, 24, 65, 1


class Comparison(ctypes.Structure):
    """An argument of a call, compared with a value: `struct scmp_arg_cmp`."""

    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def settings(unit: str) -> dict[str, list[str]]:
    """All values of each setting of a unit."""
    found: dict[str, list[str]] = {}
    for line in pathlib.Path(unit).read_text(encoding="utf-8").splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def calls_of(name: str) -> set[str]:
    """The system calls of a set such as @system-service, with those of the sets inside it."""
    if not name.startswith("@"):
        return {name}
    command = ["systemd-analyze", "syscall-filter", "--no-pager", name]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    members = [line.strip() for line in lines if line.startswith("    ") and not line.strip().startswith("#")]
    return set().union(*(calls_of(member) for member in members))


def allowed_calls(filters: list[str]) -> set[str]:
    """What SystemCallFilter= leaves, line after line."""
    allowed: set[str] = set()
    for line in filters:
        named = set().union(*(calls_of(name) for name in line.lstrip("~").split()))
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


def confine_files(state: str) -> None:
    """Mounts of its own: read-only apart from the folder of state and a new /tmp."""
    os.chdir("/")
    writable = "/run/state"
    for command in (
        ["mount", "--make-rprivate", "/"],
        ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"],
        ["mkdir", writable],
        ["mount", "--bind", state, writable],
        ["mount", "-o", "remount,bind,ro", "/"],
        ["mount", "-o", "remount,ro", "/run"],
        ["mount", "-t", "tmpfs", "tmpfs", "/tmp"],
        ["mount", "-t", "proc", "-o", "hidepid=invisible,subset=pid", "proc", "/proc"],
    ):
        subprocess.run(command, check=True)
    os.chdir(writable)


def confine_calls(allowed: set[str], families: list[str]) -> None:
    """The filter of system calls. A refused call is answered with EPERM."""
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(ERRNO_EPERM)))
    number_of = seccomp.seccomp_syscall_resolve_name
    numbers = {call: number_of(call.encode()) for call in sorted(allowed - {"socket"})}
    for number in numbers.values():
        if number >= 0 and seccomp.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), number, 0) != 0:
            sys.exit("the filter of system calls cannot be built")
    for family in families:
        only = Comparison(arg=0, op=EQUAL, a=int(getattr(socket, family)), b=0)
        seccomp.seccomp_rule_add_array(
            context, ctypes.c_uint32(ALLOW), number_of(b"socket"), 1, ctypes.byref(only)
        )
    if seccomp.seccomp_load(context) != 0:
        sys.exit("the filter of system calls cannot be loaded")


def main(unit: str, state: str, command: list[str]) -> None:
    """Gives up everything that the unit takes away, then becomes the command."""
    ordered = settings(unit)
    allowed = allowed_calls(ordered["SystemCallFilter"])
    libc = ctypes.CDLL(None, use_errno=True)
    # The program may lie below a folder that is hidden from here on.
    program = os.open(command[0], os.O_RDONLY | os.O_CLOEXEC)
    if libc.unshare(CLONE_NEWNS) != 0:
        sys.exit("only root can do this")
    confine_files(state)
    if "LimitNOFILE" in ordered:
        files = int(ordered["LimitNOFILE"][-1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.umask(int(ordered["UMask"][-1], 8))
    if ordered["CapabilityBoundingSet"] == [""]:
        for capability in range(41):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        sys.exit("no_new_privs cannot be set")
    # Kernels before 6.3 do not know the ban on memory that is writable and executable.
    if libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
        print("this kernel cannot refuse writable and executable memory", file=sys.stderr)
    confine_calls(allowed, ordered["RestrictAddressFamilies"][-1].split())
    os.execve(program, command, os.environ)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
