package main

import (
	"bufio"
	"fmt"
	"io"

	"doorstep/internal/reading/hrv"
)

type calcHRVCmd struct {
	File        string  `arg:"" help:"Intervals between heart beats, one a line." type:"path"`
	Unit        string  `help:"Unit of the intervals." default:"ms" enum:"ms,s"`
	Correct     bool    `help:"Put missed, extra and ectopic beats right first (Lipponen and Tarvainen 2019)."`
	Interpolate string  `help:"How intervals become an even series for the spectrum." default:"linear" enum:"linear,cubic"`
	Hz          float64 `name:"hz" help:"Samples of that series per second." default:"4"`
	Segment     int     `help:"Samples of a segment of the spectrum." default:"256"`
	Padded      int     `help:"Samples to which a segment is filled up with zeros." default:"4096"`
	Window      string  `help:"How a segment fades at its ends." default:"hann" enum:"hann,hamming"`
	JSON        bool    `help:"Print a JSON object."`
}

func (c calcHRVCmd) Validate() error {
	if c.Hz < 0.8 || c.Hz > 100 {
		return fmt.Errorf("--hz is 0.8 (twice the highest frequency of HF) to 100")
	}
	if most := 1 << 20; c.Segment < 8 || c.Segment > most || c.Padded < 0 || c.Padded > most {
		return fmt.Errorf("--segment is 8 to %d, --padded 0 to %d", most, most)
	}
	return nil
}

func (c calcHRVCmd) method() hrv.Method {
	m := hrv.Method{Hz: c.Hz, Segment: c.Segment, Padded: c.Padded}
	if c.Interpolate == "cubic" {
		m.Interpolation = hrv.Cubic
	}
	if c.Window == "hamming" {
		m.Window = hrv.Hamming
	}
	return m
}

func (c calcHRVCmd) Run(e *env) error {
	return calculate(e, c.File, func(r io.Reader, out *bufio.Writer) error {
		scale := 1.0
		if c.Unit == "s" {
			scale = 1000
		}
		rr, err := hrv.Read(r, scale)
		if err != nil {
			return err
		}
		var found hrv.Artefacts
		if c.Correct {
			rr, found = hrv.CorrectIntervals(rr)
		}
		t, f := hrv.InTime(rr), hrv.InFrequency(rr, c.method())
		if c.JSON {
			return c.json(t, f, found, out)
		}
		fmt.Fprintf(out, "intervals %8d\nmean      %8s ms\nSDNN      %8s ms\nRMSSD     %8s ms\nNN50      %8d\npNN50     %8s %%\n", t.N, cell(t.Mean, 2), cell(t.SDNN, 2), cell(t.RMSSD, 2), t.NN50, cell(t.PNN50, 2))
		fmt.Fprintf(out, "VLF       %8s ms²\nLF        %8s ms²\nHF        %8s ms²\nLF/HF     %8s\nSD1       %8s ms\nSD2       %8s ms\n", cell(f.VLF, 1), cell(f.LF, 1), cell(f.HF, 1), cell(f.LFHF, 3), cell(t.SD1, 2), cell(t.SD2, 2))
		if c.Correct {
			fmt.Fprintf(out, "put right %8d beats: %d ectopic, %d missed, %d extra, %d long or short\n", found.Count(), len(found.Ectopic), len(found.Missed), len(found.Extra), len(found.LongShort))
		}
		return nil
	})
}

func (c calcHRVCmd) json(t hrv.Time, f hrv.Frequency, found hrv.Artefacts, out io.Writer) error {
	var line object
	line.whole("n", t.N, true)
	line.number("mean", t.Mean)
	line.number("sdnn", t.SDNN)
	line.number("rmssd", t.RMSSD)
	line.whole("nn50", t.NN50, t.N > 1)
	line.number("pnn50", t.PNN50)
	line.number("vlf", f.VLF)
	line.number("lf", f.LF)
	line.number("hf", f.HF)
	line.number("lfhf", f.LFHF)
	line.number("sd1", t.SD1)
	line.number("sd2", t.SD2)
	if c.Correct {
		line.whole("ectopic", len(found.Ectopic), true)
		line.whole("missed", len(found.Missed), true)
		line.whole("extra", len(found.Extra), true)
		line.whole("longshort", len(found.LongShort), true)
	}
	return line.end(out)
}
