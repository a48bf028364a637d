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

func TestAnEntryThatIsGoneDropsNoOther(t *testing.T) {
	c := bare(0)
	old, _ := c.index.getOrMake("again.example.")
	c.drop(old)
	made, _ := c.index.getOrMake("again.example.")
	c.drop(old) // a read that began before it was made anew ends
	if c.index.get("again.example.") != made {
		t.Error("the new one was dropped")
	}
}

func TestAZoneIsReadByOneLoaderAtATime(t *testing.T) {
	c := bare(1)
	e := c.index.get(manyName(0))
	queued := func() int { return len(c.loads.urgent) + len(c.loads.stale) }
	e.held.Store(&held{}) // of another stamp than the index has
	for _, stale := range []bool{true, false} {
		c.loads.want(e, false)
		if got := c.loads.take(c.pace.room()); len(got) != 1 || got[0] != e {
			t.Fatalf("%d were taken", len(got))
		}
		c.loads.want(e, false)
		c.loads.want(e, true)
		if queued() != 0 {
			t.Fatal("another loader would read it at the same time")
		}
		if !stale {
			e.held.Store(&held{stamp: e.stamp})
		}
		c.loads.loaded(e)
		if (queued() == 1) != stale {
			t.Fatalf("stale: %v; %d are queued after the load", stale, queued())
		}
	}
}
