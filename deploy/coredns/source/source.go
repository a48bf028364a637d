// SPDX-License-Identifier: Apache-2.0

// Package source reads the three tables that zonefan writes (schema/coredns_mysql
// in its repository): which zones there are, each with the stamp of its version,
// and versions of zones as they were at one moment. It never writes.
//
// Errors name the database, and what would help; none bears the password.
package source

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
)

// Connections for loads and lists; the polls have one of their own besides.
const maxConnections = 8

// Source is one database. All its functions but Poll are safe for any number
// of goroutines, and block until the database answered, the context ended or a
// time-out of the DSN passed.
type Source struct {
	database, address string
	tables            *strings.Replacer
	stateTable        string
	db                *sql.DB
	poll              *sql.Conn // nil: not connected
	stateless         atomic.Bool
}

// Open checks the configuration. It connects to nothing.
func Open(config Config) (*Source, error) {
	for _, table := range []string{config.ZonesTable, config.RecordsTable, config.StateTable} {
		if err := CheckTable(table); err != nil {
			return nil, err
		}
	}
	settings, err := connection(config.DSN)
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(settings)
	if err != nil {
		return nil, fmt.Errorf("dsn: %w", err)
	}
	s := &Source{
		database: settings.DBName, address: settings.Addr, stateTable: config.StateTable, db: sql.OpenDB(connector),
		tables: strings.NewReplacer("{zones}", quoted(config.ZonesTable), "{records}", quoted(config.RecordsTable),
			"{state}", quoted(config.StateTable)),
	}
	s.db.SetMaxOpenConns(maxConnections + 1)
	s.db.SetMaxIdleConns(maxConnections + 1)
	return s, nil
}

// Close ends all connections. Nothing may be under way.
func (s *Source) Close() {
	s.dropPoll()
	s.db.Close()
}

// Stateless says whether the last poll found no zonefan_state at all: all zones
// are those of others then.
func (s *Source) Stateless() bool { return s.stateless.Load() }

// run sends statements in one packet on one connection and hands each result
// set to the next of takers. A connection on which that failed is not used again:
// it may be in the middle of a transaction, or of an answer.
func (s *Source) run(ctx context.Context, text string, args []any, takers ...func(*sql.Rows) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return s.explain(err)
	}
	defer conn.Close()
	if err = s.runOn(ctx, conn, text, args, takers...); err != nil {
		conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	return s.explain(err)
}

func (s *Source) runOn(ctx context.Context, conn *sql.Conn, text string, args []any,
	takers ...func(*sql.Rows) error) error {
	rows, err := conn.QueryContext(ctx, s.tables.Replace(text), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for i, take := range takers {
		if i > 0 && !rows.NextResultSet() {
			if err := rows.Err(); err != nil {
				return err
			}
			return fmt.Errorf("%d answers came to %d questions", i, len(takers))
		}
		for rows.Next() {
			if err := take(rows); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	for rows.NextResultSet() { // the end of the transaction is an answer too
	}
	return rows.Err()
}

// marks is "(?,?...)" and the values of it.
func marks(values []string) (string, []any) {
	args := make([]any, len(values))
	for i, value := range values {
		args[i] = value
	}
	return "(" + strings.Repeat("?,", len(values)-1) + "?)", args
}
