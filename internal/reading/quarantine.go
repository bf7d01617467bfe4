package reading

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"doorstep/internal/store"
)

// Quarantined is something kept that belongs to nobody that we know of, or could not be read.
type Quarantined struct {
	Device   string
	Received time.Time
	Reason   string
	Stream   string // the series, or the topic's last part
	Payload  []byte // a packed sample, or what was sent, up to 4 KiB
}

// Reasons of quarantine.
const (
	ReasonUnassigned = "unassigned"
	ReasonMalformed  = "malformed"
)

// quarantine keeps samples that belong to nobody. What came before is kept once.
func (in *ingestion) quarantine(homeless []*arrived) error {
	byOrg := map[string][]Sample{}
	for _, one := range homeless {
		byOrg[one.dev.Org] = append(byOrg[one.dev.Org], one.Sample)
	}
	for _, org := range slices.Sorted(maps.Keys(byOrg)) {
		samples := byOrg[org]
		rows := make([]Quarantined, len(samples))
		for i := range samples {
			one := &samples[i]
			rows[i] = Quarantined{Device: one.Device, Received: one.Received, Reason: ReasonUnassigned, Stream: one.Series, Payload: packBatch(samples[i : i+1])}
		}
		if err := keepAside(in.tx, org, rows, func(i int) []byte {
			one := samples[i]
			one.Received, one.At, one.Clock = milli(0), one.DeviceAt, time.Time{} // what makes it the same reading when it comes again
			one.Flags = 0
			return packBatch([]Sample{one})
		}); err != nil {
			return err
		}
	}
	return nil
}

// Malformed keeps a payload that could not be read, durably: the device need not send it again.
func (s *Service) Malformed(ctx context.Context, dev Device, stream string, payload []byte) error {
	payload = payload[:min(len(payload), maxPayload)]
	row := Quarantined{Device: dev.ID, Received: s.clock.Now(), Reason: ReasonMalformed, Stream: stream[:min(len(stream), maxName)], Payload: append([]byte{}, payload...)}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		return keepAside(tx, dev.Org, []Quarantined{row}, func(int) []byte { return append([]byte(row.Stream+"\x00"), payload...) })
	})
}

func keepAside(tx *store.Tx, org string, rows []Quarantined, identity func(i int) []byte) error {
	_, err := tx.InsertNew("quarantine", []string{"org", "device", "key", "received", "reason", "stream", "payload"}, len(rows), func(i int) []any {
		sum := sha256.Sum256(identity(i))
		q := &rows[i]
		return []any{org, q.Device, hex.EncodeToString(sum[:16]), store.Micros(q.Received), q.Reason, q.Stream, q.Payload}
	})
	if err == nil && len(rows) > 0 {
		tx.Hint("desk", org)
	}
	return err
}

// Quarantined answers what an organization has in quarantine, newest first, at most limit.
func (s *Service) Quarantined(ctx context.Context, org string, limit int) (out []Quarantined, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(tx, "SELECT device, received, reason, stream, payload FROM quarantine WHERE org = $1 ORDER BY received DESC, device, key LIMIT $2",
			[]any{org, limit}, func(scan func(...any) error) (q Quarantined, err error) {
				var at int64
				err = scan(&q.Device, &at, &q.Reason, &q.Stream, &q.Payload)
				q.Received = store.Time(at)
				return q, err
			})
		return err
	})
	return out, err
}
