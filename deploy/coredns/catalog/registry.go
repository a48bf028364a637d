// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"sync"
	"time"

	"zonefan.internal/coredns/snapshot"
	"zonefan.internal/coredns/source"
)

// CoreDNS starts the new instance of a reload before it stops the old one. So
// what is open in this process is shared: the new one finds all zones loaded, and
// the snapshot's lock held by itself.
var (
	catalogs  = catalogRegistry{open: map[catalogKey]*opened{}}
	snapshots = snapshotRegistry{open: map[string]*openedFile{}}
)

type catalogKey struct {
	source    source.Config
	refresh   time.Duration
	maxMemory int64
	snapshot  string
}

type catalogRegistry struct {
	mutex sync.Mutex
	open  map[catalogKey]*opened
}

type opened struct {
	catalog *Catalog
	users   int
}

// Open gives the catalog of a configuration, a new one or the one that is open
// already. Each Open needs a Close. It does not wait for the database; an error
// is one of the configuration.
func Open(config Config) (*Catalog, error) {
	key := config.key()
	catalogs.mutex.Lock()
	defer catalogs.mutex.Unlock()
	if o := catalogs.open[key]; o != nil {
		o.users++
		return o.catalog, nil
	}
	c, err := start(config, usual)
	if err != nil {
		return nil, err
	}
	catalogs.open[key] = &opened{catalog: c, users: 1}
	limitHeap(catalogs.maxMemory())
	return c, nil
}

// Close ends the catalog if nobody else has it open.
func (c *Catalog) Close() {
	key := c.config.key()
	catalogs.mutex.Lock()
	defer catalogs.mutex.Unlock()
	o := catalogs.open[key]
	if o == nil || o.catalog != c {
		return
	}
	if o.users--; o.users == 0 {
		delete(catalogs.open, key)
		limitHeap(catalogs.maxMemory())
		c.end()
	}
}

func (config Config) key() catalogKey {
	return catalogKey{config.Source, config.Refresh, config.MaxMemory, config.Snapshot}
}

func (r *catalogRegistry) maxMemory() (sum int64) {
	for key := range r.open {
		sum += key.maxMemory
	}
	return sum
}

type snapshotRegistry struct {
	mutex sync.Mutex
	open  map[string]*openedFile
}

type openedFile struct {
	file  *snapshot.File
	users int
}

func (r *snapshotRegistry) get(path string, log snapshot.Logger) (*snapshot.File, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if o := r.open[path]; o != nil {
		o.users++
		return o.file, nil
	}
	file, err := snapshot.Open(path, log)
	if err == nil {
		r.open[path] = &openedFile{file: file, users: 1}
	}
	return file, err
}

func (r *snapshotRegistry) close(path string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	o := r.open[path]
	if o.users--; o.users == 0 {
		delete(r.open, path)
		o.file.Close()
	}
}
