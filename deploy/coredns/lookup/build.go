// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Build makes a zone of its rows, in any order. Rows that cannot be served are
// left out and given back, each with its reason. Equal rows are taken once, and
// an RRset has one TTL, the lowest of its rows (RFC 2181 5). Without exactly one
// SOA at the apex there is no zone: it is nil, and the last of the bad rows
// says so.
func Build(origin string, records []Record) (*Zone, []BadRecord) {
	b := builder{records: records, origin: origin}
	z, err := b.build()
	if err != nil {
		return nil, append(b.bad, BadRecord{Record{Owner: "@", Type: "SOA"}, err})
	}
	return z, b.bad
}

type builder struct {
	records []Record
	origin  string
	wire    wireName // of the origin
	rows    []row
	bad     []BadRecord
}

func (b *builder) build() (*Zone, error) {
	if err := b.wire.parse(b.origin); err != nil {
		return nil, fmt.Errorf("origin: %w", err)
	}
	b.parse()
	b.sort()
	b.checkSingles()
	if err := b.checkSOA(); err != nil {
		return nil, err
	}
	b.levelTTLs()
	return Decode(b.origin, b.encode())
}

func (b *builder) refuse(from int, err error) {
	b.bad = append(b.bad, BadRecord{b.records[from], err})
}

func (b *builder) parse() {
	b.rows = make([]row, 0, len(b.records))
	for i, record := range b.records {
		r, err := parseRow(record, b.origin, b.wire.bytes())
		if err != nil {
			b.refuse(i, err)
			continue
		}
		r.from = i
		b.rows = append(b.rows, r)
	}
}

// compareSets orders rows as the zone has its RRsets: 0 within one of them.
func compareSets(a, b row) int {
	if a.hashed != b.hashed {
		if b.hashed {
			return -1
		}
		return 1
	}
	return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.typ, b.typ), cmp.Compare(a.covered, b.covered))
}

func sameSet(a, b row) bool { return compareSets(a, b) == 0 }

func sameName(a, b row) bool { return a.key == b.key && a.hashed == b.hashed }

func (b *builder) sort() {
	slices.SortStableFunc(b.rows, func(x, y row) int {
		if order := compareSets(x, y); order != 0 {
			return order
		}
		return bytes.Compare(x.rdata, y.rdata)
	})
}

// groups calls do for each run of rows of which one and the next are the same.
func groups(rows []row, same func(a, b row) bool, do func([]row)) {
	for start := 0; start < len(rows); {
		end := start + 1
		for end < len(rows) && same(rows[start], rows[end]) {
			end++
		}
		do(rows[start:end])
		start = end
	}
}

// checkSingles drops equal records, and all but one of the types of which a
// name may have one (RFC 2181 10.1, RFC 6672 2.4).
func (b *builder) checkSingles() {
	kept := make([]row, 0, len(b.rows))
	groups(b.rows, sameSet, func(set []row) {
		kept = append(kept, set[0])
		for _, r := range set[1:] {
			last := &kept[len(kept)-1]
			switch {
			case bytes.Equal(r.rdata, last.rdata):
				last.ttl = min(last.ttl, r.ttl)
			case r.typ == dns.TypeCNAME || r.typ == dns.TypeDNAME:
				b.refuse(r.from, errors.New("a second one at this name"))
			default:
				kept = append(kept, r)
			}
		}
	})
	b.rows = kept
}

func (b *builder) checkSOA() error {
	count := 0
	for _, r := range b.rows {
		if r.typ == dns.TypeSOA {
			count++
		}
	}
	switch count {
	case 0:
		return errors.New("no SOA at the apex")
	case 1:
		return nil
	default:
		return errors.New("several SOAs at the apex")
	}
}

// levelTTLs gives each RRset its lowest TTL, and then each signature that of
// what it covers (RFC 4034 3).
func (b *builder) levelTTLs() {
	groups(b.rows, sameSet, func(set []row) {
		lowest := set[0].ttl
		for _, r := range set {
			lowest = min(lowest, r.ttl)
		}
		for i := range set {
			set[i].ttl = lowest
		}
	})
	groups(b.rows, sameName, func(name []row) {
		for i, signature := range name {
			if signature.typ != dns.TypeRRSIG {
				continue
			}
			if signed := slices.IndexFunc(name, func(r row) bool { return r.typ == signature.covered }); signed >= 0 {
				name[i].ttl = name[signed].ttl
			}
		}
	})
}

// encode writes the zone's bytes (format.go).
func (b *builder) encode() []byte {
	names, hashed := 0, 0
	groups(b.rows, sameName, func(name []row) {
		if name[0].hashed {
			hashed++
		} else {
			names++
		}
	})
	out := append([]byte(magic), byte(b.wire.size))
	out = append(out, b.wire.bytes()...)
	out = binary.AppendUvarint(out, uint64(names))
	out = binary.AppendUvarint(out, uint64(hashed))
	groups(b.rows, sameName, func(name []row) {
		out = appendBlock(out, []byte(name[0].key))
		var sets []byte
		groups(name, sameSet, func(set []row) { sets = appendSet(sets, set) })
		out = appendBlock(out, sets)
	})
	return out
}

func appendBlock(out, data []byte) []byte {
	return append(binary.AppendUvarint(out, uint64(len(data))), data...)
}

func appendSet(out []byte, set []row) []byte {
	body := binary.AppendUvarint(nil, uint64(set[0].ttl))
	for _, r := range set {
		body = appendBlock(body, r.rdata)
	}
	out = binary.AppendUvarint(out, uint64(set[0].typ))
	return appendBlock(out, body)
}
