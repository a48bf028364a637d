// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"strings"
)

// Entry is a zone of the index.
type Entry struct {
	Zone    string // lower case, final dot
	Stamp   Stamp  // zero: others wrote it
	Deleted bool
	Records uint64 // 0 for zones of others, too: nobody counted
}

// Poll is what changed, and when that was asked.
type Poll struct {
	Entries     []Entry
	Now         int64 // the database's clock before it looked; microseconds since 1970
	Latest      int64 // the newest changed_at of all
	Reconnected bool  // on a connection that was made for it: another server may answer than before
}

// Never is later than every changed_at: a poll since then tells the time only.
const Never int64 = 253_370_764_800_000_000

// In all statements: a moment as microseconds since 1970.
const (
	epoch     = "'1970-01-01 00:00:00.000000'"
	stampList = "store_id,generation,digest,TIMESTAMPDIFF(MICROSECOND," + epoch + ",changed_at)"
)

// Poll tells the zones whose changed_at is since or later, deleted ones too. Only
// one goroutine may call it.
func (s *Source) Poll(ctx context.Context, since int64) (Poll, error) {
	idle := s.poll != nil
	poll, err := s.pollOnce(ctx, since)
	if err != nil && idle && !Answered(err) && !isTimeout(err) && ctx.Err() == nil {
		// What was idle may have been closed by the server, or by a proxy: that is no outage yet.
		poll, err = s.pollOnce(ctx, since)
	}
	return poll, s.explain(err)
}

func (s *Source) pollOnce(ctx context.Context, since int64) (Poll, error) {
	var poll Poll
	if s.poll == nil {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return poll, err
		}
		s.poll, poll.Reconnected = conn, true
	}
	err := s.pollState(ctx, since, &poll)
	if s.lacksState(err) {
		// A connection bears an error of a statement, unlike a broken answer.
		s.stateless.Store(true)
		poll.Entries = nil
		err = s.runOn(ctx, s.poll, "SELECT TIMESTAMPDIFF(MICROSECOND,"+epoch+",UTC_TIMESTAMP(6))", nil,
			func(rows *sql.Rows) error { return rows.Scan(&poll.Now) })
	} else if err == nil {
		s.stateless.Store(false)
	}
	if err != nil {
		s.dropPoll()
	}
	return poll, err
}

// The clock is read first: what commits after it is in the next poll's time.
const pollText = "SELECT TIMESTAMPDIFF(MICROSECOND," + epoch + ",UTC_TIMESTAMP(6))," +
	"TIMESTAMPDIFF(MICROSECOND," + epoch + ",MAX(changed_at)) FROM {state};" +
	"SELECT zone_name," + stampList + ",deleted<>0,record_count FROM {state} " +
	"WHERE changed_at >= " + epoch + " + INTERVAL ? MICROSECOND AND zone_name<>''"

func (s *Source) pollState(ctx context.Context, since int64, poll *Poll) error {
	var scan stampScan
	return s.runOn(ctx, s.poll, pollText, []any{since}, func(rows *sql.Rows) error {
		var latest sql.NullInt64
		err := rows.Scan(&poll.Now, &latest)
		poll.Latest = latest.Int64
		return err
	}, func(rows *sql.Rows) error {
		var entry Entry
		if err := rows.Scan(scan.with(&entry.Zone, &entry.Deleted, &entry.Records)...); err != nil {
			return err
		}
		entry.Stamp = scan.stamp()
		if IsZoneName(entry.Zone) {
			poll.Entries = append(poll.Entries, entry)
		}
		return nil
	})
}

func (s *Source) dropPoll() {
	if s.poll != nil {
		s.poll.Raw(func(any) error { return driver.ErrBadConn })
		s.poll.Close()
		s.poll = nil
	}
}

// lacksState says whether a statement failed because there is no table of
// stamps.
func (s *Source) lacksState(err error) bool {
	name := s.stateTable[strings.IndexByte(s.stateTable, '.')+1:]
	return isCode(err, errNoSuchTable) && strings.Contains(err.Error(), "."+name+"'")
}

// Page lists zones by name, those of others too: at most limit rows behind the
// name after, and where to go on, "" at the end. Names that are no zone's (not
// in lower case, no final dot, too long) are left out; so is the row without a name.
func (s *Source) Page(ctx context.Context, after string, limit int) (entries []Entry, next string, err error) {
	text := "SELECT z.zone_name,s.store_id,s.generation,s.digest,TIMESTAMPDIFF(MICROSECOND," + epoch + ",s.changed_at),COALESCE(s.record_count,0) " +
		"FROM {zones} z LEFT JOIN {state} s ON s.zone_name=z.zone_name AND s.deleted=0 " +
		"WHERE z.zone_name > ? ORDER BY z.zone_name LIMIT ?"
	if s.Stateless() {
		text = "SELECT zone_name,NULL,NULL,NULL,NULL,0 FROM {zones} WHERE zone_name > ? ORDER BY zone_name LIMIT ?"
	}
	rowsRead := 0
	var scan stampScan
	err = s.run(ctx, text, []any{after, limit}, func(rows *sql.Rows) error {
		var entry Entry
		if err := rows.Scan(scan.with(&entry.Zone, &entry.Records)...); err != nil {
			return err
		}
		next, entry.Stamp = entry.Zone, scan.stamp()
		rowsRead++
		if IsZoneName(entry.Zone) {
			entries = append(entries, entry)
		}
		return nil
	})
	if rowsRead < limit {
		next = ""
	}
	return entries, next, err
}

// maxName is the length of a name in bytes: the column's 255 characters can be more, which no question asks for.
const maxName = 255

// IsZoneName says whether a zone_name can be that of a zone.
func IsZoneName(name string) bool {
	return len(name) <= maxName && strings.HasSuffix(name, ".") && name == strings.ToLower(name)
}

// stampScan takes the columns of a stamp, which are NULL for zones of others.
type stampScan struct {
	store, digest sql.NullString
	generation    sql.Null[uint64]
	changed       sql.NullInt64
}

// with is what to scan into: the zone's name, the stamp, then others.
func (s *stampScan) with(zone *string, others ...any) []any {
	return append([]any{zone, &s.store, &s.generation, &s.digest, &s.changed}, others...)
}

func (s *stampScan) stamp() Stamp {
	if !s.store.Valid {
		return Stamp{}
	}
	return Stamp{StoreID: sixteen(s.store.String), Digest: sixteen(s.digest.String), Generation: s.generation.V,
		ChangedAt: s.changed.Int64}
}

// sixteen is a text of 32 hex digits, or else stands for any other text.
func sixteen(text string) (out [16]byte) {
	if n, err := hex.Decode(out[:], []byte(text[:min(len(text), 32)])); err == nil && n == 16 && len(text) == 32 {
		return out
	}
	sum := sha256.Sum256([]byte(text))
	copy(out[:], sum[:])
	return out
}
