package reading

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"doorstep/internal/reading/series"
	"doorstep/internal/sharedtest"
)

// TestSeriesBytes keeps the figure: no more bytes per sample than Prometheus' XOR chunks of the same 120 samples.
func TestSeriesBytes(t *testing.T) {
	t.Parallel()
	dir := sharedtest.Path(t, "data/devices")
	figures, err := BenchSeries(dir)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]map[string]float64{}
	for _, f := range figures {
		t.Logf("%s %s: %.3f %s over %d", f.Name, f.Engine, f.Value, f.Unit, f.N)
		if by[f.Engine] == nil {
			by[f.Engine] = map[string]float64{}
		}
		by[f.Engine][f.Name] = f.Value
	}
	for kind, got := range by {
		if got["series.bytes"] > got["series.bytes.limit"] {
			t.Errorf("%s: %.3f bytes a sample, Prometheus %.3f", kind, got["series.bytes"], got["series.bytes.limit"])
		}
	}
}

// TestXORBytes holds the reckoned size against Prometheus' own.
func TestXORBytes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var points []series.Point
		at, v := int64(1_700_000_000_000), 100.0
		spread := math.Pow(10, r.Float64()*8)
		for range 1 + r.IntN(benchChunk) {
			at += 1000 + int64(r.NormFloat64()*spread)
			if r.IntN(3) > 0 {
				v += math.Round(r.NormFloat64()*spread) / 10
			}
			points = append(points, series.Point{T: at, V: v})
		}
		c := chunkenc.NewXORChunk()
		app, err := c.Appender()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range points {
			app.Append(0, p.T, p.V)
		}
		if got, want := xorBytes(points), len(c.Bytes()); got != want {
			t.Fatalf("%d points: %d bytes, Prometheus %d", len(points), got, want)
		}
	}
}
