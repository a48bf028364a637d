// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"zonefan.internal/coredns/catalog"
	"zonefan.internal/coredns/lookup"
	"zonefan.internal/coredns/snapshot"
	"zonefan.internal/coredns/source"
)

// sink takes answers as a server's socket would, packed.
type sink struct {
	dns.ResponseWriter
	buffer []byte
	rcode  int
}

func (s *sink) RemoteAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 53} }

func (s *sink) WriteMsg(m *dns.Msg) (err error) {
	s.rcode = m.Rcode
	_, err = m.PackBuffer(s.buffer)
	return err
}

// What the plugin costs in all: a question parsed, its answer packed; without
// the network and the rest of CoreDNS.
func BenchmarkServeDNS(b *testing.B) {
	path := filepath.Join(b.TempDir(), "s")
	f, err := snapshot.Open(path, log)
	if err != nil {
		b.Fatal(err)
	}
	var rows []lookup.Record
	for _, line := range strings.Split(zoneText(7), "\n") {
		field := strings.SplitN(strings.TrimSpace(line), " ", 4)
		rows = append(rows, lookup.Record{Owner: field[0], TTL: 300, Type: field[2], Data: field[3]})
	}
	zone, bad := lookup.Build(shop, rows)
	if len(bad) > 0 {
		b.Fatal(bad)
	}
	f.Put([]snapshot.Item{{Zone: shop, Stamp: source.Stamp{Generation: 1}, Payload: zone.Encode()}})
	f.Close()
	c, err := catalog.Open(catalog.Config{Source: source.Config{DSN: "reader@tcp(127.0.0.1:1)/coredns", ZonesTable: "zones",
		RecordsTable: "records", StateTable: "zonefan_state"}, Refresh: defaultRefresh, MaxMemory: defaultMaxMemory, Snapshot: path, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	z := &Zonefan{origins: plugin.Zones{"."}}
	z.catalog.Store(c)
	for name, want := range map[string]int{"www." + shop: dns.RcodeSuccess, "none." + shop: dns.RcodeNameError} {
		query, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
		if err != nil {
			b.Fatal(err)
		}
		b.Run(dns.RcodeToString[want], func(b *testing.B) {
			b.ReportAllocs()
			w := &sink{buffer: make([]byte, 4096)}
			for range b.N {
				m := new(dns.Msg)
				if err := m.Unpack(query); err != nil {
					b.Fatal(err)
				}
				if rcode, err := z.ServeDNS(context.Background(), w, m); rcode != want || w.rcode != want || err != nil {
					b.Fatal(rcode, w.rcode, err)
				}
			}
		})
	}
}
