// SPDX-License-Identifier: Apache-2.0

// Package snapshot keeps zones in a file, each with its stamp and a checksum,
// for the time when the database is away.
//
// The file is a cache: whatever of it can't be read is left out, never guessed.
// It grows by records at its end; when more than half of it is garbage it is
// written anew beside the old one and renamed.
package snapshot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"zonefan.internal/coredns/source"
)

// ErrDamaged: the zone's record does not bear its checksum any more.
var ErrDamaged = errors.New("the record is damaged")

// Item is a zone to be kept, or without a payload the name of one that is not
// kept yet: so that it is known. The payload belongs to the caller, who must not
// change it during Put.
type Item struct {
	Zone    string // lower case, final dot
	Stamp   source.Stamp
	Payload []byte
}

// entry is where a zone's newest record stands.
type entry struct {
	offset int64
	size   int64
	stamp  source.Stamp
	bare   bool // a name only
}

// File is an open snapshot. All its functions are safe for any number of
// goroutines; reading goes on while something is written.
type File struct {
	path string
	log  Logger
	lock *os.File

	write sync.Mutex // held by who appends or compacts: one at a time
	retry int64      // not to be compacted before it is larger; after a failure

	state   sync.RWMutex // over all below; held for writing only in memory, never over a write to the disk
	file    *os.File     // nil: closed
	salt    []byte
	end     int64 // of the last whole record
	live    int64 // bytes of the records that entries point to
	entries map[string]entry
}

// note takes a record at offset for the newest of its zone.
func (f *File) note(r record, offset int64) {
	if old, ok := f.entries[r.zone]; ok {
		f.live -= old.size
		delete(f.entries, r.zone)
	}
	if r.kind == kindZone {
		f.entries[r.zone] = entry{offset: offset, size: r.size(), stamp: r.stamp, bare: r.head.payload == 0}
		f.live += r.size()
	}
}

// Len returns how many zones the snapshot holds, without bare names.
func (f *File) Len() int {
	f.state.RLock()
	defer f.state.RUnlock()
	n := 0
	for _, e := range f.entries {
		if !e.bare {
			n++
		}
	}
	return n
}

// Stamp returns the stamp with which a zone is kept.
func (f *File) Stamp(zone string) (source.Stamp, bool) {
	f.state.RLock()
	defer f.state.RUnlock()
	e, ok := f.entries[zone]
	return e.stamp, ok
}

// Index tells all zones with their stamps, in no order, until yield returns
// false. It tells what was there when it began.
func (f *File) Index(yield func(zone string, stamp source.Stamp) bool) {
	type item struct {
		zone  string
		stamp source.Stamp
	}
	f.state.RLock()
	items := make([]item, 0, len(f.entries))
	for zone, e := range f.entries {
		items = append(items, item{zone, e.stamp})
	}
	f.state.RUnlock()
	for _, i := range items {
		if !yield(i.zone, i.stamp) {
			return
		}
	}
}

// Get reads a zone; the payload is the caller's. It blocks for a read of the
// disk. ok is false if the zone is not there. An error (ErrDamaged, or one of
// the disk) names file and zone; the zone is not in the snapshot any more then,
// and may be put again.
func (f *File) Get(zone string) (stamp source.Stamp, payload []byte, ok bool, err error) {
	f.state.RLock()
	e, ok := f.entries[zone]
	if !ok || f.file == nil {
		f.state.RUnlock()
		return source.Stamp{}, nil, false, nil
	}
	r, err := f.read(e)
	f.state.RUnlock()
	if err == nil && r.zone == zone {
		return r.stamp, r.payload, true, nil
	}
	if err == nil || err == errNoRecord || err == io.EOF {
		err = ErrDamaged
	}
	f.forget(zone, e)
	return source.Stamp{}, nil, false, fmt.Errorf("snapshot %s: zone %s: %w", f.path, zone, err)
}

// read reads the record of e; the state is locked by the caller.
func (f *File) read(e entry) (record, error) {
	data := make([]byte, e.size)
	if _, err := f.file.ReadAt(data, e.offset); err != nil {
		return record{}, err
	}
	return parseRecord(f.salt, data)
}

// forget drops a zone from the index if its record is still the one of e.
func (f *File) forget(zone string, e entry) {
	f.state.Lock()
	defer f.state.Unlock()
	if f.entries[zone] == e {
		delete(f.entries, zone)
		f.live -= e.size
	}
}

// Close ends all and gives the lock away. Later calls find nothing and keep
// nothing.
func (f *File) Close() error {
	f.write.Lock()
	defer f.write.Unlock()
	f.state.Lock()
	defer f.state.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file, f.entries = nil, map[string]entry{}
	return errors.Join(err, f.lock.Close())
}
