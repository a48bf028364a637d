// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"fmt"
	"io/fs"

	"zonefan.internal/coredns/source"
)

// Put keeps zones, instead of what was kept of them. It blocks until they are
// on the disk. After an error, which names the file, none of them is kept and
// what was kept of them before still is; a full disk may be tried again later.
func (f *File) Put(items []Item) error {
	return f.add(len(items), func(i int, buffer []byte) ([]byte, error) {
		return appendRecord(buffer, f.salt, kindZone, items[i].Zone, items[i].Stamp, items[i].Payload)
	})
}

// Delete drops zones, as Put keeps them. Zones that are not there are ignored.
func (f *File) Delete(zones []string) error {
	var held []string
	for _, zone := range zones {
		if _, ok := f.Stamp(zone); ok {
			held = append(held, zone)
		}
	}
	return f.add(len(held), func(i int, buffer []byte) ([]byte, error) {
		return appendRecord(buffer, f.salt, kindGone, held[i], source.Stamp{}, nil)
	})
}

// add appends n records that encode makes.
func (f *File) add(n int, encode func(i int, buffer []byte) ([]byte, error)) error {
	if n == 0 {
		return nil
	}
	f.write.Lock()
	defer f.write.Unlock()
	var batch []byte
	var err error
	for i := 0; i < n && err == nil; i++ {
		batch, err = encode(i, batch)
	}
	if err == nil {
		err = f.append(batch)
	}
	if err != nil {
		return fmt.Errorf("snapshot %s: %w", f.path, err)
	}
	f.noteBatch(batch)
	f.compactIfDue()
	return nil
}

// append writes batch behind the last record, or nothing.
func (f *File) append(batch []byte) error {
	if f.file == nil {
		return fs.ErrClosed
	}
	_, err := f.file.WriteAt(batch, f.end)
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		// If this fails too the rest is overwritten later, or left out at the next start.
		f.file.Truncate(f.end)
	}
	return err
}

// noteBatch makes the records of batch, which were written at the end, those
// that count.
func (f *File) noteBatch(batch []byte) {
	f.state.Lock()
	defer f.state.Unlock()
	for len(batch) > 0 {
		h, err := parseHead(batch)
		if err != nil {
			panic("snapshot: a record that was just made is none")
		}
		f.note(record{head: h, zone: string(batch[headSize : headSize+h.name])}, f.end)
		f.end += h.size()
		batch = batch[h.size():]
	}
}
