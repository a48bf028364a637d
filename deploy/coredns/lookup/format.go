// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/miekg/dns"
)

// The bytes of a zone; numbers are unsigned varints but for the two octets of
// each length named "octet":
//
//	magic, length octet and wire form of the origin
//	number of names, number of NSEC3 names, then the entries of both, each in
//	canonical order
//	entry: size of the key, key, size of the sets, sets
//	set:   type, size of the rest, TTL, then for each record size and RDATA
//
// An NSEC3 name is no name of the zone (RFC 5155 7.2.8), so these have a part
// of their own. RRSIGs make one set for each type covered: each takes the TTL
// of what it signs. Names without records, such as empty non-terminals, have
// no entry.
const magic = "zfz1"

// node is a name's entry.
type node struct {
	key  []byte
	sets []byte
}

// rrset is one of its sets; rdata has a size before each record.
type rrset struct {
	typ   uint16
	ttl   uint32
	rdata []byte
}

func number(data []byte) (uint64, []byte) {
	// nearly all are below 128
	if data[0] < 0x80 {
		return uint64(data[0]), data[1:]
	}
	value, n := binary.Uvarint(data)
	return value, data[n:]
}

func block(data []byte) ([]byte, []byte) {
	size, rest := number(data)
	return rest[:size:size], rest[size:]
}

// entry reads the entry at an offset and tells where the next one begins.
func (z *Zone) entry(at int) (node, int) {
	key, rest := block(z.data[at:])
	sets, rest := block(rest)
	return node{key: key, sets: sets}, len(z.data) - len(rest)
}

func (z *Zone) firstEntry() int {
	at := len(magic) + 1 + len(z.originWire())
	_, rest := number(z.data[at:])
	_, rest = number(rest)
	return len(z.data) - len(rest)
}

func nextSet(sets []byte) (rrset, []byte) {
	typ, rest := number(sets)
	body, rest := block(rest)
	ttl, rdata := number(body)
	return rrset{typ: uint16(typ), ttl: uint32(ttl), rdata: rdata}, rest
}

// covered is the type that the set's signatures sign.
func (s rrset) covered() uint16 {
	if s.typ != dns.TypeRRSIG {
		return 0
	}
	rdata, _ := block(s.rdata)
	return coveredType(s.typ, rdata)
}

// coveredType is 0 for all but signatures.
func coveredType(typ uint16, rdata []byte) uint16 {
	if typ != dns.TypeRRSIG || len(rdata) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(rdata)
}

func (s rrset) count() int {
	n := 0
	for rest := s.rdata; len(rest) > 0; n++ {
		_, rest = block(rest)
	}
	return n
}

// find gives the set of a type other than RRSIG.
func (n node) find(typ uint16) (rrset, bool) {
	for sets := n.sets; len(sets) > 0; {
		var s rrset
		s, sets = nextSet(sets)
		if s.typ == typ {
			return s, true
		}
		if s.typ > typ {
			break
		}
	}
	return rrset{}, false
}

// signatures gives those of a type.
func (n node) signatures(typ uint16) (rrset, bool) {
	for sets := n.sets; len(sets) > 0; {
		var s rrset
		s, sets = nextSet(sets)
		if s.typ == dns.TypeRRSIG && s.covered() == typ {
			return s, true
		}
		if s.typ > dns.TypeRRSIG {
			break
		}
	}
	return rrset{}, false
}

// appendRRs makes the records of a set anew.
func appendRRs(dst []dns.RR, owner string, s rrset) []dns.RR {
	header := dns.RR_Header{Name: owner, Rrtype: s.typ, Class: dns.ClassINET, Ttl: s.ttl}
	for rest := s.rdata; len(rest) > 0; {
		var rdata []byte
		rdata, rest = block(rest)
		header.Rdlength = uint16(len(rdata))
		rr, _, err := dns.UnpackRRWithHeader(header, rdata, 0)
		if err != nil {
			// given as TYPEnnn, and not what miekg/dns knows under that number
			rr = &dns.RFC3597{Hdr: header, Rdata: hex.EncodeToString(rdata)}
		}
		dst = append(dst, rr)
	}
	return dst
}
