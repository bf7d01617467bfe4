package sample

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// Item is one object of a JSON file: a value at the top, or an element of a list.
type Item struct {
	Raw    json.RawMessage
	Offset int64  // bytes from the beginning of the file
	Path   string // "[3]", "entry[3]"; "" at the top
}

// Refuse makes a Refusal of the item.
func (i Item) Refuse(format string, args ...any) *Refusal {
	return &Refusal{Offset: i.Offset, Path: i.Path, Reason: fmt.Sprintf(format, args...)}
}

// largest is how many bytes one item may have.
const largest = 256 << 20

// Items reads JSON one item at a time: values one after the other (one a line, NDJSON, or not), the elements of lists at the top,
// and of the lists that are named when an object at the top has them; such an object comes itself last, without the list, and
// only when it has other members. A fault is a *Refusal with its offset and is the last; so is an error of r.
func Items(r io.Reader, lists ...string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		skipped := int64(0)
		if mark, _ := in.Peek(3); string(mark) == "\xef\xbb\xbf" {
			n, _ := in.Discard(3) // it has been seen
			skipped = int64(n)
		}
		w := walk{dec: json.NewDecoder(in), skipped: skipped, yield: yield}
		w.dec.UseNumber()
		for err := w.top(lists); !w.done; err = w.top(lists) {
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Item{}, w.refusal(err))
				return
			}
		}
	}
}

type walk struct {
	dec     *json.Decoder
	skipped int64
	yield   func(Item, error) bool
	done    bool // the caller has had enough
}

// refusal tells a fault of the file from an error of the input.
func (w *walk) refusal(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return Refuse(w.dec.InputOffset()+w.skipped, "it is not JSON: %v", err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return Refuse(w.dec.InputOffset()+w.skipped, "the file ends too early")
	}
	return err
}

// one decodes the next value and yields it.
func (w *walk) one(path string) error {
	raw, err := w.value()
	if err != nil {
		return err
	}
	w.done = !w.yield(Item{raw, w.dec.InputOffset() + w.skipped - int64(len(raw)), path}, nil)
	return nil
}

func (w *walk) value() (raw json.RawMessage, err error) {
	if err := w.dec.Decode(&raw); err != nil {
		return nil, err
	}
	if len(raw) > largest {
		return nil, Refuse(w.dec.InputOffset()+w.skipped-int64(len(raw)), "a value of more than %d bytes", largest)
	}
	return bytes.TrimSpace(raw), nil
}

// list yields the elements of the list that has begun.
func (w *walk) list(name string) error {
	for i := 0; w.dec.More(); i++ {
		if err := w.one(fmt.Sprintf("%s[%d]", name, i)); err != nil || w.done {
			return err
		}
	}
	_, err := w.dec.Token()
	return within(err)
}

// within turns the end of the input into one that comes too early.
func within(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// top reads one value at the top; io.EOF where there is none.
func (w *walk) top(lists []string) error {
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	begin := w.dec.InputOffset() - 1 // of the bracket
	switch token {
	case json.Delim('['):
		return within(w.list(""))
	case json.Delim('{'):
		return within(w.object(begin, lists))
	}
	raw, err := json.Marshal(token) // a word, a number, true, false or null
	if err != nil {
		return err
	}
	w.done = !w.yield(Item{Raw: raw, Offset: max(0, w.skipped+w.dec.InputOffset()-int64(len(raw)))}, nil)
	return nil
}

// object reads the members of the object that has begun.
func (w *walk) object(begin int64, lists []string) error {
	members, listed := []byte{'{'}, false
	for w.dec.More() {
		key, err := w.dec.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		raw := json.RawMessage(nil)
		if slices.Contains(lists, name) {
			token, err := w.dec.Token()
			if err != nil {
				return err
			}
			switch token {
			case json.Delim('['):
				listed = true
				if err := w.list(name); err != nil || w.done {
					return err
				}
				continue
			case json.Delim('{'):
				sub, err := w.rest()
				if err != nil {
					return err
				}
				raw = sub
			default:
				if raw, err = json.Marshal(token); err != nil {
					return err
				}
			}
		} else if raw, err = w.value(); err != nil {
			return err
		}
		quoted, _ := json.Marshal(name) // a string always goes
		if len(members) > 1 {
			members = append(members, ',')
		}
		members = append(append(append(members, quoted...), ':'), raw...)
	}
	if _, err := w.dec.Token(); err != nil {
		return err
	}
	if members = append(members, '}'); len(members) > 2 || !listed {
		w.done = !w.yield(Item{Raw: members, Offset: w.skipped + begin}, nil)
	}
	return nil
}

// rest reads the object that has begun under a list's name as a value.
func (w *walk) rest() ([]byte, error) {
	out := []byte{'{'}
	for w.dec.More() {
		key, err := w.dec.Token()
		if err != nil {
			return nil, err
		}
		raw, err := w.value()
		if err != nil {
			return nil, err
		}
		quoted, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, quoted...), ':'), raw...)
	}
	_, err := w.dec.Token()
	return append(out, '}'), err
}

// Read answers the samples that a function makes of each item of Items. An item that it refuses may have given samples all the same;
// the rest goes on.
func Read(r io.Reader, list string, of func(Item) ([]Sample, error)) Seq {
	return func(yield func(Sample, error) bool) {
		for item, err := range Items(r, list) {
			if err != nil {
				if !yield(Sample{}, err) {
					return
				}
				continue
			}
			samples, err := of(item)
			if err != nil && !yield(Sample{}, err) {
				return
			}
			for _, s := range samples {
				if !yield(s, nil) {
					return
				}
			}
		}
	}
}
