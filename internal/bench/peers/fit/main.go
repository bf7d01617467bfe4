// Command fit reads FIT files with github.com/muktihari/fit over and over, and says how fast: a line for each file that it can
// read, and how many bytes a second it takes for all of them. `doorstep bench decode.fit` runs it beside our own decoder, so that
// that module is no part of ours.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/muktihari/fit/decoder"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fit:", err)
		os.Exit(1)
	}
}

// run measures for so many seconds: SECONDS FILE…
func run(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want SECONDS FILE…")
	}
	seconds, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return err
	}
	var files [][]byte
	answer := struct {
		Files []string
		Bytes int64
		Took  float64
	}{}
	dec := decoder.New(nil)
	read := func(b []byte) error {
		dec.Reset(bytes.NewReader(b))
		for dec.Next() {
			if _, err := dec.Decode(); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range args[1:] {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if read(b) == nil {
			files, answer.Files = append(files, b), append(answer.Files, filepath.Base(name))
		}
	}
	begin := time.Now()
	for len(files) > 0 && time.Since(begin).Seconds() < seconds {
		for _, b := range files {
			if err := read(b); err != nil {
				return err
			}
			answer.Bytes += int64(len(b))
		}
	}
	answer.Took = time.Since(begin).Seconds()
	return json.NewEncoder(os.Stdout).Encode(answer)
}
