package fhir

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func drain(t testing.TB, r io.Reader, most int, lines bool) (out []Item) {
	t.Helper()
	s := NewStream(r, most, lines)
	for {
		it, err := s.Next()
		if err != nil {
			if err != io.EOF {
				t.Fatal(err)
			}
			return out
		}
		if out = append(out, it); len(out) > 10000 {
			t.Fatal("the stream does not end")
		}
	}
}

func TestStreamReadsEveryShape(t *testing.T) {
	t.Parallel()
	pretty := "{\n \"resourceType\": \"Bundle\",\n \"type\": \"transaction\",\n \"entry\": [\n  {\"resource\": {\"resourceType\":\"Patient\",\"id\":\"}]{\\\"\"}},\n  {\"x\":1}\n ],\n \"total\": 2\n}\n"
	for _, c := range []struct {
		name, in string
		lines    bool
		want     string
	}{
		{"one resource", `{"resourceType":"Patient"}`, false, "1@0:-1"},
		{"a bundle, pretty", pretty, false, "5@67:0 6@124:1"},
		{"keys in another order", `{"entry":[{"fullUrl":"a"}],"resourceType":"Bundle","type":"batch"}`, false, "1@10:0"},
		{"a List is no bundle", `{"entry":[{"item":{"reference":"Patient/1"}}],"resourceType":"List"}`, false, "1@0:-1"},
		{"an empty bundle", `{"resourceType":"Bundle","type":"searchset"}`, false, "1@0:-1"},
		{"NDJSON", "{\"a\":1}\n\n{\"a\":2}\r\n{\"a\":3}", true, "1@0:-1 3@9:-1 4@18:-1"},
		{"NDJSON without the name", "{\"a\":1}\n{\"a\":2}\n{\"a\":", false, "1@0:-1 2@8:-1 3@16:-1"},
		{"bundles in lines", "{\"resourceType\":\"Bundle\",\"entry\":[{\"x\":1}]}\n{\"resourceType\":\"Bundle\",\"entry\":[{\"x\":2}]}\n", true, "1@34:0 2@78:0"},
		{"a byte order mark", "\xef\xbb\xbf{\"a\":1}", false, "1@3:-1"},
		{"a broken line", "{\"a\":1}\nnonsense\n{\"a\":2}\n", true, "1@0:-1 2@8:-1! 3@17:-1"},
		{"a truncated bundle", `{"resourceType":"Bundle","entry":[{"a":1},{"b"`, false, "1@34:0 1@42:1!"},
		{"a bundle whose end is missing", `{"resourceType":"Bundle","entry":[{"a":1}]`, false, "1@34:0 1@41:1!"},
		{"not JSON", "id,name\n1,x\n", false, "1@0:-1!"},
		{"nothing", " \n ", false, ""},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
			var got []string
			for _, it := range drain(t, r, 1<<20, c.lines) {
				mark := ""
				if it.Refused != "" {
					mark = "!"
				}
				got = append(got, fmt.Sprintf("%d@%d:%d%s", it.Line, it.Offset, it.Entry, mark))
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%s: %s, want %s", c.name, s, c.want)
			}
		}
	}
}

// long is n bytes of JSON that never ends, without being held anywhere.
type long struct {
	head, tail string
	n, at      int64
}

func (l *long) Read(p []byte) (int, error) {
	if l.head != "" {
		n := copy(p, l.head)
		l.head = l.head[n:]
		return n, nil
	}
	if l.at >= l.n {
		if l.tail == "" {
			return 0, io.EOF
		}
		n := copy(p, l.tail)
		l.tail = l.tail[n:]
		return n, nil
	}
	for i := range p {
		p[i] = 'a'
	}
	l.at += int64(len(p))
	return len(p), nil
}

func TestStreamBoundsMemory(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]*long{
		"line":   {head: `{"resourceType":"Patient","id":"`, tail: "\"}\n{\"resourceType\":\"Patient\"}\n", n: 300 << 20},
		"bundle": {head: `{"resourceType":"Bundle","entry":[{"resource":{"x":"`, tail: `"}},{"resource":{}}]}`, n: 64 << 20},
	} {
		s := NewStream(in, 1<<20, name == "line")
		first, err := s.Next()
		if err != nil || !strings.Contains(first.Refused, "longer than 1 MB") {
			t.Errorf("%s: %+v %v", name, first.Refused, err)
		}
		second, err := s.Next()
		if err != nil || second.Refused != "" {
			t.Errorf("%s: what comes after it: %q %v", name, second.Refused, err)
		}
		if cap(s.buf) > 8<<20 {
			t.Errorf("%s: %d bytes were held", name, cap(s.buf))
		}
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Bundle","type":"batch","entry":[{"fullUrl":"a","resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}]}`), false)
	f.Add([]byte("{\"a\":1}\n{\"b\":\"\\\"}\"}\n"), true)
	f.Add([]byte(`{"entry":[],"x":[{}]}`), false)
	f.Fuzz(func(t *testing.T, b []byte, lines bool) {
		for _, it := range drain(t, bytes.NewReader(b), 1<<16, lines) {
			if it.Offset < 0 || it.Offset > int64(len(b)) || it.Line < 1 {
				t.Fatalf("%+v", it)
			}
			if it.Refused == "" && !bytes.HasPrefix(b[it.Offset:], it.Body) {
				t.Fatalf("what came out is not what stands there")
			}
			if it.Entry >= 0 && it.Refused == "" {
				if p, err := ParseEntry(it.Body); err == nil && json.Valid(it.Body) && p.Resource != nil && !json.Valid(p.Resource) {
					t.Fatalf("%q", p.Resource)
				}
			}
		}
	})
}
