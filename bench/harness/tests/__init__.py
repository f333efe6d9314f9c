"""Tests of the parts that need no server: `python3 -m unittest discover -s bench -t bench`."""
