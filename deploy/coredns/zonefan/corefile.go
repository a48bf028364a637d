// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"zonefan.internal/coredns/source"
)

// What holds where the Corefile says nothing.
const (
	defaultRefresh      = time.Second
	defaultMaxMemory    = 512 << 20
	defaultZonesTable   = "zones"
	defaultRecordsTable = "records"
	defaultStateTable   = "zonefan_state"
)

// Bounds of what it may say.
const (
	minRefresh   = 100 * time.Millisecond
	maxRefresh   = time.Hour
	minMaxMemory = 1 << 20
)

// block is one block of the Corefile while it is read.
type block struct {
	*Zonefan
	root  string         // relative paths begin here
	lines map[string]int // where each key was given
	file  string
}

// keys says who reads the arguments of which key.
var keys = map[string]func(b *block, arguments []string) error{
	"dsn":           one((*block).dsn),
	"dsn_file":      one((*block).dsnFile),
	"refresh":       one((*block).refresh),
	"max_memory":    one((*block).maxMemory),
	"snapshot":      one((*block).snapshot),
	"zones_table":   one(table(func(c *source.Config) *string { return &c.ZonesTable })),
	"records_table": one(table(func(c *source.Config) *string { return &c.RecordsTable })),
	"state_table":   one(table(func(c *source.Config) *string { return &c.StateTable })),
	"fallthrough": func(b *block, arguments []string) error {
		b.fall.SetZonesFromArgs(arguments)
		return nil
	},
}

// parse reads the block. Errors name file, line and key.
func parse(c *caddy.Controller) (*Zonefan, error) {
	if !c.Next() {
		return nil, c.ArgErr()
	}
	b := &block{Zonefan: new(Zonefan), lines: map[string]int{}, file: c.File(), root: dnsserver.GetConfig(c).Root}
	b.lines[pluginName] = c.Line()
	b.origins = plugin.OriginsFromArgsOrServerBlock(c.RemainingArgs(), c.ServerBlockKeys)
	b.config.Refresh, b.config.MaxMemory = defaultRefresh, defaultMaxMemory
	b.config.Source = source.Config{ZonesTable: defaultZonesTable, RecordsTable: defaultRecordsTable, StateTable: defaultStateTable}
	b.config.Log = log
	for c.NextBlock() {
		if err := b.key(c); err != nil {
			return nil, err
		}
	}
	if c.Next() {
		b.lines[pluginName] = c.Line()
		return nil, b.errorAt(pluginName, errors.New("is there twice in one server block"))
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	return b.Zonefan, b.claimSnapshot(c)
}

func (b *block) key(c *caddy.Controller) error {
	key, line := c.Val(), c.Line()
	read, known := keys[key]
	before, twice := b.lines[key]
	b.lines[key] = line
	if !known {
		return b.errorAt(key, errors.New("there is no such key"))
	}
	if twice {
		return b.errorAt(key, fmt.Errorf("is given twice, first in line %d", before))
	}
	if err := read(b, c.RemainingArgs()); err != nil {
		return b.errorAt(key, err)
	}
	return nil
}

func (b *block) errorAt(key string, err error) error {
	return fmt.Errorf("%s:%d: %s: %w", b.file, b.lines[key], key, err)
}

// check looks at what only the whole block tells.
func (b *block) check() error {
	_, direct := b.lines["dsn"]
	_, byFile := b.lines["dsn_file"]
	if !direct && !byFile {
		return b.errorAt(pluginName, errors.New("dsn or dsn_file is needed: USER:PASSWORD@tcp(HOST:PORT)/DATABASE"))
	}
	if direct && byFile {
		return b.errorAt("dsn_file", errors.New("dsn is given, too"))
	}
	return nil
}

// snapshotOf is the key in the instance's storage for the database of a snapshot.
type snapshotOf string

// claimSnapshot sees to it that no two databases share a snapshot: each would
// drop the other's zones from it, and serve them while its own is away.
func (b *block) claimSnapshot(c *caddy.Controller) error {
	path, database := b.config.Snapshot, b.config.Source.Name()
	if path == "" {
		return nil
	}
	if other, claimed := c.Get(snapshotOf(path)).(string); claimed && other != database {
		return b.errorAt("snapshot", fmt.Errorf("%s is given for another database already, %s", path, other))
	}
	c.Set(snapshotOf(path), database)
	return nil
}

// one reads a key with one argument.
func one(read func(b *block, argument string) error) func(*block, []string) error {
	return func(b *block, arguments []string) error {
		if len(arguments) != 1 {
			return fmt.Errorf("wants one argument, not %d", len(arguments))
		}
		return read(b, arguments[0])
	}
}

func (b *block) dsn(text string) error {
	b.config.Source.DSN = text
	return source.CheckDSN(text)
}

func (b *block) dsnFile(path string) error {
	text, err := os.ReadFile(b.path(path))
	if err != nil {
		return err
	}
	if len(strings.TrimSpace(string(text))) == 0 {
		return fmt.Errorf("%s is empty", path)
	}
	if err := b.dsn(strings.TrimSpace(string(text))); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (b *block) refresh(text string) error {
	every, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is no duration like 1s or 500ms", text)
	}
	if every < minRefresh || every > maxRefresh {
		return fmt.Errorf("%s is not between %s and %s", text, minRefresh, maxRefresh)
	}
	b.config.Refresh = every
	return nil
}

func (b *block) maxMemory(text string) error {
	size, err := parseSize(text)
	if err == nil && size < minMaxMemory {
		err = fmt.Errorf("%s is less than 1MiB", text)
	}
	b.config.MaxMemory = size
	return err
}

func (b *block) snapshot(path string) error {
	b.config.Snapshot = b.path(path)
	return nil
}

// path is absolute, so that it names the same file for all who share it.
func (b *block) path(text string) string {
	if !filepath.IsAbs(text) {
		text = filepath.Join(b.root, text)
	}
	if absolute, err := filepath.Abs(text); err == nil {
		return absolute
	}
	return text
}

func table(of func(*source.Config) *string) func(*block, string) error {
	return func(b *block, name string) error {
		*of(&b.config.Source) = name
		return source.CheckTable(name)
	}
}
