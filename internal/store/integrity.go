package store

import "context"

// Integrity lets SQLite look over its own file and answers what it finds wrong. PostgreSQL checks its pages as it reads them.
func (db *DB) Integrity(ctx context.Context) ([]string, error) {
	out := []string{}
	if db.engine == Postgres {
		return out, nil
	}
	err := db.Read(ctx, func(tx *Tx) error {
		return tx.Rows("PRAGMA integrity_check(100)", nil, func(scan func(...any) error) error {
			var line string
			err := scan(&line)
			if line != "ok" {
				out = append(out, "the database file: "+line)
			}
			return err
		})
	})
	if IsCorrupt(err) {
		return append(out, "the database file: "+err.Error()), nil
	}
	return out, err
}
