package reading

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A set of sequence numbers is the set, in any order of arrival, while its gaps are few; packed it is the same.
func TestSeqs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var s seqs
		want := map[int64]bool{}
		for _, n := range rapid.SliceOfN(rapid.Int64Range(0, 120), 0, 100).Draw(rt, "numbers") {
			s.add(n)
			want[n] = true
		}
		var back seqs
		if err := back.unpack(s.pack(nil)); err != nil {
			rt.Fatal(err)
		}
		for n := range int64(122) {
			if s.has(n) != want[n] || back.has(n) != want[n] {
				rt.Fatalf("%d: %v, packed %v, want %v", n, s.has(n), back.has(n), want[n])
			}
		}
		for i := 1; i < len(s.ranges); i++ {
			if s.ranges[i].first <= s.ranges[i-1].last+1 {
				rt.Fatal("ranges touch")
			}
		}
	})
	var s seqs
	for n := range int64(1000) {
		s.add(2 * n)
	}
	if len(s.ranges) > seqsMost || !s.has(1998) || s.has(1997) {
		t.Errorf("%d ranges", len(s.ranges))
	}
}

// FuzzReadings: whatever is sent, every element is either a reading or a refusal, by its own place.
func FuzzReadings(f *testing.F) {
	f.Add([]byte(`{"seq":1,"at":"2026-03-02T12:00:00Z","clock":"2026-03-02T12:00:00Z","series":"8867-4","value":72,"unit":"/min"}`))
	f.Add([]byte(`[{"at":"2026-03-02T12:00:00+01:00","series":"8867-4","value":1e3},{"seq":"x"},null,[]]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		batch, places, refused, err := ParseReadings(b)
		if err != nil {
			return
		}
		seen := map[int]bool{}
		for _, p := range places {
			seen[p] = true
		}
		for _, r := range refused {
			seen[r.Index] = true
		}
		if len(batch) != len(places) || len(seen) != len(batch)+len(refused) {
			t.Fatalf("%d readings, %d places, %d refused", len(batch), len(places), len(refused))
		}
		ParsePills(b)
	})
}

// FuzzPacked: stored bytes that are damaged are an error, never a panic.
func FuzzPacked(f *testing.F) {
	one := []Sample{{At: time.UnixMilli(1), DeviceAt: time.UnixMilli(2), Received: time.UnixMilli(3), Series: "s", Unit: "u", Device: "d", Value: 4, Seq: 5}}
	chunk, _ := packChunk(one)
	f.Add(chunk[:len(chunk)-4])
	batch := packBatch(one)
	f.Add(batch[:len(batch)-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		sealed := sealed(body)
		if list, err := unpackChunk(sealed, "s"); err == nil {
			if _, err := packChunk(list); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := unpackBatch(sealed); err == nil && len(body) > 0 && len(body) < 20 {
			t.Fatal("a batch of too few bytes was read")
		}
		var s seqs
		if s.unpack(body) == nil {
			s.has(1)
		}
	})
}
