// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// rows reads lines of "owner TTL type data", as the records table has them.
func rows(t testing.TB, text string) []Record {
	t.Helper()
	var records []Record
	for _, line := range strings.Split(text, "\n") {
		fields := strings.SplitN(strings.TrimSpace(line), " ", 4)
		if len(fields) < 4 {
			continue
		}
		ttl, ok := parseTTL(fields[1])
		if !ok {
			t.Fatalf("not a TTL: %q", line)
		}
		records = append(records, Record{Owner: fields[0], TTL: ttl, Type: fields[2], Data: fields[3]})
	}
	return records
}

func parseTTL(text string) (uint32, bool) {
	var ttl uint32
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		ttl = ttl*10 + uint32(c-'0')
	}
	return ttl, true
}

func mustBuild(t testing.TB, origin, text string) *Zone {
	t.Helper()
	z, bad := Build(origin, rows(t, text))
	for _, b := range bad {
		t.Errorf("bad row %v: %v", b.Record, b.Err)
	}
	if z == nil {
		t.Fatal("no zone")
	}
	return z
}

// section gives records as sorted text with single blanks.
func section(rrs []dns.RR) string {
	var lines []string
	for _, rr := range rrs {
		lines = append(lines, strings.ReplaceAll(rr.String(), "\t", " "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

const small = `
@ 3600 SOA ns.example.com. host.example.com. 7 3600 600 86400 300
@ 3600 NS ns.example.com.
@ 3600 MX 10 mail.example.com.
ns 3600 A 192.0.2.1
mail 600 A 192.0.2.3
mail 300 A 192.0.2.2
mail 600 A 192.0.2.2
alias 60 CNAME mail.example.com.
far 60 CNAME www.example.org.
*.wild 60 TXT "a" "b"
a.b.ent 60 TYPE65400 \# 2 abcd
sub 60 NS ns.sub.example.com.
ns.sub 60 A 192.0.2.9
old 60 DNAME new.example.com.
`

const soaLine = "example.com. 300 IN SOA ns.example.com. host.example.com. 7 3600 600 86400 300"

func TestAnswers(t *testing.T) {
	z := mustBuild(t, "example.com.", small)
	for _, c := range []struct {
		qname, qtype                  string
		rcode                         int
		aa                            bool
		answer, authority, additional string
	}{
		{"MAIL.example.com.", "A", dns.RcodeSuccess, true,
			"MAIL.example.com. 300 IN A 192.0.2.2\nMAIL.example.com. 300 IN A 192.0.2.3", "", ""},
		{"mail.example.com.", "AAAA", dns.RcodeSuccess, true, "", soaLine, ""},
		{"none.example.com.", "A", dns.RcodeNameError, true, "", soaLine, ""},
		{"b.ent.example.com.", "A", dns.RcodeSuccess, true, "", soaLine, ""},
		{"a.b.ent.example.com.", "TYPE65400", dns.RcodeSuccess, true,
			"a.b.ent.example.com. 60 CLASS1 TYPE65400 \\# 2 abcd", "", ""},
		{"x.y.wild.example.com.", "TXT", dns.RcodeSuccess, true,
			`x.y.wild.example.com. 60 IN TXT "a" "b"`, "", ""},
		{"x.wild.example.com.", "A", dns.RcodeSuccess, true, "", soaLine, ""},
		{"example.com.", "MX", dns.RcodeSuccess, true, "example.com. 3600 IN MX 10 mail.example.com.", "",
			"mail.example.com. 300 IN A 192.0.2.2\nmail.example.com. 300 IN A 192.0.2.3"},
		{"alias.example.com.", "A", dns.RcodeSuccess, true, "alias.example.com. 60 IN CNAME mail.example.com.\n" +
			"mail.example.com. 300 IN A 192.0.2.2\nmail.example.com. 300 IN A 192.0.2.3", "", ""},
		{"far.example.com.", "A", dns.RcodeSuccess, true, "far.example.com. 60 IN CNAME www.example.org.", "", ""},
		{"x.sub.example.com.", "A", dns.RcodeSuccess, false, "", "sub.example.com. 60 IN NS ns.sub.example.com.",
			"ns.sub.example.com. 60 IN A 192.0.2.9"},
		{"sub.example.com.", "DS", dns.RcodeSuccess, true, "", soaLine, ""},
		{"x.old.example.com.", "A", dns.RcodeNameError, true, "old.example.com. 60 IN DNAME new.example.com.\n" +
			"x.old.example.com. 60 IN CNAME x.new.example.com.", soaLine, ""},
		{"example.org.", "A", dns.RcodeRefused, false, "", "", ""},
	} {
		qtype, _, err := parseType(c.qtype)
		if err != nil {
			t.Fatal(err)
		}
		a := z.Lookup(c.qname, qtype, false)
		if a.Rcode != c.rcode || a.Authoritative != c.aa || section(a.Answer) != c.answer ||
			section(a.Authority) != c.authority || section(a.Additional) != c.additional {
			t.Errorf("%s %s: %s aa=%v\nanswer %s\nauthority %s\nadditional %s", c.qname, c.qtype,
				dns.RcodeToString[a.Rcode], a.Authoritative, section(a.Answer), section(a.Authority), section(a.Additional))
		}
	}
}

func TestZone(t *testing.T) {
	z := mustBuild(t, "Example.COM.", small)
	if z.Origin() != "example.com." || z.Serial() != 7 || z.Len() != 13 {
		t.Errorf("origin %s, serial %d, %d records", z.Origin(), z.Serial(), z.Len())
	}
	var all []dns.RR
	z.All(func(rr dns.RR) bool {
		all = append(all, rr)
		return true
	})
	if len(all) != z.Len() || all[0].Header().Rrtype != dns.TypeSOA {
		t.Errorf("%d records in a transfer, first %v", len(all), all[0])
	}
	again, err := Decode("example.com.", z.Encode())
	if err != nil {
		t.Fatal(err)
	}
	var decoded []dns.RR
	again.All(func(rr dns.RR) bool {
		decoded = append(decoded, rr)
		return true
	})
	if section(decoded) != section(all) || again.Serial() != z.Serial() || again.Size() != z.Size() {
		t.Errorf("another zone after Encode and Decode:\n%s", section(decoded))
	}
}
