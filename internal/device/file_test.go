package device

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"doorstep/internal/reading"
)

// A device sends whole files: they are stored once, as its own readings.
func TestFiles(t *testing.T) {
	t.Parallel()
	each(t, func(e *edge) {
		e.in.Zone = nil
		send := func(kind string, body io.Reader) (int, reading.Receipt) {
			e.Helper()
			r := httptest.NewRequest(http.MethodPost, "/api/v1/devices/"+e.dev.ID+"/readings", body)
			r.Header.Set("Authorization", "Bearer "+e.key)
			r.Header.Set("Content-Type", kind)
			w := httptest.NewRecorder()
			e.handler.ServeHTTP(w, r)
			var receipt reading.Receipt
			if w.Code == http.StatusOK {
				if err := json.Unmarshal(w.Body.Bytes(), &receipt); err != nil {
					e.Fatal(err)
				}
			}
			return w.Code, receipt
		}
		at := func(minutes int) string { return noon.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339) }
		weights := fmt.Sprintf(`[{"type":"WeightRecord","time":%q,"weight":70.5},{"type":"WeightRecord","time":"noon","weight":70}]`, at(-5))
		for round, want := range []reading.Receipt{{Stored: 1}, {Known: 1}} {
			code, got := send("application/vnd.doorstep.healthconnect; charset=utf-8", strings.NewReader(weights))
			if code != 200 || got.Stored != want.Stored || got.Known != want.Known || len(got.Refused) != 1 || got.Refused[0].Index != 1 {
				e.Fatalf("round %d: %d %+v", round, code, got)
			}
		}
		entries := fmt.Sprintf(`[{"type":"sgv","date":%d,"sgv":120}]`, noon.UnixMilli())
		if code, got := send("application/vnd.doorstep.nightscout", strings.NewReader(entries)); code != 200 || got.Stored != 1 {
			e.Errorf("%d %+v", code, got)
		}
		raw, err := hex.DecodeString("0e1000008f0000002e464954")
		if err != nil {
			e.Fatal(err)
		}
		if code, got := send("application/vnd.ant.fit", strings.NewReader(string(raw))); code != 200 || len(got.Refused) != 1 {
			e.Errorf("%d %+v", code, got)
		}
		var many strings.Builder
		for range maxRefusals + 5 {
			many.WriteString(`{"type":"WeightRecord","time":"noon","weight":70}` + "\n")
		}
		if code, got := send("application/vnd.doorstep.healthconnect", strings.NewReader(many.String())); code != 200 || len(got.Refused) != maxRefusals+1 || !strings.HasSuffix(got.Refused[maxRefusals].Reason, ": 5") {
			e.Errorf("%d %d", code, len(got.Refused))
		}
		// More than is taken at once: what came before is stored.
		one := fmt.Sprintf(`{"type":"WeightRecord","time":%q,"weight":71.5}`+"\n", at(-4))
		if code, _ := send("application/vnd.doorstep.healthconnect", io.MultiReader(strings.NewReader(one), io.LimitReader(blanks{}, maxFile))); code != http.StatusRequestEntityTooLarge {
			e.Error(code)
		}
		if got := e.values("ana", "29463-7"); fmt.Sprint(got) != "[70.5 71.5]" {
			e.Error(got)
		}
		for _, kind := range []string{"application/pdf", "application/zip", "application/vnd.doorstep."} {
			if code, _ := send(kind, strings.NewReader("x")); code != http.StatusUnsupportedMediaType {
				e.Error(kind, code)
			}
		}
	})
}

// blanks is white space without end.
type blanks struct{}

func (blanks) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '\n'
	}
	return len(b), nil
}
