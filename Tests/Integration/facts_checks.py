"""What the manager gives to a service besides sockets: directories, credentials, and what started it."""

import pathlib
import re
import socket
import time
import unittest

from journal_checks import REPORT, entries
from service import FIXTURE, PATIENCE, Check, Service, attempt, run, version


class FactsChecks(Check):
    def report(self, service):
        (entry,) = entries(service, REPORT)
        self.assertNotIn("PROBLEM", entry)
        return entry

    def test_a_service_without_anything_is_told_so(self):
        """a service that is given nothing finds nothing, and nothing is wrong"""
        fixture = self.fixture("facts")
        fixture.start()
        entry = self.report(fixture)
        for name in ("RUNTIME", "STATE", "CACHE", "LOGS", "CONFIGURATION", "NAMESPACE"):
            self.assertEqual(entry[name], "", name)
        self.assertNotIn("CREDENTIAL", entry)
        self.assertNotIn("TRIGGER", entry)
        self.assertEqual(entry["IS_MAIN"], "true")
        self.assertEqual(entry["IS_BOOTED"], "true")
        self.assertEqual(entry["IS_DEBUG"], "false")
        self.assertEqual(entry["INVOCATION"], fixture.show("InvocationID"))

    def test_a_service_finds_its_directories(self):
        """a service finds its directories, sorted as the manager sorts them"""
        fixture = self.fixture(
            "facts",
            *("RuntimeDirectory=rb ra", "StateDirectory=sb sa", "CacheDirectory=c", "LogsDirectory=l"),
            "ConfigurationDirectory=k",
        )
        fixture.start()
        entry = self.report(fixture)
        self.assertEqual(entry["RUNTIME"], "/run/ra /run/rb")
        self.assertEqual(entry["STATE"], "/var/lib/sa /var/lib/sb")
        self.assertEqual(entry["CACHE"], "/var/cache/c")
        self.assertEqual(entry["LOGS"], "/var/log/l")
        self.assertEqual(entry["CONFIGURATION"], "/etc/k")

    def credentials(self, *directives):
        pathlib.Path("/run/secret").write_bytes(b"old\xff\n")
        folder = pathlib.Path("/run/certificates")
        folder.mkdir(exist_ok=True)
        (folder / "key").write_text("k")
        return self.fixture(
            "facts",
            *("LoadCredential=password:/run/secret", "LoadCredential=tls:/run/certificates"),
            *("SetCredential=greeting:hello\\nworld", *directives),
        )

    def test_a_service_reads_its_credentials(self):
        """a service reads its credentials: loaded from a file, from a directory, and set in the unit"""
        fixture = self.credentials()
        fixture.start()
        entry = self.report(fixture)
        self.assertEqual(sorted(entry["CREDENTIAL"]), ["greeting", "password", "tls_key"])
        self.assertEqual(entry["CREDENTIAL_GREETING"], "hello\nworld")
        self.assertEqual(entry["CREDENTIAL_PASSWORD"], list(b"old\xff\n"))
        self.assertEqual(entry["CREDENTIAL_TLS_KEY"], "k")

    def test_a_reload_brings_new_credentials(self):
        """after a reload that refreshes them, the same process reads the new credentials"""
        if version() < 260:
            self.skipTest("RefreshOnReload=credentials came with systemd 260")
        fixture = self.credentials("RefreshOnReload=credentials", "Type=notify-reload")
        fixture.start()
        process = fixture.process
        pathlib.Path("/run/secret").write_text("new")
        run("systemctl", "reload", fixture.unit)
        before, after = entries(fixture, REPORT)
        self.assertEqual(before["CREDENTIAL_PASSWORD"], list(b"old\xff\n"))
        self.assertEqual(after["CREDENTIAL_PASSWORD"], "new")
        self.assertEqual(fixture.process, process)

    def test_credentials_come_encrypted_from_a_socket_and_from_the_store(self):
        """credentials: encrypted by `systemd-creds`, from whoever answers on a socket, and imported by a pattern"""
        sealed = pathlib.Path("/run/sealed")
        pathlib.Path("/run/secret").write_text("swordfish")
        run("systemd-creds", "encrypt", "--with-key=host", "--name=sealed", "/run/secret", str(sealed))
        self.assertNotIn(b"swordfish", sealed.read_bytes())
        store = pathlib.Path("/run/credstore")
        store.mkdir(exist_ok=True)
        (store / "fixture.one").write_text("1")
        (store / "fixture.two").write_text("2")
        (store / "other").write_text("3")
        with socket.socket(socket.AF_UNIX) as vault:
            vault.bind("/run/vault")
            self.addCleanup(pathlib.Path("/run/vault").unlink)
            vault.listen()
            vault.settimeout(PATIENCE)
            imports = version() >= 254
            fixture = self.fixture(
                "facts",
                *("LoadCredentialEncrypted=sealed:/run/sealed", "LoadCredential=live:/run/vault"),
                *(["ImportCredential=fixture.*"] if imports else []),
            )
            start = fixture.begin("start")
            connection, _ = vault.accept()
            with connection:
                connection.sendall(b"from the vault")
            start.finish()
        entry = self.report(fixture)
        expected = ["fixture.one", "fixture.two", "live", "sealed"] if imports else ["live", "sealed"]
        self.assertEqual(sorted(entry["CREDENTIAL"]), expected)
        self.assertEqual(entry["CREDENTIAL_SEALED"], "swordfish")
        self.assertEqual(entry["CREDENTIAL_LIVE"], "from the vault")
        if imports:
            self.assertEqual((entry["CREDENTIAL_FIXTURE_ONE"], entry["CREDENTIAL_FIXTURE_TWO"]), ("1", "2"))

    def test_after_a_failure_a_service_is_asked_to_log_all(self):
        """RestartMode=debug: the start after a failure is one that should log all there is (DEBUG_INVOCATION)"""
        if version() < 257:
            self.skipTest("RestartMode=debug came with systemd 257")
        fixture = self.fixture("facts", "Restart=on-failure", "RestartSec=0", "RestartMode=debug")
        fixture.start()
        self.assertEqual(self.report(fixture)["IS_DEBUG"], "false")
        watch = self.watch(fixture)
        fixture.kill()
        watch.until("start -> running")
        self.assertEqual(self.report(fixture)["IS_DEBUG"], "true")

    def test_a_service_knows_the_process_that_the_manager_started(self):
        """SYSTEMD_EXEC_PID is the main process, which is under a manager"""
        fixture = self.fixture("facts")
        fixture.start()
        entry = self.report(fixture)
        self.assertEqual(entry["VARIABLE_SYSTEMD_EXEC_PID"], str(fixture.process))
        self.assertEqual(entry["IS_SUPERVISED"], "true")

    def test_a_service_in_a_namespace_of_the_journal_logs_there(self):
        """a service in a namespace of the journal knows it, and its entries are there and nowhere else"""
        # Whose sockets may start it anew for a last line.
        self.addCleanup(attempt, "systemctl", "stop", "systemd-journald@own.service", "systemd-journald@own.socket")
        fixture = self.fixture("facts", "LogNamespace=own")
        fixture.start()
        (entry,) = entries(fixture, REPORT, namespace="own")
        self.assertEqual(entry["NAMESPACE"], "own")
        self.assertEqual(entries(fixture, REPORT), [])

    def test_a_service_started_by_a_timer_knows_it_and_when(self):
        """a service that a timer has started knows which, and when it elapsed"""
        fixture = self.fixture("facts")
        self.install("fixture.timer", "[Timer]\nOnActiveSec=0\nAccuracySec=1ms\n")
        watch = self.watch(fixture)
        began, wall = time.monotonic(), time.time()
        run("systemctl", "start", "fixture.timer")
        watch.until("start -> running")
        entry = self.report(fixture)
        told = entry["TRIGGER"]
        self.assertIn('unit: "fixture.timer"', told)
        elapsed = int(re.search(r"microseconds: (\d+)", told)[1]) / 1e6
        now = time.monotonic()
        self.assertTrue(began <= elapsed <= now, (began, told, now))
        seconds = float(entry["TRIGGER_TIME"].removesuffix(" seconds"))
        self.assertTrue(wall <= seconds <= time.time(), (wall, seconds))

    def test_a_service_started_by_a_path_knows_which(self):
        """a service that a path unit has started knows which path it was"""
        fixture = self.fixture("facts")
        self.install("fixture.path", "[Path]\nPathChanged=/run/spool\n")
        watch = self.watch(fixture)
        run("systemctl", "start", "fixture.path")
        pathlib.Path("/run/spool").write_text("work")
        watch.until("start -> running")
        told = self.report(fixture)["TRIGGER"]
        self.assertIn('unit: "fixture.path"', told)
        self.assertIn('"/run/spool"', told)

    def test_commands_after_a_service_know_how_it_ended(self):
        """SERVICE_RESULT and EXIT_CODE for ExecStopPost=, MONITOR_UNIT for OnFailure=: both know how the service ended"""
        command = f"{FIXTURE} outcome"
        self.service(
            "handler",
            f"[Service]\nType=notify\nExecStart={command}\nDynamicUser=yes\nEnvironment=PORT=0\n",
        )
        checked = self.service(
            "checked",
            "\n".join(
                (
                    *("[Unit]", "OnFailure=handler.service", "[Service]", "Type=oneshot", "DynamicUser=yes"),
                    *("ExecStart=/bin/sh -c 'exit 7'", f"ExecStopPost={command}", "Environment=PORT=0", ""),
                )
            ),
        )
        handler = self.watch(Service("handler"))
        attempt("systemctl", "start", checked.unit)
        line = handler.line("started by the end of")
        for part in ("checked.service", "exit-code", "exited(status: 7)"):
            self.assertIn(part, line)
        run("journalctl", "--sync")
        own = run("journalctl", "--unit", checked.unit, "--output=cat")
        self.assertRegex(own, r"ended: .*exit-code.*exited\(status: 7\)")


if __name__ == "__main__":
    unittest.main()
