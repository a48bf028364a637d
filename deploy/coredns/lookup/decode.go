// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/miekg/dns"
)

const maxTTL = math.MaxInt32 // RFC 2181 8

var errTruncated = errors.New("it ends too early")

// Decode makes the zone of bytes that Encode gave. They are copied, and
// believed nothing: an error says that they are damaged or of another zone.
func Decode(origin string, encoded []byte) (*Zone, error) {
	z, err := decode(origin, encoded)
	if err != nil {
		return nil, fmt.Errorf("encoded zone %s: %w", origin, err)
	}
	return z, nil
}

func decode(origin string, encoded []byte) (*Zone, error) {
	var wire wireName
	if err := wire.parse(origin); err != nil {
		return nil, fmt.Errorf("origin: %w", err)
	}
	if len(encoded) > math.MaxUint32 {
		return nil, errors.New("larger than 4 GiB")
	}
	z := &Zone{data: append([]byte(nil), encoded...)}
	d := decoder{zone: z, rest: z.data}
	if err := d.header(wire.bytes()); err != nil {
		return nil, err
	}
	if err := d.entries(); err != nil {
		return nil, err
	}
	z.origin, _, _ = dns.UnpackDomainName(wire.bytes(), 0)
	z.index = append([]uint32(nil), d.index...)
	return z, nil
}

// decoder walks over the bytes, checks them, and notes what index has.
type decoder struct {
	zone   *Zone
	origin []byte
	rest   []byte
	index  []uint32
	cuts   []uint32
	nsec   []uint32
	cut    []byte // key of the last cut, if there was one
	isCut  bool
}

func (d *decoder) header(origin []byte) error {
	if !bytes.HasPrefix(d.rest, []byte(magic)) {
		return errors.New("not in this format")
	}
	d.rest = d.rest[len(magic):]
	if len(d.rest) <= len(origin) || int(d.rest[0]) != len(origin) ||
		!bytes.HasPrefix(d.rest[1:], origin) {
		return errors.New("of another zone")
	}
	d.origin = d.rest[1 : 1+len(origin)]
	d.rest = d.rest[1+len(origin):]
	return nil
}

func (d *decoder) entries() error {
	names, err := d.number()
	if err != nil {
		return err
	}
	hashed, err := d.number()
	if err != nil {
		return err
	}
	if err := d.names(names); err != nil {
		return err
	}
	d.zone.cutsAt = uint32(len(d.index))
	d.zone.nsecAt = d.zone.cutsAt + uint32(len(d.cuts))
	d.zone.nsec3At = d.zone.nsecAt + uint32(len(d.nsec))
	d.index = append(append(d.index, d.cuts...), d.nsec...)
	if err := d.hashed(hashed); err != nil {
		return err
	}
	if len(d.rest) > 0 {
		return errors.New("bytes after its end")
	}
	return nil
}

func (d *decoder) names(count uint64) error {
	var last []byte
	for i := uint64(0); i < count; i++ {
		offset := uint32(len(d.zone.data) - len(d.rest))
		n, err := d.entry()
		if err != nil {
			return err
		}
		if (i == 0) != (len(n.key) == 0) || i > 0 && bytes.Compare(last, n.key) >= 0 {
			return errors.New("names out of order")
		}
		last = n.key
		d.index = append(d.index, offset)
		d.note(n, offset)
	}
	if count == 0 {
		return errors.New("no apex")
	}
	return d.soa()
}

// note sorts a name into the parts of the index. What is below a cut can be
// neither a cut nor part of the NSEC chain (RFC 4035 2.3).
func (d *decoder) note(n node, offset uint32) {
	if d.isCut && len(n.key) > len(d.cut) && bytes.HasPrefix(n.key, d.cut) {
		return
	}
	_, delegation := n.find(dns.TypeNS)
	_, dname := n.find(dns.TypeDNAME)
	if dname || delegation && len(n.key) > 0 {
		d.cut, d.isCut = n.key, true
		d.cuts = append(d.cuts, offset)
	}
	if _, ok := n.find(dns.TypeNSEC); ok {
		d.nsec = append(d.nsec, offset)
	}
}

func (d *decoder) soa() error {
	apex := d.zone.nodeAt(d.index[0])
	soa, ok := apex.find(dns.TypeSOA)
	if !ok || soa.count() != 1 {
		return errors.New("not one SOA at the apex")
	}
	rdata, _ := block(soa.rdata)
	d.zone.readSOA(rdata)
	_, d.zone.signed = apex.find(dns.TypeRRSIG)
	return nil
}

// hashed reads the NSEC3 part; the index gets those of the chain in use.
func (d *decoder) hashed(count uint64) error {
	var last []byte
	param, inUse := nsec3Param(d.zone.nodeAt(d.index[0]))
	for i := uint64(0); i < count; i++ {
		offset := uint32(len(d.zone.data) - len(d.rest))
		n, err := d.entry()
		if err != nil {
			return err
		}
		if bytes.Compare(last, n.key) >= 0 {
			return errors.New("NSEC3 names out of order")
		}
		last = n.key
		if set, ok := n.find(dns.TypeNSEC3); ok && inUse && param.matches(set) {
			d.index = append(d.index, offset)
		}
	}
	return nil
}

func (d *decoder) entry() (node, error) {
	key, err := d.block()
	if err != nil {
		return node{}, err
	}
	if err := checkKey(key, d.origin); err != nil {
		return node{}, err
	}
	sets, err := d.block()
	if err != nil {
		return node{}, err
	}
	inner := decoder{zone: d.zone, rest: sets}
	if err := inner.sets(); err != nil {
		return node{}, err
	}
	return node{key: key, sets: sets}, nil
}

func (d *decoder) sets() error {
	last := int64(-1)
	if len(d.rest) == 0 {
		return errors.New("a name without records")
	}
	for len(d.rest) > 0 {
		typ, err := d.number()
		if err != nil {
			return err
		}
		body, err := d.block()
		if err != nil {
			return err
		}
		if typ > math.MaxUint16 || !isDataType(uint16(typ)) {
			return fmt.Errorf("a record of type %d", typ)
		}
		inner := decoder{zone: d.zone, rest: body}
		covered, err := inner.set(uint16(typ))
		if err != nil {
			return err
		}
		order := int64(typ)<<16 | int64(covered)
		if order <= last {
			return errors.New("types out of order")
		}
		last = order
	}
	return nil
}

// set checks one RRset and tells which type its signatures cover.
func (d *decoder) set(typ uint16) (uint16, error) {
	ttl, err := d.number()
	if err != nil {
		return 0, err
	}
	if ttl > maxTTL || len(d.rest) == 0 {
		return 0, errors.New("a bad RRset")
	}
	var covered uint16
	for first := true; len(d.rest) > 0; first = false {
		rdata, err := d.block()
		if err != nil {
			return 0, err
		}
		if err := checkRdata(typ, rdata, true, true); err != nil {
			return 0, err
		}
		if !first && coveredType(typ, rdata) != covered {
			return 0, errors.New("signatures of several types in one set")
		}
		covered = coveredType(typ, rdata)
		d.zone.records++
	}
	return covered, nil
}

func (d *decoder) number() (uint64, error) {
	value, n := binary.Uvarint(d.rest)
	if n <= 0 {
		return 0, errTruncated
	}
	d.rest = d.rest[n:]
	return value, nil
}

func (d *decoder) block() ([]byte, error) {
	size, err := d.number()
	if err != nil {
		return nil, err
	}
	if size > uint64(len(d.rest)) {
		return nil, errTruncated
	}
	found := d.rest[:size:size]
	d.rest = d.rest[size:]
	return found, nil
}
