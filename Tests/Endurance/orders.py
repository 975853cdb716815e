"""How clients are told to go and to stop, and how they tell what became of it: lines on standard input and output."""

import json
import sys
import threading
import time


def obey(clients):
    """Goes on for as long as there may be orders: `go`, and anything else to stop for a while."""
    out = threading.Lock()

    def say(**what):
        with out:
            print(json.dumps(what), flush=True)

    def report():
        while True:
            time.sleep(1)
            say(**clients.take())

    for thread in clients.threads:
        thread.start()
    threading.Thread(target=report, daemon=True).start()
    for line in sys.stdin:
        if line.strip() == "go":
            clients.going.set()
        elif clients.going.is_set():
            clients.going.clear()
            for _ in range(clients.count):
                clients.idle.acquire()
            say(**clients.take())
            say(paused=True)
