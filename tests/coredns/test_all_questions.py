# SPDX-License-Identifier: GPL-3.0-or-later
"""
The differential test of tests/served, for this reader: names and their neighbours, types, UDP and TCP, with and without DO; a
difference from Knot must be one that limits.tsv explains by the rows. Serially: first questions in parallel crash the public plugin.
"""
import os

import pytest

import answers
import corpus
import differ

LIMITS = os.path.join(answers.HERE, "limits.tsv")
SHARE = 0.03  # of the questions for what is not there


@pytest.fixture(scope="module")
def result(shared_world, scratch):
    zones = [zone for zone in corpus.samples(scratch) if zone.oracle_text is None]
    zones = corpus.rounds(zones + corpus.edges(scratch)[:2])[0]
    shared_world.push({zone.name: zone.text for zone in zones})
    reader, oracle = shared_world.coredns(), shared_world.oracle()
    return differ.compare(differ.build(), shared_world.subdirectory("differ"), oracle.port, reader.port, zones, permitted=LIMITS,
                          window=1, share=SHARE, transfers="false")


def test_every_difference_is_a_limit(result):
    assert not result.differences, result.text()
    assert result.totals["questions"] >= 5000 and result.totals["zones"] >= 8


def test_every_limit_is_met(result):
    assert set(result.totals["permitted"]) == set(differ.table(LIMITS))
