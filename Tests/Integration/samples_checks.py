"""hello on two sockets, lunchd, lehu and fortune, from their units; what Samples/README.md calls H2-05, L-03 and so on."""

import pathlib
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest

from restart_checks import Traffic, ask_hello
from service import PATIENCE, Check, Client, ask, attempt, run

ADDRESSES = ("127.0.0.1", "::1")
FOODS = ("Sandwich", "Soup", "Salad", "Burger", "Sushi")
INSTALLED = pathlib.Path("/etc/systemd/system")


def secure(port=443, address="127.0.0.1", protocols=("http/1.1",)):
    """A connection over TLS; whose certificate it is does not matter here."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(list(protocols))
    plain = socket.create_connection((address, port), timeout=PATIENCE)
    return context.wrap_socket(plain, server_hostname="localhost")


class SecureClient(Client):
    """One connection over TLS."""

    def __init__(self, port=443, address="127.0.0.1"):
        self.socket = secure(port, address)
        self.received = b""


def ask_securely(path="/", address="127.0.0.1"):
    client = SecureClient(address=address)
    try:
        return client.ask(path, "Connection: close")
    finally:
        client.close()


class SampleCheck(Check):
    def sample(self, name, *sockets):
        """A service of Units/ that is not running, with its sockets listening."""
        service = self.service(name)
        run("systemctl", "start", *(f"{socket}.socket" for socket in sockets))
        return service

    def assert_unprivileged(self, service):
        status = pathlib.Path(f"/proc/{service.process}/status").read_text()
        for name in ("CapEff", "CapBnd", "CapPrm", "CapAmb"):
            self.assertRegex(status, rf"{name}:\s+0+\n")
        self.assertNotRegex(status, r"Uid:.*\b0\b")

    def log(self, service):
        return run("journalctl", "--sync") + run("journalctl", "--unit", service.unit, "--output=cat")


class HelloOnTwoSocketsChecks(SampleCheck):
    def setUp(self):
        # As Samples/README.md says: hello-http.socket takes the place of hello.socket, whose name it has then.
        shutil.move(INSTALLED / "hello.socket", "/root/hello.socket")
        self.addCleanup(run, "systemctl", "daemon-reload")
        self.addCleanup(shutil.move, "/root/hello.socket", INSTALLED / "hello.socket")
        self.install("hello.service.d/https.conf", (INSTALLED / "hello-https.conf").read_text())
        run("systemctl", "enable", "hello-http.socket", "hello-https.socket")
        self.addCleanup(run, "systemctl", "disable", "hello-http.socket", "hello-https.socket")
        self.addCleanup(run, "systemctl", "stop", "hello-http.socket", "hello-https.socket")
        self.hello = self.sample("hello", "hello-http", "hello-https")

    def test_the_first_connection_to_either_socket_starts_it_and_is_answered(self):
        """H2-05 H2-06: the first connection to either port starts hello, and that same connection is answered"""
        for first in (ask, ask_securely):
            for address in ADDRESSES:
                with self.subTest(first.__name__, address=address):
                    self.assertEqual(self.hello.state, ("inactive", "dead"))
                    self.assertEqual(first(address=address).body, "Hello World!")
                    self.assertEqual(self.hello.state, ("active", "running"))
                    self.assertEqual((ask().body, ask_securely().body), ("Hello World!", "Hello World!"))
                    self.assert_unprivileged(self.hello)
                    self.hello.stop()

    def test_a_stop_finishes_what_is_in_flight_over_tls_too(self):
        """H1-06: over TLS too a stop lets a request in flight be answered, and an idle connection go at once"""
        client, idle = SecureClient(), SecureClient()
        self.addCleanup(client.close)
        self.addCleanup(idle.close)
        self.assertEqual(idle.ask().body, "Hello World!")
        watch = self.watch(self.hello)
        client.send("/slow/2")
        stop = self.hello.begin("stop")
        watch.until("STATUS=draining")
        self.assertEqual(client.response().body, "Hello World, after 2 s!")
        idle.wait_for_end()
        self.assertLess(stop.finish(), 8)


class ManyConnectionsChecks(SampleCheck):
    def test_two_thousand_open_connections_are_drained_within_the_limit(self):
        """with 2,000 requests under way that never end, a stop is over within its limit and names how many were cut"""
        hello = self.sample("hello", "hello")
        hello.start()
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        clients = []
        self.addCleanup(lambda: [client.close() for client in clients])
        for number in range(2000):
            client = Client()
            clients.append(client)
            client.send("/slow/600")
        # An answer over one that came after all of them: they are with the server.
        self.assertEqual(ask().body, "Hello World!")
        took = hello.begin("stop").finish()
        self.assertGreater(took, 9.5)
        self.assertLess(took, 14.5)
        self.assertIn("cutting 2000 connections of http", self.log(hello))
        self.assertEqual(hello.show("Result"), "success")


class Wrk:
    """wrk, which opens a connection for each request, as fast as it is answered."""

    def __init__(self, url):
        self.url = url
        folder = pathlib.Path("/opt/wrk")
        (loader,) = folder.glob("lib/ld-linux*")
        load = ("--threads", "1", "--connections", "4", "--duration", "1h", "--timeout", f"{PATIENCE}s")
        self.process = subprocess.Popen(
            [loader, "--library-path", folder / "lib", folder / "wrk", *load, "--header", "Connection: close", url],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self):
        """What it says in the end."""
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=PATIENCE)[0]

    def kill(self):
        self.process.kill()
        self.process.wait()


class RestartsOfSamplesChecks(SampleCheck):
    def restarts(self, service, ask, *urls):
        """Fifty, while clients ask over new connections all the time; each answer takes a while at times."""
        floods = [Wrk(url) for url in urls]
        for flood in floods:
            self.addCleanup(flood.kill)
        with Traffic(ask) as traffic:
            for _ in range(50):
                traffic.go_on()
                service.restart()
                service.reset_failed()
            traffic.go_on()
        self.assertEqual(traffic.lost, [])
        self.assertGreater(sum(traffic.answers), 4 * 50)
        for flood in floods:
            said = flood.end()
            self.assertNotRegex(said, "Socket errors|Non-2xx", flood.url)
            self.assertGreater(int(re.search(r"(\d+) requests in", said)[1]), 4 * 50, flood.url)

    def test_fifty_restarts_of_hello_lose_nothing(self):
        """H2-09: 50 restarts of hello under constant new connections and requests in flight lose none of them"""

        def ask_slowly(address):
            ask_hello(address)
            body = ask("/slow/0.05", address=address).body
            assert body == "Hello World, after 0.05 s!", body

        self.restarts(self.sample("hello", "hello"), ask_slowly, "http://127.0.0.1/")

    def test_fifty_restarts_of_lunchd_lose_nothing(self):
        """50 restarts of lunchd under constant new connections, over TLS too, lose none of them"""

        def ask_both(address):
            assert ask(address=address).status == 301
            assert ask_securely(address=address).status == 200

        self.restarts(
            self.sample("lunchd", "lunchd-http", "lunchd-https"), ask_both, "http://127.0.0.1/", "https://127.0.0.1/"
        )

    def test_fifty_restarts_of_lehu_lose_nothing(self):
        """50 restarts of lehu under constant new connections and datagrams lose none of them"""

        def ask_all(address):
            assert ask(address=address).status == 200
            assert ask_securely(address=address).status == 200
            assert negotiate(address) is not None

        lehu = self.sample("lehu", "lehu-http", "lehu-https", "lehu-quic")
        self.restarts(lehu, ask_all, "http://127.0.0.1/", "https://127.0.0.1/")


class LunchdChecks(SampleCheck):
    def lunchd(self):
        return self.sample("lunchd", "lunchd-http", "lunchd-https")

    def test_http_redirects_and_https_serves(self):
        """L-03 L-04: http answers 301 to the same place over https, https one of the dishes, over IPv4 and IPv6"""
        lunchd = self.lunchd()
        for address in ADDRESSES:
            answer = ask("/lunch?today=1", address=address)
            self.assertEqual(answer.status, 301)
            self.assertEqual(answer.fields["location"], "https://check/lunch?today=1")
        found = set()
        while len(found) < 3:  # of five, at random
            answer = ask_securely("/any")
            self.assertEqual(answer.status, 200)
            found.add(re.search(r"<h1>(\w+)</h1>", answer.body)[1])
        self.assertLessEqual(found, set(FOODS))
        self.assert_unprivileged(lunchd)

    def test_both_protocols_are_offered(self):
        """L-05: TLS offers h2 and http/1.1 by ALPN"""
        self.lunchd()
        for protocols, chosen in ((("h2", "http/1.1"), "h2"), (("http/1.1",), "http/1.1")):
            with secure(protocols=protocols) as connection:
                self.assertEqual(connection.selected_alpn_protocol(), chosen)

    def test_the_log_says_what_was_passed(self):
        """L-01 L-06: the log has LISTEN_FDS and LISTEN_FDNAMES; key and certificate come through credentials"""
        lunchd = self.lunchd()
        ask_securely()
        log = self.log(lunchd)
        self.assertRegex(log, r"LISTEN_FDS\W+2\b")
        self.assertRegex(log, r"LISTEN_FDNAMES\W+(http:https|https:http)\b")
        self.assertIn("/credentials/lunchd.service/lunchd.key", lunchd.show("ExecStart") + self.command(lunchd))

    def command(self, service):
        return pathlib.Path(f"/proc/{service.process}/cmdline").read_text()

    def test_without_https_it_needs_no_certificate(self):
        """L-02 L-08: two sockets of one name are both served, and with http alone no certificate is needed"""
        self.install(
            "plain.socket",
            "\n".join(
                (
                    *("[Socket]", "ListenStream=127.0.0.1:8001", "ListenStream=127.0.0.1:8002"),
                    *("FileDescriptorName=http", "Service=plain.service", ""),
                )
            ),
        )
        plain = self.service("plain", "[Service]\nType=notify\nExecStart=/opt/lunchd/bin/lunchd\nDynamicUser=yes\n")
        run("systemctl", "start", "plain.socket")
        for port in (8001, 8002):
            self.assertEqual(ask("/x", port=port).status, 301)
        self.assertEqual(plain.state, ("active", "running"))


def negotiate(address="127.0.0.1"):
    """What QUIC's first packet of an unknown version is answered with, asked again as QUIC's clients do."""
    target, source = b"\x11" * 8, b"\x22" * 5
    packet = b"\xc0\x0a\x0b\x0c\x0d" + bytes([len(target)]) + target + bytes([len(source)]) + source
    packet += bytes(1200 - len(packet))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.connect((address, 443))
        client.settimeout(1)
        for _ in range(PATIENCE):
            try:
                client.send(packet)
                answer = client.recv(2048)
            except (TimeoutError, ConnectionRefusedError):
                continue  # a datagram may be lost
            assert answer[0] & 0x80 and answer[1:5] == bytes(4), answer
            assert answer[5:] [: 2 + len(source) + len(target)] == (
                bytes([len(source)]) + source + bytes([len(target)]) + target
            ), answer
            return answer
    return None


class LehuChecks(SampleCheck):
    def test_one_socket_and_a_connection_bring_the_others(self):
        """Q-03 Q-04 Q-06 Q-07: one socket started and one connection start lehu with all three, unprivileged"""
        lehu = self.sample("lehu", "lehu-http")
        self.assertEqual(ask().status, 200)
        for name in ("lehu-https", "lehu-quic"):
            self.assertEqual(run("systemctl", "is-active", f"{name}.socket"), "active\n")
        self.assertEqual(ask_securely().status, 200)
        self.assertIsNotNone(negotiate())
        self.assert_unprivileged(lehu)
        self.assertRegex(pathlib.Path(f"/proc/{lehu.process}/status").read_text(), r"Uid:\s+65534\s")
        log = self.log(lehu)
        for name in ("http", "https", "quic"):
            self.assertRegex(log, rf"listener {name}: .* passed by the service manager")

    def test_quic_is_answered_beside_https(self):
        """Q-05: UDP 443 answers Version Negotiation from the port that was asked, TCP 443 goes on, over IPv4 and IPv6"""
        self.sample("lehu", "lehu-http", "lehu-https", "lehu-quic")
        for address in ADDRESSES:
            self.assertIsNotNone(negotiate(address))
            self.assertEqual(ask_securely(address=address).status, 200)

    def test_another_number_of_sockets_is_refused(self):
        """Q-02: with two sockets lehu ends at once and says how many it expects"""
        text = re.sub(r"(?m)^(Requires|After)=.*\n", "", (INSTALLED / "lehu.service").read_text())
        text = re.sub(r"(?m)^\[Service\]$", "[Service]\nSockets=two-a.socket two-b.socket", text)
        for name, port in (("two-a", 8001), ("two-b", 8002)):
            self.install(
                f"{name}.socket",
                f"[Socket]\nListenStream=127.0.0.1:{port}\nFileDescriptorName={name}\nService=two.service\n",
            )
        two = self.service("two", text)
        run("systemctl", "start", "two-a.socket", "two-b.socket")
        attempt("systemctl", "start", "two.service")
        self.assertEqual(two.show("ExecMainStatus"), "78")
        self.assertIn("3 are expected", self.log(two))


def quote(port=17, address="127.0.0.1"):
    """What a client gets that sends nothing, to the end."""
    with socket.create_connection((address, port), timeout=PATIENCE) as client:
        received = b""
        while block := client.recv(4096):
            received += block
        return received.decode()


class IdleChecks(SampleCheck):
    def test_an_idle_service_ends_and_loses_nobody(self):
        """a service that ends when it is idle is started by the next client; none of those who come meanwhile is lost"""
        self.install("fortune-serve.service.d/check.conf", "[Service]\nEnvironment=IDLE_EXIT=1\n")
        serve = self.sample("fortune-serve", "fortune-serve")
        processes = set()
        # Around the second at which it ends, a little later each time.
        for number in range(16):
            self.assertRegex(quote(), r"^\S")
            processes.add(serve.process)
            # So many starts in so short a time are more than the unit's limit is for.
            serve.reset_failed()
            time.sleep(0.98 + number * 0.004)
        self.assertGreater(len(processes), 2)
        watch = self.watch(serve)
        quote()
        watch.until("stop-sigterm -> dead")
        self.assertEqual((serve.show("Result"), serve.show("NRestarts")), ("success", "0"))
        self.assertEqual(run("systemctl", "is-active", "fortune-serve.socket"), "active\n")


class FortuneChecks(SampleCheck):
    def fortune(self, *directives):
        """The socket of the inetd style, with directives of the test's own for what it starts."""
        if directives:
            self.install("fortune@.service.d/check.conf", "\n".join(("[Service]", *directives, "")))
        run("systemctl", "start", "fortune.socket")
        self.addCleanup(run, "systemctl", "stop", "fortune.socket")

    def instances(self):
        listed = run("systemctl", "list-units", "--all", "--plain", "--no-legend", "fortune@*.service")
        return [line.split()[0] for line in listed.splitlines()]

    def show(self, name):
        return run("systemctl", "show", "--value", "--property", name, "fortune.socket").strip()

    def test_a_client_gets_one_quote_and_the_end(self):
        """F-01 F-02: each of many clients at once gets one quote, then the end, from a process of its own; none stays"""
        self.fortune()
        quotes = []
        clients = [
            threading.Thread(target=lambda address: quotes.append(quote(address=address)), args=(ADDRESSES[number % 2],))
            for number in range(8)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual(len(quotes), 8)
        for text in quotes:
            self.assertRegex(text, r"(?s)^\S.{1,510}\n$")
        self.assertEqual(self.show("NAccepted"), "8")
        self.assert_idle()

    def assert_idle(self):
        """Once the last process has been seen to end, nothing is left."""
        for name in self.instances():
            run("systemctl", "stop", name)
        self.assertEqual((self.instances(), self.show("NConnections")), ([], "0"))

    def test_a_quote_that_fails_makes_no_failed_unit(self):
        """F-04: a failing program does not make the unit failed"""
        self.fortune("ExecStart=", "ExecStart=-/bin/false")
        self.assertEqual(quote(), "")
        self.assert_idle()
        self.assertEqual(run("systemctl", "list-units", "--failed", "--plain", "--no-legend", "fortune@*"), "")

    def test_diagnostics_are_for_the_journal(self):
        """F-05: what the program says on standard error is in the journal, and no client gets it"""
        self.fortune("ExecStart=", "ExecStart=-/bin/sh -c 'echo a secret >&2; echo a quote'")
        self.assertEqual(quote(), "a quote\n")
        self.assert_idle()
        run("journalctl", "--sync")
        self.assertIn("a secret", run("journalctl", "--unit", "fortune@*", "--output=cat"))

    def test_the_program_knows_nothing_of_sockets(self):
        """F-03 F-07: it sees no LISTEN_ variable, but the address of its peer"""
        self.fortune("ExecStart=", "ExecStart=-/usr/bin/env")
        found = quote()
        self.assertNotIn("LISTEN_", found)
        self.assertRegex(found, r"REMOTE_ADDR=(::ffff:)?127\.0\.0\.1")
        self.assertRegex(found, r"REMOTE_PORT=\d+")
        self.assert_idle()

    def test_datagrams_are_not_for_one_process_each(self):
        """F-06: the manager refuses a datagram socket with Accept=yes; fortune serve answers them"""
        self.install("bad.socket", "[Socket]\nListenDatagram=127.0.0.1:8017\nAccept=yes\nService=fortune@.service\n")
        self.assertNotEqual(attempt("systemctl", "start", "bad.socket").returncode, 0)
        serve = self.sample("fortune-serve", "fortune-serve")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", 17))
            client.settimeout(PATIENCE)
            client.send(b"?")
            self.assertRegex(client.recv(4096).decode(), r"(?s)^\S.{1,510}\n$")
        self.assertRegex(quote(), r"(?s)^\S.{1,510}\n$")
        self.assert_unprivileged(serve)


if __name__ == "__main__":
    unittest.main()
