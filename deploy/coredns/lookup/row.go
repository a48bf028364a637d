// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// row is a Record as it goes into a zone.
type row struct {
	key     string
	hashed  bool // it belongs to an NSEC3 name
	typ     uint16
	covered uint16
	ttl     uint32
	rdata   []byte
	from    int // the Record's place
}

func parseRow(record Record, origin string, originWire []byte) (row, error) {
	key, err := parseOwner(record.Owner, origin, originWire)
	if err != nil {
		return row{}, fmt.Errorf("owner: %w", err)
	}
	typ, generic, err := parseType(record.Type)
	if err != nil {
		return row{}, err
	}
	rdata, raw, err := parseData(typ, record.Data)
	if err != nil {
		return row{}, err
	}
	if err := checkRdata(typ, rdata, generic, raw); err != nil {
		return row{}, err
	}
	if typ == dns.TypeSOA && key != "" {
		return row{}, errors.New("SOA below the apex")
	}
	covered := coveredType(typ, rdata)
	return row{
		key:     key,
		hashed:  isHashedKey(key) && (typ == dns.TypeNSEC3 || covered == dns.TypeNSEC3),
		typ:     typ,
		covered: covered,
		ttl:     min(record.TTL, maxTTL),
		rdata:   rdata,
	}, nil
}

func parseOwner(owner, origin string, originWire []byte) (string, error) {
	var name wireName
	text := owner + "." + origin
	switch {
	case owner == "":
		return "", errors.New("it is empty")
	case owner == "@":
		text = origin
	case origin == ".":
		text = owner + "."
	}
	if err := name.parse(text); err != nil {
		return "", err
	}
	var buf [maxKey]byte
	key, ok := appendKey(buf[:0], name.bytes(), originWire)
	if !ok {
		return "", errors.New("not in the zone")
	}
	return string(key), nil
}

// parseType reads a mnemonic or TYPEnnn. The latter makes no claim about what is
// in the data (RFC 3597 5).
func parseType(text string) (typ uint16, generic bool, err error) {
	upper := strings.ToUpper(text)
	typ, known := dns.StringToType[upper]
	if !known {
		digits, isNumber := strings.CutPrefix(upper, "TYPE")
		value, err := strconv.ParseUint(digits, 10, 16)
		if !isNumber || err != nil {
			return 0, false, fmt.Errorf("unknown type %q", text)
		}
		typ = uint16(value)
	}
	if !isDataType(typ) {
		return 0, false, fmt.Errorf("%s is no type of data", text)
	}
	return typ, !known, nil
}

// isDataType: not of questions and meta data (RFC 6895 3.1).
func isDataType(typ uint16) bool {
	return typ != dns.TypeNone && typ != dns.TypeOPT && (typ < 128 || typ > 255)
}

// isHashedKey: one label in base32hex of a SHA-1, directly below the apex.
func isHashedKey(key string) bool {
	if len(key) != hashLabel+1 || key[hashLabel] != 0 {
		return false
	}
	for _, c := range []byte(key[:hashLabel]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'v') {
			return false
		}
	}
	return true
}
