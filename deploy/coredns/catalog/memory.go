// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"cmp"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"unsafe"

	"zonefan.internal/coredns/source"
)

// size is what a held version takes of memory.
func (h *held) size() int64 {
	if h == nil {
		return 0
	}
	size := int64(h.zone.Size()) + int64(unsafe.Sizeof(*h))
	return size + size/4 // sizes are rounded up, and what is freed between zones is not all used again; measured
}

// Memory is the estimate that max_memory bounds: loaded zones and the index.
func (c *Catalog) Memory() int64 { return c.memory.Load() + c.index.size() }

// release forgets the version of an entry, whose lock the caller holds.
func (c *Catalog) release(e *entry) {
	c.memory.Add(-e.held.Swap(nil).size())
}

// room makes room where there is too little: zones not asked for longest go
// first, and some more than needed, so that this is not to be done for each new
// one. A zone larger than all the room is the very first: it was served to those
// who waited for it.
func (c *Catalog) room() {
	if c.Memory() <= c.config.MaxMemory || !c.evicting.TryLock() {
		return
	}
	defer c.evicting.Unlock()
	room := c.config.MaxMemory - c.index.size()
	type candidate struct {
		*entry
		used uint32
	}
	var all []candidate
	c.index.each(func(e *entry) {
		h := e.held.Load()
		switch {
		case h == nil:
		case h.size() > room:
			c.tellLarge(e, h.size(), room)
			c.evict(e)
		default:
			all = append(all, candidate{e, e.used.Load()})
		}
	})
	slices.SortFunc(all, func(a, b candidate) int { return cmp.Compare(a.used, b.used) })
	for _, e := range all {
		if c.memory.Load() <= room-room/20 {
			return
		}
		c.evict(e.entry)
	}
}

// tellLarge says once that max_memory is too small for a zone.
func (c *Catalog) tellLarge(e *entry, size, room int64) {
	e.mutex.Lock()
	told := e.large
	e.large = true
	e.mutex.Unlock()
	if !told {
		c.log.Warningf("zone %s takes %d bytes, and max_memory leaves %d: it is read anew for each question", e.zone, size,
			max(room, 0))
	}
}

// evict forgets what is loaded of a zone. If a newer version was refused in its
// favour that is to be decided anew: one with a bad row is better than none.
func (c *Catalog) evict(e *entry) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c.release(e)
	e.refused = source.Stamp{}
	c.count.evicted.Add(1)
}

// limitHeap lets the collector work harder where max_memory (of all catalogs)
// would otherwise take more than twice as much: it usually lets the heap double.
// Who sets GOMEMLIMIT knows better.
func limitHeap(maxMemory int64) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if maxMemory == 0 {
		debug.SetMemoryLimit(math.MaxInt64)
		return
	}
	debug.SetMemoryLimit(max(maxMemory+maxMemory/2, 64<<20))
}
