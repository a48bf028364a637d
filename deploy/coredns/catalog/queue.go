// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"sync"
	"sync/atomic"
)

// loader hands zones to be read from the database to its goroutines: first those
// for which questions wait. Each zone is read by one of them at a time: of two reads
// the one that saw less could come last, and what answers would go back.
type loader struct {
	mutex   sync.Mutex
	wake    *sync.Cond
	urgent  []*entry
	stale   []*entry
	queued  map[*entry]struct{}
	loading map[*entry]bool // true: it was wanted again meanwhile
	failed  []*entry        // of stale ones; they are tried again when the database is well
	closed  bool
	waiting atomic.Int32
	trouble trouble
}

func (l *loader) init() {
	l.wake = sync.NewCond(&l.mutex)
	l.queued = map[*entry]struct{}{}
	l.loading = map[*entry]bool{}
}

func (l *loader) close() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.closed = true
	l.wake.Broadcast()
}

// want queues a zone, once.
func (l *loader) want(e *entry, urgent bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if _, ok := l.loading[e]; ok {
		l.loading[e] = true
		return
	}
	if _, ok := l.queued[e]; ok && !urgent {
		return
	}
	l.queued[e] = struct{}{}
	if urgent {
		l.urgent = append(l.urgent, e)
	} else {
		l.stale = append(l.stale, e)
	}
	l.wake.Signal()
}

// loaded ends the load of a zone, and queues it again if it was wanted meanwhile
// and still is.
func (l *loader) loaded(e *entry) {
	l.mutex.Lock()
	again := l.loading[e]
	delete(l.loading, e)
	l.mutex.Unlock()
	if !again {
		return
	}
	e.mutex.Lock()
	urgent, stale := e.load != nil, e.stale()
	e.mutex.Unlock()
	if urgent || stale {
		l.want(e, urgent)
	}
}

// room is what one consistent read may still take.
type room struct {
	zones, rows int
	begun       bool
}

func (p *pace) room() room { return room{zones: p.batch, rows: p.batchRows} }

// takes says whether there is room for a zone, and takes it then. There is for one
// at least.
func (r *room) takes(e *entry) bool {
	rows := int(e.rows.Load())
	if r.zones == 0 || r.begun && rows > r.rows {
		return false
	}
	r.zones, r.rows, r.begun = r.zones-1, r.rows-rows, true
	return true
}

// take waits for zones and gives those that there is room for; none at the end.
// Each is to be given to loaded.
func (l *loader) take(room room) []*entry {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for !l.closed {
		if batch := l.queuedFirst(room); batch != nil {
			return batch
		}
		l.wake.Wait()
	}
	return nil
}

// queuedFirst takes zones off the queues. The caller holds the lock.
func (l *loader) queuedFirst(room room) []*entry {
	var batch []*entry
	for _, queue := range []*[]*entry{&l.urgent, &l.stale} {
		for ; len(*queue) > 0; *queue = (*queue)[1:] {
			e := (*queue)[0]
			if _, ok := l.queued[e]; !ok {
				continue // it was taken from the other queue
			}
			if !room.takes(e) {
				return batch
			}
			delete(l.queued, e)
			l.loading[e] = false
			batch = append(batch, e)
		}
	}
	return batch
}

// later notes zones that are loaded and could not be read anew.
func (l *loader) later(batch []*entry) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, e := range batch {
		if e.held.Load() != nil { // of the others the next question asks again
			l.failed = append(l.failed, e)
		}
	}
}

// retry queues what failed before.
func (l *loader) retry() {
	l.mutex.Lock()
	failed := l.failed
	l.failed = nil
	l.mutex.Unlock()
	for _, e := range failed {
		l.want(e, false)
	}
}
