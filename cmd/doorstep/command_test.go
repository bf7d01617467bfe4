package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// do runs a command in this process.
func do(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

const patientNDJSON = `{"resourceType":"Patient","id":"p1","name":[{"family":"Abbott"}],"birthDate":"1947-05-02"}
{"resourceType":"Patient","id":"p2","birthDate":"1947-15-02"}
`

func TestCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	file := filepath.Join(dir, "Patient.ndjson")
	if err := os.WriteFile(file, []byte(patientNDJSON), 0o600); err != nil {
		t.Fatal(err)
	}
	copyOf := filepath.Join(dir, "copy.db")
	for _, c := range []struct {
		name string
		args []string
		code int
		out  string // must be in stdout
		errs string // must be in stderr, which is then one line
	}{
		{"version", []string{"version"}, 0, "doorstep", ""},
		{"help", []string{"help", "serve"}, 0, "--public-url", ""},
		{"help of nothing", []string{"help", "fly"}, 2, "", "there are serve, demo,"},
		{"help of a mistyped command", []string{"help", "sevre"}, 2, "", "did you mean serve?"},
		{"help of half a command", []string{"help", "back"}, 2, "", "did you mean backup?"},
		{"no such command", []string{"fly"}, 2, "", "unexpected argument fly"},
		{"no such flag", []string{"serve", "--colour"}, 2, "", "--colour"},
		{"a database of another make", []string{"serve", "--database", "mysql://127.0.0.1/x"}, 2, "", "postgres://"},
		{"watch nothing", []string{"watch", "--url", "here", "--to", "+15550100000", "--sms-url", "x", "--sms-account", "x", "--sms-token", "x", "--sms-from", "x"}, 2, "", "--url"},
		{"check nothing", []string{"check", "--data", data}, 1, "", "no database"},
		{"backup nothing", []string{"backup", copyOf, "--data", data}, 1, "", "no database"},
		{"import nothing", []string{"import", filepath.Join(dir, "nowhere"), "--data", data}, 1, "", "cannot be read"},
		{"import", []string{"import", file, "--data", data}, 1, "Patient", "Patient.ndjson:2"},
		{"import again", []string{"import", file, "--data", data, "--json"}, 1, `"Same":1`, "birthDate"},
		{"check", []string{"check", "--data", data}, 0, "state ", ""},
		{"backup", []string{"backup", copyOf, "--data", data}, 0, "Written", ""},
		{"restore what is no backup", []string{"restore", file, "--data", filepath.Join(dir, "other")}, 1, "", "is no database"},
		{"backup onto a file", []string{"backup", copyOf, "--data", data}, 1, "", "exists already"},
		{"restore onto a database", []string{"restore", copyOf, "--data", data}, 1, "", "move it away"},
		{"restore", []string{"restore", copyOf, "--data", filepath.Join(dir, "other")}, 0, "Restored", ""},
		{"bench of nothing", []string{"bench", "speed"}, 2, "", "no figure"},
		{"bench list", []string{"bench", "list"}, 0, "ledger.spike", ""},
		{"sim for no time", []string{"sim", "--days", "0"}, 2, "", "--days"},
		{"sim with an unknown fault", []string{"sim", "--faults", "aliens"}, 2, "", "aliens"},
		{"public url", []string{"serve", "--public-url", "doorstep", "--data", data, "--listen", "127.0.0.1:0"}, 2, "", "--public-url"},
		{"address in use", []string{"serve", "--listen", "256.0.0.1:1", "--data", data}, 1, "", "--listen"},
	} {
		code, out, errs := do(t, c.args...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) {
			t.Errorf("%s: code %d, want %d\nout: %s\nerr: %s", c.name, code, c.code, out, errs)
		}
		if c.errs != "" && strings.Count(strings.TrimSpace(errs), "\n") > 0 {
			t.Errorf("%s: more than one line: %s", c.name, errs)
		}
	}
	if st, err := os.Stat(copyOf); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("a backup is everybody's record, and its owner's alone: %v %v", st.Mode(), err)
	}
}

// The same seed gives the same bytes, as a command.
func TestSimIsRepeatable(t *testing.T) {
	t.Parallel()
	args := []string{"sim", "--days", "2", "--patients", "2", "--seed", "9", "--faults", "sms-lost,hub-offline"}
	_, first, errs := do(t, args...)
	_, second, _ := do(t, args...)
	if first != second || first == "" {
		t.Errorf("%s\n%s\n%s", first, second, errs)
	}
	var r struct{ Days, Readings int }
	if err := json.Unmarshal([]byte(first), &r); err != nil || r.Days != 2 || r.Readings == 0 {
		t.Errorf("%v %+v", err, r)
	}
}
