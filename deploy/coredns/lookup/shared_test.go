// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// TestAnswersAreTheCallers: other plugins change the records that they are
// given; the next one who asks sees nothing of it.
func TestAnswersAreTheCallers(t *testing.T) {
	z := mustBuild(t, "example.com.", small)
	ask := func() string {
		var text string
		for _, name := range []string{"mail", "alias", "x.wild", "x.sub", "none", "x.old", "a.b.ent"} {
			for _, qtype := range []uint16{dns.TypeA, dns.TypeTXT, 65400} {
				a := z.Lookup(name+".example.com.", qtype, true)
				text += fmt.Sprint(a)
				for _, rrs := range [][]dns.RR{a.Answer, a.Authority, a.Additional} {
					spoil(rrs)
				}
			}
		}
		z.All(func(rr dns.RR) bool {
			text += rr.String()
			spoil([]dns.RR{rr})
			return true
		})
		return text
	}
	encoded := string(z.Encode())
	if first, second := ask(), ask(); first != second {
		t.Errorf("answers differ:\n%s\n%s", first, second)
	}
	if encoded != string(z.Encode()) {
		t.Error("the zone has changed")
	}
}

func spoil(rrs []dns.RR) {
	for i, rr := range rrs {
		header := rr.Header()
		header.Name, header.Ttl = "spoilt.", 1
		switch rr := rr.(type) {
		case *dns.A:
			for k := range rr.A {
				rr.A[k] = 9
			}
		case *dns.TXT:
			for k := range rr.Txt {
				rr.Txt[k] = "spoilt"
			}
		case *dns.SOA:
			rr.Serial, rr.Ns = 9, "spoilt."
		case *dns.NS:
			rr.Ns = "spoilt."
		}
		rrs[i] = nil
	}
}

// TestConcurrentReaders is for the race detector, and compares answers too.
func TestConcurrentReaders(t *testing.T) {
	zones := hardZones(t)
	var readers sync.WaitGroup
	for i := range 8 {
		z := zones[i%len(zones)]
		readers.Add(1)
		go func() {
			defer readers.Done()
			want := fmt.Sprint(z.Lookup("q.z.example.", dns.TypeA, true))
			for range 20 {
				use(z, "z.example.", "q.z.example.")
				if got := fmt.Sprint(z.Lookup("q.z.example.", dns.TypeA, true)); got != want {
					t.Errorf("%s, before %s", got, want)
				}
			}
		}()
	}
	readers.Wait()
}

// TestSize holds what Size says against the heap.
func TestSize(t *testing.T) {
	for _, c := range []struct{ zones, hosts int }{{2000, 5}, {500, 100}, {5, 20000}} {
		t.Run(fmt.Sprintf("%d hosts", c.hosts), func(t *testing.T) {
			zones := make([]*Zone, c.zones)
			before := heap()
			said, records := 0, 0
			for i := range zones {
				origin := fmt.Sprintf("zone%d.example.", i)
				zones[i], _ = Build(origin, dailyZone(origin, c.hosts))
				said += zones[i].Size()
				records += zones[i].Len()
			}
			measured := int(heap() - before)
			runtime.KeepAlive(zones)
			t.Logf("%.1f bytes per record; Size says %.1f", float64(measured)/float64(records), float64(said)/float64(records))
			if said < measured*3/4 || said > measured*5/4 {
				t.Errorf("Size says %d, the heap %d", said, measured)
			}
		})
	}
}

func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
