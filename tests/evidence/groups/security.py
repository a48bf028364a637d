# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what, and what leaks (product table S1-S11, reliability.md 9)."""

TESTS = ["faults/test_security_user.py", "faults/test_security_files.py", "faults/test_security_secrets.py", "faults/test_security_sql.py",
         "faults/test_security_rotation.py", "faults/test_security_access.py", "test_users.py", "test_audit.py",
         "test_reload.py::test_pushes_under_reloads_have_no_error", "test_reload.py::test_a_certificate_is_replaced_under_pushes",
         "test_config.py::test_default_password_is_refused", "test_row_writes.py::test_dml_rights_are_enough"]

# Unit tests that show a row: program, row, fault, injected, required.
UNITS = [
    ("test_coredns_mysql_tls", "SEC S2", "a database's TLS is not what was asked for: none, another authority, another name, a handshake "
     "that does not end", "own authority and servers", "refused in each case, never plaintext"),
    ("test_base_privilege", "SEC S10", "root's rights are wanted back after the step down", "setuid, setgid, setgroups, another user",
     "refused; not dumpable, no new privileges"),
    ("test_http_auth", "SEC S5", "logins, roles and wrong passwords in every form", "headers good and bad, buckets",
     "right for the right one alone, whatever others did"),
]


def run(context):
    yield from context.pytest(*TESTS)
    yield from context.unit_tests(UNITS)
