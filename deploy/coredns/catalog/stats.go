// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"zonefan.internal/coredns/lookup"
	"zonefan.internal/coredns/source"
)

// counters count since the start.
type counters struct {
	fromDatabase, fromSnapshot, evicted, badRecords atomic.Int64
	pollErrors, loadErrors, snapshotErrors          atomic.Int64
}

// Stats is how a catalog stands.
type Stats struct {
	Zones, Loaded, Records int
	Memory                 int64     // bytes; the estimate that max_memory bounds
	Refreshed              time.Time // when the database last told what changed; zero: never
	Stale                  int       // loaded zones of which the database has another version
	StaleSince             time.Time // when the oldest such version was written, by the database's clock; zero: none
	SnapshotZones          int

	FromDatabase, FromSnapshot, Evicted, BadRecords int64
	PollErrors, LoadErrors, SnapshotErrors          int64
}

// Stats looks at every zone; it is for a scrape, not for each question.
func (c *Catalog) Stats() Stats {
	s := Stats{
		Memory: c.Memory(), FromDatabase: c.count.fromDatabase.Load(), FromSnapshot: c.count.fromSnapshot.Load(),
		Evicted: c.count.evicted.Load(), BadRecords: c.count.badRecords.Load(), PollErrors: c.count.pollErrors.Load(),
		LoadErrors: c.count.loadErrors.Load(), SnapshotErrors: c.count.snapshotErrors.Load(),
	}
	if at := c.polled.Load(); at != 0 {
		s.Refreshed = time.Unix(0, at)
	}
	if file := c.keep.open(); file != nil {
		s.SnapshotZones = file.Len()
	}
	c.index.each(func(e *entry) {
		s.Zones++
		h := e.held.Load()
		if h == nil {
			return
		}
		s.Loaded++
		s.Records += h.zone.Len()
		if stamp := e.version(); stamp != h.stamp {
			s.Stale++
			if at := time.UnixMicro(stamp.ChangedAt); !stamp.Foreign() && (s.StaleSince.IsZero() || at.Before(s.StaleSince)) {
				s.StaleSince = at
			}
		}
	})
	return s
}

// Zones calls yield with the names of all zones, in no order, until it returns
// false.
func (c *Catalog) Zones(yield func(zone string) bool) {
	going := true
	c.index.each(func(e *entry) { going = going && yield(e.zone) })
}

const badTold = 5 // bad records of one version that are named

// reportBad names the rows for which a version is not taken.
func (c *Catalog) reportBad(v source.Version, bad []lookup.BadRecord) {
	c.count.badRecords.Add(int64(len(bad)))
	for _, b := range bad[:min(len(bad), badTold)] {
		c.log.Errorf("zone %s: record %s %s is not served: %v", v.Zone, b.Owner, b.Type, b.Err)
	}
	if more := len(bad) - badTold; more > 0 {
		c.log.Errorf("zone %s: %d more records are not served", v.Zone, more)
	}
}

const troubleRest = 10 * time.Second // between two lines

// trouble is logged when it begins, when it becomes another one, and when it is
// over.
type trouble struct {
	log   Logger
	mutex sync.Mutex
	text  string // as it was logged last; "" if all is well
	since time.Time
	told  time.Time
}

func (t *trouble) is(err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	text, now := err.Error(), time.Now()
	if t.text == "" {
		t.since = now
	} else if text == t.text || now.Sub(t.told) < troubleRest {
		return // ports in a text change with each try
	}
	t.text, t.told = text, now
	t.log.Errorf("%s; it is tried again and again, and what is known goes on being served", text)
}

func (t *trouble) over() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.text == "" {
		return
	}
	t.log.Infof("over after %s: %s", fmt.Sprint(time.Since(t.since).Round(time.Millisecond)), t.text)
	t.text = ""
}
