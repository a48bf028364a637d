// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"slices"
)

// Smaller files are not worth to be written anew.
const compactAtLeast = 1 << 20

// placed is an entry with its zone, to be sorted by place.
type placed struct {
	zone string
	entry
}

// compactIfDue writes the file anew if more than half of it is garbage. If that
// fails, because the disk is full for one thing, the old file goes on.
// The caller holds the write lock.
func (f *File) compactIfDue() {
	if f.end < compactAtLeast || f.live > f.end/2 || f.end < f.retry {
		return
	}
	if err := f.compact(); err != nil {
		f.retry = f.end + f.end/4
		os.Remove(f.path + ".new")
		f.log.Warningf("snapshot %s: could not be compacted, and goes on growing: %v", f.path, err)
		return
	}
	f.retry = 0
}

func (f *File) compact() error {
	file, err := os.OpenFile(f.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	next, err := f.copyTo(file)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = os.Rename(f.path+".new", f.path)
	}
	if err != nil {
		file.Close()
		return err
	}
	f.adopt(next)
	return syncFolder(f.path)
}

// copyTo writes all records that count to file, and returns a File of it.
func (f *File) copyTo(file *os.File) (*File, error) {
	header, err := newHeader()
	if err != nil {
		return nil, err
	}
	next := &File{file: file, salt: header[12 : 12+saltSize], end: headerSize, entries: make(map[string]entry, len(f.entries))}
	out := bufio.NewWriterSize(file, readAhead)
	out.Write(header) // an error comes back from Flush
	in := &window{file: f.file, size: f.end}
	var buffer []byte
	for _, p := range f.inOrder() {
		r, err := in.record(f.salt, p.offset)
		if err == errNoRecord {
			f.log.Warningf("snapshot %s: the record of zone %s is damaged; it is left out", f.path, p.zone)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("zone %s: %w", p.zone, err)
		}
		if buffer, err = appendRecord(buffer[:0], next.salt, kindZone, r.zone, r.stamp, r.payload); err != nil {
			return nil, err
		}
		if _, err = out.Write(buffer); err != nil {
			return nil, err
		}
		next.note(r, next.end)
		next.end += r.size()
	}
	return next, out.Flush()
}

func (f *File) inOrder() []placed {
	f.state.RLock()
	defer f.state.RUnlock()
	list := make([]placed, 0, len(f.entries))
	for zone, e := range f.entries {
		list = append(list, placed{zone, e})
	}
	slices.SortFunc(list, func(a, b placed) int { return cmp.Compare(a.offset, b.offset) })
	return list
}

// adopt goes on with the file that was written, which has its name already.
// A zone that was found damaged while it was copied is not there any more.
func (f *File) adopt(next *File) {
	f.state.Lock()
	defer f.state.Unlock()
	f.file.Close()
	f.file, f.salt, f.end, f.live, f.entries = next.file, next.salt, next.end, next.live, next.entries
}
