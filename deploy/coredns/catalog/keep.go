// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"zonefan.internal/coredns/lookup"
	"zonefan.internal/coredns/snapshot"
	"zonefan.internal/coredns/source"
)

// keeper brings the snapshot up to the index, a few zones at a time.
type keeper struct {
	mutex   sync.Mutex
	file    *snapshot.File // nil: none, or in use by another process
	unkept  []*entry       // of which the snapshot lacks the version of the index
	failed  []*entry       // of these, what the database did not give; tried again by themselves
	failAt  time.Time      // when it was tried last
	removed map[string]struct{}
	unnamed map[string]struct{} // of which the snapshot has not even the name
	wake    chan struct{}
	sweep   bool // what only the snapshot knows is to be dropped
	trouble trouble
}

func (k *keeper) init() {
	k.removed, k.unnamed = map[string]struct{}{}, map[string]struct{}{}
	k.wake = make(chan struct{}, 1)
}

func (k *keeper) open() *snapshot.File {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.file
}

func (k *keeper) ring() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// check queues an entry of which the snapshot has another version than the index.
func (k *keeper) check(c *Catalog, e *entry) {
	if c.config.Snapshot == "" {
		return
	}
	e.mutex.Lock()
	h := e.held.Load()
	known := e.stamp != (source.Stamp{})
	gone := e.gone
	skip := e.unkept || gone || known && (e.refused == e.stamp || e.unkeepable == e.stamp) ||
		h != nil && h.partial && h.stamp == e.stamp
	stamp := e.stamp
	e.mutex.Unlock()
	file := k.open()
	if gone || file == nil {
		return
	}
	kept, ok := file.Stamp(e.zone)
	if !ok {
		k.name(e.zone)
	}
	if skip || ok && kept == stamp {
		return
	}
	e.mutex.Lock()
	e.unkept = true
	e.mutex.Unlock()
	k.mutex.Lock()
	k.unkept = append(k.unkept, e)
	k.mutex.Unlock()
	k.ring()
}

// name queues the name of a zone of which the file knows nothing.
func (k *keeper) name(zone string) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.unnamed[zone] = struct{}{}
	k.ring()
}

// gone queues a zone to be dropped.
func (k *keeper) gone(zone string) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.file != nil {
		k.removed[zone] = struct{}{}
		k.ring()
	}
}

// indexed is called when the index is complete.
func (k *keeper) indexed() {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.sweep = true
	k.ring()
}

// openSnapshot opens the file, or tells once why not. Where there is no index
// yet, it gives one.
func (c *Catalog) openSnapshot() {
	file, err := snapshots.get(c.config.Snapshot, c.log)
	if err != nil {
		c.count.snapshotErrors.Add(1)
		c.keep.trouble.is(err)
		return
	}
	c.keep.trouble.over()
	c.keep.mutex.Lock()
	c.keep.file = file
	c.keep.mutex.Unlock()
	if held := file.Len(); !c.known.Load() && held > 0 {
		file.Index(func(zone string, stamp source.Stamp) bool {
			e, _ := c.index.getOrMake(zone)
			e.mutex.Lock()
			if e.stamp == (source.Stamp{}) { // else the database told it already, and knows better
				e.stamp = stamp
			}
			e.mutex.Unlock()
			return true
		})
		c.known.Store(true)
		c.log.Infof("snapshot %s: %d zones are there before the database was asked", c.config.Snapshot, held)
	}
	c.index.each(func(e *entry) { c.keep.check(c, e) })
	c.keep.indexed()
}

func (c *Catalog) closeSnapshot() {
	if c.keep.open() != nil {
		snapshots.close(c.config.Snapshot)
	}
}

// fromSnapshot loads a zone from the file: the version that the index has, or
// whichever there is. It gives nil where there is none.
func (c *Catalog) fromSnapshot(e *entry, exact bool) *lookup.Zone {
	file := c.keep.open()
	if file == nil {
		return nil
	}
	if kept, ok := keptVersion(file, e.zone); !ok || exact && kept != e.version() {
		return nil
	}
	stamp, payload, ok, err := file.Get(e.zone)
	if !ok && err == nil {
		return nil
	}
	var zone *lookup.Zone
	if err == nil {
		zone, err = lookup.Decode(e.zone, payload)
	}
	if err != nil {
		c.count.snapshotErrors.Add(1)
		c.log.Warningf("%v; it is left out and written anew", err)
		file.Delete([]string{e.zone})
		c.keep.check(c, e)
		return nil
	}
	c.count.fromSnapshot.Add(1)
	return c.installKept(e, &held{zone: zone, stamp: stamp})
}

const keepAgain = 10 * time.Second // after the file or the disk failed

func (c *Catalog) runKeeper(ctx context.Context) {
	defer c.done.Done()
	if c.config.Snapshot == "" {
		return
	}
	for again := time.NewTicker(keepAgain); ; {
		select {
		case <-ctx.Done():
			again.Stop()
			return
		case <-c.keep.wake:
		case <-again.C:
		}
		if c.keep.open() == nil {
			c.openSnapshot()
		}
		if file := c.keep.open(); file != nil {
			c.keepAll(ctx, file)
		}
	}
}

// keepAll works until nothing is left to do, or something fails; the next ring
// or tick goes on.
func (c *Catalog) keepAll(ctx context.Context, file *snapshot.File) {
	for ctx.Err() == nil {
		began := time.Now()
		removed, batch := c.keep.next(c, file)
		names, err := c.keepNames(file)
		if len(removed)+len(batch)+names == 0 {
			return
		}
		if err == nil {
			err = file.Delete(removed)
		}
		if err == nil {
			err = c.keepBatch(ctx, file, batch)
		}
		if err != nil {
			c.keep.putBack(removed, batch)
			return
		}
		select {
		case <-time.After(time.Since(began) * time.Duration(c.pace.keepRest)):
		case <-ctx.Done():
		}
	}
}

// nameOnly is the stamp of a zone of which the file has the name only.
var nameOnly = source.Stamp{ChangedAt: -1}

// keepNames writes the names of zones that the file does not know, all at once:
// their versions come later, some at a time, and a zone that is not known would
// be called absent by a start without the database.
func (c *Catalog) keepNames(file *snapshot.File) (names int, err error) {
	c.keep.mutex.Lock()
	unnamed := c.keep.unnamed
	c.keep.unnamed = map[string]struct{}{}
	c.keep.mutex.Unlock()
	items := make([]snapshot.Item, 0, len(unnamed))
	for zone := range unnamed {
		if _, ok := file.Stamp(zone); !ok && c.index.get(zone) != nil {
			items = append(items, snapshot.Item{Zone: zone, Stamp: nameOnly})
		}
	}
	if err = file.Put(items); err != nil {
		c.count.snapshotErrors.Add(1)
		c.keep.trouble.is(err)
		c.keep.mutex.Lock()
		defer c.keep.mutex.Unlock()
		for _, item := range items {
			c.keep.unnamed[item.Zone] = struct{}{}
		}
	}
	return len(items), err
}

// keptVersion gives the stamp of the version that the file has of a zone.
func keptVersion(file *snapshot.File, zone string) (source.Stamp, bool) {
	stamp, ok := file.Stamp(zone)
	return stamp, ok && stamp != nameOnly
}

// next takes what is to be dropped and a batch of what is to be written.
func (k *keeper) next(c *Catalog, file *snapshot.File) (removed []string, batch []*entry) {
	k.mutex.Lock()
	sweep := k.sweep
	k.sweep = false
	for zone := range k.removed {
		removed = append(removed, zone)
	}
	clear(k.removed)
	queue := &k.unkept
	if len(k.unkept) == 0 && time.Since(k.failAt) > c.pace.keepFailed {
		queue = &k.failed // last, for they may take long to fail again
	}
	n, room := 0, c.pace.room()
	for n < len(*queue) && room.takes((*queue)[n]) {
		n++
	}
	batch = (*queue)[:n:n]
	*queue = (*queue)[n:]
	k.mutex.Unlock()
	if sweep {
		file.Index(func(zone string, _ source.Stamp) bool {
			if c.index.get(zone) == nil {
				removed = append(removed, zone)
			}
			return true
		})
	}
	return removed, batch
}

func (k *keeper) putBack(removed []string, batch []*entry) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	for _, zone := range removed {
		k.removed[zone] = struct{}{}
	}
	k.unkept = append(k.unkept, batch...)
}

// fail queues what the database did not give, and tells whether there is any such
// zone.
func (k *keeper) fail(failed []*entry) bool {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if len(failed) > 0 {
		k.failed, k.failAt = append(k.failed, failed...), time.Now()
	}
	return len(k.failed) > 0
}

// keepBatch writes zones: what is loaded from memory, the others as the database
// has them. Its error says that all of them are to be tried again.
func (c *Catalog) keepBatch(ctx context.Context, file *snapshot.File, batch []*entry) error {
	var items []snapshot.Item
	var absent []*entry
	for _, e := range batch {
		e.mutex.Lock()
		h, stamp, gone := e.held.Load(), e.stamp, e.gone
		e.mutex.Unlock()
		switch {
		case gone:
		case h != nil && h.stamp == stamp && !h.partial:
			items = append(items, snapshot.Item{Zone: e.zone, Stamp: stamp, Payload: h.zone.Encode()})
		default:
			absent = append(absent, e)
		}
	}
	read, failed, err := c.readForKeeping(ctx, file, absent)
	if err != nil {
		return err
	}
	if err = file.Put(append(items, read...)); err != nil {
		c.count.snapshotErrors.Add(1)
		c.keep.trouble.is(err)
		return err
	}
	if anyFailed := c.keep.fail(failed); len(batch) > 0 && !anyFailed {
		c.keep.trouble.over()
	}
	for _, e := range batch {
		if slices.Contains(failed, e) {
			continue
		}
		e.mutex.Lock()
		e.unkept = false
		e.mutex.Unlock()
		c.keep.check(c, e) // it may have changed while it was written
	}
	return nil
}

// readForKeeping reads versions from the database. They are not kept in memory. If
// it does not give them, perhaps because of one of them, each is read alone; failed
// is what it does not give then.
func (c *Catalog) readForKeeping(ctx context.Context, file *snapshot.File, batch []*entry) (items []snapshot.Item,
	failed []*entry, err error) {
	if len(batch) == 0 {
		return nil, nil, nil
	}
	if !c.well.Load() {
		return nil, nil, errAway
	}
	before, versions, err := c.readBatch(ctx, batch)
	switch {
	case err == nil:
	case ctx.Err() != nil || !c.well.Load():
		return nil, nil, errAway
	case len(batch) > 1:
		return c.readEachForKeeping(ctx, file, batch)
	default:
		c.count.snapshotErrors.Add(1)
		c.keep.trouble.is(fmt.Errorf("zone %s is not brought up to date in the snapshot: %w", batch[0].zone, err))
		return nil, batch, nil
	}
	for i, e := range batch {
		v := versions[i]
		if !v.Exists {
			continue // the index will be told
		}
		zone, bad := lookup.Build(e.zone, v.Records)
		if bad = append(v.Bad, bad...); len(bad) > 0 {
			c.cannotKeep(file, e, before[i], v, bad)
			continue
		}
		e.adopt(before[i], v.Stamp)
		items = append(items, snapshot.Item{Zone: e.zone, Stamp: v.Stamp, Payload: zone.Encode()})
	}
	return items, nil, nil
}

func (c *Catalog) readEachForKeeping(ctx context.Context, file *snapshot.File, batch []*entry) (items []snapshot.Item,
	failed []*entry, err error) {
	for i := range batch {
		read, not, err := c.readForKeeping(ctx, file, batch[i:i+1:i+1])
		if err != nil {
			return nil, nil, err
		}
		items, failed = append(items, read...), append(failed, not...)
	}
	return items, failed, nil
}

var errAway = errors.New("the database is away")

// cannotKeep notes that a version with bad rows is not for the file. The one that
// is there goes on.
func (c *Catalog) cannotKeep(file *snapshot.File, e *entry, before source.Stamp, v source.Version,
	bad []lookup.BadRecord) {
	e.adopt(before, v.Stamp)
	e.mutex.Lock()
	e.unkeepable = v.Stamp
	h := e.held.Load()
	e.mutex.Unlock()
	if _, kept := keptVersion(file, e.zone); kept && h == nil {
		c.reportBad(v, bad)
		e.mutex.Lock()
		e.refused = v.Stamp
		e.mutex.Unlock()
	}
}
