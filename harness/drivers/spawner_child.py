"""The spawner: one single-threaded process, the parent of everything that a runner starts.

It is started by a runner with one end of a socket as its standard input, and told what to do in JSON lines. When the
runner goes, however it goes, the socket ends and the spawner kills every process group it started, then itself. Each
child also asks the kernel to be killed when the spawner dies, so that not even a killed spawner leaves one behind.

    -> {"do": "spawn", "id": 1, "argv": [...] or null, "module": null or "name", "env": {...}, "cwd": null, "user": null,
        "log": "/path"}                          <- {"id": 1, "pid": 4711} or {"id": 1, "error": "..."}
    -> {"do": "warm", "id": 2, "modules": [...]}  <- {"id": 2}
    -> {"do": "signal", "id": 3, "pid": 4711, "signal": 9, "group": true}   <- {"id": 3} or {"id": 3, "error": "..."}
                                                  <- {"exit": 4711, "status": 0}   (negative: the signal)
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pwd
import runpy
import select
import signal
import socket
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
NICENESS = 5
"""Of everything in the stack: requests are to be sent when they were planned, so the runner comes first when cores are few."""

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with(parent: int, sig: int = signal.SIGKILL) -> None:
    """Ask to be killed when the parent dies; must come after every change of user, which takes it back."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)


class Spawner:
    """The loop."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._children: set[int] = set()
        self._buffer = b""
        self._wake_r, wake_w = os.pipe()
        os.set_blocking(wake_w, False)
        os.set_blocking(self._wake_r, False)
        signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._wake_w = wake_w

    def run(self) -> None:
        """Serve until the runner is gone, then leave nothing."""
        try:
            while True:
                watched: list[Any] = [self._channel, self._wake_r]
                ready = select.select(watched, [], [])[0]
                if self._wake_r in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake_r, 4096)
                    self._reap()
                if self._channel in ready and not self._read():
                    return
        finally:
            for pid in self._children:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
            self._reap(wait=True)

    def _read(self) -> bool:
        try:
            data = self._channel.recv(1 << 16)
        except ConnectionResetError:
            return False
        if not data:
            return False
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._answer(json.loads(line))
        return True

    def _answer(self, order: dict[str, Any]) -> None:
        reply: dict[str, Any] = {"id": order["id"]}
        try:
            if order["do"] == "spawn":
                reply["pid"] = self._spawn(order)
            elif order["do"] == "signal":
                self._signal(order["pid"], order["signal"], group=order["group"])
            elif order["do"] == "warm":
                for module in order["modules"]:
                    importlib.import_module(module)
                gc.collect()
                gc.freeze()
        except (OSError, ImportError, KeyError) as error:
            reply["error"] = f"{type(error).__name__}: {error}"
        self._say(reply)

    def _say(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._channel.sendall(json.dumps(message).encode() + b"\n")

    def _signal(self, pid: int, sig: int, *, group: bool) -> None:
        if pid not in self._children:
            raise ProcessLookupError(f"{pid} was not started here or has ended")
        if group:
            os.killpg(pid, sig)
        else:
            os.kill(pid, sig)

    def _spawn(self, order: dict[str, Any]) -> int:
        account = pwd.getpwnam(order["user"]) if order["user"] else None
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._child(order, account, log, parent)
        # Set on both sides: whoever comes first, the group exists before anybody signals it.
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        os.close(log)
        self._children.add(pid)
        return pid

    def _child(self, order: dict[str, Any], account: pwd.struct_passwd | None, log: int, parent: int) -> None:
        """What happens in the new process; never returns."""
        status = 127
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            for sig in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(sig, signal.SIG_DFL)
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            for fd in (self._wake_r, self._wake_w, nothing, log):
                if fd > 2:
                    os.close(fd)
            self._channel.close()
            if account is not None and os.geteuid() == 0:
                os.setgroups([])
                os.setgid(account.pw_gid)
                os.setuid(account.pw_uid)
            die_with(parent)
            if order["cwd"]:
                os.chdir(order["cwd"])
            if order["argv"]:
                os.execvpe(order["argv"][0], order["argv"], order["env"])
            status = _run_module(order["module"], order["env"], order.get("arguments", []))
        except OSError as error:
            os.write(2, f"{(order['argv'] or ['?'])[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(status)

    def _reap(self, *, wait: bool = False) -> None:
        while self._children:
            try:
                pid, status = os.waitpid(-1, 0 if wait else os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._children.discard(pid)
            self._say({"exit": pid, "status": os.waitstatus_to_exitcode(status)})


def _run_module(module: str, env: dict[str, str], arguments: list[str]) -> int:
    """Run a module as the main program of this forked process; gives its exit status."""
    os.environ.clear()
    os.environ.update(env)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  (the descriptors are this process's own for good)
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            sys.stderr.write(code + "\n")
            return 1
        return code or 0
    except KeyboardInterrupt:
        return 130
    except Exception:  # noqa: BLE001  (the process ends with it; its log must hold why)
        import traceback  # noqa: PLC0415  (only a dying process needs it)

        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def main() -> None:
    """Serve the runner at the other end of standard input."""
    runner = os.getppid()
    # Its own group: Ctrl-C in the runner's terminal is the runner's to handle.
    os.setpgid(0, 0)
    os.nice(NICENESS)
    die_with(runner)
    for sig in (signal.SIGINT, signal.SIGHUP):
        signal.signal(sig, signal.SIG_IGN)
    channel = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    Spawner(channel).run()


if __name__ == "__main__":
    main()
