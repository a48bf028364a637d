// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"zonefan.internal/coredns/internal/mariadbtest"
	"zonefan.internal/coredns/snapshot"
	"zonefan.internal/coredns/source"
)

func TestTheSnapshotIsCompleteWithoutQuestions(t *testing.T) {
	const zones = 150 // more than two batches
	s := mariadbtest.Start(t)
	fill(t, s, zones)
	path := filepath.Join(t.TempDir(), "zones")
	first, _ := open(t, s, withSnapshot(path))
	eventually(t, "all zones are kept", kept(first, zones))
	if loaded := first.Stats().Loaded; loaded != 0 {
		t.Errorf("%d zones are in memory, and nobody asked", loaded)
	}
	remove(t, s, zoneName(7), 2)
	eventually(t, "a deleted zone leaves it", kept(first, zones-1))
	put(t, s, zoneName(8), 2, "changed")
	e := first.index.get(zoneName(8))
	eventually(t, "a changed one is written", func() bool {
		stamp, ok := first.keep.open().Stamp(zoneName(8))
		return ok && stamp.Generation == 2 && stamp == e.version()
	})

	s.Kill()
	second, log := open(t, s, func(config *Config, _ *pace) { config.Snapshot = path })
	if !second.Ready() {
		t.Fatal("not ready with a good snapshot")
	}
	for i := range zones {
		want := fmt.Sprint(i)
		if i == 7 {
			want = "no zone"
		} else if i == 8 {
			want = "changed"
		}
		if got := answer(second, "t."+zoneName(i)); got != want {
			t.Fatalf("with the database down: %s: %s", zoneName(i), got)
		}
	}
	if !strings.Contains(log.text(), "149 zones") {
		t.Errorf("the log does not tell of the snapshot:\n%s", log.text())
	}
	s.Up()
	remove(t, s, zoneName(9), 2)
	put(t, s, zoneName(10), 2, "newer")
	eventually(t, "what changed meanwhile", func() bool {
		return answer(second, "t."+zoneName(9)) == "no zone" && answer(second, "t."+zoneName(10)) == "newer"
	})
}

// A zone that the database refuses, or does not give in time, keeps no other one out.
func TestAZoneThatCannotBeReadKeepsNoOtherOut(t *testing.T) {
	const zones = 40 // one batch
	for _, test := range []struct{ name, data, told string }{
		{"refused", "(SELECT z.id FROM coredns.zones z WHERE z.id >= r.zone_id - 1)", "Subquery returns more than 1 row"},
		{"slow", "SLEEP(3)", "no answer in time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := mariadbtest.Start(t)
			fill(t, s, zones)
			read := func(data string) {
				s.Exec("CREATE OR REPLACE VIEW coredns.hindered AS SELECT zone_id, hostname, type, ttl, online, " + data + " AS data FROM coredns.records r")
			}
			read("IF(zone_id = (SELECT MIN(id) + 7 FROM coredns.zones), " + test.data + ", data)")
			c, log := open(t, s, withSnapshot(filepath.Join(t.TempDir(), "zones")), func(config *Config, p *pace) {
				config.Source.RecordsTable, p.loadLimit = "hindered", time.Second
			})
			eventually(t, "all others are kept", kept(c, zones-1))
			eventually(t, "it is told", func() bool {
				return strings.Contains(log.text(), "error: zone "+zoneName(7)+" is not brought up to date in the snapshot: ") &&
					strings.Contains(log.text(), test.told)
			})
			if c.Stats().SnapshotErrors == 0 {
				t.Error("it is not counted")
			}
			put(t, s, zoneName(1), 2, "changed")
			eventually(t, "a change is written", func() bool {
				stamp, ok := c.keep.open().Stamp(zoneName(1))
				return ok && stamp.Generation == 2
			})
			if got := log.text(); strings.Contains(got, "over after") {
				t.Errorf("it is told as over:\n%s", got)
			}
			read("data")
			eventually(t, "it is kept when it can be read", kept(c, zones))
			eventually(t, "its end is told", func() bool { return strings.Contains(log.text(), "over after") })
		})
	}
}

// What the snapshot's pass did not come to yet is known by name: a start without
// the database does not call it absent.
func TestAnUnfinishedSnapshotKnowsAllNames(t *testing.T) {
	const zones, written = 40, 5
	s := mariadbtest.Start(t)
	fill(t, s, zones)
	s.Exec("UPDATE coredns.records r JOIN coredns.zones z ON z.id = r.zone_id SET r.data = 'nowhere', r.type = 'A' " +
		"WHERE r.type = 'TXT' AND z.zone_name = 'z000.example.'") // this one is never written
	path := filepath.Join(t.TempDir(), "zones")
	first, _ := open(t, s, withSnapshot(path), func(_ *Config, p *pace) { p.batch, p.keepRest = 3, 200 })
	eventually(t, "some are written", func() bool { return first.Stats().SnapshotZones >= written })
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if first.Stats().SnapshotZones == zones {
		t.Fatal("the pass is over already")
	}
	s.Kill()
	if err = os.WriteFile(path+".copy", data, 0o600); err != nil {
		t.Fatal(err)
	}
	second, _ := open(t, s, withSnapshot(path+".copy"), func(_ *Config, p *pace) { p.patience = 50 * time.Millisecond })
	answered := 0
	for i := range zones {
		switch got := answer(second, "t."+zoneName(i)); got {
		case fmt.Sprint(i):
			answered++
		case ErrNotThere.Error():
		default:
			t.Errorf("%s: %s", zoneName(i), got)
		}
	}
	if answered < written || answered == zones {
		t.Errorf("%d of %d are answered", answered, zones)
	}
	if got := answer(second, "t.none.example."); got != "no zone" {
		t.Errorf("a zone that never was: %s", got)
	}
	s.Up()
	for i := 1; i < zones; i++ {
		eventually(t, zoneName(i), func() bool { return answer(second, "t."+zoneName(i)) == fmt.Sprint(i) })
	}
	eventually(t, "all but the bad one are written", kept(second, zones-1))
}

func TestWithoutIndexNothingIsCalledAbsent(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "one.example.", 1, "first")
	s.Kill()
	c, log := open(t, s, withSnapshot(filepath.Join(t.TempDir(), "zones")))
	eventually(t, "it is told", func() bool { return strings.Contains(log.text(), "refused") })
	if got := answer(c, "t.one.example."); got != ErrNoIndex.Error() || c.Ready() {
		t.Fatalf("ready: %v, got %s", c.Ready(), got)
	}
	s.Up()
	eventually(t, "the zone", func() bool { return answer(c, "t.one.example.") == "first" })
	eventually(t, "the end is told", func() bool { return strings.Contains(log.text(), "info: over after") })
}

// The file may become free while the first list is read.
func TestASnapshotTakenLateDoesNotOverruleTheDatabase(t *testing.T) {
	older, newer := source.Stamp{Generation: 1, ChangedAt: 1}, source.Stamp{Generation: 2, ChangedAt: 2}
	c := bare(0)
	c.known.Store(false)
	c.log, c.keep.trouble.log = &lines{}, &lines{}
	c.config.Snapshot = filepath.Join(t.TempDir(), "zones")
	file, err := snapshot.Open(c.config.Snapshot, &lines{})
	if err != nil {
		t.Fatal(err)
	}
	if err = file.Put([]snapshot.Item{{Zone: "a.example.", Stamp: older, Payload: []byte("a")},
		{Zone: "b.example.", Stamp: older, Payload: []byte("b")}}); err != nil {
		t.Fatal(err)
	}
	file.Close()
	c.note(source.Entry{Zone: "a.example.", Stamp: newer}, 1)
	c.openSnapshot()
	defer c.closeSnapshot()
	for zone, want := range map[string]source.Stamp{"a.example.": newer, "b.example.": older} {
		if got := c.index.get(zone).version(); got != want {
			t.Errorf("%s: %+v", zone, got)
		}
	}
}

// A full disk is as a limit on the size of files: writing fails, all else goes on.
func TestAFullDiskIsToldAndServingGoesOn(t *testing.T) {
	folder := os.Getenv("ZONEFAN_TEST_FULL")
	if folder == "" {
		run := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		run.Env = append(os.Environ(), "ZONEFAN_TEST_FULL="+t.TempDir())
		if out, err := run.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	s := mariadbtest.Start(t) // before the limit, which processes inherit
	fill(t, s, 200)
	signal.Ignore(syscall.SIGXFSZ)
	var usual syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &usual); err != nil {
		t.Fatal(err)
	}
	limit := func(bytes uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: usual.Max}); err != nil {
			t.Fatal(err)
		}
	}
	limit(8 << 10)
	c, log := open(t, s, withSnapshot(filepath.Join(folder, "zones")))
	eventually(t, "it is told", func() bool { return strings.Contains(log.text(), "file too large") })
	// A first question waits for the database two seconds at most; a machine that is busy may take longer.
	eventually(t, "zones are answered", func() bool { return answer(c, "t."+zoneName(0)) == "0" })
	for i := range 200 {
		if got := answer(c, "t."+zoneName(i)); got != fmt.Sprint(i) {
			t.Fatalf("%s: %s", zoneName(i), got)
		}
	}
	put(t, s, zoneName(5), 2, "changed")
	eventually(t, "a change", func() bool { return answer(c, "t."+zoneName(5)) == "changed" })
	limit(usual.Cur)
	c.keep.ring() // the tick does so too, every 10 s
	eventually(t, "there is room again", kept(c, 200))
}

// Neither a frozen database nor one that is well keeps a catalog from its end.
func TestNoGoroutineIsLeft(t *testing.T) {
	s := mariadbtest.Start(t)
	fill(t, s, 10)
	before := runtime.NumGoroutine()
	for _, frozen := range []bool{false, true} {
		config := Config{Source: sourceOf(s), Refresh: 50 * time.Millisecond, MaxMemory: 64 << 20, Log: &lines{},
			Snapshot: filepath.Join(t.TempDir(), "zones")}
		c, err := Open(config)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the snapshot", kept(c, 10))
		if got := answer(c, "t."+zoneName(1)); got != "1" {
			t.Fatalf("got %s", got)
		}
		if frozen {
			s.Freeze()
			defer s.Thaw()
		}
		began := time.Now()
		c.Close()
		if took := time.Since(began); took > c.pace.pollLimit/2 {
			t.Errorf("frozen %v: Close took %v", frozen, took)
		}
		eventually(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
	}
}

func TestADamagedRecordIsToldAndReadAnew(t *testing.T) {
	s := mariadbtest.Start(t)
	fill(t, s, 5)
	path := filepath.Join(t.TempDir(), "zones")
	c, log := open(t, s, withSnapshot(path))
	eventually(t, "the snapshot", kept(c, 5))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.LastIndex(string(data), zoneName(3)) // its name alone stands before
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err = file.WriteAt([]byte("zzzz"), int64(at+len(zoneName(3))+20)); err != nil {
		t.Fatal(err)
	}
	if got := answer(c, "t."+zoneName(3)); got != "3" {
		t.Fatalf("got %s", got)
	}
	if !strings.Contains(log.text(), "zone "+zoneName(3)+": the record is damaged") {
		t.Fatalf("the log does not name it:\n%s", log.text())
	}
	eventually(t, "it is written anew", kept(c, 5))
}

func TestASnapshotInUseByAnotherIsTakenLater(t *testing.T) {
	s := mariadbtest.Start(t)
	fill(t, s, 3)
	path := filepath.Join(t.TempDir(), "zones")
	other, err := snapshot.Open(path, &lines{}) // not by the registry: as another process
	if err != nil {
		t.Fatal(err)
	}
	c, log := open(t, s, withSnapshot(path))
	if got := log.text(); !strings.Contains(got, "is in use by") {
		t.Fatalf("not told:\n%s", got)
	}
	eventually(t, "the zones are served", func() bool { return answer(c, "t."+zoneName(1)) == "1" })
	if c.Stats().SnapshotZones != 0 {
		t.Fatal("it was written all the same")
	}
	other.Close()
	eventually(t, "it is taken when it is free", kept(c, 3))
}

func TestReloadsShareTheCatalog(t *testing.T) {
	s := mariadbtest.Start(t)
	fill(t, s, 3)
	config := Config{Source: sourceOf(s), Refresh: 50 * time.Millisecond, MaxMemory: 64 << 20, Log: &lines{},
		Snapshot: filepath.Join(t.TempDir(), "zones")}
	open := func(config Config) *Catalog {
		c, err := Open(config)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := open(config)
	eventually(t, "a zone", func() bool { return answer(first, "t."+zoneName(1)) == "1" })
	second := open(config)
	first.Close()
	if second.Stats().Loaded != 1 {
		t.Error("the new instance does not find the loaded zone")
	}
	eventually(t, "the snapshot", kept(second, 3))
	// another configuration with the same file, as a reload with another DSN is
	config.MaxMemory = 32 << 20
	third := open(config)
	second.Close()
	put(t, s, zoneName(1), 2, "new")
	eventually(t, "a change", func() bool { return answer(third, "t."+zoneName(1)) == "new" })
	eventually(t, "it is kept", func() bool {
		stamp, ok := third.keep.open().Stamp(zoneName(1))
		return ok && stamp.Generation == 2
	})
	third.Close()
	if n := len(catalogs.open) + len(snapshots.open); n != 0 {
		t.Errorf("%d are open after the last Close", n)
	}
	file, err := snapshot.Open(config.Snapshot, &lines{})
	if err != nil {
		t.Fatalf("the lock is not given away: %v", err)
	}
	file.Close()
}
