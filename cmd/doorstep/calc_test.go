package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// file writes a file for a command and answers its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestCalcAdherence runs the command on files worked by hand: rows of people mixed and out of order, one fill, none.
func TestCalcAdherence(t *testing.T) {
	t.Parallel()
	const header = "PATIENT_ID,DATE,PERDAY,CATEGORY,DURATION\n"
	for _, c := range []struct {
		name, text string
		flags      []string
		code       int
		out, errs  string
	}{
		{"mixed rows", header + "b,2024-02-10,1,x,30\na,01/01/2024,1,x,30\nb,2024-01-01,1,x,30\n", []string{"--length", "90", "--cma", "1,2,7"}, 0,
			`{"patient":"b","cma1":0.75,"cma2":0.6666666666666666,"cma7":0.6666666666666667}` + "\n" +
				`{"patient":"a","cma1":null,"cma2":0.3333333333333333,"cma7":0.33333333333333337}` + "\n", ""},
		{"gaps and episodes", header + "a,2024-01-01,1,x,30\n", []string{"--cma", "9", "--gaps", "--episodes", "90", "--follow-up", "100"}, 0,
			`{"patient":"a","cma9":0.30000000000000004,"fills":[{"date":"2024-01-01","category":"x","duration":30,"interval":100,"gap":70}],` +
				`"episodes":[{"start":"2024-01-01","end":"2024-04-10","days":100,"gap":70}]}` + "\n", ""},
		{"nobody", header, nil, 0, "", ""},
		{"empty", "", nil, 1, "", "line 1: the file is empty"},
		{"a wrong header", "PATIENT,DATE,PERDAY,CATEGORY,DURATION\n", nil, 1, "", "line 1: the header has no column PATIENT_ID"},
		{"a wrong date", header + "a,2024-01-01,1,x,30\na,31/12/2024,1,x,30\n", nil, 1, "", `line 3: DATE "31/12/2024" is not a date`},
		{"a measure that is not", header, []string{"--cma", "10"}, 2, "", "--cma 10"},
		{"a window of ages", header, []string{"--length", "1000000000"}, 2, "", "a hundred years"},
		{"a window before the first fill", header, []string{"--start=-1"}, 2, "", "--start"},
		{"a window out of follow-up", header, []string{"--start", "100", "--follow-up", "50"}, 2, "", "--follow-up 50"},
	} {
		name := file(t, "fills.csv", c.text)
		code, out, errs := do(t, append([]string{"calc", "adherence", name, "--json"}, c.flags...)...)
		if code != c.code || out != c.out || !strings.Contains(errs, c.errs) || (errs == "") != (c.errs == "") || strings.Count(errs, "\n") > 1 {
			t.Errorf("%s: %d %s %s", c.name, code, out, errs)
		}
		if c.code == 1 && !strings.Contains(errs, "fills.csv: ") {
			t.Errorf("%s: the file is not named: %s", c.name, errs)
		}
	}
	code, out, _ := do(t, "calc", "adherence", file(t, "f.csv", header+"a,2024-01-01,1,x,30\n"), "--length", "100")
	if code != 0 || !strings.Contains(out, "CMA9") || !strings.Contains(out, "0.3000") || !strings.Contains(out, " - ") {
		t.Errorf("table: %d %s", code, out)
	}
	if code, _, errs := do(t, "calc", "adherence", "/nowhere/f.csv"); code != 1 || errs != "doorstep: /nowhere/f.csv cannot be opened: no such file or directory\n" {
		t.Errorf("no file: %d %s", code, errs)
	}
}

func TestCalcOpenings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"P_Eventlist.csv":                       "PatientCode,Monitor,Date\nP,M,2024-01-01 07:00:00\nP,M,2024-01-02 02:00:00\nQ,M,2024-01-02 02:00:00\n",
		"AuxiliaryData_EMInfo.csv":              "PatientCode,Monitor,StartDate,EndDate,Comment\nP,M,2024-01-01 00:00:00,2024-01-03 00:00:00,\n",
		"AuxiliaryData_Regimen.csv":             "PatientCode,Monitor,ExpectedOpenings,StartDate,EndDate,On,Off\nP,M,1,2024-01-01 00:00:00,2024-01-03 00:00:00,,\n",
		"AuxiliaryData_AddedOpenings.csv":       "PatientCode,Monitor,Date,AddedOpenings,Comments\nP,M,2024-01-01 00:00:00,-1,PharmaOpening\n",
		"AuxiliaryData_NonMonitoredPeriods.csv": "PatientCode,Monitor,StartDate,EndDate,Comments\nP,M,2024-01-03 00:00:00,2024-01-03 00:00:00,Hospitalization\n",
		"implementation_by monitor.csv":         "not looked at",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := do(t, "calc", "openings", dir, "--json")
	want := `{"patient":"P","monitor":"M","date":"2024-01-01","expected":1,"corrected":1,"implementation":1,"recorded":2,"added":-1}
{"patient":"P","monitor":"M","date":"2024-01-02","expected":1,"corrected":0,"implementation":0,"recorded":0,"added":0}
{"patient":"P","monitor":"M","date":"2024-01-03","expected":1,"corrected":0,"implementation":null,"recorded":0,"added":0}
`
	if code != 0 || out != want || errs != "left out: patient Q, monitor M has no row in EMInfo\n" {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if code, out, _ := do(t, "calc", "openings", dir); code != 0 || !strings.Contains(out, "50.0 %") {
		t.Errorf("table: %d %s", code, out)
	}
	if _, out, _ := do(t, "calc", "openings", dir, "--json", "--day-start", "00:00"); !strings.Contains(out, `"2024-01-02","expected":1,"corrected":1`) {
		t.Errorf("from midnight: %s", out)
	}
	if code, _, errs := do(t, "calc", "openings", t.TempDir()); code != 1 || !strings.Contains(errs, "EventList.csv") {
		t.Errorf("an empty folder: %d %s", code, errs)
	}
	if code, _, errs := do(t, "calc", "openings", "/nowhere"); code != 1 || !strings.Contains(errs, "/nowhere cannot be read") {
		t.Errorf("no folder: %d %s", code, errs)
	}
	if err := os.WriteFile(filepath.Join(dir, "Z_EventList.CSV"), []byte("PatientCode,Monitor,Date\nP,M,yesterday\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := do(t, "calc", "openings", dir, "--json"); code != 1 || !strings.Contains(errs, "Z_EventList.CSV: line 2: ") || strings.Count(errs, "\n") != 1 {
		t.Errorf("a wrong time: %d %s", code, errs)
	}
}

func TestCalcHRV(t *testing.T) {
	t.Parallel()
	beats := strings.Repeat("800\n860\n790\n", 40)
	for _, c := range []struct {
		name, text string
		flags      []string
		code       int
		out, errs  string
	}{
		{"ms", "800\n860\n760\n760\n810\n", []string{"--json"}, 0, `{"n":5,"mean":798,"sdnn":41.47288270665544,"rmssd":63.4428877022476,"nn50":2,"pnn50":50,`, ""},
		{"seconds", "0.800\n0.860\n0.760\n0.760\n0.810\n", []string{"--json", "--unit", "s"}, 0, `"pnn50":50,"vlf":`, ""},
		{"one interval", "800\n", []string{"--json"}, 0,
			`{"n":1,"mean":800,"sdnn":null,"rmssd":null,"nn50":null,"pnn50":null,"vlf":null,"lf":null,"hf":null,"lfhf":null,"sd1":null,"sd2":null}`, ""},
		{"none", "", []string{"--json"}, 0, `{"n":0,"mean":null,`, ""},
		{"a missed beat", beats + "1650\n" + beats, []string{"--json", "--correct"}, 0, `"extra":0`, ""},
		{"table", beats, []string{"--correct", "--interpolate", "cubic", "--window", "hamming"}, 0, "RMSSD", ""},
		{"no number", "800\nx\n", nil, 1, "", `rr.txt: line 2: "x" is not a number`},
		{"seconds for ms", "0.8\n", nil, 1, "", "is the unit right?"},
		{"no unit", "", []string{"--unit", "h"}, 2, "", "--unit"},
		{"too few samples", "", []string{"--hz", "0.1"}, 2, "", "--hz"},
	} {
		code, out, errs := do(t, append([]string{"calc", "hrv", file(t, "rr.txt", c.text)}, c.flags...)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) || (errs == "") != (c.errs == "") {
			t.Errorf("%s: %d %s %s", c.name, code, out, errs)
		}
	}
}

func TestCalcGlucose(t *testing.T) {
	t.Parallel()
	const clarity = "Index,Timestamp (YYYY-MM-DDThh:mm:ss),Event Type,Glucose Value (mg/dL)\n1,,FirstName,\n2,2024-01-01T00:00:00,EGV,Low\n3,2024-01-01T00:05:00,EGV,100\n4,2024-01-01T00:06:00,Calibration,300\n"
	for _, c := range []struct {
		name, text string
		flags      []string
		code       int
		out, errs  string
	}{
		{"two people, mixed", "id,time,gl\nb,2024-01-01 00:05:00,100\na,2024-01-01 00:00:00,60\nb,2024-01-01 00:00:00,200\n", []string{"--json"}, 0,
			`{"id":"b","n":2,"active":100,"mean":150,"gmi":6.898,"cv":47.14045207910317,"tbr54":0,"tbr70":0,"tir":50,"tar180":50,"tar250":0,"gri":40,"mage":null,`, ""},
		{"one reading", "id,time,gl\na,2024-01-01 00:00:00,60\n", []string{"--json"}, 0, `"active":null,"mean":60,`, ""},
		{"no reading", "id,time,gl\na,2024-01-01 00:00:00,NA\n", []string{"--json", "--episodes"}, 0, `{"id":"a","n":0,"active":null,"mean":null,"gmi":null,"cv":null,"tbr54":null,`, ""},
		{"nobody", "id,time,gl\n", []string{"--json"}, 0, "", ""},
		{"Clarity", clarity, []string{"--json"}, 0, `{"id":"gl","n":2,"active":100,"mean":69.5,`, ""},
		{"profile", clarity, []string{"--json", "--agp"}, 0, `"agp":[{"minute":5,"p5":100,`, ""},
		{"table", clarity, nil, 0, "69.5", ""},
		{"Clarity with a wrong value", clarity + "5,2024-01-01T00:10:00,EGV,x\n", nil, 1, "", `gl.csv: line 6: glucose "x" is not a number`},
		{"a wrong header", "id,time,glucose\n", nil, 1, "", "gl.csv: line 1: the header has no column gl, it has id,time,glucose"},
		{"empty", "", nil, 1, "", "gl.csv: line 1: the file is empty"},
	} {
		code, out, errs := do(t, append([]string{"calc", "glucose", file(t, "gl.csv", c.text)}, c.flags...)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) || (errs == "") != (c.errs == "") {
			t.Errorf("%s: %d %s %s", c.name, code, out, errs)
		}
	}
}

func TestCalcSPC(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		flags      []string
		code       int
		out, errs  string
	}{
		{"in any order", "date,value\n2024-01-02,3\n2024-01-01,1\n", []string{"--json"}, 0,
			`{"mean":2,"lower":-3.3200000000000003,"upper":7.32,"points":[{"date":"2024-01-01","value":1,"rules":[]},{"date":"2024-01-02","value":3,"rules":[]}]}`, ""},
		{"a trend", "date,value\n" + "2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n2024-01-04,4\n2024-01-05,5\n2024-01-06,6\n2024-01-07,7\n", []string{"--json"}, 0, `"rules":["outside","trend","two_of_three"]`, ""},
		{"not screened", "date,value\n2024-01-01,1\n", []string{"--json", "--no-screen"}, 0, `{"mean":1,"lower":null,"upper":null,`, ""},
		{"none", "date,value\n", []string{"--json"}, 0, `{"mean":null,"lower":null,"upper":null,"points":[]}`, ""},
		{"table", "date,value\n2024-01-02 10:00,3\n", nil, 0, "2024-01-02T10:00:00", ""},
		{"no number", "date,value\n2024-01-01,\n", nil, 1, "", `y.csv: line 2: value "" is not a number`},
		{"a wrong header", "day,value\n", nil, 1, "", "no column date"},
	} {
		code, out, errs := do(t, append([]string{"calc", "spc", file(t, "y.csv", c.text)}, c.flags...)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) || (errs == "") != (c.errs == "") {
			t.Errorf("%s: %d %s %s", c.name, code, out, errs)
		}
	}
}

func TestCalcScore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, instrument, text string
		code                   int
		out, errs              string
	}{
		{"a case", "gad7", `{"answers":{"1":3,"2":3,"3":3,"4":1,"5":0,"6":0,"7":0}}`, 0, `{"total":10,"band":"moderate"}` + "\n", ""},
		{"cases", "phq9", `{"cases":[{"answers":{"9":1,"1":null}},{"answers":{}}]}`, 0,
			`{"total":null,"band":null,"item9":1}` + "\n" + `{"total":null,"band":null,"item9":0}` + "\n", ""},
		{"promis10", "promis10", `{"answers":{"g03":3,"g06":3,"g07":5,"g08r":3}}`, 0, `{"gph_raw":12,"gph_t":39.8,"gph_se":4.1,"gmh_raw":null,"gmh_t":null,"gmh_se":null}` + "\n", ""},
		{"kccq12", "kccq12", `{"answers":{"2":3,"3":4}}`, 0, `{"PL":null,"SF":50,"QL":null,"SL":null,"summary":50}` + "\n", ""},
		{"cahps", "cahps", `{"items":{"b":"AU","a":"A"}}`, 0,
			`{"item_top_box":{"a":100,"b":50},"composite_equal_weight":75,"item_linear":{"a":100,"b":83.33333333333334},"composite_linear":91.66666666666667}` + "\n", ""},
		{"ratings", "cahps", `{"answers":[10,0]}`, 0, `{"top_box_9_10":50,"linear":50}` + "\n", ""},
		{"an answer that cannot be", "gad7", `{"cases":[{"answers":{}},{"name":"x","answers":{"1":4}}]}`, 1, "", "case 2 x: item 1: 4 is not a whole number from 0 to 3"},
		{"no JSON", "gad7", "{\n]", 1, "", "a.json: line 2: "},
		{"no answers", "gad7", "{}", 1, "", `neither "answers"`},
		{"words", "gad7", `{"answers":{"1":"often"}}`, 1, "", "answers must be numbers"},
		{"no such instrument", "sf36", "{}", 2, "", "--instrument"},
	} {
		code, out, errs := do(t, "calc", "score", "--instrument", c.instrument, "--json", file(t, "a.json", c.text))
		if code != c.code || out != c.out || !strings.Contains(errs, c.errs) || (errs == "") != (c.errs == "") {
			t.Errorf("%s: %d %s %s", c.name, code, out, errs)
		}
	}
	if code, out, _ := do(t, "calc", "score", "--instrument", "gad7", file(t, "a.json", `{"name":"p","answers":{}}`)); code != 0 || !strings.Contains(out, "total -") {
		t.Errorf("table: %d %s", code, out)
	}
}
