// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"sort"
	"time"

	"github.com/miekg/dns"
)

const transferTimeout = 30 * time.Second

// zone is what the oracle holds of a zone, by its own transfer: no parser of
// zone text but the oracle's has a say in what is asked.
type zone struct {
	known   knownZone
	apex    name
	records []dns.RR
	types   []uint16                   // all that occur, in order
	owned   map[string]map[uint16]bool // name.key() of an owner -> its types
	names   map[string]name            // owners and empty non-terminals
}

// knownZone is a line of the list of zones.
type knownZone struct {
	Name string `json:"name"`
	// Lowest has, for each RRset whose TTLs differ in the text, "owner type" -> the lowest (RFC 2181 5.2).
	Lowest map[string]uint32 `json:"lowest"`
}

// transfer returns all records but the SOA at the end.
func transfer(server, origin string) ([]dns.RR, error) {
	question := new(dns.Msg)
	question.SetAxfr(origin)
	client := &dns.Transfer{DialTimeout: transferTimeout, ReadTimeout: transferTimeout, WriteTimeout: transferTimeout}
	envelopes, err := client.In(question, server)
	if err != nil {
		return nil, fmt.Errorf("transfer of %s from %s: %w", origin, server, err)
	}
	var records []dns.RR
	for envelope := range envelopes {
		if envelope.Error != nil {
			return nil, fmt.Errorf("transfer of %s from %s: %w", origin, server, envelope.Error)
		}
		records = append(records, envelope.RR...)
	}
	if len(records) < 2 {
		return nil, fmt.Errorf("transfer of %s from %s: %d records", origin, server, len(records))
	}
	return records[:len(records)-1], nil
}

func newZone(known knownZone, records []dns.RR) *zone {
	z := &zone{known: known, apex: parseName(known.Name), records: records,
		owned: map[string]map[uint16]bool{}, names: map[string]name{}}
	seen := map[uint16]bool{}
	for _, rr := range records {
		owner, rrtype := parseName(rr.Header().Name), rr.Header().Rrtype
		if z.owned[owner.key()] == nil {
			z.owned[owner.key()] = map[uint16]bool{}
		}
		z.owned[owner.key()][rrtype] = true
		seen[rrtype] = true
		for ; len(owner) >= len(z.apex); owner = owner.parent() {
			z.names[owner.key()] = owner
		}
	}
	for rrtype := range seen {
		z.types = append(z.types, rrtype)
	}
	sort.Slice(z.types, func(i, j int) bool { return z.types[i] < z.types[j] })
	return z
}

// has tells whether the zone has an RRset of that name and type.
func (z *zone) has(owner name, rrtype uint16) bool {
	return z.owned[owner.key()][rrtype]
}

// covers tells whether n is not there and a wildcard stands for it (RFC 4592 3.3.1).
// Owners of NSEC3 records are no names of the zone (RFC 5155 7.2.8).
func (z *zone) covers(n name) bool {
	if _, exists := z.names[n.key()]; exists || !n.atOrBelow(z.apex) {
		return false
	}
	encloser := n.parent()
	for z.names[encloser.key()] == nil || z.has(encloser, dns.TypeNSEC3) {
		encloser = encloser.parent()
	}
	_, wildcard := z.names[encloser.child("*").key()]
	return wildcard
}

// sorted returns owners and empty non-terminals, in the order of their keys.
func (z *zone) sorted() []name {
	keys := make([]string, 0, len(z.names))
	for key := range z.names {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	names := make([]name, len(keys))
	for i, key := range keys {
		names[i] = z.names[key]
	}
	return names
}
