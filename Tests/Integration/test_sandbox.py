"""Proves with-systemd: that it boots, passes on what it is given, and leaves nothing behind.

    python3 -m unittest discover -v -s Tests/Integration -p test_sandbox.py

Runs outside, as root. Without root it is skipped, and fails when CI=true.
"""

import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import termios
import unittest
import uuid

HERE = pathlib.Path(__file__).resolve().parent
WITH_SYSTEMD = str(HERE / "with-systemd")
PATIENCE = 120  # seconds; a boot takes about one, and no test that passes waits for this

# A mount, files, and a unit whose program has a child in a session of its own: what could stay behind.
# The last line tells that all of it is there.
LITTER = r"""
set -e
printf '[Service]\nExecStart=/bin/sh -c "setsid sleep infinity & exec sleep infinity"\n' \
    >/run/systemd/system/litter.service
systemctl daemon-reload
systemctl start litter.service
mount -t tmpfs tmpfs /mnt
touch /sandbox-litter /tmp/sandbox-litter /dev/sandbox-litter
setsid sleep infinity &
readlink /proc/self/ns/mnt
"""

trees = {}


def setUpModule():
    done = run("true")
    if done.returncode == 77:
        raise unittest.SkipTest(done.stderr.strip())
    if done.returncode != 0:
        raise AssertionError(f"with-systemd true: status {done.returncode}\n{done.stderr}")
    trees["this machine's"] = "/"

    done = subprocess.run([str(HERE / "forky-tree")], stdout=subprocess.PIPE, text=True, timeout=1200)
    if done.returncode == 0:
        trees["forky's"] = done.stdout.strip()
    elif done.returncode != 77:
        raise AssertionError(f"forky-tree: status {done.returncode}")


def run(*arguments, **options):
    captured = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "timeout": PATIENCE}
    return subprocess.run([WITH_SYSTEMD, *arguments], **{**captured, **options})


def processes():
    return pathlib.Path("/proc").glob("[0-9]*")


def mounts():
    return sorted(pathlib.Path("/proc/self/mounts").read_text().splitlines())


class Watched:
    """with-systemd at work: whatever it starts outside has a token in its environment and holds a pipe."""

    def __init__(self, command, tree="/", terminal=False, trace=False):
        self.token = str(uuid.uuid4())
        self.home = tempfile.TemporaryDirectory()
        self.mounts = mounts()
        self.ended, inherited = os.pipe()
        if terminal:
            self.terminal, standard_input = pty.openpty()
        else:
            self.terminal, standard_input = None, os.open(os.devnull, os.O_RDONLY)
        self.process = subprocess.Popen(
            [WITH_SYSTEMD, "--tree", tree, "bash", "-c", command],
            stdin=standard_input,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if trace else subprocess.DEVNULL,
            env={
                **os.environ,
                **{"TOKEN": self.token, "HOME": self.home.name, "TMPDIR": self.home.name},
                **({"SHELLOPTS": "xtrace"} if trace else {}),
            },
            pass_fds=[inherited],
            start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if terminal else None,
        )
        os.close(inherited)
        os.close(standard_input)

    def namespace(self):
        """Waits until the command's litter is there; returns the link of its mount namespace."""
        return self.process.stdout.readline().decode().strip()

    def wait(self):
        """Waits until all have ended that hold the pipe; returns with-systemd's status."""
        ready, _, _ = select.select([self.ended], [], [], PATIENCE)
        if not ready:
            raise AssertionError(f"still running: {self.outside()}")
        return self.process.wait(PATIENCE)

    def outside(self):
        found = []
        for process in processes():
            with contextlib.suppress(OSError):
                if self.token.encode() in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        self.process.stdout.close()
        if self.process.stderr is not None:
            self.process.stderr.close()
        self.home.cleanup()
        os.close(self.ended)
        if self.terminal is not None:
            os.close(self.terminal)


def those_in(namespace):
    found = []
    for process in processes():
        with contextlib.suppress(OSError):
            if os.readlink(process / "ns/mnt") == namespace:
                found.append(process)
    return found


def cgroup_of(namespace):
    """The directory that with-systemd made for the processes of the namespace."""
    for process in those_in(namespace):
        name = re.search(r"^0::/(swift-supervision\.\w+)", (process / "cgroup").read_text(), re.MULTILINE)
        for hierarchy in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
            if name and os.path.isdir(f"{hierarchy}/{name[1]}"):
                return pathlib.Path(hierarchy, name[1])
    raise AssertionError(f"no process in {namespace}")


class SandboxTests(unittest.TestCase):
    def watched(self, *arguments, **options):
        watched = Watched(*arguments, **options)
        self.addCleanup(watched.close)
        return watched

    def ends_clean(self, watched, namespace, cgroup):
        status = watched.wait()
        self.assertEqual(watched.outside(), [])
        self.assertEqual(those_in(namespace), [])
        self.assertFalse(cgroup.exists(), cgroup)
        self.assertEqual(mounts(), watched.mounts)
        self.assertEqual(os.listdir(watched.home.name), [])
        for path in ("/sandbox-litter", "/tmp/sandbox-litter", "/dev/sandbox-litter"):
            self.assertFalse(os.path.exists(path), path)
        return status

    def litter(self, *arguments, **options):
        """with-systemd with its litter there, the namespace it is in, and the cgroup."""
        watched = self.watched(LITTER + "exec sleep infinity", *arguments, **options)
        namespace = watched.namespace()
        self.assertRegex(namespace, r"^mnt:\[\d+\]$")
        self.assertNotEqual(namespace, os.readlink("/proc/self/ns/mnt"))
        return watched, namespace, cgroup_of(namespace)

    # What is passed on

    def test_the_manager_does_all_that_other_checks_rely_on(self):
        for tree in trees.values():
            done = run(
                *("--tree", tree, "--copy", f"{HERE}:/checks", "--"),
                *("python3", "-m", "unittest", "discover", "-v", "-s", "/checks", "-p", "manager_checks.py"),
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertRegex(done.stderr, r"Ran [1-9]\d* tests")

    def test_the_forky_tree_has_systemd_262_or_later(self):
        if "forky's" not in trees:
            self.skipTest("no forky tree on this machine")
        version = run("--tree", trees["forky's"], "systemctl", "--version").stdout.split()[1]
        self.assertGreaterEqual(int(version), 262)

    def test_the_status_of_the_command_is_passed_on(self):
        for tree in trees.values():
            for status in (0, 1, 77, 255):
                self.assertEqual(run("--tree", tree, "bash", "-c", f"exit {status}").returncode, status)

    def test_a_signal_that_ends_the_command_is_128_and_its_number(self):
        done = run("bash", "-c", "kill -TERM $$")
        self.assertEqual((done.returncode, done.stderr), (128 + signal.SIGTERM, ""))

    def test_a_command_that_is_not_there_is_127(self):
        self.assertEqual(run("no-such-command").returncode, 127)

    def test_arguments_and_the_three_streams_are_passed_on_and_nothing_is_added(self):
        done = run("bash", "-c", 'cat; echo "$1" >&2', "-", "a  b'*", input="in\n")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "in\n", "a  b'*\n"))

    def test_output_arrives_while_the_command_still_runs(self):
        watched = self.watched("python3 -c 'import signal; print(1); signal.pause()'")
        self.assertEqual(watched.process.stdout.readline(), b"1\n")
        self.assertIsNone(watched.process.poll())

    def test_the_environment_of_the_caller_stays_outside(self):
        unwanted = {"NOTIFY_SOCKET": "/x", "LISTEN_FDS": "1", "PATH": "/x:" + os.environ["PATH"]}
        done = run("env", env={**os.environ, **unwanted})
        names = {line.split("=")[0] for line in done.stdout.splitlines()}
        self.assertEqual(names & {"NOTIFY_SOCKET", "LISTEN_FDS"}, set())
        self.assertNotIn("/x", done.stdout)

    def test_a_copy_is_there_before_the_boot_and_belongs_to_root(self):
        with tempfile.TemporaryDirectory() as directory:
            unit = pathlib.Path(directory) / "copied.service"
            unit.write_text("[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n")
            os.chown(unit, 1234, 1234)
            done = run(
                *("--copy", f"{directory}:/etc/systemd/system/", "--copy", f"{unit}:/srv/new/link.service"),
                *("bash", "-c", "systemctl start copied && stat -c %u /srv/new/link.service"),
            )
        self.assertEqual((done.returncode, done.stdout), (0, "0\n"), done.stderr)

    def test_wrong_arguments_are_named(self):
        for arguments, message in (
            ((), "no command"),
            (("--tree",), "--tree needs"),
            (("--tree", "/no/such", "true"), "/no/such"),
            (("--tree", "/proc", "true"), "no systemd in /proc"),
            (("--copy", "/etc", "true"), "/etc is not SRC:DST"),
            (("--copy", "/etc:etc", "true"), "absolute DST"),
            (("--copy", "/no/such:/x", "true"), "/no/such"),
            (("--frob", "true"), "--frob"),
        ):
            with self.subTest(arguments=arguments):
                done = run(*arguments)
                self.assertEqual(done.returncode, 64)
                self.assertIn(message, done.stderr)

    def test_without_root_it_says_so_and_is_skipped_but_fails_in_ci(self):
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            copied = shutil.copytree(HERE, f"{directory}/checks")
            for environment, status in (({}, 77), ({"CI": "false"}, 77), ({"CI": "true"}, 1)):
                done = subprocess.run(
                    [f"{copied}/with-systemd", "true"],
                    env={"PATH": os.environ["PATH"], **environment},
                    user=65534, group=65534, extra_groups=[],
                    stderr=subprocess.PIPE, text=True, timeout=PATIENCE,
                )
                self.assertEqual(done.returncode, status)
                self.assertIn("needs root", done.stderr)

    # What is left behind

    def test_nothing_is_left_when_the_command_fails(self):
        for tree in trees.values():
            watched = self.watched(LITTER + "exit 3", tree=tree)
            namespace = watched.namespace()
            self.assertEqual(watched.wait(), 3)
            self.assertEqual((watched.outside(), those_in(namespace)), ([], []))
            self.assertEqual((mounts(), os.listdir(watched.home.name)), (watched.mounts, []))

    def test_nothing_is_left_after_ctrl_c(self):
        for tree in trees.values():
            watched, namespace, cgroup = self.litter(tree=tree, terminal=True)
            os.write(watched.terminal, b"\x03")
            self.assertEqual(self.ends_clean(watched, namespace, cgroup), 128 + signal.SIGINT)

    def test_nothing_is_left_after_a_signal_to_the_script_alone(self):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number.name):
                watched, namespace, cgroup = self.litter()
                watched.process.send_signal(number)
                self.assertEqual(self.ends_clean(watched, namespace, cgroup), 128 + number)

    def test_nothing_is_left_after_sigkill_of_the_script(self):
        for tree in trees.values():
            watched, namespace, cgroup = self.litter(tree=tree)
            watched.process.kill()
            self.assertEqual(self.ends_clean(watched, namespace, cgroup), -signal.SIGKILL)

    def test_nothing_is_left_after_sigkill_of_the_process_group(self):
        watched, namespace, cgroup = self.litter()
        os.killpg(watched.process.pid, signal.SIGKILL)
        self.assertEqual(self.ends_clean(watched, namespace, cgroup), -signal.SIGKILL)

    def test_nothing_is_left_when_the_system_is_switched_off_from_inside(self):
        watched = self.watched(LITTER + "systemctl poweroff --force --force; exec sleep infinity")
        namespace = watched.namespace()
        self.assertNotEqual(watched.wait(), 0)
        self.assertEqual((watched.outside(), those_in(namespace)), ([], []))

    def test_nothing_is_left_after_sigkill_at_any_point_of_the_boot(self):
        # The point is a number of lines of bash's trace of what it does.
        for lines in (*range(1, 100, 9), *range(100, 400, 50)):
            with self.subTest(lines=lines):
                watched = self.watched("true", trace=True)
                trace = b"".join(watched.process.stderr.readline() for _ in range(lines))
                watched.process.kill()
                watched.wait()
                trace += watched.process.stderr.read()
                self.assertEqual(watched.outside(), [])
                self.assertEqual(mounts(), watched.mounts)
                for cgroup in set(re.findall(rb"/sys/fs/cgroup[/\w]*/swift-supervision\.\w{6}", trace)):
                    self.assertFalse(os.path.exists(cgroup), cgroup)


if __name__ == "__main__":
    unittest.main()
