package bench

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strconv"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/reading/apple"
	"doorstep/internal/reading/sample"
	"doorstep/internal/store"
)

// exportBytes is about how long the export of decode.apple is.
const exportBytes = 3 << 30

// decodeApple answers how fast an export.xml of three gigabytes becomes samples, how much memory is in use at the most over the
// export's own, beside merely counting its lines; and how fast a shorter one comes out of its archive. The export is made as it is read: the same
// days over and over, each time in another year.
func decodeApple(ctx context.Context, _ *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	x := newExport(exportBytes)
	lines, err := timed(func() error {
		buf := make([]byte, 256<<10)
		n := 0
		for {
			k, err := x.Read(buf)
			n += bytes.Count(buf[:k], []byte{'\n'})
			if err == io.EOF {
				return ctx.Err()
			}
		}
	})
	if err != nil {
		return nil, err
	}
	read := x.read
	x = newExport(exportBytes)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, peak := m.HeapAlloc, m.HeapAlloc
	n := 0
	seconds, err := timed(func() error {
		for _, err := range apple.Read(x, sample.Options{}) {
			if err != nil {
				return err
			}
			if n++; n%1_000_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	archive, size, err := archivedExport(exportBytes / 30)
	if err != nil {
		return nil, err
	}
	unpacked, err := timed(func() error {
		for _, err := range apple.ReadZip(bytes.NewReader(archive), int64(len(archive)), sample.Options{}) {
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	mb := float64(read) / 1e6
	return []app.Figure{
		{Name: "decode.apple.mbs", Value: mb / seconds, Unit: "MB/s", N: n},
		{Name: "decode.apple.limit_mbs", Value: mb / lines, Unit: "MB/s", N: n},
		{Name: "decode.apple.mb", Value: float64(peak-before) / 1e6, Unit: "MB", N: n},
		{Name: "decode.apple.zip_mbs", Value: float64(size) / 1e6 / unpacked, Unit: "MB/s", N: 1},
	}, err
}

// archivedExport answers an archive with an export of about so many bytes.
func archivedExport(bytesOf int) (archive []byte, size int, err error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("apple_health_export/export.xml")
	if err != nil {
		return nil, 0, err
	}
	x := newExport(bytesOf)
	if _, err := io.Copy(f, x); err != nil {
		return nil, 0, err
	}
	err = z.Close()
	return b.Bytes(), x.read, err
}

// export is an export.xml as a reader: a head, a block of records again and again, an end.
type export struct {
	head, block, end []byte
	years            []int // where a year stands in the block
	times, year      int
	rest             []byte
	read             int
}

// newExport makes an export of about so many bytes: 120,000 records a year of a watch, a phone, a scale and a cuff.
func newExport(size int) *export {
	x := &export{head: []byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!-- HealthKit Export Version: 14 -->\n]>\n<HealthData locale=\"en_US\">\n"),
		end: []byte("</HealthData>\n"), year: 1952}
	var b bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range 120_000 {
		at = at.Add(time.Duration(1+random.IntN(500)) * time.Second)
		end := at
		typ, unit, value := "HeartRate", "count/min", fmt.Sprint(50+random.IntN(90))
		switch i % 12 {
		case 0, 1:
			typ, unit, value, end = "StepCount", "count", fmt.Sprint(random.IntN(900)), at.Add(5*time.Minute)
		case 2:
			typ, unit, value, end = "ActiveEnergyBurned", "kcal", fmt.Sprintf("%.3f", random.Float64()*9), at.Add(time.Minute)
		case 3:
			typ, unit, value = "OxygenSaturation", "%", fmt.Sprintf("%.2f", 0.9+random.Float64()/10)
		case 4:
			typ, unit, value = "BloodGlucose", "mmol&lt;180.1558800000541&gt;/L", fmt.Sprintf("%.1f", 4+random.Float64()*9)
		}
		fmt.Fprintf(&b, " <Record type=\"HKQuantityTypeIdentifier%s\" sourceName=\"Ann’s Apple\u00a0Watch\" sourceVersion=\"10.3\" device=\"&lt;&lt;HKDevice: 0x282a45810&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,4, software:10.3&gt;\" unit=\"%s\" creationDate=\"", typ, unit)
		for k, t := range []time.Time{end, at, end} {
			b.WriteString([]string{"", `" startDate="`, `" endDate="`}[k])
			x.years = append(x.years, b.Len())
			b.WriteString(t.Format("2006-01-02 15:04:05 -0700"))
		}
		if fmt.Fprintf(&b, `" value="%s"`, value); i%3 > 0 {
			b.WriteString("/>\n")
		} else {
			b.WriteString(">\n  <MetadataEntry key=\"HKMetadataKeyHeartRateMotionContext\" value=\"0\"/>\n </Record>\n")
		}
	}
	x.block = b.Bytes()
	x.times = max(1, size/len(x.block))
	x.rest = x.head
	return x
}

func (x *export) Read(b []byte) (int, error) {
	if len(x.rest) == 0 {
		switch x.times--; {
		case x.times >= 0:
			year := strconv.Itoa(x.year)
			for _, at := range x.years {
				copy(x.block[at:], year)
			}
			x.year++
			x.rest = x.block
		case x.times == -1:
			x.rest = x.end
		default:
			return 0, io.EOF
		}
	}
	n := copy(b, x.rest)
	x.rest = x.rest[n:]
	x.read += n
	return n, nil
}
