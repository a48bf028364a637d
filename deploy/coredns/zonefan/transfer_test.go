// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"zonefan.internal/coredns/lookup"
)

// fetch does a transfer; the records come as sorted text, but for the first and
// the last one.
func (s *server) fetch(m *dns.Msg) (records []string, messages int, err error) {
	s.t.Helper()
	envelopes, err := (&dns.Transfer{ReadTimeout: limit}).In(m, s.address)
	if err != nil {
		return nil, 0, err
	}
	for e := range envelopes {
		if e.Error != nil {
			err = e.Error
			continue
		}
		messages++
		for _, rr := range e.RR {
			records = append(records, rr.String())
		}
	}
	if len(records) > 2 {
		slices.Sort(records[1 : len(records)-1])
	}
	return records, messages, err
}

func axfr() *dns.Msg { return new(dns.Msg).SetAxfr(shop) }

func ixfr(serial uint32) *dns.Msg {
	return new(dns.Msg).SetIxfr(shop, serial, "ns1.host.example.", "h.host.example.")
}

func TestAWholeZoneIsTransferred(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(5))
	s := serve(t, "transfer {\n to *\n }", db.block())
	s.waitAnswer(shop, dns.TypeSOA, "NOERROR aa ["+soa(5)+"] [] []")
	soaLine := "shop.example.\t3600\tIN\t" + strings.Replace(soa(5), " ", "\t", 1)
	want := []string{soaLine,
		"*.wild.shop.example.\t300\tIN\tTXT\t\"v5\"",
		"ns.sub.shop.example.\t3600\tIN\tA\t198.51.100.53",
		"shop.example.\t300\tIN\tA\t192.0.2.5",
		"shop.example.\t3600\tIN\tNS\tns1.host.example.",
		"sub.shop.example.\t3600\tIN\tNS\tns.sub.shop.example.",
		"www.shop.example.\t300\tIN\tA\t192.0.2.5",
		soaLine}
	upper := axfr()
	upper.Question[0].Name = "SHOP.example."
	for name, m := range map[string]*dns.Msg{"AXFR": axfr(), "in other case": upper, "IXFR from an older serial": ixfr(4)} {
		if got, _, err := s.fetch(m); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v\n%s", name, err, strings.Join(got, "\n"))
		}
	}
	for _, serial := range []uint32{5, 6, 5 + 1<<31 - 1} {
		answer := s.exchange("tcp", ixfr(serial))
		if len(answer.Answer) != 1 || answer.Answer[0].String() != soaLine {
			t.Errorf("IXFR from %d: %v", serial, answer.Answer)
		}
	}
}

func TestWhatIsNotTransferred(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(5))
	s := serve(t, "transfer shop.example {\n to 192.0.2.99\n }\n transfer example.org www.shop.example {\n to *\n }", db.block())
	s.waitAnswer(shop, dns.TypeSOA, "NOERROR aa ["+soa(5)+"] [] []")
	for _, name := range []string{shop, "www." + shop, "example.org.", "net."} {
		if got := said(s.exchange("tcp", new(dns.Msg).SetAxfr(name))); !strings.HasSuffix(got, "REFUSED [] [] []") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// More than fits into one message, with 500 records and fewer.
func TestALargeZoneIsTransferredWhole(t *testing.T) {
	db := newDatabase(t)
	s := serve(t, "transfer {\n to *\n }", db.block())
	for version, size := range []struct{ records, bytes int }{{400, 250}, {3000, 250}, {3, 60_000}} {
		var text strings.Builder
		text.WriteString(zoneText(version + 1))
		for i := range size.records {
			strings := strings.Repeat(` "`+strings.Repeat("x", 250)+`"`, size.bytes/250)
			fmt.Fprintf(&text, "\nr%d 300 TXT%s", i, strings)
		}
		db.put(shop, text.String())
		s.waitAnswer(shop, dns.TypeSOA, "NOERROR aa ["+soa(version+1)+"] [] []")
		got, messages, err := s.fetch(axfr())
		if err != nil || len(got) != 8+size.records || len(slices.Compact(got[1:])) != 7+size.records {
			t.Errorf("%d records of %d bytes: %d came: %v", size.records, size.bytes, len(got), err)
		}
		if messages < 2 {
			t.Errorf("%d records of %d bytes came in %d message", size.records, size.bytes, messages)
		}
	}
}

func TestATransferThatNobodyTakesEnds(t *testing.T) {
	zone, bad := lookup.Build(shop, []lookup.Record{
		{Owner: "@", Type: "SOA", TTL: 1, Data: strings.TrimPrefix(soa(1), "SOA ")},
	})
	if zone == nil {
		t.Fatal(bad)
	}
	ended := make(chan struct{})
	go func() {
		sendZone(zone, false, make(chan []dns.RR), time.Millisecond)
		close(ended)
	}()
	receive(t, ended, "the transfer ends")
}

// secondary is who is told of changes; it answers each NOTIFY.
func secondary(t *testing.T) (address string, told <-chan string) {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	zones := make(chan string, 1000)
	s := &dns.Server{PacketConn: socket, MsgAcceptFunc: func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
			if m.Opcode == dns.OpcodeNotify {
				zones <- m.Question[0].Name
			}
			w.WriteMsg(new(dns.Msg).SetReply(m))
		})}
	go s.ActivateAndServe()
	t.Cleanup(func() { s.Shutdown() })
	return socket.LocalAddr().String(), zones
}

func TestSecondariesAreToldOfChangesThatTheyCanSee(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(1))
	db.put("quiet.example.", zoneText(1))
	address, notified := secondary(t)
	s := serve(t, "transfer {\n to "+address+"\n }", db.block())
	s.waitAnswer(shop, dns.TypeSOA, "NOERROR aa ["+soa(1)+"] [] []")
	for serial := 2; serial <= 5; serial++ {
		db.put(shop, zoneText(serial))
		for {
			if zone := receive(t, notified, "a NOTIFY"); zone != shop {
				t.Fatalf("told of %s", zone)
			}
			// it may be told twice of one version, but not before it can be fetched
			answer := s.ask(shop, dns.TypeSOA)
			if len(answer.Answer) == 1 && answer.Answer[0].(*dns.SOA).Serial == uint32(serial) {
				break
			}
		}
	}
	for _, zone := range []string{"new.example.", "quiet.example."} { // a new one, and one that nobody asked for
		db.put(zone, zoneText(2))
		for told := shop; told != zone; {
			if told = receive(t, notified, "a NOTIFY of "+zone); told != shop && told != zone {
				t.Fatalf("told of %s instead of %s", told, zone)
			}
		}
	}
}
