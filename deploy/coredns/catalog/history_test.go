// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"fmt"
	"testing"
	"time"

	"zonefan.internal/coredns/internal/mariadbtest"
	"zonefan.internal/coredns/lookup"
	"zonefan.internal/coredns/source"
)

// The order of commits is not that of changed_at (decisions.md 29).

func TestALateCommitIsFoundByTheWidePoll(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "late.example.", 1, "before")
	put(t, s, "other.example.", 1, "other")
	c, _ := open(t, s, func(_ *Config, p *pace) { p.fullEvery = time.Hour })
	eventually(t, "the zone", func() bool { return answer(c, "t.late.example.") == "before" })

	conn, err := s.DB().Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text := putText("late.example.", 2, "after")
	if _, err = conn.ExecContext(context.Background(), text[:len(text)-len("; COMMIT")]); err != nil {
		t.Fatal(err)
	}
	// Others commit meanwhile, until the window is past it.
	for g, end := 2, time.Now().Add(3*quick().window); time.Now().Before(end); g++ {
		put(t, s, "other.example.", g, fmt.Sprint(g))
		eventually(t, "the other zone", func() bool { return answer(c, "t.other.example.") == fmt.Sprint(g) })
	}
	if got := answer(c, "t.late.example."); got != "before" {
		t.Fatalf("before the commit: %s", got)
	}
	if _, err = conn.ExecContext(context.Background(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what was committed late", func() bool { return answer(c, "t.late.example.") == "after" })
}

// dump copies the tables, as a backup does; restore puts them back.
func dump(s *mariadbtest.Server) {
	s.Exec("CREATE DATABASE old; CREATE TABLE old.z AS SELECT * FROM coredns.zones; CREATE TABLE old.r AS SELECT * FROM coredns.records; " +
		"CREATE TABLE old.s AS SELECT * FROM coredns.zonefan_state")
}

func restore(s *mariadbtest.Server) {
	s.Exec("START TRANSACTION; DELETE FROM coredns.records; DELETE FROM coredns.zones; DELETE FROM coredns.zonefan_state; " +
		"INSERT INTO coredns.zones SELECT * FROM old.z; INSERT INTO coredns.records SELECT * FROM old.r; " +
		"INSERT INTO coredns.zonefan_state SELECT * FROM old.s; COMMIT")
}

func TestARestoredOlderCopyIsServed(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "old.example.", 1, "old")
	put(t, s, "gone.example.", 1, "there")
	dump(s)
	c, _ := open(t, s, func(_ *Config, p *pace) { p.fullEvery = time.Hour })
	change := func(generation int) {
		put(t, s, "old.example.", generation, "new")
		put(t, s, "new.example.", generation, "new")
		remove(t, s, "gone.example.", generation)
		eventually(t, "the new state", func() bool {
			return answer(c, "t.old.example.") == "new" && answer(c, "t.new.example.") == "new" && answer(c, "t.gone.example.") == "no zone"
		})
	}
	restored := func() bool {
		return answer(c, "t.old.example.") == "old" && answer(c, "t.new.example.") == "no zone" && answer(c, "t.gone.example.") == "there"
	}
	change(2)
	restore(s)
	eventually(t, "restored under a living connection", restored)
	change(3)
	s.Kill()
	s.Up()
	restore(s)
	eventually(t, "restored after a restart", restored)
}

// What was seen in a list or with a version only, before the first poll that tells
// of it, counts as well.
func TestARestoredOlderCopyIsServedAtOnce(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "old.example.", 1, "old")
	dump(s)
	c, _ := open(t, s, func(config *Config, p *pace) {
		config.Refresh, p.fullEvery, p.wideEvery = 2*time.Second, time.Hour, time.Hour
	})
	began := time.Now()
	eventually(t, "the window is past the old version", func() bool { return c.Stats().Refreshed.After(began.Add(c.pace.window)) })
	put(t, s, "old.example.", 2, "new")
	if got := answer(c, "t.old.example."); got != "new" { // by a load, most times between two polls
		t.Fatalf("got %s", got)
	}
	restore(s)
	eventually(t, "the restored copy", func() bool { return answer(c, "t.old.example.") == "old" })
}

func TestTheClockOfTheDatabaseGoesBack(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "one.example.", 1, "first")
	// as if it had been an hour fast until now
	s.Exec("UPDATE coredns.zonefan_state SET changed_at = changed_at + INTERVAL 1 HOUR")
	c, _ := open(t, s, func(_ *Config, p *pace) { p.fullEvery = time.Hour })
	eventually(t, "the zone", func() bool { return answer(c, "t.one.example.") == "first" })
	put(t, s, "one.example.", 2, "second")
	eventually(t, "a change after it", func() bool { return answer(c, "t.one.example.") == "second" })
	put(t, s, "two.example.", 1, "new")
	eventually(t, "a zone after it", func() bool { return answer(c, "t.two.example.") == "new" })
}

// Zones come and go while lists are read, in front of the page and behind it.
func TestZonesThatComeAndGoDuringAList(t *testing.T) {
	s := mariadbtest.Start(t)
	fill(t, s, 60)
	c, _ := open(t, s, func(_ *Config, p *pace) { p.page, p.fullEvery = 2, time.Millisecond })
	eventually(t, "the index", c.Ready)
	for g := 2; g < 60; g += 2 {
		first, last := fmt.Sprintf("a%d.example.", g), fmt.Sprintf("zz%d.example.", g)
		put(t, s, first, g, "new")
		put(t, s, last, g, "new")
		eventually(t, "the new ones", func() bool { return answer(c, "t."+first) == "new" && answer(c, "t."+last) == "new" })
		for range 200 {
			if got := answer(c, "t."+first) + answer(c, "t."+last) + answer(c, "t."+zoneName(g)); got != fmt.Sprint("newnew", g) {
				t.Fatalf("round %d: %s", g, got)
			}
		}
		remove(t, s, first, g+1)
		remove(t, s, last, g+1)
		eventually(t, "they are gone", func() bool { return answer(c, "t."+first) == "no zone" && answer(c, "t."+last) == "no zone" })
	}
}

// A slow read that began before a quick one does not bring the older version back.
func TestASlowReadDoesNotBringBackWhatWas(t *testing.T) {
	older, newer := source.Stamp{Generation: 1, ChangedAt: 1}, source.Stamp{Generation: 2, ChangedAt: 2}
	version := func(stamp source.Stamp) source.Version {
		soa := fmt.Sprintf("ns.example. host.example. %d 1 1 1 1", stamp.Generation)
		return source.Version{Zone: "a.example.", Exists: true, Stamp: stamp,
			Records: []lookup.Record{{Owner: "@", Type: "SOA", Data: soa, TTL: 60}}}
	}
	c := bare(0)
	c.note(source.Entry{Zone: "a.example.", Stamp: older}, 1)
	e := c.index.get("a.example.")
	c.note(source.Entry{Zone: "a.example.", Stamp: newer}, 1)
	c.take(e, newer, version(newer))
	c.take(e, older, version(older))
	if serial := e.held.Load().zone.Serial(); serial != 2 {
		t.Errorf("serial %d answers", serial)
	}
}

func TestAListThatBreaksHalfWayMakesNothingVanish(t *testing.T) {
	s := mariadbtest.Start(t)
	const zones = 40
	for i := range zones {
		put(t, s, fmt.Sprintf("z%02d.example.", i), 1, "there")
	}
	c, _ := open(t, s, func(_ *Config, p *pace) { p.page, p.fullEvery = 5, 50*time.Millisecond })
	eventually(t, "the index", c.Ready)
	stop := make(chan struct{})
	broken := make(chan error, 1)
	killer, err := s.DB().Conn(context.Background()) // the one that is not killed
	if err != nil {
		t.Fatal(err)
	}
	defer killer.Close()
	go func() { // connections are killed all the time: full lists break wherever they are
		for {
			select {
			case <-stop:
				broken <- nil
				return
			case <-time.After(2 * time.Millisecond):
			}
			rows, err := killer.QueryContext(context.Background(), "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND host LIKE '127.0.0.1%'")
			if err != nil {
				broken <- err
				return
			}
			var ids []int64
			for rows.Next() {
				var id int64
				rows.Scan(&id)
				ids = append(ids, id)
			}
			rows.Close()
			for _, id := range ids {
				killer.ExecContext(context.Background(), fmt.Sprint("KILL ", id)) // it may be gone already
			}
		}
	}()
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		for i := range zones {
			if _, known, err := c.Find(fmt.Sprintf("t.z%02d.example.", i), 16); err != nil || !known {
				t.Fatalf("zone %d: known %v, %v", i, known, err)
			}
		}
	}
	close(stop)
	if err := <-broken; err != nil {
		t.Fatal(err)
	}
	if c.Stats().PollErrors == 0 {
		t.Fatal("nothing broke")
	}
	remove(t, s, "z07.example.", 2)
	eventually(t, "all is well again", func() bool { return answer(c, "t.z07.example.") == "no zone" })
}
