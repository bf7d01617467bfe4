package hrv

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// Interpolation says how the uneven series of intervals becomes an even one.
type Interpolation uint8

const (
	Linear Interpolation = iota
	Cubic                // spline, not-a-knot at both ends
)

// Window says how a segment fades at its ends.
type Window uint8

const (
	Hann Window = iota
	Hamming
)

// Method says how the spectrum is made: intervals are interpolated at times Hz from the first beat on, their mean is taken out,
// and the power density is averaged over segments that overlap by half, each without its mean, windowed and padded with zeros
// (Welch PD (1967), IEEE Trans Audio Electroacoust 15:70).
type Method struct {
	Interpolation Interpolation
	Hz            float64
	Segment       int // samples; a shorter series is one segment
	Padded        int // samples of the transform; at least Segment
	Window        Window
}

// Standard is the method used unless another is asked for: linear interpolation at 4 Hz, Hann windows of 64 s, padded to 4096.
var Standard = Method{Linear, 4, 256, 4096, Hann}

// Band is a range of frequencies in Hz, From included.
type Band struct{ From, To float64 }

// The bands of the Task Force; what lies below 0.003 Hz cannot be told from a trend.
var (
	VLF = Band{0.003, 0.04}
	LF  = Band{0.04, 0.15}
	HF  = Band{0.15, 0.4}
)

// Spectrum is a power density, from 0 Hz upwards in even steps.
type Spectrum struct {
	Step  float64   // Hz
	Power []float64 // ms²/Hz
}

// Frequency holds the power of the bands in ms².
type Frequency struct{ VLF, LF, HF, LFHF float64 }

// InFrequency answers the power of the three bands; NaN with too few intervals for the method.
func InFrequency(rr []float64, m Method) Frequency {
	s := Welch(rr, m)
	f := Frequency{VLF: s.In(VLF), LF: s.In(LF), HF: s.In(HF)}
	f.LFHF = f.LF / f.HF
	return f
}

// In answers the power in a band by the trapezoid rule over the spectrum's points in it; NaN without any point.
func (s Spectrum) In(b Band) float64 {
	sum, n := 0.0, 0
	for i := 0; i < len(s.Power) && float64(i)*s.Step < b.To; i++ {
		if float64(i)*s.Step < b.From {
			continue
		}
		if n++; n > 1 {
			sum += (s.Power[i-1] + s.Power[i]) / 2 * s.Step
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum
}

// minBeats are the fewest intervals that can be interpolated: a cubic spline needs four points.
const minBeats = 4

// Welch answers the spectrum of the intervals in ms; an empty one with fewer than four.
func Welch(rr []float64, m Method) Spectrum {
	if len(rr) < minBeats {
		return Spectrum{}
	}
	x := resample(rr, m)
	off := mean(x)
	for i := range x {
		x[i] -= off
	}
	segment := min(m.Segment, len(x))
	if segment < 2 {
		return Spectrum{}
	}
	padded := max(m.Padded, segment)
	window, weight := make([]float64, segment), 0.0
	for i := range window {
		c := math.Cos(2 * math.Pi * float64(i) / float64(segment))
		window[i] = 0.5 - 0.5*c
		if m.Window == Hamming {
			window[i] = 0.54 - 0.46*c
		}
		weight += window[i] * window[i]
	}
	s := Spectrum{Step: m.Hz / float64(padded), Power: make([]float64, padded/2+1)}
	n := 0
	buf := make([]complex128, padded)
	for at := 0; at+segment <= len(x); at += segment - segment/2 {
		part := x[at : at+segment]
		off := mean(part)
		clear(buf)
		for i, v := range part {
			buf[i] = complex((v-off)*window[i], 0)
		}
		for i, c := range transform(buf)[:len(s.Power)] {
			s.Power[i] += real(c)*real(c) + imag(c)*imag(c)
		}
		n++
	}
	for i := range s.Power {
		s.Power[i] /= m.Hz * weight * float64(n)
		if i > 0 && 2*i != padded { // each but these two has a twin at the negative frequency
			s.Power[i] *= 2
		}
	}
	return s
}

// transform answers the discrete Fourier transform of x: by halves where the length is a power of two, else by its definition
// over the smallest prime factor.
func transform(x []complex128) []complex128 {
	n := len(x)
	if n == 1 {
		return []complex128{x[0]}
	}
	p := 2
	if bits.OnesCount(uint(n)) != 1 {
		for n%p != 0 {
			p++
		}
	}
	m := n / p
	parts := make([][]complex128, p)
	for r := range parts {
		part := make([]complex128, m)
		for i := range part {
			part[i] = x[i*p+r]
		}
		parts[r] = transform(part)
	}
	out := make([]complex128, n)
	if p == 2 {
		for k := range m {
			t := cmplx.Rect(1, -2*math.Pi*float64(k)/float64(n)) * parts[1][k]
			out[k], out[k+m] = parts[0][k]+t, parts[0][k]-t
		}
		return out
	}
	for k := range out {
		for r := range parts {
			out[k] += cmplx.Rect(1, -2*math.Pi*float64(r*k%n)/float64(n)) * parts[r][k%m]
		}
	}
	return out
}
