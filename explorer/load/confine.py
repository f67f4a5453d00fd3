"""What the kernel forbids the reader process: seccomp and Landlock, by the C library alone.

Both are one-way and hold for every thread made afterwards, so `start.py` calls this before anything
else runs. Standard library only. Sources: the kernel's Documentation/userspace-api/
seccomp_filter.rst, landlock.rst and no_new_privs.rst; the numbers from arch/x86/entry/syscalls/
syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

import ctypes
import errno
import mimetypes
import os
import platform
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER_MODE = 38, 22, 2


class _Call(NamedTuple):
    """A system call's number on x86_64 and on aarch64; None where there is none."""

    x86_64: int | None
    aarch64: int | None


_FORBIDDEN = {
    # sockets; io_uring can make them too
    "socket": _Call(41, 198), "socketpair": _Call(53, 199), "connect": _Call(42, 203),
    "bind": _Call(49, 200), "listen": _Call(50, 201), "accept": _Call(43, 202),
    "accept4": _Call(288, 242), "sendto": _Call(44, 206), "sendmsg": _Call(46, 211),
    "sendmmsg": _Call(307, 269), "io_uring_setup": _Call(425, 425),
    "io_uring_enter": _Call(426, 426), "io_uring_register": _Call(427, 427),
    # other programs, other processes
    "execve": _Call(59, 221), "execveat": _Call(322, 281), "fork": _Call(57, None),
    "vfork": _Call(58, None), "kill": _Call(62, 129), "tkill": _Call(200, 130),
    "rt_sigqueueinfo": _Call(129, 138), "rt_tgsigqueueinfo": _Call(297, 240),
    "ptrace": _Call(101, 117), "process_vm_readv": _Call(310, 270),
    "process_vm_writev": _Call(311, 271), "pidfd_open": _Call(434, 434),
    "pidfd_getfd": _Call(438, 438), "pidfd_send_signal": _Call(424, 424),
    # mounts, name spaces, devices, links and limits: ways out for a process that is root
    "mount": _Call(165, 40), "umount2": _Call(166, 39), "pivot_root": _Call(155, 41),
    "chroot": _Call(161, 51), "open_tree": _Call(428, 428), "move_mount": _Call(429, 429),
    "fsopen": _Call(430, 430), "mount_setattr": _Call(442, 442), "unshare": _Call(272, 97),
    "setns": _Call(308, 268), "mknod": _Call(133, None), "mknodat": _Call(259, 33),
    "symlink": _Call(88, None), "symlinkat": _Call(266, 36), "link": _Call(86, None),
    "linkat": _Call(265, 37), "open_by_handle_at": _Call(304, 265), "setrlimit": _Call(160, 164),
    # Landlock does not know modes, owners and times
    "chmod": _Call(90, None), "fchmod": _Call(91, 52), "fchmodat": _Call(268, 53),
    "fchmodat2": _Call(452, 452), "chown": _Call(92, None), "lchown": _Call(94, None),
    "fchown": _Call(93, 55), "fchownat": _Call(260, 54), "utime": _Call(132, None),
    "utimes": _Call(235, None), "futimesat": _Call(261, None), "utimensat": _Call(280, 88),
    "setxattr": _Call(188, 5), "lsetxattr": _Call(189, 6), "fsetxattr": _Call(190, 7),
    # large doors into the kernel nobody here needs
    "bpf": _Call(321, 280), "perf_event_open": _Call(298, 241), "userfaultfd": _Call(323, 282),
    "add_key": _Call(248, 217), "request_key": _Call(249, 218), "keyctl": _Call(250, 219),
    "init_module": _Call(175, 105), "finit_module": _Call(313, 273), "reboot": _Call(169, 142),
    "kexec_load": _Call(246, 104),
}
_CLONE, _CLONE3 = _Call(56, 220), _Call(435, 435)
_TGKILL, _PRLIMIT64 = _Call(234, 131), _Call(302, 261)
_THREAD_FLAG = 0x00010000
_X32_BIT = 0x40000000
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_*: the same number means another call on another architecture."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in struct seccomp_data; each argument has 8 bytes, the low half first."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_FILE, _MAKE_REG, _TRUNCATE = (
    1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 8, 1 << 14)
_READ = _READ_FILE | _READ_DIR
_OWN = _READ | _WRITE_FILE | _REMOVE_FILE | _MAKE_REG | _TRUNCATE
_FILE_RIGHTS = _WRITE_FILE | _READ_FILE | _TRUNCATE
_HANDLED = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many file rights each version of Landlock knows; all are taken away, a few given back."""
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
           "/etc/localtime", "/usr/share/zoneinfo", "/proc/self", "/proc/cpuinfo",
           "/proc/meminfo", "/sys/devices/system/cpu", "/dev/urandom", "/etc/ssl/openssl.cnf",
           "/etc/pki/tls/openssl.cnf", "/etc/crypto-policies", *map(str, mimetypes.knownfiles))
"""Nothing secret: libraries, time zones, what Arrow asks about the processor, and the settings
that OpenSSL (for hashlib) and the workbook reader look up."""


def confine(readable: Iterable[str], folder: str) -> list[str]:
    """From now on this process can make no socket, start no program, signal and inspect no other
    process, write only inside `folder`, and read only there, in `readable`, and what Python and
    the system's libraries need.

    Returns what could not be put in force, in words; [] when all of it was.
    """
    if not sys.platform.startswith("linux"):
        return []
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return [f"no_new_privs: {_reason()}"]
    allowed = [*_SYSTEM, sys.prefix, sys.base_prefix, sys.exec_prefix, *_library_folders(),
               *readable]
    # Landlock first: the filter stays as short as can be, its own calls need no place in it.
    return [*_close_files(library, allowed, folder), *_close_calls(library)]


def _close_calls(library: ctypes.CDLL) -> list[str]:
    machine = platform.machine()
    if machine not in _ARCHITECTURES or sys.maxsize < 2**32:  # 32-bit code counts otherwise
        return [f"seccomp: no list of system calls for {machine}"]
    program = filter_program(machine, os.getpid())
    code = ctypes.create_string_buffer(b"".join(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    given = Program(len(program), ctypes.addressof(code))
    if library.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(given), 0, 0):
        return [f"seccomp: {_reason()}"]
    return []


def filter_program(machine: str, process: int) -> list[bytes]:
    """The filter as struct sock_filter: forbidden calls fail with EPERM, a foreign architecture
    ends the process, everything else passes. `process` may send signals to itself."""
    denied = _step(_RETURN, _ERRNO | errno.EPERM)
    load_number = _step(_LOAD, _NUMBER)
    program = [_step(_LOAD, _ARCHITECTURE), _step(_EQUAL, _ARCHITECTURES[machine], 1, 0),
               _step(_RETURN, _KILL), load_number]
    if machine == "x86_64":
        program += [_step(_AT_LEAST, _X32_BIT, 0, 1), denied]
    for call in _FORBIDDEN.values():
        number = getattr(call, machine)
        if number is not None:
            program += [_step(_EQUAL, number, 0, 1), denied]
    # clone3 keeps its flags in memory, where no filter can look: without it glibc takes clone.
    program += [_step(_EQUAL, getattr(_CLONE3, machine), 0, 1),
                _step(_RETURN, _ERRNO | errno.ENOSYS)]
    # A new thread is allowed, a new process is not.
    program += [_step(_EQUAL, getattr(_CLONE, machine), 0, 4), _step(_LOAD, _ARGUMENTS),
                _step(_ANY_BIT, _THREAD_FLAG, 1, 0), denied, load_number]
    program += [_step(_EQUAL, getattr(_TGKILL, machine), 0, 4), _step(_LOAD, _ARGUMENTS),
                _step(_EQUAL, process, 1, 0), denied, load_number]
    # prlimit64 with a null pointer as third argument only asks.
    program += [_step(_EQUAL, getattr(_PRLIMIT64, machine), 0, 6),
                _step(_LOAD, _ARGUMENTS + 16), _step(_EQUAL, 0, 0, 2),
                _step(_LOAD, _ARGUMENTS + 20), _step(_EQUAL, 0, 1, 0), denied, load_number]
    return [*program, _step(_RETURN, _ALLOW)]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction; the jumps count instructions to pass over."""
    return struct.pack("HBBI", code, if_true, if_false, value)


def _close_files(library: ctypes.CDLL, readable: Iterable[str], folder: str) -> list[str]:
    version = library.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    if version < 1:
        return [f"Landlock: {_reason()}"]
    rights = (1 << max(count for since, count in _HANDLED.items() if since <= version)) - 1
    # File rights; from version 4 binding and connecting TCP; from 6 abstract sockets and signals.
    fields = [rights, *([3] if version >= 4 else []), *([3] if version >= 6 else [])]
    wanted = struct.pack(f"{len(fields)}Q", *fields)
    rules = library.syscall(_CREATE_RULESET, wanted, ctypes.c_size_t(len(wanted)),
                            ctypes.c_uint(0))
    if rules < 0:
        return [f"Landlock: {_reason()}"]
    try:
        for path in dict.fromkeys(readable):
            _grant(library, rules, path, _READ & rights)
        _grant(library, rules, "/dev/null", (_READ_FILE | _WRITE_FILE) & rights)
        _grant(library, rules, folder, _OWN & rights)
        if library.syscall(_RESTRICT_SELF, rules, ctypes.c_uint(0)):
            return [f"Landlock: {_reason()}"]
    finally:
        os.close(rules)
    return []


def _grant(library: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    """What is not there needs no rule: opening it fails by itself."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _FILE_RIGHTS
        beneath = struct.pack("=Qi", rights, place)
        if library.syscall(_ADD_RULE, rules, ctypes.c_int(1), beneath, ctypes.c_uint(0)):
            sys.stderr.write(f"no rule for {path}: {_reason()}\n")
    finally:
        os.close(place)


def _library_folders() -> list[str]:
    """Where shared libraries came from so far, and where the loader was told to look: on some
    systems neither is a standard folder."""
    told = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    try:
        mapped = Path("/proc/self/maps").read_text("utf-8", "replace").splitlines()
    except OSError:
        mapped = []  # no /proc here: the standard folders must do
    loaded = {os.path.dirname(line.split(maxsplit=5)[5]) for line in mapped
              if line.count("/") and ".so" in line}
    return [folder for folder in (*told, *sorted(loaded)) if folder not in ("", "/")]


def _reason() -> str:
    return os.strerror(ctypes.get_errno())
