package reading

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

const (
	// Import is the kind of the devices whose readings come from files.
	Import       = "import"
	importPrefix = "import-" // of their ids; those of other devices are UUIDs
	maxSource    = 200       // bytes
)

// Imported reports whether the sample came from a file that somebody brought, not from a device that sends by itself.
func (s *Sample) Imported() bool { return strings.HasPrefix(s.Device, importPrefix) }

// importSince is where an import's device begins to be the patient's: with all that can be told apart from "never".
var importSince = time.UnixMicro(1).UTC()

// ImportDevice answers the device that stands for a source of files ("Apple Health: Watch") about a patient, always the same one. It is
// the patient's for all time, and nobody can sign in as it.
func (s *Service) ImportDevice(ctx context.Context, org, patient, source string) (Device, error) {
	if org == "" || patient == "" || source == "" {
		return Device{}, fault.Invalidf("source: an import needs an organization, a patient and a source")
	}
	sum := sha256.Sum256([]byte(org + "\x00" + patient + "\x00" + source))
	id := importPrefix + hex.EncodeToString(sum[:12])
	source = strings.ToValidUTF8(source[:min(len(source), maxSource)], "")
	var isNew int64
	err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
		isNew, err = tx.InsertNew("device", []string{"id", "org", "kind", "key_hash", "registered", "source"}, 1, func(int) []any {
			return []any{id, org, Import, []byte{}, store.Micros(s.clock.Now()), source}
		})
		return err
	})
	if err != nil {
		return Device{}, err
	}
	// A device that was there already may have lost its assignment to a stop in between. One that staff ended stays ended.
	held := false
	if isNew == 0 {
		if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
			var one int64
			held, err = tx.Row("SELECT 1 FROM assignment WHERE org = $1 AND device = $2 LIMIT 1", []any{org, id}, &one)
			return err
		}); err != nil {
			return Device{}, err
		}
	}
	if !held {
		if err := s.Assign(ctx, org, id, patient, importSince, time.Time{}); err != nil && !fault.Is(err, fault.Conflict) {
			return Device{}, err
		}
	}
	return s.Device(ctx, id)
}
