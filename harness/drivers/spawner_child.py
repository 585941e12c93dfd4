"""The spawner: one single-threaded process, the parent of everything that a runner starts.

It is started by a runner with one end of a socket as its standard input, and told what to do in JSON lines. When the
runner goes, however it goes, the socket ends and the spawner kills every process group it started, then itself. Each
child also asks the kernel to be killed when the spawner dies, so that not even a killed spawner leaves one behind.

Further channels are opened by connecting to the socket that the only argument names, for worker processes of the same
runner: each is told of what it started, and when it goes, that is killed.

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
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with(parent: int, sig: int = signal.SIGKILL) -> None:
    """Ask to be killed when the parent dies; must come after every change of user, which takes it back."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)


class Channel:
    """Somebody who may order, and what it started."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.children: set[int] = set()
        self._buffer = b""

    def read(self) -> list[dict[str, Any]] | None:
        """The orders that have come; None at the end."""
        try:
            data = self.connection.recv(1 << 16)
        except ConnectionResetError:
            return None
        if not data:
            return None
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def say(self, message: dict[str, Any]) -> None:
        """Answer, or tell of an end; nothing happens when nobody is there any more."""
        if self.connection.fileno() < 0:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.sendall(json.dumps(message).encode() + b"\n")

    def kill(self) -> None:
        """Kill everything that was started through it."""
        for pid in self.children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)


class Spawner:
    """The loop."""

    def __init__(self, runner: socket.socket, door: socket.socket | None) -> None:
        self._runner = Channel(runner)
        self._door = door
        self._channels = {runner: self._runner}
        self._parents: dict[int, Channel] = {}
        self._wake_r, wake_w = os.pipe()
        os.set_blocking(wake_w, False)
        os.set_blocking(self._wake_r, False)
        signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._wake_w = wake_w

    def run(self) -> None:
        """Serve until the runner is gone, then leave nothing."""
        try:
            while self._runner.connection in self._channels:
                watched: list[Any] = [*self._channels, self._wake_r, *([self._door] if self._door else [])]
                for ready in select.select(watched, [], [])[0]:
                    self._serve(ready)
        finally:
            for channel in self._channels.values():
                channel.kill()
            self._runner.kill()
            self._reap(wait=True)

    def _serve(self, ready: Any) -> None:
        if ready == self._wake_r:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_r, 4096)
            self._reap()
        elif ready is self._door:
            connection, _ = self._door.accept()
            self._channels[connection] = Channel(connection)
        else:
            channel = self._channels[ready]
            orders = channel.read()
            if orders is None:
                del self._channels[ready]
                ready.close()
                channel.kill()
            for order in orders or ():
                self._answer(channel, order)

    def _answer(self, channel: Channel, order: dict[str, Any]) -> None:
        reply: dict[str, Any] = {"id": order["id"]}
        try:
            if order["do"] == "spawn":
                reply["pid"] = self._spawn(channel, order)
            elif order["do"] == "signal":
                self._signal(channel, order["pid"], order["signal"], group=order["group"])
            elif order["do"] == "warm":
                for module in order["modules"]:
                    importlib.import_module(module)
                gc.collect()
                gc.freeze()
        except (OSError, ImportError, KeyError) as error:
            reply["error"] = f"{type(error).__name__}: {error}"
        channel.say(reply)

    def _signal(self, channel: Channel, pid: int, sig: int, *, group: bool) -> None:
        if pid not in channel.children:
            raise ProcessLookupError(f"{pid} was not started here or has ended")
        if group:
            os.killpg(pid, sig)
        else:
            os.kill(pid, sig)

    def _spawn(self, channel: Channel, order: dict[str, Any]) -> int:
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
        channel.children.add(pid)
        self._parents[pid] = channel
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
            for connection in (*self._channels, *([self._door] if self._door else [])):
                connection.close()
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
        while self._parents:
            try:
                pid, status = os.waitpid(-1, 0 if wait else os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            channel = self._parents.pop(pid)
            channel.children.discard(pid)
            channel.say({"exit": pid, "status": os.waitstatus_to_exitcode(status)})


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
    except BaseException:  # noqa: BLE001  (the process ends with it, a cancelled main task too; its log must hold why)
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
    die_with(runner)
    for sig in (signal.SIGINT, signal.SIGHUP):
        signal.signal(sig, signal.SIG_IGN)
    channel = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    Spawner(channel, _opened(sys.argv[1]) if len(sys.argv) > 1 else None).run()


def _opened(path: str) -> socket.socket:
    """A door for further channels, for this user alone."""
    door = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        door.bind(path)
    finally:
        os.umask(mask)
    door.listen()
    return door


if __name__ == "__main__":
    main()
