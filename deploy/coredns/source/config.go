// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Config says where the zones are. Tables are names that CheckTable takes.
type Config struct {
	DSN                                  string
	ZonesTable, RecordsTable, StateTable string
}

// What is used where the DSN says nothing: a database that does not answer must
// be found out, and a slow one must not be taken for a dead one.
const (
	dialTimeout  = 5 * time.Second
	readTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
)

// session is set on each connection.
var session = map[string]string{"autocommit": "1", "completion_type": "0", "sql_select_limit": "18446744073709551615",
	"sql_big_selects": "1"}

var tableName = regexp.MustCompile(`^[0-9A-Za-z_$-]{1,64}(\.[0-9A-Za-z_$-]{1,64})?$`)

// CheckTable says what is wrong with the name of a table, "table" or
// "database.table".
func CheckTable(name string) error {
	if !tableName.MatchString(name) {
		return fmt.Errorf("%q is no name of a table (letters, digits, _ $ -, after a database and a dot if need be)", name)
	}
	return nil
}

// CheckDSN says what is wrong with a data source name of go-sql-driver/mysql.
// The error never bears the password.
func CheckDSN(dsn string) error {
	_, err := parseDSN(dsn)
	return err
}

func parseDSN(dsn string) (*mysql.Config, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		// what was read for an address may be a part of the password
		text, _, _ := strings.Cut(err.Error(), "'")
		return nil, fmt.Errorf("%s (USER:PASSWORD@tcp(HOST:PORT)/DATABASE is wanted)", strings.TrimSpace(text))
	}
	if config.DBName == "" {
		return nil, errors.New("the DSN names no database (USER:PASSWORD@tcp(HOST:PORT)/DATABASE is wanted)")
	}
	return config, nil
}

// connection is the user's DSN with what our statements rely on.
func connection(dsn string) (*mysql.Config, error) {
	config, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	config.MultiStatements = true   // a consistent read is one packet
	config.InterpolateParams = true // and has no second one to prepare it
	config.ParseTime = false
	// What an administrator may have set for all sessions, and must not hold for ours: one snapshot for ever, COMMIT
	// AND CHAIN, short results.
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	for name, value := range session {
		config.Params[name] = value
	}
	config.CheckConnLiveness = true
	if config.Collation == "" {
		config.Collation = "utf8mb4_bin" // one that escapes safely, too
	}
	config.Timeout = orElse(config.Timeout, dialTimeout)
	config.ReadTimeout = orElse(config.ReadTimeout, readTimeout)
	config.WriteTimeout = orElse(config.WriteTimeout, writeTimeout)
	config.Logger = &mysql.NopLogger{} // what it would print comes back as an error
	return config, nil
}

func orElse(given, otherwise time.Duration) time.Duration {
	if given == 0 {
		return otherwise
	}
	return given
}

// quoted is a checked name of a table as SQL has it.
func quoted(table string) string {
	return "`" + strings.ReplaceAll(table, ".", "`.`") + "`"
}
