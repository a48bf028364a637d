// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bytes"
	"io"
)

// readAhead is how much of the file is read at once when it is read in order.
const readAhead = 256 << 10

// window reads a file that does not grow meanwhile, mostly from front to back.
// One goroutine uses it.
type window struct {
	file   io.ReaderAt
	size   int64
	buffer []byte
	start  int64 // of the buffer, in the file
}

// at returns length bytes from offset, valid until the next call; errNoRecord
// where the file ends before.
func (w *window) at(offset int64, length int64) ([]byte, error) {
	if length < 0 || offset < 0 || offset > w.size-length {
		return nil, errNoRecord
	}
	if offset < w.start || offset+length > w.start+int64(len(w.buffer)) {
		if err := w.move(offset, length); err != nil {
			return nil, err
		}
	}
	from := offset - w.start
	return w.buffer[from : from+length], nil
}

func (w *window) move(offset, length int64) error {
	want := min(max(length, readAhead), w.size-offset)
	if int64(cap(w.buffer)) < want || int64(cap(w.buffer)) > 4*max(want, readAhead) {
		w.buffer = make([]byte, want)
	}
	w.buffer, w.start = w.buffer[:want], offset
	if _, err := w.file.ReadAt(w.buffer, offset); err != nil {
		w.buffer = w.buffer[:0]
		return err
	}
	return nil
}

// record returns the record at offset, valid until the next call; errNoRecord
// if there is none, any other error if the file could not be read.
func (w *window) record(salt []byte, offset int64) (record, error) {
	data, err := w.at(offset, headSize)
	if err != nil {
		return record{}, err
	}
	h, err := parseHead(data)
	if err != nil {
		return record{}, err
	}
	if data, err = w.at(offset, h.size()); err != nil {
		return record{}, err
	}
	return parseRecord(salt, data)
}

// next returns where the first whole record at or behind offset begins;
// errNoRecord if there is none.
func (w *window) next(salt []byte, offset int64) (int64, error) {
	for offset+overhead <= w.size {
		data, err := w.at(offset, min(readAhead, w.size-offset))
		if err != nil {
			return 0, err
		}
		found := bytes.Index(data, recordMagic)
		if found < 0 {
			offset += int64(len(data) - len(recordMagic) + 1) // a magic may lie across the edge
			continue
		}
		offset += int64(found)
		if _, err = w.record(salt, offset); err != errNoRecord {
			return offset, err
		}
		offset++
	}
	return 0, errNoRecord
}
