// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"strings"

	"github.com/miekg/dns"
)

// chainNames is of how many owners of NSEC3 records the neighbours are asked for: one is as good as the other.
const chainNames = 3

// nameSet keeps names apart that differ in case: each case is a question of its own.
type nameSet struct {
	seen  map[string]bool
	names []name
}

func (s *nameSet) add(names ...name) {
	for _, n := range names {
		if n.valid() && !s.seen[string(n.wire())] {
			s.seen[string(n.wire())] = true
			s.names = append(s.names, n)
		}
	}
}

// neighbours returns names that are not owners of the zone, or names in other
// case: beside, below and above each name that exists, and what is odd for the
// zone as a whole.
func neighbours(z *zone) []name {
	set := &nameSet{seen: map[string]bool{}}
	for _, n := range z.sorted() {
		set.seen[string(n.wire())] = true
	}
	chain := 0
	for _, n := range z.sorted() {
		if z.has(n, dns.TypeNSEC3) {
			if chain++; chain > chainNames {
				continue
			}
		}
		around(set, z, n)
	}
	for _, rr := range z.records {
		for _, target := range namesIn(rr) {
			if n := parseName(*target); n.atOrBelow(z.apex) {
				set.add(n)
			}
		}
	}
	oddities(set, z.apex)
	return set.names
}

func around(set *nameSet, z *zone, n name) {
	set.add(n.mixedCase(), n.child("zz-missing"), n.child("a", "b"), n.child("*"))
	if len(n) > len(z.apex) {
		set.add(n.sibling(n[0]+"\x01"), n.sibling(before(n[0])), n.sibling("*"))
		if n[0] == "*" {
			set.add(n.sibling("covered"), n.parent().child("a", "b"), n.parent().child("A", "b", "C"), n.sibling("\x2b"), n.sibling("!"))
		}
	}
	if z.has(n, dns.TypeDNAME) {
		set.add(n.child("www"), n.child("a", "b", "c"), n.filled(), n.filled().mixedCase())
	}
}

// before is a label that sorts just before the other, if there is room for one.
func before(label string) string {
	last := len(label) - 1
	if label[last] == 0 {
		return label[:last]
	}
	return label[:last] + string([]byte{label[last] - 1}) + strings.Repeat("\xff", min(2, maxLabel-len(label)))
}

func oddities(set *nameSet, apex name) {
	set.add(apex.child("with.dot"), apex.child("with\\backslash"), apex.child("\x00"), apex.child("\xff\xfe"), apex.child("@"),
		apex.child(" "), apex.child(strings.Repeat("l", maxLabel)), apex.filled(), apex.parent(), apex.sibling(apex[0]+"x"),
		apex.child("\xc4"), apex.child("[", "{"))
}
