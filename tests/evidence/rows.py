# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the fault matrix that a whole report has an outcome of. U*: faults of the predecessor; SEC S*: security."""


def numbered(letter, first, last, digits=2):
    return [f"{letter}{number:0{digits}}" for number in range(first, last + 1)]


MATRIX = (numbered("B", 0, 27) + numbered("S", 1, 12) + numbered("P", 1, 8) + numbered("H", 1, 12) + numbered("F", 1, 6) +
          numbered("R", 1, 10) + numbered("X", 1, 7) + numbered("U", 1, 11, 1) + numbered("SEC S", 1, 11, 1))
