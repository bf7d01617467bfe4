package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fitHex is a FIT file: a record (72 /min), two beats, 75.8 kg, 128/81.
const fitHex = "0e1000008f0000002e4649542ba540000000000301028402028403048c0001002d0707000000410000140004fd04860301020602840401020100ab904148800dff4200004e0001000a840221031f03ffffffffffff4300001e0004fd04860002840102840c0284033cab90419c1db6080100033dab9041feffffff0100440000330005fd04860002840102840601020801000478ab9041800051004204a7b1"

func TestDecode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	raw, err := hex.DecodeString(fitHex)
	if err != nil {
		t.Fatal(err)
	}
	watch := put("watch", string(raw)) // no ending tells what it is
	cut := put("cut", string(raw[:len(raw)-1]))
	for _, c := range []struct {
		name string
		args []string
		code int
		out  []string // in stdout
		errs string   // in stderr
	}{
		{"a notification", []string{"--format", "gatt:2A37", "--hex", "104ED202C802"}, 0, []string{
			`{"series":"8867-4","at":null,"value":78,"unit":"/min","source":"gatt","kind":"2A37"}`,
			`{"series":"8637-1","at":null,"values":[705.078125,695.3125],"unit":"ms","source":"gatt","kind":"2A37"}`}, ""},
		{"hex with colons, small letters", []string{"--format", "GATT:2a9d", "--hex", "00:b0:36"}, 0, []string{`"value":70.000,"unit":"kg"`}, ""},
		{"a wall clock without a zone", []string{"--format", "gatt:2A1C", "--hex", "06720100FFE807030F0E1E2D02"}, 0, []string{`"at":"2024-03-15T14:30:45Z","value":37.0`, `"zone_unknown":true`}, ""},
		{"in its zone", []string{"--format", "gatt:2A1C", "--hex", "06720100FFE807030F0E1E2D02", "--tz", "America/New_York"}, 0, []string{`"at":"2024-03-15T14:30:45-04:00"`}, ""},
		{"lines of hex", []string{"--format", "gatt:2A9D", put("lines", "00B036\n00\n0x00AC36\n")}, 1, []string{`70.000`, `69.980`}, "line 2, offset 7: the bytes end too early"},
		{"a value that cannot be", []string{"--format", "gatt:2A35", "--hex", "00788050805A80"}, 1, nil, "offset 0: the value cannot be"},
		{"in one unit", []string{"--format", "gatt:2A9D", "--hex", "01543D", "--normal"}, 0, []string{`"value":71.21400209`, `"unit":"kg"`}, ""},
		{"by its content", []string{watch}, 0, []string{
			`{"series":"8867-4","at":"2024-11-08T11:33:20Z","value":72,"unit":"/min","source":"Garmin product 1837 serial 7","kind":"record"}`,
			`"values":[801,799]`, `"value":75.80,"unit":"kg"`}, ""},
		{"by hex", []string{"--hex", fitHex}, 0, []string{`"value":75.80,"unit":"kg"`}, ""},
		{"counted", []string{"--count", watch}, 0, []string{`{"kind":"weight_scale","items":2}`}, ""},
		{"cut off", []string{cut}, 1, []string{`"value":75.80,"unit":"kg"`}, "cut: offset 157: the file ends before its check value"},
		{"nothing", []string{filepath.Join(dir, "nowhere")}, 1, nil, "cannot be opened"},
		{"of no format", []string{put("text", "hello")}, 1, nil, "is of no known format"},
		{"an unknown format", []string{"--format", "pdf", watch}, 2, nil, "there is no format"},
		{"an unknown characteristic", []string{"--format", "gatt:1234", watch}, 2, nil, "1234 is not known"},
		{"an unknown zone", []string{"--tz", "Mars", watch}, 2, nil, "--tz"},
		{"no hex", []string{"--hex", "xyz"}, 2, nil, "--hex"},
		{"no file", nil, 2, nil, "want a file"},
	} {
		code, out, errs := do(t, append([]string{"decode"}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.errs) || c.errs == "" && errs != "" {
			t.Errorf("%s: code %d, want %d: %s", c.name, code, c.code, errs)
		}
		for _, want := range c.out {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %s in\n%s", c.name, want, out)
			}
		}
		for line := range strings.Lines(out) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: %s", c.name, line)
			}
		}
	}
}
