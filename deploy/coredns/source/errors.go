// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// Codes of MariaDB and MySQL.
const (
	errDatabaseDenied = 1044
	errAccessDenied   = 1045
	errBadDatabase    = 1049
	errBadColumn      = 1054
	errTableDenied    = 1142
	errColumnDenied   = 1143
	errNoSuchTable    = 1146
)

// isCode says whether the server answered with one of these codes.
func isCode(err error, codes ...uint16) bool {
	var answer *mysql.MySQLError
	if !errors.As(err, &answer) {
		return false
	}
	for _, code := range codes {
		if answer.Number == code {
			return true
		}
	}
	return false
}

// Answered says whether an error is an answer of the server, which is there
// then.
func Answered(err error) bool {
	var answer *mysql.MySQLError
	return errors.As(err, &answer)
}

// explain adds to an error of the driver which database it is about and what
// would help.
func (s *Source) explain(err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	switch {
	case isCode(err, errAccessDenied):
		hint = "; the user or the password of the DSN is wrong"
	case isCode(err, errDatabaseDenied, errTableDenied, errColumnDenied):
		hint = fmt.Sprintf("; needed: GRANT SELECT ON `%s`.* TO that user", s.database)
	case isCode(err, errBadDatabase):
		hint = "; the DSN names a database that is not there"
	case isCode(err, errNoSuchTable):
		hint = "; zonefand makes the tables at its first contact with the database (manage_schema: true)"
	case isCode(err, errBadColumn):
		hint = "; the tables are not those of schema/coredns_mysql"
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return fmt.Errorf("database %s at %s: no answer in time", s.database, s.address)
	}
	text := strings.TrimPrefix(err.Error(), "driver: ")
	return &sourceError{text: fmt.Sprintf("database %s at %s: %s%s", s.database, s.address, text, hint), cause: err}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// sourceError keeps the cause, which tells whether it was the server's answer.
type sourceError struct {
	text  string
	cause error
}

func (e *sourceError) Error() string { return e.text }
func (e *sourceError) Unwrap() error { return e.cause }
