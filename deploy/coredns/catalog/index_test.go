// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"testing"

	"github.com/miekg/dns"

	"zonefan.internal/coredns/source"
)

func TestFind(t *testing.T) {
	c := bare(0)
	for _, zone := range []string{"example.com.", "sub.example.com.", "deep.er.example.com.", `a\.b.example.org.`, "org."} {
		c.note(source.Entry{Zone: zone, Stamp: source.Stamp{Generation: 1, ChangedAt: 1}}, 1)
	}
	for _, test := range []struct {
		qname string
		qtype uint16
		zone  string
	}{
		{"example.com.", dns.TypeA, "example.com."},
		{"www.example.com.", dns.TypeA, "example.com."},
		{"www.sub.example.com.", dns.TypeA, "sub.example.com."},
		{"er.example.com.", dns.TypeA, "example.com."},
		{"deep.er.example.com.", dns.TypeSOA, "deep.er.example.com."},
		{"notexample.com.", dns.TypeA, ""},
		{"com.", dns.TypeNS, ""},
		{".", dns.TypeNS, ""},
		{"sub.example.com.", dns.TypeDS, "example.com."},
		{"x.sub.example.com.", dns.TypeDS, "sub.example.com."},
		{"example.com.", dns.TypeDS, "example.com."}, // there is no parent here
		{`x.a\.b.example.org.`, dns.TypeA, `a\.b.example.org.`},
		{"b.example.org.", dns.TypeA, "org."},
	} {
		zone, known, err := c.Find(test.qname, test.qtype)
		if err != nil || zone != test.zone || known != (test.zone != "") {
			t.Errorf("%s %s: %q, %v, %v; wanted %q", test.qname, dns.TypeToString[test.qtype], zone, known, err, test.zone)
		}
	}
	c.note(source.Entry{Zone: ".", Stamp: source.Stamp{Generation: 1, ChangedAt: 1}}, 1)
	for qname, want := range map[string]string{".": ".", "com.": ".", "example.com.": "example.com."} {
		if zone, _, _ := c.Find(qname, dns.TypeNS); zone != want {
			t.Errorf("with the root: %s: %q", qname, zone)
		}
	}
	if zone, _, _ := c.Find("example.com.", dns.TypeDS); zone != "." {
		t.Errorf("DS with the root: %q", zone)
	}
}
