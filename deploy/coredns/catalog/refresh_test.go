// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"zonefan.internal/coredns/internal/mariadbtest"
)

func TestNewChangedAndDeletedZonesAreSeen(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "one.example.", 1, "first")
	c, _ := open(t, s)
	eventually(t, "the index", c.Ready)
	if got := answer(c, "t.one.example."); got != "first" {
		t.Fatalf("at the start: %s", got)
	}
	if got := answer(c, "t.two.example."); got != "no zone" {
		t.Fatalf("of another zone: %s", got)
	}
	put(t, s, "two.example.", 1, "new")
	eventually(t, "a new zone", func() bool { return answer(c, "t.two.example.") == "new" })
	put(t, s, "one.example.", 2, "second")
	eventually(t, "a changed zone", func() bool { return answer(c, "t.one.example.") == "second" })
	remove(t, s, "one.example.", 3)
	eventually(t, "a deleted zone", func() bool { return answer(c, "t.one.example.") == "no zone" })
	put(t, s, "one.example.", 4, "again")
	eventually(t, "a zone that comes back", func() bool { return answer(c, "t.one.example.") == "again" })
}

// What an administrator set for all sessions does not hold for ours.
func TestSettingsOfTheServerDoNotHoldForUs(t *testing.T) {
	s := mariadbtest.Start(t) // its own connection is older than the settings, as zonefand's has its own ones
	texts := strings.Fields("1 2 3 4 5 6 7 8")
	generation := 0
	for _, setting := range []string{"autocommit = 0", "completion_type = 'CHAIN'", "completion_type = 'RELEASE'",
		"sql_select_limit = 5", "max_join_size = 1"} {
		t.Run(setting, func(t *testing.T) {
			name, _, _ := strings.Cut(setting, " ")
			s.Exec("SET GLOBAL " + setting)
			defer s.Exec("SET GLOBAL " + name + " = DEFAULT")
			c, log := open(t, s)
			for _, last := range []string{"first", "second"} {
				generation++
				put(t, s, "one.example.", generation, append(texts, last)...)
				want := strings.Join(append(texts, last), " ")
				eventually(t, last, func() bool { return answer(c, "t.one.example.") == want })
			}
			if c.Stats().LoadErrors+c.Stats().PollErrors > 0 {
				t.Errorf("contacts failed:\n%s", log.text())
			}
		})
	}
}

func TestZonesOfOthers(t *testing.T) {
	s := mariadbtest.Start(t)
	c, log := open(t, s)
	eventually(t, "the index", c.Ready)
	put(t, s, "other.example.", 1, "first")
	s.Exec("DELETE FROM coredns.zonefan_state")
	eventually(t, "a zone of others", func() bool { return answer(c, "t.other.example.") == "first" })
	s.Exec("UPDATE coredns.records SET data = '\"second\"' WHERE hostname = 't'")
	eventually(t, "its change", func() bool { return answer(c, "t.other.example.") == "second" })
	s.Exec("DROP TABLE coredns.zonefan_state")
	s.Exec("UPDATE coredns.records SET data = '\"third\"' WHERE hostname = 't'")
	eventually(t, "its change without any stamps", func() bool { return answer(c, "t.other.example.") == "third" })
	s.Schema()
	put(t, s, "other.example.", 7, "ours")
	eventually(t, "it is zonefan's now", func() bool { return answer(c, "t.other.example.") == "ours" })
	s.Exec("USE coredns; DELETE FROM zonefan_state; DELETE FROM records; DELETE FROM zones")
	eventually(t, "it is gone", func() bool { return answer(c, "t.other.example.") == "no zone" })
	if got := log.text(); strings.Count(got, "zonefan_state is not there") != 1 {
		t.Fatalf("the missing table is not told once: %s", got)
	}
}

func TestWhatOthersMakeOfADeletedZoneStays(t *testing.T) {
	s := mariadbtest.Start(t)
	put(t, s, "again.example.", 1, "ours")
	c, _ := open(t, s)
	eventually(t, "the zone", func() bool { return answer(c, "t.again.example.") == "ours" })
	remove(t, s, "again.example.", 2)
	eventually(t, "it is gone", func() bool { return answer(c, "t.again.example.") == "no zone" })
	tombstone := stampText("again.example.", 2, 1)
	s.Exec(strings.Replace(putText("again.example.", 3, "theirs"), stampText("again.example.", 3, 0), tombstone, 1))
	eventually(t, "what others made", func() bool { return answer(c, "t.again.example.") == "theirs" })
	made := time.Now() // the polls tell of the tombstone as long as their window
	eventually(t, "some polls", func() bool {
		if got := answer(c, "t.again.example."); got != "theirs" {
			t.Fatalf("it went: %s", got)
		}
		return c.Stats().Refreshed.After(made.Add(c.pace.window * 2))
	})
}

// However many zones of others there are, their digests are no single question,
// and the polls go on between.
func TestManyZonesOfOthers(t *testing.T) {
	const zones = 300
	s := mariadbtest.Start(t)
	fill(t, s, zones)
	s.Exec("DELETE FROM coredns.zonefan_state")
	c, _ := open(t, s, func(_ *Config, p *pace) {
		p.batch, p.loadLimit, p.foreignEvery, p.foreignRest = 1, 150*time.Millisecond, time.Millisecond, 1
	})
	eventually(t, "the index", c.Ready)
	for i := range zones {
		eventually(t, zoneName(i), func() bool { return answer(c, "t."+zoneName(i)) == strconv.Itoa(i) })
	}
	s.Exec("UPDATE coredns.records SET data = '\"new\"' WHERE hostname = 't'")
	for i := range zones {
		eventually(t, zoneName(i)+" anew", func() bool { return answer(c, "t."+zoneName(i)) == "new" })
	}
}
