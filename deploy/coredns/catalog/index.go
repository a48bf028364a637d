// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/miekg/dns"

	"zonefan.internal/coredns/lookup"
	"zonefan.internal/coredns/source"
)

// entry is a zone of the index.
type entry struct {
	zone string
	held atomic.Pointer[held] // nil: not loaded
	used atomic.Uint32        // tick at which it was last asked for
	rows atomic.Uint32        // about how many the database has; 0: not known

	mutex      sync.Mutex // over all below, and over changes of held
	stamp      source.Stamp
	refused    source.Stamp // of a version that is not to be taken, nor read again
	unkeepable source.Stamp // of one that is not for the snapshot
	load       *load        // under way, or nil
	gone       bool         // not in the index any more
	unkept     bool         // waits for the snapshot's pass
	large      bool         // it was told that it is larger than all the room
	seen       uint32       // the last comparison with the full list that found it
}

// held is a version in memory.
type held struct {
	zone    *lookup.Zone
	stamp   source.Stamp
	partial bool // without its bad rows: not for the snapshot
}

func (e *entry) touch(tick uint32) {
	// all processors share the line: it is written once a second
	if e.used.Load() != tick {
		e.used.Store(tick)
	}
}

const shards = 64

// index has all zones by name. Questions take a read lock of one shard for the
// time of one look.
type index struct {
	seed  maphash.Seed
	shard [shards]shard
}

type shard struct {
	mutex   sync.RWMutex
	entries map[string]*entry
	_       [32]byte // a line of the cache for each
}

func (x *index) init() {
	x.seed = maphash.MakeSeed()
	for i := range x.shard {
		x.shard[i].entries = map[string]*entry{}
	}
}

func (x *index) of(zone string) *shard {
	return &x.shard[maphash.String(x.seed, zone)%shards]
}

func (x *index) get(zone string) *entry {
	s := x.of(zone)
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	return s.entries[zone]
}

// getOrMake finds or makes the entry of a zone.
func (x *index) getOrMake(zone string) (e *entry, made bool) {
	if e := x.get(zone); e != nil {
		return e, false
	}
	s := x.of(zone)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if e := s.entries[zone]; e != nil {
		return e, false
	}
	zone = strings.Clone(zone) // not a part of a larger text
	e = &entry{zone: zone}
	s.entries[zone] = e
	return e, true
}

// remove takes an entry out, not one that was made for the same zone since.
func (x *index) remove(e *entry) {
	s := x.of(e.zone)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.entries[e.zone] == e {
		delete(s.entries, e.zone)
	}
}

func (x *index) len() int {
	n := 0
	for i := range x.shard {
		x.shard[i].mutex.RLock()
		n += len(x.shard[i].entries)
		x.shard[i].mutex.RUnlock()
	}
	return n
}

// each calls do with every entry, outside of all locks.
func (x *index) each(do func(*entry)) {
	var list []*entry
	for i := range x.shard {
		s := &x.shard[i]
		list = list[:0]
		s.mutex.RLock()
		for _, e := range s.entries {
			list = append(list, e)
		}
		s.mutex.RUnlock()
		for _, e := range list {
			do(e)
		}
	}
}

// entrySize is what a zone takes of memory besides its records: the entry, its
// place in the map (which is three quarters full on the average), its name.
const entrySize = int64(unsafe.Sizeof(entry{})) + 2*24*4/3 + 16

func (x *index) size() int64 { return int64(x.len()) * (entrySize + 24) }

// Find tells the zone that a question is about: the longest name of the index
// that qname is at or below; known is false where there is none. The DS of a zone
// is its parent's (RFC 4035 3.1.4.1), if that is here. qname is absolute, in lower
// case. The error is ErrNoIndex: ignorance is not absence.
func (c *Catalog) Find(qname string, qtype uint16) (zone string, known bool, err error) {
	if !c.known.Load() {
		return "", false, ErrNoIndex
	}
	apex := ""
	for offset, end := 0, false; !end; offset, end = dns.NextLabel(qname, offset) {
		e := c.index.get(qname[offset:])
		if e == nil {
			continue
		}
		if qtype == dns.TypeDS && offset == 0 && qname != "." {
			apex = e.zone
			continue
		}
		return e.zone, true, nil
	}
	if e := c.index.get("."); e != nil {
		return e.zone, true, nil
	}
	return apex, apex != "", nil
}

func (e *entry) version() source.Stamp {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.stamp
}

// adopt gives the index the stamp that a version was read with, unless the index
// got another one since the read began: what was read last is newest.
func (e *entry) adopt(before, stamp source.Stamp) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.stamp == before {
		e.stamp = stamp
	}
}

// stale says whether another version than the held one should answer. The caller
// holds the lock.
func (e *entry) stale() bool {
	h := e.held.Load()
	return h != nil && h.stamp != e.stamp && !e.isRefused()
}

// isRefused says whether the index's version is one that is not to be taken. The
// caller holds the lock.
func (e *entry) isRefused() bool {
	return e.refused == e.stamp && e.stamp != (source.Stamp{})
}
