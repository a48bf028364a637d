// SPDX-License-Identifier: Apache-2.0

// Package catalog knows which zones a database holds and keeps those that are
// asked for in memory.
//
// The index has the name and the stamp of every zone; one goroutine keeps it by
// asking the database what changed (refresh.go). Versions of zones are read when
// first asked for, or when the stamp of a loaded one moved (load.go), evicted
// when they take too much memory (memory.go), and kept in a file for the time
// when the database is away (keep.go).
package catalog

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"zonefan.internal/coredns/lookup"
	"zonefan.internal/coredns/source"
)

// Errors that questions get; what is behind them is logged once, not for each.
var (
	ErrNoIndex  = errors.New("it is not known yet which zones there are")
	ErrGone     = errors.New("there is no such zone any more")
	ErrNotThere = errors.New("the zone is neither in memory nor in the snapshot, and the database does not give it")
)

// Logger gets what an operator should know. CoreDNS's plugin logger is one.
type Logger interface {
	Infof(format string, v ...any)
	Warningf(format string, v ...any)
	Errorf(format string, v ...any)
}

// Config says what to serve from, and how.
type Config struct {
	Source    source.Config
	Refresh   time.Duration // between two looks at what changed
	MaxMemory int64         // bytes, for zones and index
	Snapshot  string        // path of the file; "" for none
	Log       Logger
}

// Catalog is open on one database. All its functions are safe for any number of
// goroutines.
type Catalog struct {
	config Config
	pace   pace
	log    Logger
	source *source.Source
	index  index
	loads  loader
	keep   keeper
	count  counters

	tick      atomic.Uint32 // seconds since the start: what "used last" is told in
	memory    atomic.Int64  // bytes of all zones that are held
	known     atomic.Bool   // the index was complete once
	well      atomic.Bool   // the database answered last time
	answered  atomic.Int64  // when it did so last; Unix nanoseconds
	polled    atomic.Int64  // when it last told what changed; Unix nanoseconds
	newest    atomic.Int64  // changed_at of all versions that were seen; a database that has none so new went back
	evicting  sync.Mutex
	trouble   trouble
	listeners listeners

	stop context.CancelFunc
	done sync.WaitGroup
}

// pace is all the times that are no setting. Tests have shorter ones.
type pace struct {
	window       time.Duration // each poll asks again for what was just told: commits come later than their changed_at
	wideWindow   time.Duration // now and then for the longest that a transaction of the writer may take, and more
	wideEvery    time.Duration
	fullEvery    time.Duration // all stamps are compared
	foreignEvery time.Duration // digests of zones that others wrote
	foreignRest  int           // times as long as that took, at least
	patience     time.Duration // a question waits so long for the database
	pollLimit    time.Duration // a poll without an answer is given up
	loadLimit    time.Duration
	loadRest     time.Duration // of each loader while the database is away
	page         int           // zones of a page of the full list
	batch        int           // zones of one consistent read
	batchRows    int           // and their records, but for a zone that has more by itself: they are not counted as memory
	keepRest     int           // the snapshot's pass rests so many times as long as it worked
	keepFailed   time.Duration // before it tries again what the database did not give
}

// decisions.md 29: 30 s; transaction_max_ms (120 s) and 60 s more, every minute;
// all every 10 minutes.
var usual = pace{
	window: 30 * time.Second, wideWindow: 180 * time.Second, wideEvery: time.Minute, fullEvery: 10 * time.Minute,
	foreignEvery: 10 * time.Second, foreignRest: 100, patience: 2 * time.Second, pollLimit: 10 * time.Second, loadLimit: 30 * time.Second,
	loadRest: 100 * time.Millisecond, page: 5000, batch: 64, batchRows: 5000, keepRest: 4, keepFailed: 5 * time.Minute,
}

// start opens the source and begins to look. It does not wait for the database.
func start(config Config, pace pace) (*Catalog, error) {
	from, err := source.Open(config.Source)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Catalog{config: config, pace: pace, log: config.Log, source: from, stop: stop}
	c.index.init()
	c.loads.init()
	c.keep.init()
	c.well.Store(true)
	c.trouble.log, c.loads.trouble.log, c.keep.trouble.log = c.log, c.log, c.log
	if config.Snapshot != "" {
		c.openSnapshot()
	}
	for range loaders {
		c.done.Add(1)
		go c.runLoader(ctx)
	}
	c.done.Add(2)
	go c.runRefresh(ctx)
	go c.runKeeper(ctx)
	return c, nil
}

// end stops all goroutines and waits for them.
func (c *Catalog) end() {
	c.stop()
	c.loads.close()
	c.done.Wait()
	c.source.Close()
	c.closeSnapshot()
}

// Ready says whether questions can be answered: the index was read once, or a
// good snapshot was there.
func (c *Catalog) Ready() bool { return c.known.Load() }

// Zone gives the version of a zone that answers now. It does not block where the
// zone is loaded; else it waits for the snapshot's disk, and for the database as
// long as patience allows. zone is a name that Find gave.
func (c *Catalog) Zone(ctx context.Context, zone string) (*lookup.Zone, error) {
	e := c.index.get(zone)
	if e == nil {
		return nil, ErrGone
	}
	if h := e.held.Load(); h != nil {
		e.touch(c.tick.Load())
		return h.zone, nil
	}
	return c.fetch(ctx, e)
}

// OnChange has changed called with each zone of which another version answers
// from now on, loaded or not, and with each new one, until cancel is called.
// changed must not block.
func (c *Catalog) OnChange(changed func(zone string)) (cancel func()) {
	return c.listeners.add(changed)
}

// listeners are told of zones whose version changed.
type listeners struct {
	mutex sync.Mutex
	next  int
	all   map[int]func(zone string)
}

func (l *listeners) add(f func(zone string)) (cancel func()) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.all == nil {
		l.all = map[int]func(string){}
	}
	id := l.next
	l.next++
	l.all[id] = f
	return func() {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		delete(l.all, id)
	}
}

func (l *listeners) tell(zone string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, f := range l.all {
		f(zone)
	}
}
