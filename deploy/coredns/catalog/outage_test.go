// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zonefan.internal/coredns/internal/mariadbtest"
)

func withSnapshot(path string) func(*Config, *pace) {
	return func(config *Config, _ *pace) { config.Snapshot = path }
}

// fill makes zones z000.example. and on, each with its number as text.
func fill(t *testing.T, s *mariadbtest.Server, zones int) {
	t.Helper()
	var all strings.Builder
	for i := range zones {
		all.WriteString(putText(zoneName(i), 1, fmt.Sprint(i)) + ";")
	}
	s.Exec(all.String())
}

func zoneName(i int) string { return fmt.Sprintf("z%03d.example.", i) }

func kept(c *Catalog, zones int) func() bool {
	return func() bool { return c.Stats().SnapshotZones == zones }
}

// Loaded zones go on while the database is killed, frozen and restarted, others
// come from the snapshot, and nobody waits once it is known to be away.
func TestOutages(t *testing.T) {
	const zones, loaded = 60, 20
	s := mariadbtest.Start(t)
	fill(t, s, zones)
	c, _ := open(t, s, withSnapshot(filepath.Join(t.TempDir(), "zones")), func(_ *Config, p *pace) { p.patience = time.Second })
	eventually(t, "the snapshot is complete", kept(c, zones))
	for i := range loaded {
		if got := answer(c, "t."+zoneName(i)); got != fmt.Sprint(i) {
			t.Fatalf("%s: %s", zoneName(i), got)
		}
	}
	stop := make(chan struct{})
	var wrong atomic.Pointer[string]
	var asked atomic.Int64
	var all sync.WaitGroup
	for g := range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := g; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				zone := zoneName(i % loaded)
				if got := answer(c, "t."+zone); got != fmt.Sprint(i%loaded) {
					text := zone + ": " + got
					wrong.Store(&text)
				}
				asked.Add(1)
			}
		}()
	}
	outage := func(what string, begin, end func(), first int) {
		begin()
		for i := first; i < first+10; i++ { // not loaded before
			if got := answer(c, "t."+zoneName(i)); got != fmt.Sprint(i) {
				t.Errorf("%s: %s: %s", what, zoneName(i), got)
			}
		}
		eventually(t, what+" is noticed", func() bool { return !c.well.Load() })
		end()
		eventually(t, what+" is over", c.well.Load)
	}
	outage("killed", s.Kill, s.Up, 20)
	outage("frozen", s.Freeze, s.Thaw, 30)
	put(t, s, zoneName(5), 2, "5") // another version with the same answer
	outage("killed again", s.Kill, s.Up, 40)
	close(stop)
	all.Wait()
	if text := wrong.Load(); text != nil {
		t.Errorf("of %d answers one was wrong at least: %s", asked.Load(), *text)
	}
	put(t, s, zoneName(3), 3, "after")
	eventually(t, "a change after all", func() bool { return answer(c, "t."+zoneName(3)) == "after" })
}

func TestWithoutSnapshotAQuestionWaitsOnce(t *testing.T) {
	s := mariadbtest.Start(t)
	fill(t, s, 10)
	c, _ := open(t, s, func(_ *Config, p *pace) { p.patience = 300 * time.Millisecond })
	eventually(t, "the index", c.Ready)
	s.Freeze()
	defer s.Thaw()
	if got := answer(c, "t."+zoneName(1)); got != ErrNotThere.Error() {
		t.Fatalf("frozen: %s", got)
	}
	began := time.Now()
	for range 1000 {
		if got := answer(c, "t."+zoneName(2)); got != ErrNotThere.Error() {
			t.Fatalf("frozen: %s", got)
		}
	}
	// a thousand that waited would take a thousand times the patience
	if took := time.Since(began); took > 100*c.pace.patience {
		t.Errorf("1,000 answers took %v", took)
	}
	s.Thaw()
	eventually(t, "all is well again", func() bool { return answer(c, "t."+zoneName(2)) == "2" })
}

func TestWhatCouldNotBeReloadedIsReloadedLater(t *testing.T) {
	s := mariadbtest.Start(t)
	fill(t, s, 3)
	c, _ := open(t, s, func(_ *Config, p *pace) { p.fullEvery, p.wideEvery = time.Hour, time.Hour })
	eventually(t, "the zone", func() bool { return answer(c, "t."+zoneName(1)) == "1" })
	// only the versions can't be read: the polls go on, and their window passes
	s.Exec("ALTER TABLE coredns.records RENAME TO coredns.hidden")
	s.Exec("UPDATE coredns.hidden SET data = '\"new\"' WHERE hostname = 't'; " +
		"UPDATE coredns.zonefan_state SET generation = 2, changed_at = UTC_TIMESTAMP(6)")
	eventually(t, "the loads fail", func() bool { return c.Stats().LoadErrors > 0 })
	polled := time.Now()
	eventually(t, "the window is past", func() bool { return c.Stats().Refreshed.After(polled.Add(2 * c.pace.window)) })
	if got := answer(c, "t."+zoneName(1)); got != "1" {
		t.Fatalf("meanwhile: %s", got)
	}
	s.Exec("ALTER TABLE coredns.hidden RENAME TO coredns.records")
	eventually(t, "the new version", func() bool { return answer(c, "t."+zoneName(1)) == "new" })
}

func TestNoVersionMixes(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "mix.example.", 1, "1", "1")
	c, _ := open(t, s, func(config *Config, _ *pace) { config.Refresh = time.Millisecond })
	eventually(t, "the zone", func() bool { return answer(c, "t.mix.example.") == "1" }) // equal records are one
	ctx, stop := context.WithTimeout(context.Background(), 4*time.Second)
	defer stop()
	written := make(chan int, 1)
	go func() {
		g := 2
		for ; ctx.Err() == nil; g++ {
			text := fmt.Sprint(g)
			if _, err := s.DB().Exec(putText("mix.example.", g, text, text)); err != nil {
				t.Error(err)
				break
			}
		}
		written <- g - 1
	}()
	seen := map[string]bool{}
	for ctx.Err() == nil {
		got := answer(c, "t.mix.example.")
		if strings.Contains(got, " ") {
			t.Fatalf("two versions in one: %s", got)
		}
		seen[got] = true
	}
	last := <-written
	if len(seen) < 20 {
		t.Errorf("only %d of %d versions were seen", len(seen), last)
	}
	eventually(t, "the last version", func() bool { return answer(c, "t.mix.example.") == fmt.Sprint(last) })
}

func TestAThousandQuestionsAreOneLoad(t *testing.T) {
	s := mariadbtest.Start(t)
	fill(t, s, 3)
	c, _ := open(t, s)
	eventually(t, "the index", c.Ready)
	var all sync.WaitGroup
	for range 1000 {
		all.Add(1)
		go func() {
			defer all.Done()
			if got := answer(c, "t."+zoneName(1)); got != "1" {
				t.Errorf("got %s", got)
			}
		}()
	}
	all.Wait()
	if n := c.Stats().FromDatabase; n != 1 {
		t.Errorf("%d loads", n)
	}
}

func TestADatabaseThatIsAwayIsNotStormed(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "cold.example.", 1, "good")
	c, _ := open(t, s)
	eventually(t, "the index", c.Ready)
	s.Kill()
	asked := 0
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); asked++ {
		answer(c, "t.cold.example.")
	}
	if n := c.Stats().LoadErrors; n > 100 {
		t.Errorf("%d loads were tried for %d questions", n, asked)
	}
}
