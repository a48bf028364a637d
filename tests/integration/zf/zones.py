# SPDX-License-Identifier: GPL-3.0-or-later
"""Small zones in DirectAdmin's layout, for tests that care for many zones or for one record."""


def da_zone(name, serial=1, hosts=3, ttl=3600, extra="", address=None):
    """
    A zone of DA's layout (directadmin-protocol.md 4.4): blank lines, $TTL, SOA in parentheses, absolute apex owners.
    Its version shows in the SOA serial and in a TXT at the apex, so that a torn zone is seen.
    """
    address = address or address_of(serial)
    lines = ["\n" * 12, f"$TTL {ttl}",
             f"@       IN      SOA     ns1.dns-host.example.      hostmaster.{name}. (",
             " " * 48 + str(serial), " " * 48 + "3600", " " * 48 + "3600", " " * 48 + "1209600", " " * 48 + "86400 )",
             "", f"{name}.\t{ttl}\tIN\tNS\tns1.dns-host.example.", f"{name}.\t{ttl}\tIN\tNS\tns2.dns-host.example.", "",
             f"{name}.\t{ttl}\tIN\tA\t{address}"]
    lines += [f"host{i}\t{ttl}\tIN\tA\t{address}" for i in range(hosts)]
    lines += ["", f"{name}.\t{ttl}\tIN\tMX\t10 mail", "", f'{name}.\t{ttl}\tIN\tTXT\t"version {serial}"', extra, "", ""]
    return "\n".join(lines)


def address_of(serial):
    """The address that all hosts of that version have, unless the test gave another."""
    return f"192.0.2.{serial % 250 + 1}"


def version_of(rows):
    """
    The version that the rows show, None if there are none. Fails if they show two: a zone is whole or it is torn.
    """
    if not rows:
        return None
    txt = [row.data for row in rows if row.hostname == "@" and row.type == "TXT"]
    soa = [row.data.split()[2] for row in rows if row.type == "SOA"]
    assert len(soa) == 1 and txt == [f'"version {soa[0]}"'], f"torn: SOA {soa}, TXT {txt}"
    addresses = {row.data for row in rows if row.type == "A"}
    assert len(addresses) == 1, f"torn: addresses {addresses} in version {soa[0]}"
    return int(soa[0])


def named(prefix, count):
    return [f"{prefix}{i:04d}.example" for i in range(count)]
