package store

import "errors"

// Try runs fn as a part of the transaction that can fail alone: when fn answers an error, what it wrote is undone, Try answers the
// error, and the transaction goes on (on PostgreSQL, even after a conflict). Parts may lie in each other.
func (tx *Tx) Try(fn func() error) error {
	if _, err := tx.Exec("SAVEPOINT part"); err != nil {
		return err
	}
	after := len(tx.after)
	err := fn()
	if err == nil {
		err = tx.flush()
	}
	if err != nil {
		tx.after, tx.late = tx.after[:after], nil
		if _, undo := tx.Exec("ROLLBACK TO SAVEPOINT part"); undo != nil {
			return errors.Join(err, undo)
		}
	}
	if _, release := tx.Exec("RELEASE SAVEPOINT part"); release != nil {
		return errors.Join(err, release)
	}
	return err
}
