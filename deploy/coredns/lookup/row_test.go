// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

const onlySOA = "@ 60 SOA ns.example.com. host.example.com. 1 2 3 4 5\n"

// TestDataOfAllTypes reads what zonefand writes into the column, and expects
// Knot's wire form of it.
func TestDataOfAllTypes(t *testing.T) {
	text, err := os.ReadFile("testdata/rdata")
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.Split(line, "\t")
		if len(fields) != 3 {
			continue
		}
		tested++
		r, err := parseRow(Record{Owner: "@", Type: fields[0], Data: fields[1]}, "example.com.", []byte("\x07example\x03com\x00"))
		if err != nil {
			t.Errorf("%s %s: %v", fields[0], fields[1], err)
		} else if hex.EncodeToString(r.rdata) != fields[2] {
			t.Errorf("%s %s:\n%x, but Knot has\n%s", fields[0], fields[1], r.rdata, fields[2])
		}
	}
	if tested < 80 {
		t.Errorf("only %d lines", tested)
	}
}

// TestRawData: what TYPEnnn holds goes out as it is, also where miekg/dns knows
// the type and finds the data wrong.
func TestRawData(t *testing.T) {
	z := mustBuild(t, "example.com.", onlySOA+`a 60 TYPE55 \# 4 01020304`+"\n"+`a 60 TYPE65400 \# 0`+"\n")
	buf := make([]byte, 512)
	for typ, want := range map[uint16]string{55: "000401020304", 65400: "0000"} {
		answer := z.Lookup("a.example.com.", typ, false).Answer
		if len(answer) != 1 {
			t.Fatalf("%d records of type %d", len(answer), typ)
		}
		end, err := dns.PackRR(answer[0], buf, 0, nil, false)
		if got := hex.EncodeToString(buf[:end]); err != nil || !strings.HasSuffix(got, want) {
			t.Errorf("type %d: %s, %v", typ, got, err)
		}
	}
}

func TestBadRows(t *testing.T) {
	for _, bad := range []Record{
		{"", "A", "192.0.2.1", 60},
		{"a..b", "A", "192.0.2.1", 60},
		{".", "A", "192.0.2.1", 60},
		{"www.", "A", "192.0.2.1", 60},
		{strings.Repeat("a", 64), "A", "192.0.2.1", 60},
		{strings.Repeat("a.", 130) + "a", "A", "192.0.2.1", 60},
		{"www", "", "192.0.2.1", 60},
		{"www", "NOPE", "192.0.2.1", 60},
		{"www", "TYPE", "192.0.2.1", 60},
		{"www", "TYPE65536", `\# 0`, 60},
		{"www", "TYPE0", `\# 0`, 60},
		{"www", "ANY", `\# 0`, 60},
		{"www", "OPT", `\# 0`, 60},
		{"www", "A", "", 60},
		{"www", "A", "192.0.2.256", 60},
		{"www", "A", "192.0.2.1 junk", 60},
		{"www", "A", "192.0.2.1\nwww 0 IN A 192.0.2.2", 60},
		{"www", "A", "192.0.2.1\n$INCLUDE /etc/passwd", 60},
		{"www", "A", "( 192.0.2.1", 60},
		{"www", "A", "; nothing", 60},
		{"www", "A", `\# 3 010203`, 60},
		{"www", "A", `\#`, 60},
		{"www", "TYPE5", `\# 1 05`, 60},
		{"www", "CNAME", `\# 0`, 60},
		{"www", "A", `\# 0`, 60},
		{"www", "MX", `\# 2 000a`, 60},
		{"www", "MX", `\# 4 0000c000`, 60},
		{"www", "SRV", `\# 2 0001`, 60},
		{"www", "SRV", `\# 6 000100010001`, 60},
		{"www", "DS", `\# 2 0001`, 60},
		{"www", "DS", `\# 4 00010d02`, 60},
		{"www", "TYPE65400", `\# 2 ab`, 60},
		{"www", "TYPE65400", `\# 2 abxx`, 60},
		{"www", "TXT", `"no end`, 60},
		{"www", "CNAME", " ", 60},
		{"www", "MX", "10", 60},
		{"www", "SOA", "ns.example.com. host.example.com. 1 2 3 4 5", 60},
	} {
		z, refused := Build("example.com.", append(rows(t, onlySOA+"ok 60 A 192.0.2.1"), bad))
		if z == nil || len(refused) != 1 || refused[0].Record != bad || refused[0].Err == nil {
			t.Errorf("%v: refused are %v", bad, refused)
			continue
		}
		if len(z.Lookup("ok.example.com.", dns.TypeA, false).Answer) != 1 || z.Len() != 2 {
			t.Errorf("%v: the others are not served", bad)
		}
	}
}

// TestToleratedRows: no harm is in these (coredns-plugin-facts.md, section C).
func TestToleratedRows(t *testing.T) {
	z := mustBuild(t, "example.com.", `
@ 60 SOA ns.example.com. host.example.com. 1 2 3 4 5
WWW 60 a   192.0.2.1 ; a comment
www 4294967295 A 192.0.2.1
mx 60 mx 10 mail
`)
	if got := section(z.Lookup("www.example.com.", dns.TypeA, false).Answer); got != "www.example.com. 60 IN A 192.0.2.1" {
		t.Error(got)
	}
	if got := section(z.Lookup("mx.example.com.", dns.TypeMX, false).Answer); got != "mx.example.com. 60 IN MX 10 mail." {
		t.Error(got)
	}
}

func TestNoZone(t *testing.T) {
	soa := rows(t, onlySOA)[0]
	other := soa
	other.Data = strings.Replace(other.Data, " 1 ", " 2 ", 1)
	for name, records := range map[string][]Record{
		"no rows":              nil,
		"no SOA":               {{"@", "A", "192.0.2.1", 60}},
		"two SOAs":             {soa, other},
		"bad SOA":              {{"@", "SOA", "ns.example.com.", 60}},
		"a name of an SOA":     {{"@", "SOA", `\# 1 00`, 60}},
		"SOA without minimum":  {{"@", "SOA", `\# 18 0000` + strings.Repeat("00000001", 4), 60}},
		"SOA of generic type":  {{"@", "TYPE6", `\# 2 0000`, 60}},
		"SOA with compression": {{"@", "SOA", `\# 23 00c000` + strings.Repeat("00000001", 5), 60}},
	} {
		if z, bad := Build("example.com.", records); z != nil || len(bad) == 0 {
			t.Errorf("%s: %v, %v", name, z, bad)
		}
	}
	for _, origin := range []string{"", "example.com", "a..b.", strings.Repeat("a.", 200)} {
		if z, bad := Build(origin, []Record{soa}); z != nil || len(bad) == 0 {
			t.Errorf("origin %q: %v, %v", origin, z, bad)
		}
	}
	if z, bad := Build("example.com.", []Record{soa, soa}); z == nil || len(bad) > 0 || z.Len() != 1 {
		t.Errorf("the same SOA twice: %v", bad)
	}
}

func TestSecondAliasIsRefused(t *testing.T) {
	z, bad := Build("example.com.", rows(t, onlySOA+"a 60 CNAME b.example.com.\na 60 CNAME c.example.com."))
	if z == nil || len(bad) != 1 || bad[0].Data != "c.example.com." {
		t.Fatalf("refused are %v", bad)
	}
	if got := section(z.Lookup("a.example.com.", dns.TypeCNAME, false).Answer); got != "a.example.com. 60 IN CNAME b.example.com." {
		t.Error(got)
	}
}

// TestSignatureTTL: an RRset has one TTL, and its signatures have the same.
func TestSignatureTTL(t *testing.T) {
	const signature = "13 2 60 20300101000000 20200101000000 1 example.com. AAAA"
	z := mustBuild(t, "example.com.", onlySOA+`
a 60 A 192.0.2.1
a 30 A 192.0.2.2
a 3600 RRSIG A `+signature+`
a 3600 TLSA 3 1 1 00
a 3600 RRSIG TLSA `+signature+`
@ 60 RRSIG SOA `+signature+"\n")
	for typ, ttl := range map[uint16]uint32{dns.TypeA: 30, dns.TypeTLSA: 3600} {
		for _, rr := range z.Lookup("a.example.com.", typ, true).Answer {
			if rr.Header().Ttl != ttl {
				t.Errorf("not the TTL %d: %v", ttl, rr)
			}
		}
	}
}
