package fit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/internal/reading/sample"
)

const monday uint32 = 1_100_000_000 // 2024-11-08T11:33:20Z

// small is a file with a record, its beats, a weight and a cuff's values.
func small(size byte, order binary.AppendByteOrder) []byte {
	b := builder{size: size, order: order}
	b.define(0, 0, [3]byte{1, 2, 0x84}, [3]byte{2, 2, 0x84}, [3]byte{3, 4, 0x8c})
	b.message(0, uint16(1), uint16(1837), uint32(7))
	b.define(1, 20, [3]byte{253, 4, 0x86}, [3]byte{3, 1, 2}, [3]byte{6, 2, 0x84}, [3]byte{4, 1, 2})
	b.message(1, monday, byte(72), uint16(3456), byte(0xff))
	b.define(2, 78, [3]byte{0, 10, 0x84})
	b.message(2, uint16(801), uint16(799), uint16(0xffff), uint16(0xffff), uint16(0xffff))
	b.define(3, 30, [3]byte{253, 4, 0x86}, [3]byte{0, 2, 0x84}, [3]byte{1, 2, 0x84}, [3]byte{12, 2, 0x84})
	b.message(3, monday+60, uint16(7580), uint16(2230), uint16(1))
	b.message(3, monday+61, uint16(0xfffe), uint16(0xffff), uint16(1)) // the scale has not settled
	b.define(4, 51, [3]byte{253, 4, 0x86}, [3]byte{0, 2, 0x84}, [3]byte{1, 2, 0x84}, [3]byte{6, 1, 2}, [3]byte{8, 1, 0})
	b.message(4, monday+120, uint16(128), uint16(81), byte(66), byte(4))
	return b.file()
}

// lines answers samples as text, refusals behind "!".
func lines(in []byte) []string {
	var out []string
	for s, err := range Read(bytes.NewReader(in), sample.Options{}) {
		if err != nil {
			out = append(out, "! "+err.Error())
			continue
		}
		v := fmt.Sprint(s.Value)
		if s.Values != nil {
			v = fmt.Sprint(s.Values)
		} else if s.Text != "" {
			v = s.Text
		}
		at := s.At.Format("15:04:05.000")
		if s.At.IsZero() {
			at = "+" + s.Elapsed.String()
		}
		out = append(out, strings.TrimSpace(strings.Join([]string{s.Kind, at, s.Series, v, s.Unit, strings.Join(s.Notes, ",")}, " ")))
	}
	return out
}

var smallLines = []string{
	"record 11:33:20.000 8867-4 72 /min", "record 11:33:20.000 speed 3.456 m/s", "hrv 11:33:21.600 8637-1 [801 799] ms",
	"weight_scale 11:34:20.000 29463-7 75.8 kg user 1 of the device", "weight_scale 11:34:20.000 41982-0 22.3 % user 1 of the device",
	"blood_pressure 11:35:20.000 8480-6 128 mm[Hg] irregular pulse", "blood_pressure 11:35:20.000 8462-4 81 mm[Hg] irregular pulse",
	"blood_pressure 11:35:20.000 8867-4 66 /min irregular pulse",
}

func TestReadsEveryLayout(t *testing.T) {
	t.Parallel()
	for _, size := range []byte{12, 14} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			if got := lines(small(size, order)); !slices.Equal(got, smallLines) {
				t.Errorf("header %d, %v:\n%s", size, order, strings.Join(got, "\n"))
			}
		}
	}
	in := small(14, binary.LittleEndian)
	in[12], in[13] = 0, 0 // no check value in the header
	binary.LittleEndian.PutUint16(in[len(in)-2:], crc(0).of(in[:len(in)-2]))
	if got := lines(in); !slices.Equal(got, smallLines) {
		t.Errorf("without a check value in the header:\n%s", strings.Join(got, "\n"))
	}
	in = small(14, binary.LittleEndian)
	longer := append(append(append([]byte{17}, in[1:14]...), 1, 2, 3), in[14:len(in)-2]...) // a header of versions to come
	copy(longer[12:], []byte{0, 0})
	longer = binary.LittleEndian.AppendUint16(longer, crc(0).of(longer))
	if got := lines(longer); !slices.Equal(got, smallLines) {
		t.Errorf("a longer header:\n%s", strings.Join(got, "\n"))
	}
	chain := append(small(14, binary.LittleEndian), small(12, binary.BigEndian)...)
	if got := lines(chain); !slices.Equal(got, append(slices.Clone(smallLines), smallLines...)) {
		t.Errorf("chained:\n%s", strings.Join(got, "\n"))
	}
	for s := range Read(bytes.NewReader(in), sample.Options{}) {
		if s.Source != "Garmin product 1837 serial 7" {
			t.Error(s.Source)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	b := builder{size: 14, order: binary.LittleEndian}
	b.define(0, 20, [3]byte{253, 4, 0x86}, [3]byte{3, 1, 2})
	b.message(0, monday, byte(70)) // ends in 0 of 32: 1,100,000,000 & 31 = 0
	b.define(1, 20, [3]byte{3, 1, 2})
	for _, offset := range []byte{5, 31, 2} { // the last one turned over
		b.data = append(b.data, 0x80|1<<5|offset, 71)
	}
	b.define(2, 55, [3]byte{26, 2, 0x84}, [3]byte{3, 4, 0x86}, [3]byte{24, 1, 0x0d})
	low := uint16(monday & 0xffff)
	b.message(2, low+100, uint32(12), byte(6|2<<5))
	b.message(2, low-1, uint32(13), byte(1)) // turned over: 65,535 s later
	b.message(2, low, uint32(14), byte(2))   // cycling: cycles are no steps
	b.define(3, 227, [3]byte{0, 2, 0x83}, [3]byte{1, 4, 0x86})
	b.message(3, uint16(25), monday+7)
	b.message(3, uint16(0xffff), monday+8) // -1: could not be told
	b.define(4, 275, [3]byte{253, 4, 0x86}, [3]byte{0, 1, 0})
	b.message(4, monday+9, byte(3))
	b.message(0, uint32(500), byte(66)) // since the device was switched on
	want := []string{
		"record 11:33:20.000 8867-4 70 /min", "record 11:33:25.000 8867-4 71 /min", "record 11:33:51.000 8867-4 71 /min", "record 11:33:54.000 8867-4 71 /min",
		"monitoring 11:35:00.000 55423-8 12 {steps} walking, since midnight", "monitoring 05:45:35.000 55423-8 13 {steps} running, since midnight",
		"stress_level 11:33:27.000 stress 25 %", "sleep_level 11:33:29.000 sleep-stage deep", "record +8m20s 8867-4 66 /min",
	}
	if got := lines(b.file()); !slices.Equal(got, want) {
		t.Errorf("\n%s", strings.Join(got, "\n"))
	}
}

func TestHeart(t *testing.T) {
	t.Parallel()
	b := builder{size: 14, order: binary.LittleEndian}
	b.define(0, 132, [3]byte{253, 4, 0x86}, [3]byte{0, 2, 0x84}, [3]byte{9, 4, 0x86}, [3]byte{6, 1, 2})
	b.message(0, monday, uint16(16384), uint32(4000), byte(60))
	b.define(1, 132, [3]byte{6, 4, 2}, [3]byte{10, 6, 0x0d})
	// 4000 + 1024 = 5024 turns the 12 bits over to 928; then 1952, 2976; the last beat has no rate
	b.message(1, byte(61), byte(62), byte(63), byte(0xff), []byte{928 & 255, 928>>8 | 1952&15<<4, 1952 >> 4, 2976 & 255, 2976>>8 | 3000&15<<4, 3000 >> 4})
	want := []string{"hr 11:33:20.500 8867-4 60 /min", "hr 11:33:21.500 8867-4 61 /min", "hr 11:33:22.500 8867-4 62 /min", "hr 11:33:23.500 8867-4 63 /min"}
	if got := lines(b.file()); !slices.Equal(got, want) {
		t.Errorf("\n%s", strings.Join(got, "\n"))
	}
}

func TestDeveloperFieldsAreSkipped(t *testing.T) {
	t.Parallel()
	b := builder{size: 14, order: binary.LittleEndian}
	b.define(0, 20, [3]byte{3, 1, 2}, [3]byte{200, 3, 0x84}) // three bytes of a type of two: a field of no use
	b.data[0] |= 0x20
	b.data = append(b.data, 1, 0, 5, 0)
	b.message(0, byte(70), []byte{1, 2, 3}, []byte{1, 2, 3, 4, 5})
	b.message(0, byte(71), []byte{1, 2, 3}, []byte{1, 2, 3, 4, 5})
	if got := lines(b.file()); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

// Whatever a file holds before its fault is answered, then the fault with its offset.
func TestRefuses(t *testing.T) {
	t.Parallel()
	whole := small(14, binary.LittleEndian)
	n := len(smallLines)
	edit := func(change func(b []byte) []byte) []byte { return change(slices.Clone(whole)) }
	for _, c := range []struct {
		name  string
		in    []byte
		lines int
		want  string
	}{
		{"nothing", nil, 0, ""},
		{"text", []byte("weight,75.8 and more text"), 0, "! offset 0: it is not a FIT file"},
		{"a header cut off", whole[:11], 0, "! offset 0: the file ends within the header"},
		{"its check value", edit(func(b []byte) []byte { b[2]++; return b }), 0, "! offset 0: the header's check value is"},
		{"the check value", edit(func(b []byte) []byte { b[len(b)-1]++; return b }), n, fmt.Sprintf("! offset %d: the check value is", len(whole)-2)},
		{"no check value", whole[:len(whole)-2], n, fmt.Sprintf("! offset %d: the file ends before its check value", len(whole)-2)},
		{"cut off in the last message", whole[:len(whole)-5], n - 3, "! offset " + fmt.Sprint(len(whole)-2-11) + ": the file ends 5 bytes early"},
		{"an undefined message", edit(func(b []byte) []byte { b[len(b)-2-11] = 9; return b }), n - 3, "! offset " + fmt.Sprint(len(whole)-2-11) + ": a message of local type 9, which has not been defined"},
		{"something behind", append(slices.Clone(whole), "and some words"...), n, "! offset " + fmt.Sprint(len(whole)) + ": what follows is not a FIT file"},
		{"never closed", edit(func(b []byte) []byte {
			copy(b[4:8], make([]byte, 4))
			copy(b[12:14], []byte{0, 0})
			return b[:len(b)-2]
		}), n, "! offset " + fmt.Sprint(len(whole)-2) + ": the header tells no length"},
	} {
		got := lines(c.in)
		if c.want == "" {
			if len(got) > 0 {
				t.Errorf("%s: %q", c.name, got)
			}
			continue
		}
		if len(got) != c.lines+1 || !strings.HasPrefix(got[len(got)-1], c.want) {
			t.Errorf("%s: %d lines, want %d, %q", c.name, len(got), c.lines+1, got[len(got)-1])
		}
	}
	// The next file of a chain is read although one before it was broken.
	chain := append(edit(func(b []byte) []byte { b[len(b)-2-11] = 9; return b }), whole...)
	if got := lines(chain); len(got) != n-3+1+n {
		t.Errorf("%d lines of a chain: %q", len(got), got)
	}
	var refusal *sample.Refusal
	_, err := NewReader(strings.NewReader("x")).Next()
	if !errors.As(err, &refusal) {
		t.Error(err)
	}
	if _, err := NewReader(broken{}).Next(); !errors.Is(err, errBroken) {
		t.Error(err)
	}
}

var errBroken = errors.New("the disk is gone")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func TestCheckValue(t *testing.T) {
	t.Parallel()
	if got := crc(0).of([]byte("123456789")); got != 0xbb3d { // CRC-16/ARC of the catalogue
		t.Errorf("%04x", got)
	}
	long := bytes.Repeat([]byte("doorstep"), 9)
	for i := range long {
		var c crc
		c.add(long[:i])
		c.add(long[i:])
		if c != crc(crc(0).of(long)) {
			t.Fatal(i)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(small(14, binary.LittleEndian))
	f.Add(small(12, binary.BigEndian))
	f.Add(append(small(14, binary.LittleEndian), small(12, binary.LittleEndian)...))
	f.Fuzz(func(t *testing.T, in []byte) {
		n := 0
		for s, err := range Read(bytes.NewReader(in), sample.Options{}) {
			if n++; err != nil {
				continue
			}
			if s.Series == "" || s.Kind == "" || math.IsNaN(s.Value) || math.IsInf(s.Value, 0) || !s.At.IsZero() && s.At.Before(time.Unix(Epoch, 0)) {
				t.Fatalf("%+v", s)
			}
		}
		if n > 20*len(in)+20 {
			t.Fatalf("%d samples of %d bytes", n, len(in))
		}
		r := NewReader(bytes.NewReader(in))
		for range 2*len(in) + 2 {
			if _, err := r.Next(); err == io.EOF {
				return
			}
		}
		t.Fatal("it does not end")
	})
}
