package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"doorstep/internal/fault"
)

// Backup writes a consistent copy of a database to a file, which must not exist yet, while servers go on working: VACUUM INTO
// on SQLite, pg_dump's custom format on PostgreSQL.
func Backup(ctx context.Context, address, file string) error {
	if !isPostgres(address) {
		if _, err := os.Stat(address); err != nil {
			return fault.NotFoundf("There is no database at %s.", address)
		}
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // everybody's record: for its owner alone, from the first byte on
	if errors.Is(err, fs.ErrExist) {
		return fault.Conflictf("%s exists already: choose another name.", file)
	}
	if err != nil {
		return fault.New(fault.Unavailable, "the backup could not be written: %w", err)
	}
	f.Close()
	if err := copyTo(ctx, address, file); err != nil {
		os.Remove(file)
		return err
	}
	return flush(file)
}

// copyTo writes a database into an empty file.
func copyTo(ctx context.Context, address, file string) error {
	if isPostgres(address) {
		return tool(ctx, address, "pg_dump", "--format=custom", "--file="+file)
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: address}).EscapedPath()+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO $1", file); err != nil {
		if IsCorrupt(err) {
			return fault.New(fault.Unavailable, "%s is no database, or a damaged one: %w", address, err)
		}
		return fault.New(fault.Unavailable, "the backup could not be written: %w", err)
	}
	return nil
}

// Restore puts a backup where no database is yet.
func Restore(ctx context.Context, address, file string) error {
	if _, err := os.Stat(file); err != nil {
		return fault.NotFoundf("There is no backup at %s.", file)
	}
	if isPostgres(address) {
		return tool(ctx, address, "pg_restore", "--exit-on-error", "--no-owner", file)
	}
	if _, err := os.Stat(address); err == nil {
		return fault.Conflictf("There is a database at %s already: move it away first.", address)
	}
	if err := os.MkdirAll(filepath.Dir(address), 0o700); err != nil {
		return fault.New(fault.Unavailable, "the data folder cannot be made: %w", err)
	}
	return Backup(ctx, file, address)
}

func isPostgres(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql")
}

// tool runs one of PostgreSQL's programs on a database. The password goes by the environment: arguments are for all to see.
func tool(ctx context.Context, address, name string, args ...string) error {
	bare, password := toolAddress(address)
	cmd := exec.CommandContext(ctx, name, append([]string{"--dbname=" + bare}, args...)...)
	if password != "" {
		cmd.Env = append(os.Environ(), "PGPASSWORD="+password)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fault.New(fault.Unavailable, "%s failed (is it installed?): %w: %s", name, err, out)
	}
	return nil
}

// toolAddress answers a database's address as PostgreSQL's programs take it, without the password, which is answered apart, and
// without the settings of our driver's pool, which they do not know.
func toolAddress(address string) (bare, password string) {
	u, err := url.Parse(address)
	if err != nil {
		return address, ""
	}
	if p, ok := u.User.Password(); ok {
		password, u.User = p, url.User(u.User.Username())
	}
	q := u.Query()
	for name, values := range q {
		if name == "password" {
			password = values[0]
		}
		if name == "password" || strings.HasPrefix(name, "pool_") {
			q.Del(name)
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), password
}

func flush(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
