package device

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/reading"
	"doorstep/internal/reading/format"
	"doorstep/internal/reading/sample"
)

const (
	maxFile     = 64 << 20 // bytes of a file that a device sends
	maxRefusals = 1000     // told of one file, with one more that counts the rest
)

// file takes a file of a known format as the device's readings, in batches as it comes: what was stored before the body breaks off or
// grows too large stays, and is known when it comes again. Wall clocks without a zone are read in the zone of Intake.
func (in *Intake) file(ctx context.Context, dev reading.Device, f format.Format, body io.Reader) (reading.Receipt, error) {
	zone := time.UTC
	zoned := false
	if in.Zone != nil {
		if z := in.Zone(ctx, dev); z != nil {
			zone, zoned = z, true
		}
	}
	out, more := reading.Receipt{Refused: []reading.Refusal{}}, 0
	src := &sized{r: body}
	err := in.Service.Take(ctx, f.Read(format.Input{Reader: src}, sample.Options{Zone: zone}), reading.Taking{
		Zoned:  zoned,
		Device: func(context.Context, string) (reading.Device, error) { return dev, nil },
		Refused: func(i int, r *sample.Refusal) {
			if len(out.Refused) < maxRefusals {
				out.Refused = append(out.Refused, reading.Refusal{Index: i, Reason: r.Error()})
				return
			}
			more++
		},
		Took: func(_ string, r reading.Receipt) error {
			out.Stored, out.Known = out.Stored+r.Stored, out.Known+r.Known
			return nil
		},
	})
	if src.failed != nil { // a decoder may have taken it for the end of the file
		var large *http.MaxBytesError
		if errors.As(src.failed, &large) {
			return out, fault.New(fault.TooMuch, "The body is larger than %d MB. What came before is stored; send the rest in smaller files.", maxFile>>20)
		}
		return out, fault.Invalidf("The body broke off. What came before is stored; send it again.")
	}
	if more > 0 {
		out.Refused = append(out.Refused, reading.Refusal{Index: out.Refused[maxRefusals-1].Index + 1, Reason: "more were refused, whose reasons are not told: " + strconv.Itoa(more)})
	}
	return out, err
}

// sized remembers how reading failed.
type sized struct {
	r      io.Reader
	failed error
}

func (s *sized) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.failed = err
	}
	return n, err
}
