// SPDX-License-Identifier: GPL-3.0-or-later
package reader

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"time"
)

const (
	zonesSQL   = "SELECT id, zone_name FROM zones"
	recordsSQL = "SELECT hostname, type, data, ttl FROM records WHERE online!=0 and zone_id=? and hostname=? and type=?"
)

// tables reads the database: the list of zones from time to time, records at each query.
type tables struct {
	db    *sql.DB
	mutex sync.RWMutex
	zones map[string]int64
}

// place is where a name's rows are to be found.
type place struct {
	zoneID int64
	zone   string
	host   string
}

type row struct {
	owner string
	rtype string
	data  string
	ttl   int64
}

func newTables(db *sql.DB) *tables {
	return &tables{db: db, zones: map[string]int64{}}
}

// refresh keeps the list of zones until stop is closed; a list that cannot be read leaves the older one in use.
func (t *tables) refresh(success, failure time.Duration, stop <-chan struct{}) {
	for {
		wait := success
		if err := t.readZones(); err != nil {
			log.Errorf("zones: %v", err)
			wait = failure
		}
		select {
		case <-stop:
			return
		case <-time.After(wait):
		}
	}
}

func (t *tables) readZones() error {
	rows, err := t.db.Query(zonesSQL)
	if err != nil {
		return err
	}
	defer rows.Close()
	zones := map[string]int64{}
	for rows.Next() {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return err
		}
		zones[name] = id
	}
	if err := rows.Err(); err != nil {
		return err
	}
	t.mutex.Lock()
	t.zones = zones
	t.mutex.Unlock()
	return nil
}

// locate finds the closest zone at or above name. The row with the empty name, if it is there, is above every name.
func (t *tables) locate(name string) (place, bool) {
	t.mutex.RLock()
	defer t.mutex.RUnlock()
	labels := strings.Split(name, ".")
	for i := range labels {
		zone := strings.Join(labels[i:], ".")
		id, found := t.zones[zone]
		if !found {
			continue
		}
		host := strings.Join(labels[:i], ".")
		if host == "" {
			host = "@"
		}
		return place{zoneID: id, zone: zone, host: host}, true
	}
	return place{}, false
}

// wildcardAbove is where the wildcard for name would be: only directly below a zone's apex, one label above name.
func (t *tables) wildcardAbove(name string) (place, bool) {
	_, parent, found := strings.Cut(name, ".")
	if !found || parent == "" {
		return place{}, false
	}
	t.mutex.RLock()
	defer t.mutex.RUnlock()
	id, found := t.zones[parent]
	return place{zoneID: id, zone: parent, host: "*"}, found
}

func (t *tables) records(ctx context.Context, at place, rtype string) ([]row, error) {
	rows, err := t.db.QueryContext(ctx, recordsSQL, at.zoneID, at.host, rtype)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var r row
		var host string
		if err := rows.Scan(&host, &r.rtype, &r.data, &r.ttl); err != nil {
			return nil, err
		}
		r.owner = at.zone
		if at.host != "@" {
			r.owner = host + "." + at.zone
		}
		out = append(out, r)
	}
	return out, rows.Err()
}
