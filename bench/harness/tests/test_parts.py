"""The pure parts: encoding, rows of data, cores, Zipf's law, tables, charts."""

from __future__ import annotations

import unittest
import xml.etree.ElementTree as tree
from collections import Counter

from harness import chart, cores, markdown, resp, subscribers, summary, workload
from harness.generator import Run
from harness.throughput import Row, Sample
from harness.zipfian import Zipf


class Encoding(unittest.TestCase):
    def test_words_of_any_kind(self) -> None:
        self.assertEqual(resp.encode(["SET", b"\x00", 12]), b"*3\r\n$3\r\nSET\r\n$1\r\n\x00\r\n$2\r\n12\r\n")


class Cores(unittest.TestCase):
    def test_lists_and_ranges(self) -> None:
        self.assertEqual(cores.parse("0-2,5"), {0, 1, 2, 5})
        self.assertEqual(cores.show(cores.parse("5,0-1")), "0,1,5")

    def test_a_plan_separates_as_long_as_it_can(self) -> None:
        given = cores.plan(1, cores.parse("0"), cores.parse("1"))
        self.assertFalse(given.shared)
        self.assertTrue(cores.plan(1, cores.parse("0-1"), cores.parse("1")).shared)


class Rows(unittest.TestCase):
    def test_names_are_unique_and_keys_have_sixteen_bytes(self) -> None:
        names = [test.name for test in workload.TESTS]
        self.assertEqual(len(names), len(set(names)))
        for test in workload.TESTS:
            for word in test.command:
                if ":__rand_int__" in word and not word.startswith(("member", "field", "place")):
                    self.assertEqual(len(word), 16, f"{test.name}: {word}")

    def test_selection_keeps_the_order_and_refuses_the_unknown(self) -> None:
        self.assertEqual([test.name for test in workload.select("set,get")], ["set", "get"])
        with self.assertRaises(SystemExit):
            workload.select("set,nonsense")

    def test_deliveries_can_be_counted(self) -> None:
        self.assertTrue(all(test.requests for test in workload.TESTS if test.subscribers))
        self.assertEqual(
            subscribers.message_bytes("ch", 3), len(b"*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$3\r\nxxx\r\n")
        )

    def test_repeated_words(self) -> None:
        self.assertEqual(workload.words("MSET", 2, "k v"), ("MSET", "k", "v", "k", "v"))


class ZipfLaw(unittest.TestCase):
    def test_equal_seeds_give_equal_traces(self) -> None:
        self.assertEqual(list(Zipf(100, 0.99, 7).trace(50)), list(Zipf(100, 0.99, 7).trace(50)))

    def test_popularity_falls_as_the_law_says(self) -> None:
        counts = Counter(Zipf(1000, 1.0, 1).trace(100_000)).most_common(10)
        self.assertAlmostEqual(counts[0][1] / counts[9][1], 10, delta=1.5)

    def test_the_share_of_a_perfect_cache(self) -> None:
        zipf = Zipf(2, 1.0, 1)
        self.assertEqual([zipf.share(keys) for keys in (0, 2, 5)], [0.0, 1.0, 1.0])
        self.assertAlmostEqual(zipf.share(1), 2 / 3)


class Output(unittest.TestCase):
    def test_a_table(self) -> None:
        self.assertEqual(markdown.table(["a", "b"], [["x", "1"]]), "| a | b |\n| --- | ---: |\n| x | 1 |")

    def test_what_more_workers_bring(self) -> None:
        def row(workers: int, rps: float) -> Row:
            run = Run(requests=1, rps=rps, p50_us=1, p99_us=1, p999_us=1, max_us=1, busy=0.5)
            return Row("get", 16, workers, 1, {"a": [Sample(run, 1.0)], "b": [Sample(run, 1.0)]})

        table = summary.scaling_table([row(1, 2000.0), row(2, 3000.0)], ["a", "b"]).splitlines()
        self.assertEqual(table[0], "| test | P | server | 1 worker(s) | 2 workers | vs 1 |")
        self.assertEqual(table[2], "| get | 16 | a | 2,000 | 3,000 | 1.50 |")
        self.assertEqual(table[3], "|  |  | b | 2,000 | 3,000 | 1.50 |")

    def test_a_chart_is_well_formed_and_bars_are_to_scale(self) -> None:
        svg = chart.bars("<title>", ["one", "two"], [chart.Group("a & b", [1.0, 0.5], ["1", "half"])])
        bars = [node for node in tree.fromstring(svg).iter() if node.get("rx")]
        widths = [float(node.get("width", "0")) for node in bars]
        self.assertAlmostEqual(widths[0], 2 * widths[1])


if __name__ == "__main__":
    unittest.main()
