// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"math"
	"time"

	"zonefan.internal/coredns/source"
)

// refresher keeps the index (decisions.md 29). All of it is one goroutine's.
type refresher struct {
	*Catalog
	now       int64 // the database's, of the last poll; microseconds
	lost      bool  // the last poll failed
	stateless bool  // there is no table of stamps
	wideAt    time.Time
	fullAt    time.Time // when the next comparison of all is due

	// a comparison with the full list that is under way
	comparing bool
	after     string // goes on behind this zone
	pass      uint32

	foreignAt   time.Time           // the next look at zones of others
	foreignTook time.Duration       // the last one, so far
	foreign     []string            // whose digests it has still to compare
	missing     map[string]struct{} // zones of others that the last look did not find
}

func (c *Catalog) runRefresh(ctx context.Context) {
	defer c.done.Done()
	r := refresher{Catalog: c, lost: true}
	began := time.Now()
	ticker := time.NewTicker(c.config.Refresh)
	defer ticker.Stop()
	for ctx.Err() == nil {
		c.tick.Store(uint32(time.Since(began)/time.Second) + 1)
		err := r.refresh(ctx)
		if ctx.Err() != nil {
			return
		}
		c.told(err)
		r.lost = err != nil
		if r.comparing && err == nil {
			continue // the next page; what changed is asked for between two of them
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// told notes how the last contact with the database went.
func (c *Catalog) told(err error) {
	if err == nil {
		c.polled.Store(time.Now().UnixNano())
		c.trouble.over()
		c.answers()
	} else {
		c.count.pollErrors.Add(1)
		c.trouble.is(err)
		c.well.Store(false)
	}
}

func (r *refresher) refresh(ctx context.Context) error {
	if err := r.poll(ctx); err != nil {
		return err
	}
	if r.comparing {
		if err := r.comparePage(ctx); err != nil {
			return err
		}
	}
	switch {
	case r.comparing:
	case len(r.foreign) > 0:
		return r.compareDigests(ctx)
	case time.Now().After(r.foreignAt):
		return r.lookAtForeign(ctx)
	}
	return nil
}

// poll asks what changed lately, and whether all is to be compared.
func (r *refresher) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.pace.pollLimit)
	defer cancel()
	since, wide := r.since()
	newest := r.newest.Load() // before the poll: what is seen from here on may be newer than what it tells
	poll, err := r.source.Poll(ctx, since)
	if err != nil {
		return err
	}
	if stateless := r.source.Stateless(); stateless != r.stateless {
		r.tellStateless(stateless)
	}
	backwards := poll.Now < r.now || poll.Latest < newest
	if backwards {
		r.newest.Store(poll.Latest)
	}
	due := !r.comparing && !time.Now().Before(r.fullAt)
	if poll.Reconnected || r.lost || backwards || due {
		r.beginComparison()
	}
	for _, e := range poll.Entries {
		r.note(e, r.pass)
	}
	r.now = poll.Now
	r.saw(poll.Latest)
	r.loads.retry()
	if wide {
		r.wideAt = time.Now().Add(r.pace.wideEvery)
	}
	return nil
}

func (r *refresher) tellStateless(stateless bool) {
	r.stateless = stateless
	r.beginComparison()
	if stateless {
		r.log.Warningf("table %s is not there: all zones are taken for those of others, and looked at more seldom",
			r.config.Source.StateTable)
	} else {
		r.log.Infof("table %s is there", r.config.Source.StateTable)
	}
}

// since is the changed_at to ask for. At the first time only the clock is
// wanted: the full list follows.
func (r *refresher) since() (since int64, wide bool) {
	if r.now == 0 {
		return source.Never, true
	}
	if time.Now().After(r.wideAt) {
		return r.now - r.pace.wideWindow.Microseconds(), true
	}
	return r.now - r.pace.window.Microseconds(), false
}

// beginComparison begins, or begins anew: another server may answer by now.
func (r *refresher) beginComparison() {
	r.comparing, r.after = true, ""
	r.pass++
	r.fullAt = time.Now().Add(r.pace.fullEvery)
}

// comparePage goes on with the full list. What it does not name at its end is
// gone; a list that fails on the way ends nothing.
func (r *refresher) comparePage(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.pace.loadLimit)
	defer cancel()
	entries, next, err := r.source.Page(ctx, r.after, r.pace.page)
	if err != nil {
		return err
	}
	for _, e := range entries {
		r.note(e, r.pass)
	}
	r.after = next
	if next != "" {
		return nil
	}
	r.comparing = false
	r.index.each(func(e *entry) {
		e.mutex.Lock()
		unseen := e.seen != r.pass
		e.mutex.Unlock()
		if unseen {
			r.drop(e)
		}
	})
	r.known.Store(true)
	r.keep.indexed()
	return nil
}

// saw notes the changed_at of a version.
func (c *Catalog) saw(changedAt int64) {
	for {
		newest := c.newest.Load()
		if changedAt <= newest || c.newest.CompareAndSwap(newest, changedAt) {
			return
		}
	}
}

// note takes what the database says of a zone.
func (c *Catalog) note(told source.Entry, pass uint32) {
	c.saw(told.Stamp.ChangedAt)
	if told.Deleted {
		// What others made of a name that zonefan deleted is theirs: the look at zones of others knows when that goes.
		if e := c.index.get(told.Zone); e != nil && !e.version().Foreign() {
			c.drop(e)
		}
		return
	}
	e, made := c.index.getOrMake(told.Zone)
	if told.Records > 0 {
		e.rows.Store(uint32(min(told.Records, math.MaxUint32)))
	}
	e.mutex.Lock()
	before := e.stamp
	e.seen = pass
	// Of a zone of others neither poll nor list has a stamp.
	if told.Stamp != (source.Stamp{}) || !e.stamp.Foreign() {
		e.stamp = told.Stamp
	}
	stale := e.stale()
	// Of a loaded zone it is told when the new version is here, of another one now.
	changed := (made || e.stamp != before) && e.held.Load() == nil && c.known.Load()
	e.mutex.Unlock()
	if stale {
		c.loads.want(e, false)
	}
	if changed {
		c.listeners.tell(e.zone)
	}
	c.keep.check(c, e)
	if made {
		c.room()
	}
}

// drop takes a zone out of the index.
func (c *Catalog) drop(e *entry) {
	c.index.remove(e)
	e.mutex.Lock()
	gone := e.gone
	e.gone = true
	c.release(e)
	e.mutex.Unlock()
	if !gone {
		c.keep.gone(e.zone)
	}
}

// lookAtForeign finds zones of others that came or went, and has the digests of
// those compared of which there is one. All that takes at most about a hundredth
// of the time, where it works.
func (r *refresher) lookAtForeign(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.pace.loadLimit)
	defer cancel()
	began := time.Now()
	r.foreignAt = began.Add(r.pace.foreignEvery)
	zones, err := r.source.Foreign(ctx)
	if err != nil {
		return err
	}
	there := make(map[string]struct{}, len(zones))
	for _, zone := range zones {
		there[zone] = struct{}{}
		r.note(source.Entry{Zone: zone}, r.pass)
		if e := r.index.get(zone); e != nil && e.version() != (source.Stamp{}) {
			r.foreign = append(r.foreign, zone)
		}
	}
	r.dropForeign(there)
	r.foreignTook = 0
	r.tookForForeign(began)
	return nil
}

func (r *refresher) tookForForeign(began time.Time) {
	r.foreignTook += time.Since(began)
	r.foreignAt = time.Now().Add(max(r.pace.foreignEvery, time.Duration(r.pace.foreignRest)*r.foreignTook))
}

// dropForeign drops zones of others that two looks did not find. One would not do:
// zonefan may have taken a zone over since the last poll.
func (r *refresher) dropForeign(there map[string]struct{}) {
	missing := map[string]struct{}{}
	r.index.each(func(e *entry) {
		if _, ok := there[e.zone]; ok || !e.version().Foreign() {
			return
		}
		if _, again := r.missing[e.zone]; again {
			r.drop(e)
		} else {
			missing[e.zone] = struct{}{}
		}
	})
	r.missing = missing
}

// compareDigests goes on with the zones of others, for a quarter of the time
// between two polls: our own zones are not to show late for them.
func (r *refresher) compareDigests(ctx context.Context) error {
	began := time.Now()
	for len(r.foreign) > 0 && time.Since(began) < r.config.Refresh/4 {
		if err := r.compareBatch(ctx); err != nil {
			return err
		}
	}
	r.tookForForeign(began)
	return nil
}

func (r *refresher) compareBatch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.pace.loadLimit)
	defer cancel()
	batch := r.foreign[:min(len(r.foreign), r.pace.batch)]
	r.foreign = r.foreign[len(batch):] // one that fails waits for the next look
	stamps, err := r.source.Digests(ctx, batch)
	if err != nil {
		return err
	}
	for zone, stamp := range stamps {
		if e := r.index.get(zone); e != nil && e.version().Foreign() {
			r.note(source.Entry{Zone: zone, Stamp: stamp}, r.pass)
		}
	}
	return nil
}
