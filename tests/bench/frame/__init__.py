# SPDX-License-Identifier: GPL-3.0-or-later
"""What all parts of the bench share. README.md beside says how it measures."""
