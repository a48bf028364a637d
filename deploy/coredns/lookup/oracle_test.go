// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// oracleZone is a zone that Knot and we serve.
type oracleZone struct {
	origin string
	how    signing
	text   string
	rows   []Record
	zone   *Zone
}

// zoneCount is how many generated zones are compared: ZONEFAN_ORACLE_ZONES, or
// some. ZONEFAN_ORACLE_SEED is the seed of the first.
func zoneCount(t *testing.T) (count int, seed int64) {
	count, seed = 24/slower, 1
	if text := os.Getenv("ZONEFAN_ORACLE_ZONES"); text != "" {
		value, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		count = value
	}
	if text := os.Getenv("ZONEFAN_ORACLE_SEED"); text != "" {
		value, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = value
	}
	return count, seed
}

// oracleOf makes a zone of rows; it has to be taken as a whole.
func oracleOf(t *testing.T, origin string, rows []Record, how signing, salt string, iterations int) *oracleZone {
	t.Helper()
	o := &oracleZone{origin: origin, how: how, rows: rows, text: masterFile(origin, rows)}
	if how != none {
		o.text = sign(t, origin, rows, how, salt, iterations)
		o.rows = readMasterFile(t, origin, o.text)
	}
	zone, bad := Build(origin, o.rows)
	if zone == nil || len(bad) > 0 {
		t.Fatalf("%s is not served as a whole: %v", origin, bad)
	}
	o.zone = zone
	return o
}

func generatedOracle(t *testing.T, seed int64) *oracleZone {
	t.Helper()
	origin, how := fmt.Sprintf("z%d.example.", seed), signing(seed%4)
	salt := []string{"-", "ab", "0123456789abcdef"}[seed/4%3]
	return oracleOf(t, origin, generate(origin, seed, how), how, salt, int(seed/4%4))
}

func compareAll(t *testing.T, zones []*oracleZone) {
	texts := make(map[string]string)
	for _, o := range zones {
		texts[o.origin] = o.text
	}
	k := startKnot(t, texts)
	for _, o := range zones {
		t.Run(o.origin, func(t *testing.T) { o.compare(t, k) })
	}
}

// TestGeneratedZonesAnswerAsKnot asks Knot and our zones the same: all owners
// and their neighbours, all types of the zone and some others, with and without
// DO. A difference names the seed (zN.example.) of its zone.
func TestGeneratedZonesAnswerAsKnot(t *testing.T) {
	count, seed := zoneCount(t)
	zones := make([]*oracleZone, count)
	for i := range zones {
		zones[i] = generatedOracle(t, seed+int64(i))
	}
	compareAll(t, zones)
}

// compare asks owners for everything, and neighbours for types that move on with
// each of them.
func (o *oracleZone) compare(t *testing.T, k *knot) {
	c := k.dial(t)
	defer c.Close()
	always, others := o.zoneTypes()
	owners, neighbours := o.names()
	for _, name := range owners {
		o.ask(t, c, name, append(always, others...))
	}
	for i, name := range neighbours {
		o.ask(t, c, name, []uint16{always[0], always[1], always[2+i%4], others[i%len(others)]})
		if t.Failed() {
			t.Fatal("more differences may be left out")
		}
	}
}

func (o *oracleZone) ask(t *testing.T, c *knotConn, name string, types []uint16) {
	for _, qtype := range types {
		for _, do := range []bool{false, true} {
			want, got := c.lookup(t, name, qtype, do), o.zone.Lookup(name, qtype, do)
			if text := difference(want, got); text != "" && !o.permitted(name, qtype, want, got) {
				t.Errorf("%s %s do=%v: %s", name, dns.Type(qtype), do, text)
			}
		}
	}
}

// names gives all owners with their ancestors, and their neighbours.
func (o *oracleZone) names() (owners, neighbours []string) {
	seen := make(map[string]bool)
	add := func(list *[]string, name string) {
		var wire wireName
		if wire.parse(name) == nil && dns.IsSubDomain(o.origin, name) && !seen[name] {
			seen[name] = true
			*list = append(*list, name)
		}
	}
	o.zone.All(func(rr dns.RR) bool {
		name := strings.ToLower(rr.Header().Name)
		for _, start := range dns.Split(name) {
			add(&owners, name[start:])
		}
		return true
	})
	for _, owner := range slices.Clone(owners) {
		for _, name := range neighboursOf(owner, o.origin, o.how != withNSEC) {
			add(&neighbours, name)
		}
	}
	return owners, neighbours
}

// neighboursOf gives names below, beside, and instead of a wildcard.
func neighboursOf(owner, origin string, withNUL bool) []string {
	names := []string{"q." + owner, "q.q." + owner, "*." + owner, `\001.` + owner}
	if withNUL {
		names = append(names, `\000.`+owner)
	}
	if owner == origin {
		return names
	}
	first := dns.SplitDomainName(owner)[0]
	rest := owner[len(first)+1:]
	names = append(names, first+"0."+rest, "0"+first+"."+rest, strings.ToUpper(first)+"."+rest)
	if first == "*" {
		names = append(names, "q."+rest, "q.q."+rest, "q.*."+rest)
	}
	return names
}

// zoneTypes gives the types that are always asked for, and all others.
func (o *oracleZone) zoneTypes() (always, others []uint16) {
	always = []uint16{dns.TypeA, dns.TypeNS, dns.TypeDS, dns.TypeANY, dns.TypeCNAME, dns.TypeTXT}
	others = []uint16{dns.TypeSOA, dns.TypeDNAME, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeNSEC3PARAM,
		dns.TypeDNSKEY, dns.TypeAAAA, dns.TypeMX, dns.TypeLOC, 65400, 65401}
	o.zone.All(func(rr dns.RR) bool {
		if typ := rr.Header().Rrtype; !slices.Contains(always, typ) && !slices.Contains(others, typ) {
			others = append(others, typ)
		}
		return true
	})
	return always, others
}

// difference tells how two answers differ; the order of records aside.
func difference(want, got Answer) string {
	var out strings.Builder
	if want.Rcode != got.Rcode || want.Authoritative != got.Authoritative {
		fmt.Fprintf(&out, "\n  Knot %s aa=%v, here %s aa=%v", dns.RcodeToString[want.Rcode], want.Authoritative,
			dns.RcodeToString[got.Rcode], got.Authoritative)
	}
	compareSection(&out, "answer", want.Answer, got.Answer)
	compareSection(&out, "authority", want.Authority, got.Authority)
	compareSection(&out, "additional", want.Additional, got.Additional)
	return out.String()
}

// compareSection takes names without regard to case: Knot writes those that it
// can compress as the question has them.
func compareSection(out *strings.Builder, name string, want, got []dns.RR) {
	a, b := lowerSection(want), lowerSection(got)
	if a != b {
		fmt.Fprintf(out, "\n %s, Knot:\n%s\n here:\n%s", name, a, b)
	}
}

func lowerSection(rrs []dns.RR) string {
	lines := strings.Split(strings.ToLower(section(rrs)), "\n")
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}
