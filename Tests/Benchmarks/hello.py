"""The sample hello, started as a service manager starts it: on an open socket, with somebody to tell."""

import os
import pathlib
import selectors
import signal
import socket
import tempfile
import time

from programs import Failed

PATIENCE = 30
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def measure(program):
    """Milliseconds from exec to READY=1 and to the first answer, and megabytes (of 10^6 bytes) when idle."""
    with tempfile.TemporaryDirectory() as directory, socket.socket() as listener:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, socket.socket() as client:
            path = f"{directory}/notify"
            manager.bind(path)
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            # The question is there before the one who answers it.
            client.connect(listener.getsockname())
            client.sendall(REQUEST)
            process, begun = start(program, listener, path)
            try:
                ready, answer = wait(process, manager, client, begun)
                client.close()
                # Idle is when the connection has gone and what the start needed has been given back.
                time.sleep(0.5)
                memory = proportional_memory(process)
            except BaseException:
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                raise
            os.kill(process, signal.SIGTERM)
            _, status = os.waitpid(process, 0)
            if status != 0:
                raise Failed(f"{program}: wait status {status} after SIGTERM")
    return {"ready": ready, "answer": answer, "memory": memory}


def start(program, listener, notify_path):
    """Forks and executes the program; returns the process and the time of its exec."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            environment = {
                "PATH": os.environ["PATH"],
                "NOTIFY_SOCKET": notify_path,
                "LISTEN_FDS": "1",
                "LISTEN_FDNAMES": "http",
                "LISTEN_PID": str(os.getpid()),
            }
            # 3 is where passed sockets begin; whatever is there now is not needed any more.
            passed, writing = os.dup(listener.fileno()), os.dup(writing)
            while min(passed, writing) <= 3:
                passed, writing = os.dup(passed), os.dup(writing)
            os.dup2(passed, 3, inheritable=True)
            os.write(writing, str(time.monotonic_ns()).encode())
            os.execve(program, [os.fspath(program)], environment)
        finally:
            os._exit(127)
    os.close(writing)
    with os.fdopen(reading) as told:
        return process, int(told.read())


def wait(process, manager, client, begun):
    """Milliseconds until the process was ready and until it answered."""
    ready = answer = None
    with selectors.DefaultSelector() as selector, os.fdopen(os.pidfd_open(process)) as end:
        for source in (manager, client, end):
            selector.register(source, selectors.EVENT_READ)
        while ready is None or answer is None:
            found = selector.select(PATIENCE)
            now = (time.monotonic_ns() - begun) / 1e6
            if not found:
                raise Failed(f"hello: neither an answer nor READY=1 within {PATIENCE} s")
            for key, _ in found:
                if key.fileobj is end:
                    raise Failed("hello: ended before it was ready and had answered")
                data = key.fileobj.recv(65536)
                if key.fileobj is manager:
                    if b"READY=1" in data.split(b"\n"):
                        ready = now
                elif answer is None:
                    if not data.startswith(b"HTTP/1.1 200 "):
                        raise Failed(f"hello: answered {data!r}")
                    answer = now
    return ready, answer


def proportional_memory(process):
    """Its share of memory, from smaps_rollup."""
    for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise Failed("hello: no Pss in smaps_rollup")
