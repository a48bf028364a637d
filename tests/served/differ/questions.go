// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

const (
	others      = 5    // types asked for that the zone does not have
	ednsSize    = 1232 // the buffer size of a question with DO (the one of DNS flag day 2020)
	sizeWithout = 512  // what RFC 1035 4.2.1 lets an answer have without EDNS
)

// always asked for, if the zone has them or not; then the first of the rest that
// it does not have, beginning at a place that the zone's name decides.
var (
	alwaysAsked = []uint16{dns.TypeANY, dns.TypeDS}
	askedToo    = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeCNAME, dns.TypeSRV, dns.TypeHTTPS, dns.TypeDNSKEY, dns.TypeNSEC,
		dns.TypeNSEC3, dns.TypeNSEC3PARAM, dns.TypeRRSIG, dns.TypeDNAME, dns.TypeCDS, dns.TypePTR, 65280}
)

// question is one name and type; with and without DO it is two.
type question struct {
	name   name
	rrtype uint16
	do     bool
}

func (q question) String() string {
	text := q.name.String() + " " + dns.Type(q.rrtype).String()
	if q.do {
		text += " +do"
	}
	return text
}

// size is the limit of an answer by UDP.
func (q question) size() int {
	if q.do {
		return ednsSize
	}
	return sizeWithout
}

// message is the question on the wire. id is its place in the batch.
func (q question) message(id uint16) []byte {
	wire := make([]byte, 12, 12+maxName+4+11)
	binary.BigEndian.PutUint16(wire, id)
	wire[5] = 1
	wire = append(wire, q.name.wire()...)
	wire = binary.BigEndian.AppendUint16(wire, q.rrtype)
	wire = binary.BigEndian.AppendUint16(wire, dns.ClassINET)
	if q.do {
		wire[11] = 1
		wire = append(wire, 0, 0, byte(dns.TypeOPT), ednsSize>>8, ednsSize&0xff, 0, 0, 0x80, 0, 0, 0)
	}
	return wire
}

// types that the zone is asked for: all of its own and some others.
func (z *zone) asked() []uint16 {
	own := map[uint16]bool{}
	for _, rrtype := range z.types {
		own[rrtype] = true
	}
	types := append([]uint16{}, z.types...)
	wanted := others
	for _, rrtype := range alwaysAsked {
		if !own[rrtype] {
			types = append(types, rrtype)
			wanted--
		}
	}
	start := hash(z.known.Name)
	for i := range askedToo {
		rrtype := askedToo[(start+uint64(i))%uint64(len(askedToo))]
		if wanted > 0 && !own[rrtype] {
			types = append(types, rrtype)
			wanted--
		}
	}
	return types
}

// questions are all names and types of the zone: what is there, and of all else
// the share that the seed picks.
func (z *zone) questions(share float64, seed string) []question {
	var found []question
	types := z.asked()
	add := func(n name) {
		for _, rrtype := range types {
			if z.has(n, rrtype) || picked(share, seed, n, rrtype) {
				found = append(found, question{n, rrtype, false}, question{n, rrtype, true})
			}
		}
	}
	for _, n := range z.sorted() {
		add(n)
	}
	for _, n := range neighbours(z) {
		add(n)
	}
	return found
}

// picked is the same for the same seed, name and type, whatever else is asked.
func picked(share float64, seed string, n name, rrtype uint16) bool {
	if share >= 1 {
		return true
	}
	const parts = 1 << 20
	return float64(hash(seed, string(n.wire()), string([]byte{byte(rrtype >> 8), byte(rrtype)}))%parts) < share*parts
}

// hash is FNV-1a; the lowest bits of that are poor.
func hash(texts ...string) uint64 {
	sum := uint64(14695981039346656037)
	for _, text := range texts {
		for i := range len(text) {
			sum = (sum ^ uint64(text[i])) * 1099511628211
		}
	}
	return sum >> 16
}
