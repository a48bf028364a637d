// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"zonefan.internal/coredns/internal/mariadbtest"
	"zonefan.internal/coredns/source"
)

// fillMany makes many zones of some records quickly.
func fillMany(s *mariadbtest.Server, zones, records int) {
	s.Exec("USE coredns; SET unique_checks = 0, foreign_key_checks = 0; START TRANSACTION; " +
		fmt.Sprintf("INSERT INTO zones (zone_name) SELECT CONCAT('z', LPAD(seq, 6, '0'), '.example.') FROM seq_0_to_%d;", zones-1) +
		"INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, '@', 'SOA', " +
		"'ns.example.net. hostmaster.example.net. 1 3600 600 86400 300', 3600, 1 FROM zones;" +
		fmt.Sprintf("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, CONCAT('h', seq), 'A', "+
			"CONCAT('192.0.2.', seq), 3600, 1 FROM zones JOIN seq_1_to_%d;", records-1) +
		"INSERT INTO zonefan_state SELECT zone_name, MD5('store'), 1, MD5(zone_name), 1, 1, 0, UTC_TIMESTAMP(6) FROM zones; COMMIT")
}

func manyName(i int) string { return fmt.Sprintf("z%06d.example.", i) }

// ask asks for n zones from the first, with some goroutines.
func ask(t *testing.T, c *Catalog, first, n int) {
	t.Helper()
	var all sync.WaitGroup
	const askers = 32
	for g := range askers {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := first + g; i < first+n; i += askers {
				if got := answer(c, "none."+manyName(i)); got != "NXDOMAIN" {
					t.Errorf("%s: %s", manyName(i), got)
					return
				}
			}
		}()
	}
	all.Wait()
}

func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

func TestMemoryIsBoundedAndEstimated(t *testing.T) {
	const zones, records, room = 4000, 40, 5 << 20
	s := mariadbtest.Start(t)
	fillMany(s, zones, records)
	before := heapInUse()
	c, _ := open(t, s, func(config *Config, _ *pace) { config.MaxMemory = 1 << 30 })
	eventually(t, "the index", c.Ready)
	ask(t, c, 0, zones) // a storm of cold zones
	stats, grown := c.Stats(), heapInUse()-before
	if stats.Loaded != zones || stats.Records != zones*records {
		t.Fatalf("%d zones and %d records are loaded", stats.Loaded, stats.Records)
	}
	t.Logf("%d zones of %d records: estimated %d bytes, %d a record; HeapInuse grew by %d", zones, records, stats.Memory,
		stats.Memory/zones/records, grown)
	if ratio := float64(grown) / float64(stats.Memory); ratio < 0.75 || ratio > 1.25 {
		t.Errorf("estimated %d bytes, HeapInuse grew by %d", stats.Memory, grown)
	}

	small, _ := open(t, s, func(config *Config, _ *pace) { config.MaxMemory = room })
	eventually(t, "the index", small.Ready)
	for first := 0; first < zones; first += 500 {
		ask(t, small, first, 500)
		if memory := small.Memory(); memory > room {
			t.Fatalf("%d bytes, and %d are the limit", memory, room)
		}
	}
	stats = small.Stats()
	if stats.Evicted == 0 || stats.Loaded == 0 || stats.Loaded+int(stats.Evicted) < zones {
		t.Errorf("%d loaded, %d evicted", stats.Loaded, stats.Evicted)
	}
}

func TestTheLongestUnusedGoFirst(t *testing.T) {
	s := mariadbtest.Start(t)
	fillMany(s, 200, 40)
	c, _ := open(t, s)
	eventually(t, "the index", c.Ready)
	ask(t, c, 0, 100)
	tick := c.tick.Load()
	eventually(t, "a second is past", func() bool { return c.tick.Load() > tick+1 })
	ask(t, c, 0, 20)
	c.config.MaxMemory = c.Memory() // from now on there is no room
	ask(t, c, 100, 20)
	for i := range 20 {
		if c.index.get(manyName(i)).held.Load() == nil {
			t.Errorf("%s was asked for a moment ago and is not there", manyName(i))
		}
	}
	if c.Stats().Evicted == 0 {
		t.Error("nothing was evicted")
	}
}

func TestAZoneLargerThanAllTheRoomIsServed(t *testing.T) {
	s := mariadbtest.Start(t)
	fillMany(s, 20, 10)
	s.Exec("INSERT INTO coredns.records (zone_id, hostname, type, data, ttl, online) SELECT id, CONCAT('x', seq), 'TXT', " +
		"CONCAT('\"', REPEAT('x', 200), '\"'), 60, 1 FROM coredns.zones JOIN seq_1_to_5000 WHERE zone_name = 'z000003.example.'")
	c, log := open(t, s, func(config *Config, _ *pace) { config.MaxMemory = 200_000 })
	eventually(t, "the index", c.Ready)
	ask(t, c, 4, 16)
	for range 3 {
		if got := answer(c, "x77.z000003.example."); got != strings.Repeat("x", 200) {
			t.Fatalf("got %.80s", got)
		}
		eventually(t, "it goes", func() bool { return c.Memory() <= 200_000 })
	}
	if loaded := c.Stats().Loaded; loaded < 16 {
		t.Errorf("others went for it: %d are left", loaded)
	}
	if n := strings.Count(log.text(), "zone z000003.example. takes"); n != 1 {
		t.Errorf("told %d times:\n%s", n, log.text())
	}
}

// The cost of a loaded zone's question: no allocation.
func TestAQuestionForALoadedZoneAllocatesNothing(t *testing.T) {
	s := mariadbtest.Start(t)
	fillMany(s, 2, 3)
	c, _ := open(t, s)
	eventually(t, "the index", c.Ready)
	ask(t, c, 0, 2)
	n := testing.AllocsPerRun(1000, func() {
		zone, _, _ := c.Find("www.z000001.example.", 1)
		if _, err := c.Zone(context.Background(), zone); err != nil {
			t.Error(err)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// bare is a catalog without a database.
func bare(zones int) *Catalog {
	c := &Catalog{config: Config{MaxMemory: 1 << 40, Log: &lines{}}, pace: usual}
	c.index.init()
	c.loads.init()
	c.keep.init()
	for i := range zones {
		c.note(source.Entry{Zone: manyName(i), Stamp: source.Stamp{Generation: 1, ChangedAt: 1}}, 1)
	}
	c.known.Store(true)
	return c
}

func TestTheIndexIsEstimated(t *testing.T) {
	const zones = 100_000
	before := heapInUse()
	c := bare(zones)
	grown := heapInUse() - before
	t.Logf("%d bytes a zone, estimated %d", grown/zones, c.Memory()/zones)
	if ratio := float64(grown) / float64(c.Memory()); ratio < 0.75 || ratio > 1.25 {
		t.Errorf("estimated %d bytes, HeapInuse grew by %d", c.Memory(), grown)
	}
	runtime.KeepAlive(c)
}

func BenchmarkFindAmongAMillion(b *testing.B) {
	c := bare(1_000_000)
	names := make([]string, 1000)
	for i := range names {
		names[i] = "a.b." + manyName(i*997)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if _, known, _ := c.Find(names[i%len(names)], 1); !known {
			b.Fatal("not found")
		}
	}
}

func BenchmarkCompareAMillion(b *testing.B) {
	c := bare(1_000_000)
	b.ResetTimer()
	for pass := range b.N {
		for i := range 1_000_000 {
			c.note(source.Entry{Zone: manyName(i), Stamp: source.Stamp{Generation: 1, ChangedAt: 1}}, uint32(pass+2))
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/comparison")
}

func TestManyChangesASecond(t *testing.T) {
	s := mariadbtest.Start(t)
	fillMany(s, 1000, 10)
	c, _ := open(t, s, func(config *Config, _ *pace) { config.Refresh = 200 * time.Millisecond })
	eventually(t, "the index", c.Ready)
	ask(t, c, 0, 1000)
	for g := 2; g < 12; g++ {
		s.Exec(fmt.Sprintf("USE coredns; START TRANSACTION; UPDATE records SET data = 'ns.example.net. hostmaster.example.net. %[1]d 3600 600 86400 300' "+
			"WHERE type = 'SOA'; UPDATE zonefan_state SET generation = %[1]d, changed_at = UTC_TIMESTAMP(6); COMMIT", g))
		eventually(t, "1,000 changes", func() bool {
			done := true
			c.index.each(func(e *entry) { done = done && e.held.Load().zone.Serial() == uint32(g) })
			return done
		})
	}
}
