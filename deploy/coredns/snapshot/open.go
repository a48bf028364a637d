// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Logger gets a line for each thing that an operator should know of; CoreDNS's
// own plugin logger is one.
type Logger interface {
	Warningf(format string, v ...any)
}

// LockedError says that another process owns the file. Its owner may end:
// try again later.
type LockedError struct {
	Path  string
	Owner string // process number, as the owner wrote it; empty if it is not known
}

// Error names the file and its owner.
func (e *LockedError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("snapshot %s is in use by another process", e.Path)
	}
	return fmt.Sprintf("snapshot %s is in use by process %s", e.Path, e.Owner)
}

// Open opens the snapshot at path, or makes an empty one. What can't be read
// of it is left out, with a line in the log that says what was: a damaged
// record, the torn end of the last one. A file that is no snapshot, or one of
// another format, is kept as PATH.unreadable.
//
// The file is owned by one process, which holds the lock PATH.lock until
// Close: a *LockedError if that is another one. Any other error names the path.
func Open(path string, log Logger) (*File, error) {
	lock, err := takeLock(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, log: log, lock: lock, entries: map[string]entry{}}
	if err := f.open(); err != nil {
		if f.file != nil {
			f.file.Close()
		}
		lock.Close()
		return nil, fmt.Errorf("snapshot %s: %w", path, err)
	}
	return f, nil
}

// takeLock leaves the lock's file behind for ever: if it were removed, two
// processes could hold locks of two files of that name.
func takeLock(path string) (*os.File, error) {
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		// only to be named to others: without it they say "another process"
		lock.Truncate(0)
		lock.WriteAt([]byte(fmt.Sprintln(os.Getpid())), 0)
		return lock, nil
	}
	defer lock.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		owner, _ := io.ReadAll(io.LimitReader(lock, 20))
		return nil, &LockedError{Path: path, Owner: strings.TrimSpace(string(owner))}
	}
	return nil, fmt.Errorf("snapshot %s.lock: %w", path, err)
}

func (f *File) open() error {
	if err := os.Remove(f.path + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.openFile(); err != nil {
		return err
	}
	reason := f.readHeader()
	if reason == nil {
		return f.scan()
	}
	if reason != io.EOF {
		if err := f.setAside(reason); err != nil {
			return err
		}
	}
	return f.begin()
}

func (f *File) openFile() error {
	info, err := os.Stat(f.path)
	if err == nil && !info.Mode().IsRegular() {
		return errors.New("is no regular file")
	}
	f.file, err = os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600)
	return err
}

// readHeader says why the file's header can't be used; io.EOF if it is empty.
func (f *File) readHeader() error {
	header := make([]byte, headerSize)
	n, err := f.file.ReadAt(header, 0)
	if n == 0 || err != nil && err != io.EOF {
		return err
	}
	f.salt, err = parseHeader(header[:n])
	return err
}

// setAside renames what is no snapshot of ours, whatever it may be to others,
// and opens a new file in its place.
func (f *File) setAside(reason error) error {
	aside := f.path + ".unreadable"
	if err := os.Rename(f.path, aside); err != nil {
		return err
	}
	f.log.Warningf("snapshot %s is ignored and begun anew: %v; it is kept as %s", f.path, reason, aside)
	f.file.Close()
	return f.openFile()
}

// begin makes an empty file a snapshot.
func (f *File) begin() error {
	header, err := newHeader()
	if err != nil {
		return err
	}
	if _, err := f.file.WriteAt(header, 0); err != nil {
		return err
	}
	if err := f.file.Sync(); err != nil {
		return err
	}
	f.salt, f.end = header[12:12+saltSize], headerSize
	return syncFolder(f.path)
}

func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// scan reads the whole file once, and so finds the newest record of each zone
// and all damage.
func (f *File) scan() error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	w := &window{file: f.file, size: info.Size()}
	for f.end = headerSize; f.end < w.size; {
		r, err := w.record(f.salt, f.end)
		if err == nil {
			f.note(r, f.end)
			f.end += r.size()
			continue
		}
		if err == errNoRecord {
			err = f.skip(w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// skip goes on behind damage, or cuts off the end that is no whole record: a
// process that was killed while it wrote leaves one.
func (f *File) skip(w *window) error {
	next, err := w.next(f.salt, f.end+1)
	if err == errNoRecord {
		f.log.Warningf("snapshot %s: the last %d bytes are no whole record%s; they are cut off",
			f.path, w.size-f.end, f.guess(w))
		w.size = f.end
		return f.file.Truncate(f.end)
	}
	if err != nil {
		return err
	}
	f.log.Warningf("snapshot %s: %d bytes at byte %d are damaged%s; they are left out",
		f.path, next-f.end, f.end, f.guess(w))
	f.end = next
	return nil
}

// guess names the zone of a record that can't be trusted, as far as it can
// still be read.
func (f *File) guess(w *window) string {
	data, err := w.at(f.end, headSize)
	if err != nil {
		return ""
	}
	h, err := parseHead(data)
	if err != nil {
		return ""
	}
	if data, err = w.at(f.end+headSize, int64(h.name)); err != nil {
		return ""
	}
	return fmt.Sprintf(" (zone %q)", data)
}
