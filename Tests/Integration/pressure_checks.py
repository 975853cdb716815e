"""Hearing that something is short, where the manager says."""

import os
import pathlib
import re
import unittest

from service import Check, run


def version():
    return int(re.match(r"systemd (\d+)", run("systemctl", "--version"))[1])


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


if __name__ == "__main__":
    unittest.main()
