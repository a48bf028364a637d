// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"errors"
	"fmt"
	"math"
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
	typ, err := parseType(record.Type)
	if err != nil {
		return row{}, err
	}
	rdata, err := parseData(typ, record.Data)
	if err != nil {
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

func parseType(text string) (uint16, error) {
	upper := strings.ToUpper(text)
	typ, ok := dns.StringToType[upper]
	if !ok {
		digits, isNumber := strings.CutPrefix(upper, "TYPE")
		value, err := strconv.ParseUint(digits, 10, 16)
		if !isNumber || err != nil {
			return 0, fmt.Errorf("unknown type %q", text)
		}
		typ = uint16(value)
	}
	// RFC 6895 3.1: 128 to 255 are of questions and meta data, as is OPT
	if typ == dns.TypeNone || typ == dns.TypeOPT || typ >= 128 && typ <= 255 {
		return 0, fmt.Errorf("%s is no type of data", text)
	}
	return typ, nil
}

// parseData gives the wire form of RDATA text. The text has to be one record by
// itself: a line break could begin another one, or a directive.
func parseData(typ uint16, data string) ([]byte, error) {
	if strings.ContainsAny(data, "\n\r\x00") {
		return nil, errors.New("data with a line break or NUL")
	}
	if strings.TrimSpace(data) == "" {
		return nil, errors.New("no data")
	}
	parser := dns.NewZoneParser(strings.NewReader(". 0 IN "+dns.Type(typ).String()+" "+data+"\n"), ".", "")
	rr, ok := parser.Next()
	if err := parser.Err(); err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("no data")
	}
	return packData(typ, rr)
}

func packData(typ uint16, rr dns.RR) ([]byte, error) {
	const header = 11 // root owner, type, class, TTL, length
	buf := make([]byte, dns.Len(rr))
	end, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		// some lengths are guessed too low
		buf = make([]byte, header+math.MaxUint16)
		if end, err = dns.PackRR(rr, buf, 0, nil, false); err != nil {
			return nil, err
		}
	}
	rdata := buf[header:end:end]
	if err := checkRdata(typ, rdata); err != nil {
		return nil, err
	}
	return rdata, nil
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
