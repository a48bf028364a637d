# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced once by the image of MariaDB when it makes its database: the account that CoreDNS reads with, as its data source names it.
reader_password=$(sed 's/^reader:\([0-9a-f]*\)@.*/\1/' /run/secrets/dsn)
docker_process_sql --database=mysql <<<"CREATE USER reader IDENTIFIED BY '$reader_password'; GRANT SELECT ON coredns.* TO reader"
unset reader_password
