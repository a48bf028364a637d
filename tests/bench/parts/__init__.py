# SPDX-License-Identifier: GPL-3.0-or-later
"""One module per part: TITLE, run(ctx) -> Result, and add_arguments(parser) where it has options (--<part>-...)."""
