package sim

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"time"

	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// standing answers where the clock of an earlier run on the database stood, and whether there was one.
func standing(ctx context.Context, db *store.DB) (at time.Time, lived bool, err error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return at, false, err
	}
	if err := db.Migrate(ctx, "sim", files); err != nil {
		return at, false, err
	}
	var text string
	err = db.Read(ctx, func(tx *store.Tx) (err error) {
		lived, err = tx.Row("SELECT value FROM sim WHERE name = 'clock'", nil, &text)
		return err
	})
	if err == nil && lived {
		at, err = time.Parse(time.RFC3339Nano, text)
	}
	return at, lived, err
}

func (w *World) save(ctx context.Context, name, value string) error {
	return w.DB.Write(store.Essential(ctx), func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO sim (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
		return err
	})
}

func (w *World) saveClock(ctx context.Context) error {
	return w.save(ctx, "clock", w.Clock.Now().Format(time.RFC3339Nano))
}

// saveKeys keeps the devices' keys: the server itself knows only their hashes.
func (w *World) saveKeys(ctx context.Context) error {
	keys := map[string]string{}
	for _, d := range w.Devices {
		keys[d.ID] = d.Key
	}
	b, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	return w.save(ctx, "keys", string(b))
}

func (w *World) loadKeys(ctx context.Context) (map[string]string, error) {
	keys := map[string]string{}
	var text string
	var found bool
	err := w.DB.Read(ctx, func(tx *store.Tx) (err error) {
		found, err = tx.Row("SELECT value FROM sim WHERE name = 'keys'", nil, &text)
		return err
	})
	if err != nil || !found {
		return keys, err
	}
	return keys, json.Unmarshal([]byte(text), &keys)
}
