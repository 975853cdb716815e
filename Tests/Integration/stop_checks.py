"""Stopping: what is finished, what is cut and when, and what the manager is told meanwhile."""

import threading
import time
import unittest

from service import HELLO, PATIENCE, Check, ask

SEQUENCE = ["STOPPING=1", "STATUS=draining", "STATUS=drained"]


class StopChecks(Check):
    def test_a_request_in_flight_is_answered_and_idle_connections_end_at_once(self):
        """a stop ends idle connections at once, answers the request in flight, then is over; draining, then drained"""
        hello = self.hello()
        hello.start()
        idle = [self.client() for _ in range(5)]
        busy = self.client()
        for client in (*idle, busy):
            self.assertFalse(client.ask().is_last)
        busy.send("/slow/3")
        asked = time.monotonic()

        watch = self.watch(hello)
        stop = hello.begin("stop")
        for client in idle:
            self.assertLess(client.wait_for_end() - stop.began, 1.5)
        self.assertEqual(hello.state, ("deactivating", "stop-sigterm"))
        self.assertEqual(hello.show("StatusText"), "draining")
        self.assertFalse(stop.is_over)

        response = busy.response()
        answered = time.monotonic()
        self.assertEqual((response.status, response.is_last), (200, True))
        self.assertGreaterEqual(answered - asked, 3)
        busy.wait_for_end()
        busy.close()
        stop.finish()
        self.assertLess(time.monotonic() - answered, 1.5)
        self.assertEqual((hello.show("Result"), hello.show("ExecMainStatus")), ("success", "0"))

        watch.until("stop-sigterm -> dead")
        self.assertEqual(
            watch.sequence("STOPPING", "STATUS", "->"),
            ["running -> stop-sigterm", *SEQUENCE, "stop-sigterm -> dead"],
        )

    def test_clients_that_keep_sending_are_let_go_with_their_next_response(self):
        """clients that keep sending are let go with their next response (Connection: close); no request is lost"""
        hello = self.hello()
        hello.start()
        # Each asks as soon as it is answered. The stop comes when all have just asked, for a request that
        # crosses the end of an idle connection may be lost, as HTTP has it.
        together = threading.Barrier(6, timeout=PATIENCE)
        ends = []

        def keep_asking(client):
            together.wait()
            client.send("/slow/0.4")
            together.wait()
            while not (response := client.response()).is_last:
                client.send("/slow/0.4")
            client.close()
            ends.append(response.status)

        clients = [self.client() for _ in range(5)]
        for client in clients:
            client.ask()
        threads = [threading.Thread(target=keep_asking, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        together.wait()
        together.wait()
        self.assertLess(hello.begin("stop").finish(), 1)
        for thread in threads:
            thread.join()
        self.assertEqual(ends, [200] * 5)

    def test_a_connection_that_never_ends_is_cut_at_the_drainers_10_s(self):
        """connections that never end are cut after the Drainer's 10 s; the journal tells how many; a clean exit"""
        hello = self.hello()
        hello.start()
        endless, halting, silent = self.client(), self.client(), self.client()
        for client in (endless, halting, silent):
            client.ask()
        endless.send("/slow/60")
        halting.send("/slow/60", "Content-Length: 10", body="half")
        silent.socket.sendall(b"GET / HTTP/1.1\r\nHost:")

        watch = self.watch(hello)
        stop = hello.begin("stop")
        # A request that has not even a head is nothing to wait so long for.
        self.assertLess(silent.wait_for_end() - stop.began, 3)
        for client in (endless, halting):
            self.assertTrue(9.5 <= client.wait_for_end() - stop.began <= 11.5)
        self.assertTrue(9.5 <= stop.finish() <= 11.5)
        self.assertIn("cutting 2 connections of http", watch.line("cutting"))
        self.assertEqual((hello.show("Result"), hello.show("ExecMainStatus")), ("success", "0"))
        watch.until("stop-sigterm -> dead")
        self.assertEqual(watch.sequence("STOPPING", "STATUS"), SEQUENCE)

    def test_a_second_sigterm_ends_it_at_once(self):
        """a second SIGTERM ends it at once, with status 143, whatever is in flight"""
        hello = self.hello("Restart=no")
        hello.start()
        client = self.client()
        client.ask()
        client.send("/slow/60")
        watch = self.watch(hello)
        hello.signal("TERM")
        watch.until("STATUS=draining")
        hello.signal("TERM")
        end = watch.until("Failed with result 'exit-code'.")
        self.assertLess(abs(client.wait_for_end() - end), 1.5)
        self.assertEqual(hello.show("ExecMainStatus"), "143")
        self.assertEqual(watch.sequence("STOPPING", "STATUS"), SEQUENCE[:2])

    def test_sigint_stops_it_cleanly(self):
        """SIGINT is a stop like any other: drained, status 0, and not started again"""
        hello = self.hello()
        hello.start()
        watch = self.watch(hello)
        hello.signal("INT")
        watch.line("SIGINT: stopping")
        watch.until("stop-sigterm -> dead")
        self.assertEqual((hello.show("Result"), hello.show("NRestarts")), ("success", "0"))
        self.assertEqual(watch.sequence("STOPPING", "STATUS"), SEQUENCE)

    def test_without_a_manager_a_stop_finishes_what_is_in_flight(self):
        """without a manager SIGINT drains as well: the request in flight is answered, the exit status is 0"""
        hello = self.plain(HELLO, PORT="8082")
        hello.line("supervisor started")
        client = self.client(8082)
        client.ask()
        client.send("/slow/1")
        hello.signal("INT")
        hello.line("SIGINT: stopping")
        self.assertEqual(client.response().status, 200)
        client.close()
        self.assertEqual(hello.wait(), 0)
        with self.assertRaises(ConnectionRefusedError):
            ask(port=8082)


if __name__ == "__main__":
    unittest.main()
