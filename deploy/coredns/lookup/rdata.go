// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// parseData gives the wire form of RDATA text; raw tells that it was hex digits,
// which nothing has understood yet. The text has to be one record by itself: a line
// break could begin another one, or a directive.
func parseData(typ uint16, data string) (rdata []byte, raw bool, err error) {
	data = strings.Trim(data, " \t")
	if strings.ContainsAny(data, "\n\r\x00") {
		return nil, false, errors.New("data with a line break or NUL")
	}
	if data == "" {
		return nil, false, checkEmpty(typ)
	}
	if fields := strings.Fields(data); len(fields) > 0 && fields[0] == `\#` {
		rdata, err = parseGeneric(fields[1:])
		return rdata, true, err
	}
	rr, err := parseText(typ, data)
	if err != nil && (typ == dns.TypeSVCB || typ == dns.TypeHTTPS) {
		rr, err = parseText(typ, nameKeys(data))
	}
	if err != nil {
		return nil, false, err
	}
	rdata, err = packData(rr)
	return rdata, false, err
}

func parseText(typ uint16, data string) (dns.RR, error) {
	parser := dns.NewZoneParser(strings.NewReader(". 0 IN "+dns.Type(typ).String()+" "+data+"\n"), ".", "")
	rr, ok := parser.Next()
	if err := parser.Err(); err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("no data")
	}
	return rr, nil
}

var numberedKey = regexp.MustCompile(`[ \t]key[0-9]+`)

// nameKeys gives SvcParamKeys the names under which alone miekg/dns takes them.
// libknot writes those that it does not know yet as keyNNN (RFC 9460 2.1).
func nameKeys(data string) string {
	return numberedKey.ReplaceAllStringFunc(data, func(key string) string {
		number, err := strconv.ParseUint(key[len(" key"):], 10, 16)
		if err != nil {
			return key
		}
		return " " + dns.SVCBKey(number).String()
	})
}

// checkEmpty: of the types that have text at all, only APL may have none (RFC
// 3123 5).
func checkEmpty(typ uint16) error {
	if typ != dns.TypeAPL {
		return errors.New("no data")
	}
	return nil
}

// parseGeneric reads the length and hex digits of RFC 3597 5.
func parseGeneric(fields []string) ([]byte, error) {
	if len(fields) == 0 {
		return nil, errors.New(`\# without a length`)
	}
	size, err := strconv.ParseUint(fields[0], 10, 16)
	if err != nil {
		return nil, fmt.Errorf(`\# with a bad length: %w`, err)
	}
	rdata, err := hex.DecodeString(strings.Join(fields[1:], ""))
	if err != nil {
		return nil, fmt.Errorf(`\# with bad digits: %w`, err)
	}
	if len(rdata) != int(size) {
		return nil, fmt.Errorf(`\# has %d octets and says %d`, len(rdata), size)
	}
	return rdata, nil
}

func packData(rr dns.RR) ([]byte, error) {
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
	return buf[header:end:end], nil
}

// checkRdata refuses what is no data of the type. Data of a generic type (TYPEnnn)
// can be anything, but for the types that lookup itself reads.
func checkRdata(typ uint16, rdata []byte, generic, raw bool) error {
	if len(rdata) > math.MaxUint16 {
		return errors.New("data longer than 65535 octets")
	}
	if generic && typ != dns.TypeSOA && typ != dns.TypeCNAME && typ != dns.TypeDNAME {
		return nil
	}
	header := dns.RR_Header{Name: ".", Rrtype: typ, Class: dns.ClassINET, Rdlength: uint16(len(rdata))}
	rr, _, err := dns.UnpackRRWithHeader(header, rdata, 0)
	if err != nil {
		return fmt.Errorf("data of %s: %w", dns.Type(typ), err)
	}
	if len(rdata) == 0 && typ != dns.TypeAPL {
		return fmt.Errorf("%s without data", dns.Type(typ))
	}
	if raw && !isWhole(rr, rdata) {
		return fmt.Errorf("data of %s that ends too early, or is compressed", dns.Type(typ))
	}
	return nil
}

// isWhole tells whether data has all fields of its type: miekg/dns is content with
// the first ones, and readSOA is not. What is left out is packed as zero, but for
// names and digests, which are packed as nothing.
func isWhole(rr dns.RR, rdata []byte) bool {
	packed, err := packData(rr)
	if err != nil || len(packed) != len(rdata) {
		return false
	}
	fields := reflect.ValueOf(rr).Elem()
	for i := range fields.NumField() {
		switch fields.Type().Field(i).Tag.Get("dns") {
		case "domain-name", "cdomain-name", "hex":
			if fields.Field(i).Len() == 0 {
				return false
			}
		}
	}
	return true
}
