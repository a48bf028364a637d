// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"time"

	"zonefan.internal/coredns/lookup"
	"zonefan.internal/coredns/source"
)

const (
	loaders    = 4      // connections that read versions
	maxWaiting = 10_000 // questions that wait for one; more are refused at once
)

// load is a version of a zone that is being fetched. It is an entry's until finish
// closes done; zone and err are set before.
type load struct {
	done chan struct{}
	zone *lookup.Zone
	err  error
}

// fetch gets a zone that is not loaded. However many ask for it, one of them
// looks into the snapshot, and one goroutine asks the database.
func (c *Catalog) fetch(ctx context.Context, e *entry) (*lookup.Zone, error) {
	l, mine, refused, h := e.begin()
	if h != nil {
		return h.zone, nil
	}
	if mine {
		if zone := c.fromSnapshot(e, true); zone != nil {
			c.finish(e, l, zone, nil)
			return zone, nil
		}
		if refused {
			zone := c.fromSnapshot(e, false)
			c.finish(e, l, zone, orNotThere(zone))
			return zone, orNotThere(zone)
		}
		c.loads.want(e, true)
	}
	if c.wait(ctx, l) && l.err == nil {
		return l.zone, nil
	}
	if zone := c.fromSnapshot(e, false); zone != nil {
		return zone, nil
	}
	return nil, ErrNotThere
}

func orNotThere(zone *lookup.Zone) error {
	if zone == nil {
		return ErrNotThere
	}
	return nil
}

// begin gives the version that came meanwhile, or the load under way, or a new
// one, which is the caller's to finish; refused: the database has only a version
// that was read already and can't be taken.
func (e *entry) begin() (l *load, mine, refused bool, h *held) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if h = e.held.Load(); h != nil {
		return nil, false, false, h
	}
	if e.load == nil {
		e.load, mine = &load{done: make(chan struct{})}, true
	}
	return e.load, mine, e.isRefused(), nil
}

// wait waits for a load, not at all where the database is known to be away. Who
// waited in vain, while nobody else got an answer either, tells all others that
// it is.
func (c *Catalog) wait(ctx context.Context, l *load) bool {
	if !c.well.Load() {
		select {
		case <-l.done:
			return true
		default:
			return false
		}
	}
	if c.loads.waiting.Add(1) > maxWaiting {
		c.loads.waiting.Add(-1)
		return false
	}
	defer c.loads.waiting.Add(-1)
	patience := time.NewTimer(c.pace.patience)
	defer patience.Stop()
	select {
	case <-l.done:
		return true
	case <-ctx.Done():
	case <-patience.C:
		if time.Since(time.Unix(0, c.answered.Load())) > c.pace.patience {
			c.well.Store(false)
		}
	}
	return false
}

// answers notes that the database answered just now.
func (c *Catalog) answers() {
	c.answered.Store(time.Now().UnixNano())
	c.well.Store(true)
}

// finish ends a load for all who wait for it, unless somebody else was quicker: a
// loader may read the zone while who asked for it finds it in the snapshot.
func (c *Catalog) finish(e *entry, l *load, zone *lookup.Zone, err error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.load != l {
		return
	}
	e.load = nil
	l.zone, l.err = zone, err
	close(l.done)
}

// finishAny ends the load of an entry, if there is one.
func (c *Catalog) finishAny(e *entry, zone *lookup.Zone, err error) {
	e.mutex.Lock()
	l := e.load
	e.mutex.Unlock()
	if l != nil {
		c.finish(e, l, zone, err)
	}
}

func (c *Catalog) runLoader(ctx context.Context) {
	defer c.done.Done()
	for {
		batch := c.loads.take(c.pace.room())
		if batch == nil {
			return
		}
		c.loadBatch(ctx, batch)
		for _, e := range batch {
			c.loads.loaded(e)
		}
		if !c.well.Load() { // questions come fast: a server that is away, or coming back, is not to be stormed
			select {
			case <-time.After(c.pace.loadRest):
			case <-ctx.Done():
			}
		}
	}
}

// readBatch reads zones in one consistent read. before is what the index had of
// each when that began.
func (c *Catalog) readBatch(ctx context.Context, batch []*entry) (before []source.Stamp, versions []source.Version, err error) {
	names := make([]string, len(batch))
	before = make([]source.Stamp, len(batch))
	for i, e := range batch {
		names[i], before[i] = e.zone, e.version()
	}
	ctx, cancel := context.WithTimeout(ctx, c.pace.loadLimit)
	defer cancel()
	versions, err = c.read(ctx, names)
	for i := range versions {
		batch[i].rows.Store(uint32(len(versions[i].Records)))
	}
	return before, versions, err
}

// loadBatch reads zones in one consistent read. If the server refuses, perhaps
// because of one of them, each is read alone.
func (c *Catalog) loadBatch(ctx context.Context, batch []*entry) {
	before, versions, err := c.readBatch(ctx, batch)
	if err != nil && len(batch) > 1 && source.Answered(err) {
		for _, e := range batch {
			c.loadBatch(ctx, []*entry{e})
		}
		return
	}
	if err != nil {
		c.loadFailed(ctx, batch, err)
		return
	}
	c.answers()
	c.loads.trouble.over()
	for i, e := range batch {
		zone, err := c.take(e, before[i], versions[i])
		c.finishAny(e, zone, err)
	}
}

// read reads versions, and notes how new they are.
func (c *Catalog) read(ctx context.Context, zones []string) ([]source.Version, error) {
	versions, err := c.source.Load(ctx, zones)
	for _, v := range versions {
		c.saw(v.Stamp.ChangedAt)
	}
	return versions, err
}

func (c *Catalog) loadFailed(ctx context.Context, batch []*entry, err error) {
	if ctx.Err() == nil {
		c.count.loadErrors.Add(int64(len(batch)))
		if c.well.Swap(false) || source.Answered(err) { // else the polls tell of it
			c.loads.trouble.is(err)
		}
	}
	for _, e := range batch {
		c.finishAny(e, nil, err)
	}
	c.loads.later(batch)
}

// take makes what was read of a zone the version that answers, unless it can't be.
// before is the stamp that the index had when the read began.
func (c *Catalog) take(e *entry, before source.Stamp, v source.Version) (*lookup.Zone, error) {
	if !v.Exists {
		if e.version() == before {
			c.drop(e)
		}
		return nil, ErrGone
	}
	zone, bad := lookup.Build(e.zone, v.Records)
	bad = append(v.Bad, bad...)
	if len(bad) > 0 {
		c.reportBad(v, bad)
		if previous := c.previous(e); previous != nil || zone == nil {
			c.refuse(e, before, v.Stamp)
			return previous, orNotThere(previous)
		}
	}
	c.count.fromDatabase.Add(1)
	c.install(e, before, &held{zone: zone, stamp: v.Stamp, partial: len(bad) > 0})
	return zone, nil
}

// previous is the version that goes on where a newer one can't be taken.
func (c *Catalog) previous(e *entry) *lookup.Zone {
	if h := e.held.Load(); h != nil && !h.partial {
		return h.zone
	}
	return c.fromSnapshot(e, false)
}

// refuse notes a version that is not taken, so that it is not read again.
func (c *Catalog) refuse(e *entry, before, stamp source.Stamp) {
	e.adopt(before, stamp)
	e.mutex.Lock()
	e.refused = stamp
	e.mutex.Unlock()
}

// install makes a version that was read from the database the one that answers.
// before is the stamp that the index had when the read began.
func (c *Catalog) install(e *entry, before source.Stamp, h *held) {
	e.adopt(before, h.stamp)
	e.mutex.Lock()
	if now := e.held.Load(); now != nil && now.stamp == e.stamp && h.stamp != e.stamp {
		e.mutex.Unlock() // a slow read: a later one was quicker, and answers never go back
		return
	}
	old, ok := c.swap(e, h)
	e.mutex.Unlock()
	if ok {
		c.installed(e, old, h)
	}
}

// installKept makes a version from the snapshot the one that answers, if there is
// none, and gives the one that does.
func (c *Catalog) installKept(e *entry, h *held) *lookup.Zone {
	e.mutex.Lock()
	now := e.held.Load()
	if now != nil && !now.partial {
		e.mutex.Unlock()
		return now.zone
	}
	old, ok := c.swap(e, h)
	e.mutex.Unlock()
	if ok {
		c.installed(e, old, h)
	}
	return h.zone
}

// swap puts h in; not where the zone is gone. The caller holds the entry's lock.
func (c *Catalog) swap(e *entry, h *held) (old *held, ok bool) {
	if e.gone {
		return nil, false
	}
	old = e.held.Swap(h)
	c.memory.Add(h.size() - old.size())
	e.used.Store(c.tick.Load())
	return old, true
}

// installed does what follows, without locks.
func (c *Catalog) installed(e *entry, old, h *held) {
	e.mutex.Lock()
	stale := e.stale()
	e.mutex.Unlock()
	if stale {
		c.loads.want(e, false)
	}
	c.keep.check(c, e)
	if old != nil && old.stamp != h.stamp {
		c.listeners.tell(e.zone)
	}
	c.room()
}
