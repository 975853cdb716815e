"""Looking inside: SIGUSR1 has the tree written to the journal."""

import unittest

from service import Check, ask


class LookChecks(Check):
    def test_a_signal_writes_the_tree_to_the_journal_and_the_service_goes_on(self):
        """SIGUSR1 writes the tree to the journal, child by child, and the service goes on"""
        hello = self.hello()
        watch = self.watch(hello)
        hello.start()
        process = hello.process
        hello.signal("USR1")
        watch.line("^SIGUSR1: the tree is$")
        watch.line(r"^supervisor \(one for one\) running for ")
        watch.line("^├─ http running for ")
        watch.line("^├─ ready running for ")
        watch.line("^└─ .* running for ")
        self.assertEqual(ask().body, "Hello World!")
        self.assertEqual((hello.state, hello.process), (("active", "running"), process))

    def test_a_start_that_hangs_tells_which_child_it_waits_for(self):
        """SIGUSR1 during a start tells which child it waits for"""
        fixture = self.fixture("slow-start")
        watch = self.watch(fixture)
        start = fixture.begin("start")
        watch.line("waiting for SIGHUP")
        fixture.signal("USR1")
        watch.line(r"^supervisor \(one for one\) starting for .*, waits for migration to start$")
        self.assertFalse(start.is_over)
        fixture.signal("HUP")
        start.finish()
