package format

import (
	"errors"
	"io"
	"math"
	"time"

	"doorstep/internal/reading/cgmcsv"
	"doorstep/internal/reading/sample"
	"doorstep/internal/table"
)

// errEnough ends the reading of an export whose reader wants no more.
var errEnough = errors.New("enough")

// readCGM answers the values of an export of Clarity or LibreView, in mg/dL. Where summer time ends and the wall clock's hour comes
// twice, the transmitter's clock tells which of the two it was, if the export has it.
func readCGM(r io.Reader, o sample.Options) sample.Seq {
	return func(yield func(sample.Sample, error) bool) {
		stopped := false
		var last time.Time // of the transmitter's clock at ticks
		ticks := int64(0)
		_, err := cgmcsv.Decode(r, func(s cgmcsv.Sample) error {
			o.Seen(string(s.Kind))
			at := sample.Wall(s.At, o.Location())
			if s.Transmitter != 0 {
				at = nearer(at, last, s.Transmitter-ticks, ticks != 0)
				last, ticks = at, s.Transmitter
			}
			out := sample.Sample{Series: sample.TissueGlucose, At: at, Zoneless: true, Value: s.MgDL, Unit: "mg/dL", Beyond: s.Beyond, Source: s.Device, Kind: string(s.Kind)}
			if s.Kind == cgmcsv.Strip || s.Kind == cgmcsv.Calibration {
				out.Series = sample.BloodGlucose
			}
			if stopped = !yield(out, nil); stopped {
				return errEnough
			}
			return nil
		}, func(e *table.Error) {
			if !stopped {
				stopped = !yield(sample.Sample{}, &sample.Refusal{Line: e.Line, Reason: e.Reason})
			}
		})
		var refused *table.Error
		switch {
		case err == nil || stopped:
		case errors.As(err, &refused):
			yield(sample.Sample{}, &sample.Refusal{Line: refused.Line, Reason: refused.Reason})
		default:
			yield(sample.Sample{}, err)
		}
	}
}

// nearer answers at, or where the wall clock shows the same an hour later, whichever is nearer to the last time and the seconds
// since; at where these are not known.
func nearer(at, last time.Time, since int64, known bool) time.Time {
	later := at.Add(time.Hour)
	if !known || later.Format(time.DateTime) != at.Format(time.DateTime) {
		return at
	}
	off := func(t time.Time) float64 { return math.Abs(t.Sub(last).Seconds() - float64(since)) }
	if off(later) < off(at) {
		return later
	}
	return at
}
