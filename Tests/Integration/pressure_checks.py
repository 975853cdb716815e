"""Hearing that something is short, where the manager says."""

import os
import pathlib
import socket
import unittest

from journal_checks import REPORT, entries
from service import PATIENCE, Check, version


class PressureChecks(Check):
    def watched(self, service):
        """The pressure files that the service has open, of its own control group."""
        links = [os.readlink(link) for link in pathlib.Path(f"/proc/{service.process}/fd").iterdir()]
        own = [path for path in links if path.startswith(f"/sys/fs/cgroup{service.show('ControlGroup')}/")]
        return [os.path.basename(path) for path in own]

    def test_the_file_that_the_manager_names_is_watched(self):
        """the memory pressure file that the manager names is watched, and none where it wants none to be"""
        if version() < 254:
            self.skipTest("MemoryPressureWatch= came with systemd 254")
        fixture = self.fixture("pressure", "MemoryPressureWatch=on", "CPUPressureWatch=off")
        fixture.start()
        self.assertIn("memory.pressure", self.watched(fixture))
        self.install("fixture.service.d/check.conf", "[Service]\nMemoryPressureWatch=off\n")
        watch = self.watch(fixture)
        fixture.restart()
        watch.line(r"pressure\(memory\): watching nothing: nobody tells when memory is short")
        self.assertNotIn("memory.pressure", self.watched(fixture))

    def test_a_service_that_is_short_of_processor_time_hears_of_it(self):
        """a service that is short of processor time hears of it (CPU_PRESSURE_WATCH)"""
        if version() < 261:
            self.skipTest("CPUPressureWatch= came with systemd 261")
        fixture = self.fixture("pressure", "CPUPressureWatch=on", "CPUPressureThresholdSec=10ms")
        watch = self.watch(fixture)
        fixture.start()
        watch.line("waiting for SIGHUP")
        fixture.signal("HUP")
        watch.line("^cpu is short$")
        self.assertEqual(fixture.state, ("active", "running"))

    def test_the_threshold_of_the_unit_is_what_is_registered(self):
        """each resource: the file and the threshold are the unit's (MEMORY_, CPU_, IO_PRESSURE_WATCH and _WRITE)"""
        if version() < 254:
            self.skipTest("MemoryPressureThresholdSec= came with systemd 254")
        names = ("Memory", "CPU", "IO") if version() >= 261 else ("Memory",)
        settings = [f"{name}PressureWatch=on" for name in names]
        settings += [f"{name}PressureThresholdSec={150 + index}ms" for index, name in enumerate(names)]
        fixture = self.fixture("facts", *settings)
        fixture.start()
        (entry,) = entries(fixture, REPORT)
        self.assertNotIn("PROBLEM", entry)
        for index, name in enumerate(names):
            told = bytes(entry[f"PRESSURE_{name.upper()}"]).decode()
            path = f"/sys/fs/cgroup{fixture.show('ControlGroup')}/{name.lower()}.pressure"
            self.assertEqual(told, f"{path} some {150 + index}000 2000000\0")

    def test_a_fifo_or_a_socket_says_by_any_byte_that_memory_is_short(self):
        """a FIFO or a stream socket in place of the file says with any byte that memory is short"""
        own = "DynamicUser=no", "MemoryPressureWatch=skip"
        os.mkfifo("/run/pressure.fifo")
        self.addCleanup(os.unlink, "/run/pressure.fifo")
        fifo = os.open("/run/pressure.fifo", os.O_RDWR)
        self.addCleanup(os.close, fifo)
        fixture = self.fixture("pressure", *own, "Environment=MEMORY_PRESSURE_WATCH=/run/pressure.fifo")
        watch = self.watch(fixture)
        fixture.start()
        os.write(fifo, b"x")
        watch.line("^memory is short$")
        fixture.stop()

        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("/run/pressure.socket")
            self.addCleanup(os.unlink, "/run/pressure.socket")
            listener.listen()
            listener.settimeout(PATIENCE)
            path = "Environment=MEMORY_PRESSURE_WATCH=/run/pressure.socket MEMORY_PRESSURE_WRITE=aGVsbG8="
            self.install("fixture.service.d/socket.conf", f"[Service]\n{path}\n")
            watch = self.watch(fixture)
            start = fixture.begin("start")
            connection, _ = listener.accept()
            with connection:
                self.assertEqual(connection.recv(100), b"hello")
                start.finish()
                connection.sendall(b"x")
                watch.line("^memory is short$")


if __name__ == "__main__":
    unittest.main()
