"""Being replaced: by a restart, after a crash, by the watchdog; and whom that costs a connection."""

import threading
import unittest

from service import PATIENCE, Check, ask


class Traffic:
    """Clients that ask again and again, each time over a new connection; asking may not fail."""

    def __init__(self, ask, clients=4):
        self.ask = ask  # called with an address
        self.lost = []
        self.answers = [0] * clients
        self.changed = threading.Condition()
        self.ends = False
        self.threads = [threading.Thread(target=self.keep_asking, args=(index,)) for index in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ends = True
        for thread in self.threads:
            thread.join()

    def keep_asking(self, index):
        while not self.ends:
            try:
                self.ask("::1" if index % 2 else "127.0.0.1")
            except Exception as error:
                self.lost.append(error)
            with self.changed:
                self.answers[index] += 1
                self.changed.notify()

    def go_on(self):
        """Returns when each client has asked anew and been answered."""
        with self.changed:
            before = [count + 1 for count in self.answers]
            done = self.changed.wait_for(
                lambda: all(now > then for now, then in zip(self.answers, before)), PATIENCE
            )
            assert done, f"no more answers: {self.answers}"


def ask_hello(address):
    answer = ask(address=address)
    assert (answer.status, answer.body) == (200, "Hello World!"), answer.body


class RestartChecks(Check):
    def test_twenty_restarts_under_constant_new_connections_lose_none(self):
        """20 restarts under constant new connections lose none of them (H2-09)"""
        hello = self.hello()
        processes = set()
        with Traffic(ask_hello) as traffic:
            for _ in range(20):
                traffic.go_on()
                processes.add(hello.process)
                hello.restart()
                # So many starts by hand in so short a time are more than the unit's limit is for.
                hello.reset_failed()
            traffic.go_on()
        self.assertEqual(traffic.lost, [])
        self.assertEqual(len(processes), 20)
        self.assertGreater(sum(traffic.answers), 20 * 4)
        self.assertEqual(hello.show("Result"), "success")

    def test_after_kill_9_all_connections_that_follow_are_answered(self):
        """after kill -9 all connections that follow are answered, by the next process"""
        hello = self.hello()
        ask()
        first = hello.process
        hello.kill()
        clients = [self.client(80, address) for address in ("127.0.0.1", "::1") * 10]
        for client in clients:
            client.send("/")
        for client in clients:
            self.assertEqual(client.response().body, "Hello World!")
        self.assertNotEqual(hello.process, first)

    def test_connections_that_wait_when_the_process_is_killed_are_answered_by_the_next(self):
        """connections that the process has not accepted when it is killed are answered by the next"""
        hello = self.hello()
        ask()
        hello.freeze()
        clients = [self.client() for _ in range(20)]
        for client in clients:
            client.send("/")
        hello.kill()
        for client in clients:
            self.assertEqual(client.response().body, "Hello World!")

    def test_a_process_that_is_stopped_is_replaced_by_the_watchdog(self):
        """a process that hangs (SIGSTOP) is replaced by the watchdog, and the next request answered"""
        hello = self.hello("WatchdogSec=2")
        hello.start()
        watch = self.watch(hello)
        first = hello.process
        watch.until("WATCHDOG=1")
        watch.until("WATCHDOG=1")
        hello.freeze()
        watch.until("Failed with result 'watchdog'.")
        self.assertEqual(ask().body, "Hello World!")
        self.assertNotEqual(hello.process, first)

    def test_a_process_whose_cooperative_pool_is_blocked_is_ended_by_the_watchdog(self):
        """with the cooperative pool blocked the pings end, and the watchdog ends the process"""
        fixture = self.fixture("block-pool", "WatchdogSec=2")
        watch = self.watch(fixture)
        fixture.start()
        watch.line("waiting for SIGHUP")
        for _ in range(4):  # longer than the watchdog's time: until now all is well
            watch.until("WATCHDOG=1")
        fixture.signal("HUP")
        watch.until("Failed with result 'watchdog'.")
        watch.until("stop-watchdog -> failed")
        self.assertEqual(fixture.show("Result"), "watchdog")


if __name__ == "__main__":
    unittest.main()
