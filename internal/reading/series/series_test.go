package series

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func same(a, b []Point) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].T != b[i].T || math.Float64bits(a[i].V) != math.Float64bits(b[i].V) {
			return false
		}
	}
	return true
}

func roundTrip(t testing.TB, points []Point) []byte {
	t.Helper()
	chunk, err := Encode(points)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(chunk)
	if err != nil || !same(points, got) {
		t.Fatalf("%d points came back as %d (%v)", len(points), len(got), err)
	}
	if n, err := Count(chunk); n != len(points) || err != nil {
		t.Fatalf("Count = %d %v", n, err)
	}
	return chunk
}

func TestEdges(t *testing.T) {
	t.Parallel()
	negZero := math.Copysign(0, -1)
	nan := math.Float64frombits(0x7ff8000000000123)
	for _, points := range [][]Point{
		nil,
		{{T: 0, V: 0}},
		{{T: math.MaxInt64, V: math.MaxFloat64}, {T: math.MinInt64, V: -math.MaxFloat64}},
		{{T: 5, V: negZero}, {T: 4, V: 0}, {T: 4, V: negZero}},
		{{T: 1, V: nan}, {T: 2, V: math.Inf(1)}, {T: 3, V: math.Inf(-1)}, {T: 4, V: 72}},
		{{T: 1, V: 0.1}, {T: 2, V: 0.2}, {T: 3, V: 0.1 + 0.2}},
		{{T: 1, V: 1e300}, {T: 2, V: 5e-324}},
		{{T: 1, V: 1<<53 - 1}, {T: 2, V: 1 << 53}, {T: 3, V: -(1 << 53)}},
	} {
		roundTrip(t, points)
	}
	if _, err := Encode(make([]Point, Most+1)); !errors.Is(err, ErrTooMany) {
		t.Errorf("too many: %v", err)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.OneOf(
			rapid.Float64(),
			rapid.Map(rapid.Uint64(), math.Float64frombits),
			rapid.Map(rapid.IntRange(-100000, 100000), func(n int) float64 { return float64(n) / 10 }),
			rapid.Map(rapid.IntRange(0, 300), func(n int) float64 { return float64(n) }))
		points := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) Point {
			return Point{rapid.Int64().Draw(rt, "t"), value.Draw(rt, "v")}
		}), 0, 200).Draw(rt, "points")
		chunk, err := Encode(points)
		if err != nil {
			rt.Fatal(err)
		}
		if got, err := Decode(chunk); err != nil || !same(points, got) {
			rt.Fatalf("came back otherwise: %v", err)
		}
		cut := rapid.IntRange(0, len(points)).Draw(rt, "cut")
		first, err := Encode(points[:cut])
		if err != nil {
			rt.Fatal(err)
		}
		whole, err := Append(first, points[cut:]...)
		if err != nil || !bytes.Equal(whole, chunk) {
			rt.Fatalf("Append differs from Encode: %v", err)
		}
		column := rapid.SliceOf(rapid.Int64()).Draw(rt, "column")
		back, err := DecodeInts(EncodeInts(column))
		if err != nil || len(back) != len(column) {
			rt.Fatalf("column: %v", err)
		}
		for i := range column {
			if back[i] != column[i] {
				rt.Fatal("column came back otherwise")
			}
		}
	})
}

// Long streams whose coder carries often: random walks of several kinds.
func TestLongStreams(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		points := make([]Point, 3000)
		at, v := int64(1_700_000_000_000), 100.0
		spread := math.Pow(10, r.Float64()*6)
		for i := range points {
			at += 1000 + int64(r.NormFloat64()*spread/100)
			v += math.Round(r.NormFloat64() * spread)
			points[i] = Point{at, v}
		}
		roundTrip(t, points)
	}
}

// Every flipped bit and every missing end is noticed.
func TestDamageIsNoticed(t *testing.T) {
	t.Parallel()
	chunk := roundTrip(t, []Point{{1000, 72}, {2000, 73}, {3000, 71.5}})
	for i := range chunk {
		for b := range 8 {
			bad := bytes.Clone(chunk)
			bad[i] ^= 1 << b
			if _, err := Decode(bad); !errors.Is(err, ErrDamaged) {
				t.Errorf("byte %d bit %d: %v", i, b, err)
			}
		}
		if _, err := Decode(chunk[:i]); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	for _, err := range All(chunk[:3]) {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("All: %v", err)
		}
	}
}

// FuzzDecode gives the decoder anything, with a right checksum so that it gets past it.
func FuzzDecode(f *testing.F) {
	for _, points := range [][]Point{nil, {{1, 2}}, {{1, 0.5}, {2, math.NaN()}, {9, 3}}, {{1000, 800}, {1810, 810}, {2600, 790}}} {
		chunk, _ := Encode(points)
		f.Add(chunk[:len(chunk)-4])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if points, err := Decode(seal(bytes.Clone(body))); err == nil {
			again, err := Encode(points)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := Decode(again); err != nil || !same(points, back) {
				t.Fatalf("what was decoded does not round trip: %v", err)
			}
		} else if !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		if column, err := DecodeInts(body); err == nil && len(column) > Most {
			t.Fatal("too long")
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	points := walkHR(3600)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(points); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(points)), "ns/sample")
}

func BenchmarkDecode(b *testing.B) {
	points := walkHR(3600)
	chunk, _ := Encode(points)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(chunk); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(points)), "ns/sample")
}

func walkHR(n int) []Point {
	r := rand.New(rand.NewPCG(1, 2))
	points := make([]Point, n)
	v := 72.0
	for i := range points {
		v += float64(r.IntN(3) - 1)
		points[i] = Point{int64(i) * 1000, v}
	}
	return points
}
