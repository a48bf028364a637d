// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"
)

// dailyZone is like the zones that DirectAdmin makes, with more hosts if wanted.
func dailyZone(origin string, hosts int) []Record {
	records := []Record{
		{"@", "SOA", "ns1.dns-host.example. hostmaster." + origin + " 2026112701 3600 3600 1209600 86400", 3600},
		{"@", "NS", "ns1.dns-host.example.", 3600},
		{"@", "NS", "ns2.dns-host.example.", 3600},
		{"@", "A", "192.0.2.10", 3600},
		{"@", "MX", "10 mail." + origin, 3600},
		{"@", "TXT", `"v=spf1 a mx ip4:192.0.2.10 ~all"`, 3600},
		{"_dmarc", "TXT", `"v=DMARC1; p=none; sp=none; rua=mailto:postmaster@` + origin + `"`, 3600},
		{"x._domainkey", "TXT", `"v=DKIM1; k=rsa; p=` + fmt.Sprintf("%0200d", 7) + `" "` + fmt.Sprintf("%0190d", 7) + `"`, 3600},
	}
	for _, name := range []string{"ftp", "mail", "pop", "smtp", "www", "autoconfig", "autodiscover"} {
		records = append(records, Record{name, "A", "192.0.2.10", 3600})
	}
	for i := range hosts {
		records = append(records, Record{fmt.Sprintf("host%d", i), "A", fmt.Sprintf("198.51.%d.%d", i/256%256, i%256), 3600})
	}
	return records
}

func benchmarkZone(b *testing.B, how signing) *Zone {
	b.Helper()
	records := dailyZone("example.com.", 20)
	if how != none {
		text := sign(b, "example.com.", records, how, "-", 0)
		records = readMasterFile(b, "example.com.", text)
	}
	z, bad := Build("example.com.", records)
	if len(bad) > 0 {
		b.Fatal(bad)
	}
	return z
}

func BenchmarkLookup(b *testing.B) {
	plain, nsec, nsec3 := benchmarkZone(b, none), benchmarkZone(b, withNSEC), benchmarkZone(b, withNSEC3)
	for _, c := range []struct {
		name  string
		zone  *Zone
		qname string
		qtype uint16
		do    bool
	}{
		{"A", plain, "www.example.com.", dns.TypeA, false},
		{"MX", plain, "example.com.", dns.TypeMX, false},
		{"NODATA", plain, "www.example.com.", dns.TypeAAAA, false},
		{"NXDOMAIN", plain, "nope.example.com.", dns.TypeA, false},
		{"A-signed", nsec, "www.example.com.", dns.TypeA, true},
		{"NXDOMAIN-NSEC", nsec, "nope.example.com.", dns.TypeA, true},
		{"NXDOMAIN-NSEC3", nsec3, "nope.example.com.", dns.TypeA, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				c.zone.Lookup(c.qname, c.qtype, c.do)
			}
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	records := dailyZone("example.com.", 5)
	b.ReportAllocs()
	for range b.N {
		Build("example.com.", records)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}

func BenchmarkDecode(b *testing.B) {
	records := dailyZone("example.com.", 5)
	z, _ := Build("example.com.", records)
	b.ReportAllocs()
	for range b.N {
		if _, err := Decode("example.com.", z.Encode()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}
