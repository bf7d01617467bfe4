// Command testsum reads `go test -json` on standard input, shows packages and whatever failed, and closes with the numbers. It
// ends with 1 when anything failed, and, where CI is set, when anything was skipped.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

func main() {
	passed, failed, skipped := 0, 0, 0
	output := map[string][]string{} // by package and test
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text()) // what go itself says before the tests
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			output[key] = append(output[key], e.Output)
		case "build-output":
			fmt.Print(e.Output)
		case "build-fail":
			failed++
		case "pass", "fail", "skip":
			if e.Test == "" {
				if e.Action != "skip" { // a package without tests
					fmt.Printf("%-4s %s %.1fs\n", e.Action, e.Package, e.Elapsed)
				}
				if e.Action == "fail" {
					fmt.Print(strings.Join(output[key], ""))
					failed++
				}
				continue
			}
			switch e.Action {
			case "pass":
				passed++
			case "fail":
				failed++
				fmt.Printf("--- FAIL: %s %s\n%s", e.Package, e.Test, strings.Join(output[key], ""))
			case "skip":
				skipped++
				fmt.Printf("--- SKIP: %s %s\n%s", e.Package, e.Test, strings.Join(output[key], ""))
			}
			delete(output, key)
		}
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 || passed == 0 || skipped > 0 && os.Getenv("CI") != "" {
		os.Exit(1)
	}
}
