# SPDX-License-Identifier: GPL-3.0-or-later
"""What the whole-program tests stand on: real MariaDB servers, a fault proxy, the daemon, a DirectAdmin master."""
