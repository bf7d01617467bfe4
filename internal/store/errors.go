package store

import (
	"errors"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite "modernc.org/sqlite"

	"doorstep/internal/fault"
)

// SQLite result codes (sqlite.org/rescode.html) and PostgreSQL SQLSTATEs that mean something to callers.
const (
	sqliteBusy, sqliteFull        = 5, 13
	sqliteConstraint              = 19
	sqliteConstraintUnique        = 2067
	sqliteConstraintPrimaryKey    = 1555
	sqliteConstraintTrigger       = 1811
	sqliteIOErrWrite              = 778
	sqliteCorrupt, sqliteNotADB   = 11, 26
	pgUnique, pgExclusion         = "23505", "23P01"
	pgSerialization, pgDeadlock   = "40001", "40P01"
	pgDiskFull, pgCannotConnect   = "53100", "57P03"
	pgDataCorrupted, pgIndexWrong = "XX001", "XX002"
)

// translate gives a driver's error its kind.
func translate(err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	switch {
	case isUnique(err):
		return &fault.Error{Kind: fault.Conflict, Say: "That exists already.", Err: err}
	case isFull(err):
		return &fault.Error{Kind: fault.Unavailable, Say: ErrFull.Say, Err: err}
	case IsCorrupt(err):
		return &fault.Error{Kind: fault.Unavailable, Say: "The database is damaged. Run `doorstep check`, then restore a backup.", Err: err}
	}
	return err
}

func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func isUnique(err error) bool {
	switch sqliteCode(err) {
	case sqliteConstraintUnique, sqliteConstraintPrimaryKey, sqliteConstraintTrigger: // our triggers stand for exclusion constraints
		return true
	}
	switch pgCode(err) {
	case pgUnique, pgExclusion:
		return true
	}
	return false
}

func isFull(err error) bool {
	code := sqliteCode(err)
	return code == sqliteFull || code == sqliteIOErrWrite || pgCode(err) == pgDiskFull || errors.Is(err, syscall.ENOSPC) ||
		err == error(ErrFull)
}

func isRetry(err error) bool {
	code := pgCode(err)
	return code == pgSerialization || code == pgDeadlock
}

// IsCorrupt reports that the engine itself found its file damaged.
func IsCorrupt(err error) bool {
	code := sqliteCode(err) & 0xff
	return code == sqliteCorrupt || code == sqliteNotADB || strings.HasPrefix(pgCode(err), "XX00")
}
