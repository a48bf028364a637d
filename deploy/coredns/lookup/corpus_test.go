// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"fmt"
	"math/rand"
	"strings"
)

// Few labels, so that names often stand above, below and beside each other.
var labels = []string{
	"a", "a", "b", "b", "c", "www", "mail", "*", "*", "_sip", "0", "z", "-x", `a\.b`, `\001`, `\255`,
}

// Knot finds a wrong neighbour for names with NUL, so they are not in zones with
// NSEC; TestCanonicalOrder has them.
var labelsWithNUL = []string{`\000`, `x\000y`}

var dataKinds = []struct {
	typ  string
	data func(g *generator) string
}{
	{"A", func(g *generator) string { return fmt.Sprintf("192.0.2.%d", g.Intn(256)) }},
	{"A", func(g *generator) string { return fmt.Sprintf("198.51.100.%d", g.Intn(256)) }},
	{"AAAA", func(g *generator) string { return fmt.Sprintf("2001:db8::%x", g.Intn(65536)) }},
	{"MX", func(g *generator) string { return fmt.Sprintf("%d %s", g.Intn(100), g.target()) }},
	{"TXT", func(g *generator) string { return fmt.Sprintf(`"v=%d" "semi;colon \"q\" \\ \200"`, g.Intn(100)) }},
	{"TXT", func(g *generator) string { return `"` + strings.Repeat("k", 1+g.Intn(255)) + `"` }},
	{"SRV", func(g *generator) string { return fmt.Sprintf("0 %d 443 %s", g.Intn(10), g.target()) }},
	{"PTR", func(g *generator) string { return g.target() }},
	{"CAA", func(g *generator) string { return fmt.Sprintf(`0 issue "ca%d.example"`, g.Intn(10)) }},
	{"HTTPS", func(g *generator) string { return fmt.Sprintf("%d %s", 1+g.Intn(3), g.target()) }},
	{"SVCB", func(g *generator) string { return "0 " + g.target() }},
	{"NAPTR", func(g *generator) string { return `10 10 "u" "E2U+sip" "!^.*$!sip:x!" .` }},
	{"SSHFP", func(g *generator) string { return fmt.Sprintf("4 2 %064x", g.Intn(100)) }},
	{"TLSA", func(g *generator) string { return fmt.Sprintf("3 1 1 %064x", g.Intn(100)) }},
	{"TYPE65400", func(g *generator) string { return fmt.Sprintf(`\# 2 %04x`, g.Intn(65536)) }},
}

// generator makes zones of a seed.
type generator struct {
	*rand.Rand
	origin string
	owners []string
	kinds  map[string]string // of each owner: data, cname, cut, dname
	labels []string
	how    signing // it will be signed so
	rows   []Record
}

func generate(origin string, seed int64, how signing) []Record {
	g := &generator{Rand: rand.New(rand.NewSource(seed)), origin: origin, how: how, labels: labels,
		kinds: make(map[string]string)}
	if how != withNSEC {
		g.labels = append(g.labels[:len(labels):len(labels)], labelsWithNUL...)
	}
	g.pickOwners(15 + g.Intn(30))
	g.apex()
	for _, owner := range g.owners {
		g.fill(owner)
	}
	return g.rows
}

func (g *generator) add(owner, typ, data string) {
	g.rows = append(g.rows, Record{Owner: owner, TTL: g.ttl(owner, typ), Type: typ, Data: data})
}

// ttl is the same for all records of a set.
func (g *generator) ttl(owner, typ string) uint32 {
	return uint32(60 + (len(owner)*7+len(typ)*13)%600)
}

func (g *generator) pickOwners(count int) {
	for range count {
		owner := g.label()
		for g.Intn(3) > 0 && strings.Count(owner, ".") < 5 {
			owner = g.label() + "." + owner
		}
		kind := []string{"data", "data", "data", "data", "cname", "cut", "cut", "dname"}[g.Intn(8)]
		if strings.HasPrefix(owner, "*") && (kind == "cut" || kind == "dname") && g.how != none {
			kind = "data" // BIND does not sign them
		}
		if g.kinds[owner] == "" && !g.belowDNAME(owner) && (kind != "dname" || !g.hasBelow(owner)) {
			g.kinds[owner] = kind
			g.owners = append(g.owners, owner)
		}
	}
}

func (g *generator) label() string { return g.labels[g.Intn(len(g.labels))] }

func (g *generator) belowDNAME(owner string) bool {
	for other, kind := range g.kinds {
		if kind == "dname" && strings.HasSuffix(owner, "."+other) {
			return true
		}
	}
	return false
}

func (g *generator) hasBelow(owner string) bool {
	for other := range g.kinds {
		if strings.HasSuffix(other, "."+owner) {
			return true
		}
	}
	return false
}

// target is a name: mostly one of the zone, near one, or elsewhere.
func (g *generator) target() string {
	owner := g.owners[g.Intn(len(g.owners))]
	switch g.Intn(8) {
	case 0:
		return "host.example.org."
	case 1:
		return g.origin
	case 2:
		return g.label() + "." + owner + "." + g.origin
	case 3:
		return g.label() + "." + g.origin
	default:
		return owner + "." + g.origin
	}
}

func (g *generator) apex() {
	minimum := []int{60, 300, 86400}[g.Intn(3)]
	g.add("@", "SOA", fmt.Sprintf("ns.example.org. host.example.org. %d 3600 600 86400 %d", g.Intn(1<<31), minimum))
	g.add("@", "NS", g.target())
	g.add("@", "NS", "ns.example.org.")
	if g.Intn(2) == 0 {
		g.add("@", "MX", "10 "+g.target())
	}
}

func (g *generator) fill(owner string) {
	switch g.kinds[owner] {
	case "cname":
		g.add(owner, "CNAME", g.target())
	case "dname":
		g.add(owner, "DNAME", g.target())
		g.some(owner, g.Intn(2))
	case "cut":
		g.add(owner, "NS", g.target())
		g.add(owner, "NS", "ns."+owner+"."+g.origin)
		if g.kinds["ns."+owner] == "" && g.Intn(3) > 0 {
			g.add("ns."+owner, "A", "203.0.113.7")
		}
		if g.Intn(2) == 0 {
			g.add(owner, "DS", fmt.Sprintf("1 13 2 %064x", g.Intn(1000)))
		}
	default:
		g.some(owner, 1+g.Intn(4))
	}
}

func (g *generator) some(owner string, count int) {
	for range count {
		kind := dataKinds[g.Intn(len(dataKinds))]
		g.add(owner, kind.typ, kind.data(g))
	}
}
