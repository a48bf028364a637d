// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"reflect"
	"sort"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// record is a resource record made comparable: names in lower case, no
// compression, class IN understood.
type record struct {
	owner  string // presentation form
	rrtype uint16
	ttl    uint32
	data   string // RDATA on the wire
	rr     dns.RR
}

func (r record) less(other record) bool {
	if r.owner != other.owner {
		return r.owner < other.owner
	}
	if r.rrtype != other.rrtype {
		return r.rrtype < other.rrtype
	}
	if r.data != other.data {
		return r.data < other.data
	}
	return r.ttl < other.ttl
}

func (r record) equal(other record) bool {
	return r.owner == other.owner && r.rrtype == other.rrtype && r.ttl == other.ttl && r.data == other.data
}

// text is the record as zone text, with the TTL that it has by now.
func (r record) text() string {
	rr := dns.Copy(r.rr)
	rr.Header().Ttl = r.ttl
	return rr.String()
}

var rooms = sync.Pool{New: func() any { return new([dns.MaxMsgSize]byte) }}

// canonical makes a section comparable; the records become the callee's.
func canonical(section []dns.RR) ([]record, error) {
	records := make([]record, 0, len(section))
	room := rooms.Get().(*[dns.MaxMsgSize]byte)
	defer rooms.Put(room)
	for _, rr := range section {
		header := rr.Header()
		header.Name = strings.ToLower(header.Name)
		for _, target := range namesIn(rr) {
			*target = strings.ToLower(*target)
		}
		end, err := dns.PackRR(rr, room[:], 0, nil, false)
		if err != nil {
			return nil, err
		}
		start, err := dns.PackDomainName(header.Name, room[:], 0, nil, false)
		if err != nil {
			return nil, err
		}
		// the packed owner is in its place already: its length is what was wanted
		records = append(records, record{header.Name, header.Rrtype, header.Ttl, string(room[start+10 : end]), rr})
	}
	sort.Slice(records, func(i, j int) bool { return records[i].less(records[j]) })
	return records, nil
}

// nameFields has, for a type of RR, the places of its fields that hold names.
var nameFields sync.Map

func fieldsOf(rrtype reflect.Type) []int {
	if known, ok := nameFields.Load(rrtype); ok {
		return known.([]int)
	}
	var found []int
	for i := range rrtype.NumField() {
		switch rrtype.Field(i).Tag.Get("dns") {
		case "domain-name", "cdomain-name":
			found = append(found, i)
		}
	}
	nameFields.Store(rrtype, found)
	return found
}

// namesIn returns the names in a record's RDATA, to be read or changed.
func namesIn(rr dns.RR) []*string {
	value := reflect.ValueOf(rr).Elem()
	switch value.Interface().(type) {
	case dns.HTTPS: // has its fields in an SVCB
		value = value.FieldByName("SVCB")
	}
	var found []*string
	for _, i := range fieldsOf(value.Type()) {
		switch field := value.Field(i).Addr().Interface().(type) {
		case *string:
			found = append(found, field)
		case *[]string:
			for j := range *field {
				found = append(found, &(*field)[j])
			}
		}
	}
	return found
}
