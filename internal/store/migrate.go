package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"doorstep/internal/fault"
)

// Migrate brings one room's tables up to date: every file NNNN_name.sql in fsys that has not run yet, in order, each in a
// transaction. {{clustered}} after a table's closing bracket keeps its rows in key order on SQLite (WITHOUT ROWID);
// lines ending in "-- sqlite" or "-- postgres" are for that engine only. A file that ran must not change.
func (db *DB) Migrate(ctx context.Context, room string, fsys fs.FS) error {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	return db.Write(Essential(ctx), func(tx *Tx) error {
		if tx.Engine() == Postgres { // two nodes may start at once
			if _, err := tx.Exec("SELECT pg_advisory_xact_lock(7236837)"); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`CREATE TABLE IF NOT EXISTS schema_migration (
			room TEXT NOT NULL, name TEXT NOT NULL, sum TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (room, name))`); err != nil {
			return err
		}
		for _, name := range names {
			if err := tx.migrate(room, name, fsys); err != nil {
				return fmt.Errorf("migration %s/%s: %w", room, name, err)
			}
		}
		return nil
	})
}

func (tx *Tx) migrate(room, name string, fsys fs.FS) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(text)
	sum := hex.EncodeToString(hash[:8])
	var had string
	ran, err := tx.Row("SELECT sum FROM schema_migration WHERE room = $1 AND name = $2", []any{room, name}, &had)
	if err != nil {
		return err
	}
	if ran {
		if had != sum {
			return fault.New(fault.Conflict, "this database was made by another version of %s", path.Base(name))
		}
		return nil
	}
	for stmt := range strings.SplitSeq(forEngine(string(text), tx.Engine()), ";\n") {
		if strings.TrimSpace(stmt) == "" {
			continue
		}
		if err := tx.flush(); err != nil {
			return err
		}
		if _, err := tx.link.conn.ExecContext(tx.ctx, stmt); err != nil {
			return fmt.Errorf("%s: %w", headline(stmt), err)
		}
	}
	_, err = tx.Exec("INSERT INTO schema_migration (room, name, sum, at) VALUES ($1, $2, $3, $4)", room, name, sum, time.Now().UnixMicro())
	return err
}

func forEngine(text string, engine Engine) string {
	other := "-- " + string(Postgres)
	clustered := " WITHOUT ROWID"
	if engine == Postgres {
		other, clustered = "-- "+string(SQLite), ""
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimSpace(line); strings.HasSuffix(trimmed, other) || strings.HasPrefix(trimmed, "--") {
			continue
		}
		line = strings.TrimSuffix(strings.TrimRight(line, "\n"), "-- "+string(engine))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return strings.ReplaceAll(b.String(), "{{clustered}}", clustered)
}
