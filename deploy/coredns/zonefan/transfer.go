// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"context"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"zonefan.internal/coredns/lookup"
)

const (
	transferBatch = 100 // records handed over at once
	// The transfer plugin does not tell when it gave up; a client that takes
	// nothing for so long has been given up by it.
	transferStall = time.Minute
)

// Transfer implements transfer.Transferer: all of zone as it is now, or its SOA
// alone where serial is no older (RFC 1995 4, compared as RFC 1982 has it).
func (z *Zonefan) Transfer(zone string, serial uint32) (<-chan []dns.RR, error) {
	zone = strings.ToLower(zone)
	found, known, err := z.find(zone, dns.TypeAXFR)
	if err != nil {
		return nil, err
	}
	if !known || found != zone {
		return nil, transfer.ErrNotAuthoritative
	}
	version, err := z.catalog.Load().Zone(context.Background(), zone)
	if err != nil {
		return nil, err
	}
	records := make(chan []dns.RR)
	go func() {
		defer close(records)
		sendZone(version, serial != 0 && !serialOlder(serial, version.Serial()), records, transferStall)
	}()
	return records, nil
}

// serialOlder compares serials in their own arithmetic (RFC 1982 3.2).
func serialOlder(a, b uint32) bool { return int32(a-b) < 0 }

// sendZone ends early if nobody takes a record for the time of stall. Without the second SOA the
// other side knows then that they are not all.
func sendZone(zone *lookup.Zone, soaOnly bool, records chan<- []dns.RR, stall time.Duration) {
	timer := time.NewTimer(stall)
	defer timer.Stop()
	send := func(batch []dns.RR) bool {
		timer.Reset(stall)
		select {
		case records <- batch:
			return true
		case <-timer.C:
			return false
		}
	}
	var soa dns.RR
	var batch []dns.RR
	taken := true
	zone.All(func(record dns.RR) bool {
		if soa == nil {
			soa = record
		}
		batch = append(batch, record)
		if len(batch) == transferBatch {
			taken = send(batch)
			batch = nil
		}
		return taken && !soaOnly
	})
	if soaOnly {
		send([]dns.RR{soa})
	} else if taken && soa != nil {
		send(append(batch, soa))
	}
}
