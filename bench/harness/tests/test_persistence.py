"""The parts of `bench/persistence` that need no server."""

from __future__ import annotations

import os
import subprocess
import unittest

from harness import footprint, verdict, writer
from harness.appending import Stalled
from harness.generator import Run
from harness.snapshots import Figures
from harness.verdict import Aim


class Batches(unittest.TestCase):
    def test_equal_seeds_give_equal_batches_of_keys_that_exist(self) -> None:
        one, other = (writer.prepare(1000, 10, 7, batches=2) for _ in range(2))
        self.assertEqual(one, other)
        self.assertEqual(one[0].count(b"SET"), writer.BATCH)
        self.assertIn(b"key:000000000", one[0])

    def test_those_under_way_count(self) -> None:
        seen = writer.Batches([0.0, 1.0, 2.0, 3.0], [0.5, 0.7, 0.9, 0.1])
        chosen = seen.between(1.6, 2.1)
        self.assertEqual(chosen.began, [1.0, 2.0])
        self.assertAlmostEqual(chosen.worst_ms(), 900)
        self.assertAlmostEqual(chosen.per_second(), 100 / 1.9)

    def test_none_at_all(self) -> None:
        nothing = writer.Batches([], [])
        self.assertEqual((nothing.worst_ms(), nothing.percentile_ms(0.999), nothing.per_second()), (0, 0, 0))


class Footprint(unittest.TestCase):
    def test_shares_are_summed(self) -> None:
        self.assertEqual(footprint.proportional("Rss:  100 kB\nPss:   7 kB\nPss_Anon:   3 kB\n"), 7 * 1024)

    def test_children_belong_to_the_family(self) -> None:
        child = subprocess.Popen(["sleep", "60"])
        try:
            self.assertIn(child.pid, footprint.family(os.getpid()))
        finally:
            child.kill()
            child.wait()
        self.assertNotIn(child.pid, footprint.family(os.getpid()))

    def test_a_peak_is_no_less_than_what_was_there(self) -> None:
        with footprint.Peak(os.getpid()) as peak:
            before = peak.bytes
        self.assertGreater(before, 0)
        self.assertGreaterEqual(peak.bytes, before)


class Verdicts(unittest.TestCase):
    def test_aims(self) -> None:
        self.assertTrue(Aim(1.1).is_met(1.1, None))
        self.assertFalse(Aim(0.5, is_share=True).is_met(6, 10))
        self.assertIsNone(Aim(0.5, is_share=True).is_met(6, None))
        self.assertTrue(Aim(1, is_share=True, at_least=True).is_met(11, 10))

    def test_a_row_tells_figures_share_aim_and_verdict(self) -> None:
        told = verdict.row("save, s", [1.0, 4.0], 1, Aim(0.6, is_share=True))
        self.assertEqual(told, ["save, s", "1.0", "4.0", "0.25", "<= 0.6 of the peer", "yes"])

    def test_every_row_of_snapshots_has_a_cell_for_every_column(self) -> None:
        lines = verdict.snapshot_table({"a": Figures(), "b": Figures()}, ["a", "b"]).splitlines()
        self.assertEqual({line.count("|") for line in lines}, {7})

    def test_a_stall_counts_beyond_what_is_felt_without_one(self) -> None:
        def run(max_us: float) -> Run:
            return Run(requests=1, rps=1.0, p50_us=1.0, p99_us=1.0, p999_us=1.0, max_us=max_us, busy=0.1)

        seen = [Stalled("a", run(9_000), run(50_000)), Stalled("b", run(1_000), run(900_000))]
        lines = verdict.stall_table(seen).splitlines()
        self.assertIn("| a | 9.0 | 50.0 | 41.0 | 0.0 | <= 50 | yes |", lines)
        self.assertTrue(lines[-1].endswith("|  |  |"))


if __name__ == "__main__":
    unittest.main()
