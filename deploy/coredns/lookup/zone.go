// SPDX-License-Identifier: Apache-2.0

// Package lookup holds one version of a zone in little memory and answers from
// it as an authoritative server does: RFC 1034, 2308, 4035, 4592, 5155, 6672.
// It knows no database, no network and no CoreDNS.
//
// A Zone never changes. All its methods may be called by any number of
// goroutines at once, and never block. Records that they give out are made for
// the caller, who may change them.
package lookup

import (
	"encoding/binary"
	"unsafe"

	"github.com/miekg/dns"
)

// Record is a row of the records table. Owner is relative to the zone ("@" is
// the apex), Type a mnemonic or TYPEnnn, Data the RDATA as master-file text
// with absolute names, TTL in seconds.
type Record struct {
	Owner, Type, Data string
	TTL               uint32
}

// BadRecord is a row that could not be taken, and why.
type BadRecord struct {
	Record
	Err error
}

// Zone is one version of a zone.
//
// All records are in data (format.go); index has the offsets of its entries,
// in canonical order: of all names, of the cuts, of the names with NSEC, of the
// NSEC3 chain. Neither has pointers, so the garbage collector does not look
// into them.
type Zone struct {
	origin  string
	data    []byte
	index   []uint32
	cutsAt  uint32 // where each of the last three begins in index
	nsecAt  uint32
	nsec3At uint32
	records uint32
	serial  uint32
	minimum uint32
	signed  bool // the apex has signatures
}

// Origin is the name of the zone: absolute, lower case.
func (z *Zone) Origin() string { return z.origin }

// Serial is that of the SOA.
func (z *Zone) Serial() uint32 { return z.serial }

// Len is the number of records.
func (z *Zone) Len() int { return int(z.records) }

// Size is the memory that the zone takes, in bytes.
func (z *Zone) Size() int {
	return int(unsafe.Sizeof(*z)) + len(z.origin) + cap(z.data) + cap(z.index)*4
}

// Encode gives the zone as bytes that Decode takes. They are the zone's own:
// the caller must not change them.
func (z *Zone) Encode() []byte { return z.data }

// All gives every record once, the SOA first, and stops when yield returns
// false: what a transfer sends (RFC 5936 2.2) but for the SOA at its end.
func (z *Zone) All(yield func(dns.RR) bool) {
	soa, _ := z.apex().find(dns.TypeSOA)
	if !yield(appendRRs(nil, z.origin, soa)[0]) {
		return
	}
	for at := z.firstEntry(); at < len(z.data); {
		n, next := z.entry(at)
		if !z.yieldNode(n, yield) {
			return
		}
		at = next
	}
}

func (z *Zone) yieldNode(n node, yield func(dns.RR) bool) bool {
	owner := z.ownerText(n.key)
	for sets := n.sets; len(sets) > 0; {
		var s rrset
		s, sets = nextSet(sets)
		if s.typ == dns.TypeSOA {
			continue
		}
		for _, rr := range appendRRs(nil, owner, s) {
			if !yield(rr) {
				return false
			}
		}
	}
	return true
}

func (z *Zone) originWire() []byte {
	return z.data[len(magic)+1:][:z.data[len(magic)]]
}

// ownerText is the name of a key.
func (z *Zone) ownerText(key []byte) string {
	if len(key) == 0 {
		return z.origin
	}
	var buf [maxWire]byte
	// a well-formed name can always be written
	text, _, _ := dns.UnpackDomainName(appendWire(buf[:0], key, z.originWire()), 0)
	return text
}

// readSOA takes what negative answers and transfers need of the SOA.
func (z *Zone) readSOA(rdata []byte) {
	z.serial = binary.BigEndian.Uint32(rdata[len(rdata)-20:])
	z.minimum = binary.BigEndian.Uint32(rdata[len(rdata)-4:])
}
